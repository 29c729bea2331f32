"""The few words that say what became of a comment."""

from enum import StrEnum
from typing import Self

from msgspec.structs import astuple

from moderation.domain.values import Value


class Verdict(StrEnum):
    """What is to be done with a comment, from mildest to harshest."""

    APPROVE = "approve"
    HOLD = "hold"
    REJECT = "reject"

    @property
    def severity(self) -> int:
        """0 for approve, 1 for hold, 2 for reject."""
        return _SEVERITY[self]

    @property
    def state(self) -> "State":
        """The state a comment is in after this verdict."""
        return _STATE[self]


class State(StrEnum):
    """Where a comment stands."""

    APPROVED = "approved"
    HELD = "held"
    REJECTED = "rejected"
    DELETED = "deleted"


_SEVERITY = {Verdict.APPROVE: 0, Verdict.HOLD: 1, Verdict.REJECT: 2}
_STATE = {Verdict.APPROVE: State.APPROVED, Verdict.HOLD: State.HELD, Verdict.REJECT: State.REJECTED}


class ReasonCode(StrEnum):
    """Why; stable codes, worded for people in `messages`."""

    PREMODERATION = "premoderation"
    FIRST_COMMENT = "first_comment"
    SPAM = "spam"
    ABUSE = "abuse"
    INSULT = "insult"
    OBSCENE = "obscene"
    THREAT = "threat"
    HATE = "hate"
    BANNED_WORD = "banned_word"
    LINK_LIMIT = "link_limit"
    DUPLICATE = "duplicate"
    FLOOD = "flood"
    BLOCKED_AUTHOR = "blocked_author"
    NOT_SCORED = "not_scored"
    UNKNOWN_LANGUAGE = "unknown_language"
    LIKELY_REJECT = "likely_reject"
    HONEYPOT = "honeypot"
    TOO_FAST = "too_fast"
    FORM_NONCE = "form_nonce"
    PARTLY_READ = "partly_read"
    UNCONFIRMED = "unconfirmed"
    OFF_TOPIC = "off_topic"
    ILLEGAL = "illegal"
    OTHER = "other"


MODE_ONLY = frozenset({ReasonCode.PREMODERATION, ReasonCode.FIRST_COMMENT})
"""Holds that come from the site's mode alone; every other hold is *doubt*."""

SUSPICIONS = frozenset(
    {ReasonCode.HONEYPOT, ReasonCode.TOO_FAST, ReasonCode.FORM_NONCE, ReasonCode.PARTLY_READ}
)
"""What the door by which a comment came may hold against it."""

HUMAN_REASONS = frozenset(
    {
        ReasonCode.SPAM,
        ReasonCode.ABUSE,
        ReasonCode.INSULT,
        ReasonCode.OBSCENE,
        ReasonCode.THREAT,
        ReasonCode.HATE,
        ReasonCode.BANNED_WORD,
        ReasonCode.DUPLICATE,
        ReasonCode.FLOOD,
        ReasonCode.OFF_TOPIC,
        ReasonCode.ILLEGAL,
        ReasonCode.OTHER,
    }
)
"""The reasons a person may give for a decision."""


class Evidence(Value, frozen=True):
    """Characters ``start`` to ``end`` (code points, end exclusive) that moved the verdict; ``rule`` is a stable code."""

    start: int
    end: int
    rule: str
    weight: float


class Reason(Value, frozen=True):
    """One reason of a verdict, with the evidence for it (may be empty)."""

    code: ReasonCode
    evidence: tuple[Evidence, ...] = ()


OUTPUTS = ("spam", "abuse", "insult", "obscene", "threat", "hate", "reject")


class Scores(Value, frozen=True):
    """Calibrated probabilities in [0, 1]; None where the model cannot say."""

    spam: float | None = None
    abuse: float | None = None
    insult: float | None = None
    obscene: float | None = None
    threat: float | None = None
    hate: float | None = None
    reject: float | None = None

    def as_list(self) -> list[float | None]:
        """Return the outputs in the order of `OUTPUTS`."""
        return list(astuple(self))

    def as_wire(self) -> dict[str, float | None]:
        """Return the outputs by name, rounded to four decimals."""
        # `round` takes four times as long, for care with halves that nobody needs here.
        rounded = [None if value is None else int(value * 10_000 + 0.5) / 10_000 for value in astuple(self)]
        return dict(zip(OUTPUTS, rounded, strict=True))

    @classmethod
    def from_list(cls, values: list[float | None] | None) -> Self | None:
        """Read what `as_list` wrote; None stays None."""
        return None if values is None else cls(*values)


class Assessment(Value, frozen=True):
    """What the scorer said of one text: its language (None if undetermined) and its scores.

    ``is_known_language`` is False where the model was not trained for the language; then only script-neutral scores are set.
    """

    scores: Scores
    language: str | None
    is_known_language: bool
    model: str
