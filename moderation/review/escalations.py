"""What was passed on to the leads: kept in the audit, since no verdict was given."""

from dataclasses import dataclass, field
from datetime import datetime

from moderation.domain.ids import CommentId
from moderation.storage.database import Connection
from moderation.storage.decisions import LockedComment

ACTION = "comment_escalated"


@dataclass(frozen=True, slots=True)
class Escalation:
    """Somebody asked the leads to look at one revision."""

    revision: int
    actor: str
    note: str | None = field(repr=False)
    escalated_at: datetime


async def record_escalation(
    connection: Connection, comment: LockedComment, *, actor: str, note: str | None, now: datetime
) -> None:
    """Write who passed the comment on, and why."""
    await connection.execute(
        "INSERT INTO audit (at, site_id, actor, action, subject, details) VALUES ($1, $2, $3, $4, $5, $6)",
        now,
        comment.site_id,
        actor,
        ACTION,
        str(comment.id),
        {"revision": comment.revision, "note": note},
    )


async def read_escalations(connection: Connection, comment_id: CommentId) -> tuple[Escalation, ...]:
    """Return every escalation of the comment, oldest first."""
    rows = await connection.fetch(
        "SELECT at, actor, details FROM audit WHERE subject = $1 AND action = $2 ORDER BY id",
        str(comment_id),
        ACTION,
    )
    return tuple(
        Escalation(row["details"]["revision"], row["actor"], row["details"].get("note"), row["at"])
        for row in rows
    )
