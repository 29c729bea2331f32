"""What a site does with a comment: a pure, total and monotone function of everything that is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from moderation.domain.verdict import Assessment, Reason, Verdict
from moderation.domain.word_lists import WordAction, WordList


class Mode(StrEnum):
    """What becomes of a comment with nothing against it."""

    PRE = "pre"
    POST = "post"


class Standing(StrEnum):
    """What a person at the site said of an author."""

    NONE = "none"
    TRUSTED = "trusted"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class AuthorRecord:
    """What the site holds of an author: a standing, and how many comments a person approved and rejected."""

    standing: Standing = Standing.NONE
    approved: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability an output is doubt (hold) and from which it is sure (reject); None is never."""

    doubt: float | None = None
    reject: float | None = None


ThresholdTable = Mapping[str, Mapping[str, Thresholds]]
"""By language (or ``*``), then by output."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What counters know of a submission: earlier sightings of its text on this site, and too many in a short time."""

    duplicates: int = 0
    flood: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict and every reason for it, the gravest first."""

    verdict: Verdict
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A site's rules, as version ``version``."""

    version: int
    mode: Mode = Mode.PRE
    thresholds: ThresholdTable | None = None
    banned_words: tuple[WordList, ...] = ()
    allowed_words: tuple[str, ...] = ()
    link_limit: int | None = 2
    trust_after: int | None = 3
    hold_first_comment: bool = False
    audit_share: float = 0.01
    duplicate_action: WordAction = WordAction.HOLD
    duplicate_min_length: int = 25
    reject_blocked: bool = True

    @classmethod
    def from_json(cls, value: Any, version: int) -> Self:
        """Read a stored policy; keys left out keep their defaults. Raises `InvalidConfigurationError` naming every fault."""
        raise NotImplementedError

    def as_json(self) -> dict[str, Any]:
        """Write what `from_json` reads."""
        raise NotImplementedError


def decide(
    policy: Policy,
    *,
    text: str,
    author_url: str | None,
    author: AuthorRecord,
    assessment: Assessment | None,
    signals: Signals,
    default_thresholds: ThresholdTable,
) -> Ruling:
    """Judge one comment."""
    raise NotImplementedError
