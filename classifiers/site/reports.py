"""What came of a retraining, as a value; ids only, never a text."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from classifiers.site.gates import Refusal
from classifiers.site.judgement import Changes, Slice
from classifiers.site.outliers import Labeller


@dataclass(frozen=True, slots=True)
class RetrainReport:
    """What came of a retraining. `as_json` is what `report.json` holds.

    `refusals` is empty just where `is_promotable`. `counts` are rows by what was done with them and labels by output;
    `snapshot` names the set of labelled rows, whatever their order. `notes` are a stable code with words for people.
    `strengths` are the ways in which the site's own n-grams were learned and mixed, with their shares, by output: scaled by
    "ratio" or "rarity", with the inverse of their penalty; "prior" is the prior alone.
    """

    version: str
    is_promotable: bool
    refusals: Sequence[Refusal]
    slices: Sequence[Slice]
    changes: Changes
    outputs: Sequence[str]
    strengths: Mapping[str, Mapping[str, float]]
    languages: Sequence[str]
    labellers: Sequence[Labeller]
    notes: Sequence[tuple[str, str]]
    counts: Mapping[str, int]
    snapshot: str
    active: str
    is_by_time: bool

    def as_json(self) -> dict[str, Any]:
        """Return plain values; NaN becomes None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value
