"""Reports of retrainings as they were kept: those of this program, older ones too, told from whatever else lies in a `report.json`.

A report is no part of what a manifest vouches for. What is read of it is checked here once, so that nothing that shows it stumbles.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from classifiers.errors import ForeignReportError

_Model = Literal["active", "new", "difference"]
_Number = Annotated[float, Meta(ge=-1e9, le=1e9)]
_Count = Annotated[int, Meta(ge=0, le=1 << 53)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Point = tuple[_Share, _Share]


class _Interval(Struct):
    value: _Number | None = None
    low: _Number | None = None
    high: _Number | None = None


class _Slice(Struct):
    output: str
    kind: str
    name: str
    rows: _Count
    positives: _Count
    measures: dict[_Model, dict[str, _Interval]]


class _Moved(Struct):
    before: str
    after: str
    id: str | None = None
    said: str = ""


class _Verdicts(Struct):
    approve: _Number = 0.0
    hold: _Number = 0.0
    reject: _Number = 0.0


class _Changes(Struct):
    before: _Verdicts
    after: _Verdicts
    rows: _Count
    differently: list[_Moved] = []


class _Labeller(Struct):
    actor: str
    output: str
    labels: _Count
    contradicted: _Share
    standard_errors: _Number
    is_outlier: bool
    excess: _Number = 0.0


class _Note(Struct):
    code: str
    sentence: str
    fields: dict[str, str | int | float] = {}
    words: str | None = None


class _Curves(Struct):
    precision: list[_Point]
    calibration: list[_Point]
    histogram: Annotated[list[_Share], Meta(min_length=1, max_length=100)]


class _Report(Struct):
    version: str
    active: str
    is_by_time: bool
    slices: list[_Slice]
    changes: _Changes
    snapshot: str = ""
    labellers: list[_Labeller] = []
    notes: list[_Note | tuple[str, str]] = []
    counts: dict[str, _Count] = {}
    curves: dict[str, dict[Literal["active", "new"], _Curves]] = {}


def read_report(kept: Any) -> dict[str, Any]:
    """Return what this program reads of a report, whole: what an older one left out stands empty.

    Raises ForeignReportError, saying what is missing or of another form and where.
    """
    try:
        found = msgspec.convert(kept, _Report)
    except msgspec.ValidationError as error:
        raise ForeignReportError(f"it is no report of this program's retraining: {error}") from error
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return plain
