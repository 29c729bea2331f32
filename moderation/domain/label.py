"""A label: what a person said of a text, fit for training. Never what this service decided by itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from moderation.domain.ids import CommentId, SiteId
from moderation.domain.verdict import ReasonCode, Verdict


class LabelSource(StrEnum):
    """By which way a label came to us."""

    AKISMET = "akismet"
    PERSPECTIVE = "perspective"
    CORAL = "coral"
    IMPORT = "import"
    DESK = "desk"
    """A person's decision on a comment of ours whose text retention then removed."""


_ABUSE = frozenset(
    {ReasonCode.INSULT, ReasonCode.HATE, ReasonCode.THREAT, ReasonCode.OBSCENE, ReasonCode.ABUSE}
)
_KINDS = {
    ReasonCode.INSULT: "insult",
    ReasonCode.HATE: "hate",
    ReasonCode.THREAT: "threat",
    ReasonCode.OBSCENE: "obscene",
}


@dataclass(frozen=True, slots=True)
class Targets:
    """What is said of each output: 1, 0, or None where nothing was said."""

    spam: int | None = None
    abuse: int | None = None
    insult: int | None = None
    obscene: int | None = None
    threat: int | None = None
    hate: int | None = None
    reject: int | None = None

    @classmethod
    def of_decision(cls, verdict: Verdict, reasons: Iterable[ReasonCode]) -> Self | None:
        """Return what a person's decision says; None for a hold, which says nothing.

        An approval denies spam, abuse and rejection, not the kinds: a comment may be rude and still be let through.
        """
        if verdict is Verdict.APPROVE:
            return cls(spam=0, abuse=0, reject=0)
        if verdict is Verdict.HOLD:
            return None
        codes = set(reasons)
        kinds = {kind: 1 for code, kind in _KINDS.items() if code in codes}
        spam, abuse = (1 if ReasonCode.SPAM in codes else None), (1 if codes & _ABUSE else None)
        return cls(spam=spam, abuse=abuse, reject=1, **kinds)


@dataclass(frozen=True, slots=True)
class Label:
    """One statement about one text. ``key`` names the statement: sent again it is the same, a later one replaces it."""

    site_id: SiteId
    key: bytes
    source: LabelSource
    text: str = field(repr=False)
    targets: Targets
    labelled_at: datetime
    language: str | None = None
    comment_id: CommentId | None = None
    identity: bytes | None = field(default=None, repr=False)
    email_hash: bytes | None = field(default=None, repr=False)
    weight: float = 1.0
    actor: str | None = field(default=None, repr=False)
