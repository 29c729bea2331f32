"""One row of an archive, whatever its format: the object of a line of ``POST /v1/comments/batch``, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moderation.domain.verdict import OUTPUTS

UNDECODABLE = "\ufdd0"
"""Stands for bytes that are not of the file's encoding: a code point that no text uses (Unicode, noncharacters)."""
STATES = ("approved", "held", "rejected")

_WORDS = {
    **dict.fromkeys(("approved", "approve", "published", "publish", "visible"), ("approved", None)),
    **dict.fromkeys(("held", "hold", "pending", "unapproved", "waiting"), ("held", None)),
    **dict.fromkeys(("rejected", "reject", "trash", "removed", "deleted", "hidden"), ("rejected", None)),
    "spam": ("rejected", "spam"),
}
_WORDPRESS = {
    "1": ("approved", None),
    "0": ("held", None),
    "approve": ("approved", None),
    "hold": ("held", None),
    "spam": ("rejected", "spam"),
    "trash": ("rejected", None),
}
_NO_READERS = frozenset({"pingback", "trackback"})
_TIMES = frozenset({"created_at", "decided_at"})
_NO_DATES = ("0000-00-00", "")
_KINDS = ("", "comment", "review")


@dataclass(frozen=True, slots=True)
class Row:
    """One row, beginning at ``line``: its object, or ``fault`` in words, or ``skipped``: not a reader's decided comment."""

    line: int
    raw: dict[str, Any] = field(default_factory=dict, repr=False)
    fault: str | None = None
    skipped: str | None = None

    @property
    def labels(self) -> dict[str, int]:
        """What the row itself says of single outputs."""
        given: dict[str, int] = self.raw.get("labels") or {}
        return given


def faulty(line: int, why: str) -> Row:
    """Return a row that cannot be read."""
    return Row(line, fault=why)


def row_of(line: int, fields: Mapping[str, Any], states: Mapping[str, str]) -> Row:
    """Build a row from flat fields, named as in a batch with dots; ``states`` are further words for states."""
    written = str(fields.get("state") or "").strip()
    try:
        labels = read_labels(fields)
    except ValueError as error:
        return faulty(line, str(error))
    state = states.get(written) or states.get(written.lower()) or written.lower()
    found = _WORDS.get(state)
    if found is None and (written or not labels):
        return faulty(line, _unknown_state(written))
    return Row(line, _nested(fields, found, labels))


def wordpress_row(line: int, fields: Mapping[str, str | None], kind: str) -> Row:
    """Build a row from a WordPress comment: ``kind`` is its ``comment_type``, ``state`` its ``comment_approved``."""
    if kind not in _KINDS:
        what = kind if kind in _NO_READERS else "another comment_type"
        return Row(line, skipped=f"not a reader's comment ({what})")
    written = (fields.get("state") or "").strip()
    if written == "post-trashed":
        return Row(line, skipped="gone with its article (post-trashed)")
    found = _WORDPRESS.get(written)
    if found is None:
        return faulty(line, f"comment_approved is {written[:20]!r}, not 1, 0, spam or trash")
    return Row(line, _nested(fields, found, {}))


def read_labels(fields: Mapping[str, Any]) -> dict[str, int]:
    """Return the outputs that are said to be 0 or 1. Raises `ValueError` for another value."""
    labels = {}
    for name in OUTPUTS:
        value = fields.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        text = str(value).strip().lower()
        if text not in {"0", "1", "0.0", "1.0", "true", "false"}:
            raise ValueError(f"{name} is neither 0 nor 1")
        labels[name] = int(text in {"1", "1.0", "true"})
    return labels


def _nested(
    fields: Mapping[str, Any], state: tuple[str, str | None] | None, labels: dict[str, int]
) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None or name in OUTPUTS or name in {"state", "reason"}:
            continue
        if name in _TIMES and str(value).startswith(_NO_DATES[0]):
            continue
        outer, _, inner = name.partition(".")
        if inner:
            raw.setdefault(outer, {})[inner] = value
        else:
            raw[name] = _in_utc(value) if name in _TIMES else value
    if labels:
        raw["labels"] = labels
    if state is not None:
        raw["state"] = state[0]
        raw["reason"] = (fields.get("reason") or None) or state[1]
    return raw


def _in_utc(written: Any) -> Any:
    """Return a time without an offset as one of UTC, as databases write it out; whatever else stands there is left to be refused."""
    try:
        moment = datetime.fromisoformat(str(written).strip())
    except ValueError:
        return written
    return written if moment.tzinfo else moment.replace(tzinfo=UTC).isoformat()


def _unknown_state(written: str) -> str:
    if not written:
        return "says neither a state nor a label"
    return f"the state {written[:40]!r} is not known; say what it means: --state {written[:20]!r}=approved"
