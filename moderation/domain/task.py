"""An open piece of review, and a moderator's lease on it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from moderation.domain.ids import ClaimId, ModeratorId
from moderation.domain.site import Role


class TaskKind(StrEnum):
    """Why somebody should look."""

    HELD = "held"
    """The comment waits for a verdict."""
    AUDIT = "audit"
    """A sample of automatic verdicts, looked at without knowing what the service said."""
    ESCALATED = "escalated"
    """A moderator passed it on to the leads."""

    @property
    def required_role(self) -> Role:
        """The least role that sees and closes such a task."""
        return Role.LEAD if self is TaskKind.ESCALATED else Role.MODERATOR

    @classmethod
    def visible_to(cls, role: Role) -> frozenset[Self]:
        """Return the kinds that somebody with ``role`` works on."""
        return frozenset(kind for kind in cls if role.includes(kind.required_role))


class QueueOrder(StrEnum):
    """What comes first in the queue."""

    OLDEST = "oldest"
    ABUSE = "abuse"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on one task; it binds others until it expires. ``id`` is known to its holder alone."""

    id: ClaimId
    by: ModeratorId
    expires_at: datetime

    def is_live(self, now: datetime) -> bool:
        """Tell whether the lease still holds."""
        return self.expires_at > now


@dataclass(frozen=True, slots=True)
class Task:
    """An open task on ``revision`` of a comment; ``claim`` may have expired."""

    kind: TaskKind
    revision: int
    claim: Claim | None = None
