"""What a person said of a text, as retraining takes it, and how a record of a file becomes one.

What a field says of an output goes before what the state says. `state` is read after DESIGN's meaning of labels: approved
denies spam, abuse and rejection; rejected says rejection, and with its reason spam or abuse; what was not said stays None.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from classifiers.errors import DatasetError
from classifiers.records import Place, field_text, place
from classifiers.site.language_codes import code_of

OUTPUTS = ("spam", "abuse", "reject", "insult", "obscene", "threat", "hate")
KINDS = ("insult", "obscene", "threat", "hate")
MAX_WEIGHT = 1e6
_ABUSE = frozenset({"abuse", *KINDS})
_APPROVED = frozenset({"approved", "approve"})
_REJECTED = frozenset({"rejected", "reject", "trash"})
_UNDECIDED = frozenset({"", "held", "hold", "pending", "deleted"})
_YES, _NO = frozenset({"1", "1.0", "true", "yes", "نعم"}), frozenset({"0", "0.0", "false", "no", "لا"})
NOTHING = frozenset({"", "null", "none", "nan"})


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text with what a person said of each output: 1, 0, or None where nothing was said.

    `weight` is the inverse of the chance that the row was looked at, above 0. `id` is an opaque comment id, the only thing of a
    row that reports keep; `actor` a pseudonym of who labelled; `at` is aware; `reason` the code of a rejection.
    """

    text: str = field(repr=False)
    language: str | None = None
    author_url: str | None = field(default=None, repr=False)
    spam: int | None = None
    abuse: int | None = None
    reject: int | None = None
    insult: int | None = None
    obscene: int | None = None
    threat: int | None = None
    hate: int | None = None
    weight: float = 1.0
    at: datetime | None = None
    reason: str | None = None
    site: str | None = None
    id: str | None = None
    actor: str | None = None

    def label(self, output: str) -> int | None:
        """Return what was said of one of OUTPUTS."""
        value: int | None = getattr(self, output)
        return value

    @property
    def is_labelled(self) -> bool:
        """Whether anything was said."""
        return any(self.label(output) is not None for output in OUTPUTS)


def contradictions(rows: Sequence[LabelledText]) -> dict[str, int]:
    """Return for each output how many texts are labelled both ways, where there are any; capitals and outer spaces aside."""
    found = {}
    for output in OUTPUTS:
        said: dict[int, int] = {}
        for row in rows:
            label = row.label(output)
            if label is not None:
                key = hash(row.text.strip().casefold())
                said[key] = said.get(key, 0) | (label + 1)
        count = sum(both == 3 for both in said.values())
        if count:
            found[output] = count
    return found


def of_state(state: str, reasons: frozenset[str]) -> dict[str, int]:
    """Return what a decision says of the outputs; empty for one that says nothing; raises KeyError for an unknown state."""
    if state in _UNDECIDED:
        return {}
    if state in _APPROVED:
        return {"spam": 0, "abuse": 0, "reject": 0}
    if state == "spam" or (state in _REJECTED and "spam" in reasons):
        return {"spam": 1, "reject": 1}
    if state in _REJECTED:
        return {"reject": 1} | dict.fromkeys(
            reasons & set(KINDS) | ({"abuse"} if reasons & _ABUSE else set()), 1
        )
    raise KeyError(state)


def from_record(
    record: Mapping[str, Any],
    *,
    name: str,
    row: int,
    text_column: str = "text",
    forgive: Callable[[DatasetError], None] | None = None,
) -> LabelledText:
    """Read a record of a data file; raises DatasetError, naming file, line and field, never its content.

    A time that is none is left out where `forgive` takes the error: a row can do without.
    """
    where = place(name, row)
    text = field_text(record, text_column, name=name, row=row)
    finer = record.get("labels")
    stated = {**(finer if isinstance(finer, dict) else {}), **record}
    labels: dict[str, Any] = _decided(record, where) | {
        output: value
        for output in OUTPUTS
        if (value := _label(stated.get(output), where, output)) is not None
    }
    found = LabelledText(
        text,
        language=code_of(record.get("lang") or record.get("language")),
        author_url=_text(record.get("author_url")),
        weight=_weight(record.get("weight"), where),
        at=_time_or_none(record.get("created_at") or record.get("decided_at"), where, forgive),
        reason=_text(record.get("reason")),
        site=_text(record.get("site")),
        id=_text(record.get("id")),
        actor=_text(record.get("actor") or record.get("moderator")),
    )
    return replace(found, **labels)


def _decided(record: Mapping[str, Any], where: Place) -> dict[str, int]:
    state = record.get("state")
    if state is None:
        return {}
    reasons = frozenset(str(record.get("reason") or "").casefold().replace(",", " ").split())
    try:
        return of_state(str(state).strip().casefold(), reasons)
    except KeyError as error:
        raise DatasetError(
            "{file}: {unit} {number}: 'state' is none of approved, rejected, spam, trash, held, pending, deleted",
            **where,
        ) from error


def _label(value: Any, where: Place, output: str) -> int | None:
    if value is None:
        return None
    word = str(value).strip().casefold()
    if word in NOTHING:
        return None
    if word in _YES or word in _NO:
        return int(word in _YES)
    raise DatasetError(
        "{file}: {unit} {number}: {column!r} is neither 0, 1 nor empty", **where, column=output
    )


def _weight(value: Any, where: Place) -> float:
    if value is None or value == "":
        return 1.0
    try:
        weight = float(value)
    except (TypeError, ValueError, OverflowError):
        weight = math.nan
    if not 0 < weight <= MAX_WEIGHT:
        raise DatasetError(
            "{file}: {unit} {number}: 'weight' is not a number above 0 and at most {most:g}",
            **where, most=MAX_WEIGHT,
        )  # fmt: skip
    return weight


def _time_or_none(
    value: Any, where: Place, forgive: Callable[[DatasetError], None] | None
) -> datetime | None:
    try:
        return _time(value, where)
    except DatasetError as error:
        if forgive is None:
            raise
        forgive(error)
        return None


def _time(value: Any, where: Place) -> datetime | None:
    """Read ISO 8601 or seconds since 1970; a time without an offset is taken for UTC."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        at = datetime.fromisoformat(str(value))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise DatasetError(
            "{file}: {unit} {number}: 'created_at' is not a time after ISO 8601", **where
        ) from error


def _text(value: Any) -> str | None:
    return str(value) if value is not None and value != "" else None
