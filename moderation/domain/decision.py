"""A decision: verdict, reasons, scores, versions, who, when. Kept for good; each is one event for the site."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from moderation.domain.task import TaskKind
from moderation.domain.verdict import Reason, Scores, State, Verdict


class Decider(StrEnum):
    """Who decided."""

    SERVICE = "service"
    MODERATOR = "moderator"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of a comment's history; ``sequence`` counts the events of one comment from 1."""

    sequence: int
    revision: int
    state: State
    verdict: Verdict | None
    reasons: tuple[Reason, ...]
    scores: Scores | None
    model: str | None
    policy: int | None
    decided_by: Decider
    actor: str | None
    """The moderator's id, or the site's own login for its moderator; None for the service."""
    note: str | None
    decided_at: datetime
    origin: str
    undoes: int | None = None
    """The sequence of the decision this one takes back."""
    task: TaskKind | None = None
    """The kind of the open task that this decision closed."""


def deletion(
    *, sequence: int, revision: int, decided_by: Decider, decided_at: datetime, origin: str
) -> Decision:
    """Return the decision by which a comment is withdrawn or erased: no verdict, no reasons, no scores."""
    return Decision(
        sequence=sequence,
        revision=revision,
        state=State.DELETED,
        verdict=None,
        reasons=(),
        scores=None,
        model=None,
        policy=None,
        decided_by=decided_by,
        actor=None,
        note=None,
        decided_at=decided_at,
        origin=origin,
    )
