"""What has not been heard yet, for admins: pending, failing and given-up events, and putting the latter back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from moderation.domain.clock import Clock
from moderation.domain.ids import CommentId, SiteId
from moderation.storage.database import Database

_REDRIVE_GROUP = 500

# Keyset over the comment ids, which are ordered by time; the last attempt tells what is wrong.
_PENDING = """
SELECT d.comment_id, c.external_id, d.next_sequence, d.attempts, d.next_attempt_at, d.first_due_at, a.outcome, a.status
  FROM deliveries d LEFT JOIN comments c ON c.id = d.comment_id
  LEFT JOIN LATERAL (
       SELECT outcome, status FROM delivery_attempts
        WHERE comment_id = d.comment_id AND sequence >= d.next_sequence ORDER BY id DESC LIMIT 1) a ON true
 WHERE d.site_id = $1 AND ($2::uuid IS NULL OR d.comment_id > $2) AND d.attempts >= $3
 ORDER BY d.comment_id LIMIT $4
"""

_DEAD = """
SELECT l.comment_id, c.external_id, l.sequence, l.outcome, l.died_at
  FROM dead_letters l LEFT JOIN comments c ON c.id = l.comment_id
 WHERE l.site_id = $1 AND ($2::uuid IS NULL OR (l.comment_id, l.sequence) > ($2, $3))
 ORDER BY l.comment_id, l.sequence LIMIT $4
"""

_SUMMARY = """
SELECT count(*) AS pending, count(*) FILTER (WHERE attempts > 0) AS failing, min(first_due_at) AS oldest_due_at,
       (SELECT count(*) FROM dead_letters WHERE $1::int IS NULL OR site_id = $1) AS dead
  FROM deliveries WHERE $1::int IS NULL OR site_id = $1
"""

# Whoever serves the comment just now notices that the row moved, and leaves it as it is here.
_REDRIVE = """
WITH lowest AS MATERIALIZED (
    SELECT comment_id, min(sequence) AS sequence FROM dead_letters WHERE site_id = $1 AND comment_id = ANY($2)
     GROUP BY comment_id ORDER BY comment_id
)
INSERT INTO deliveries (comment_id, site_id, next_sequence, next_attempt_at, first_due_at)
SELECT comment_id, $1, sequence, $3, $3 FROM lowest ORDER BY comment_id
ON CONFLICT (comment_id) DO UPDATE SET attempts = 0, next_attempt_at = excluded.next_attempt_at,
   next_sequence = least(deliveries.next_sequence, excluded.next_sequence)
"""

_DEAD_COMMENTS = """
SELECT DISTINCT comment_id FROM dead_letters
 WHERE site_id = $1 AND ($2::uuid IS NULL OR comment_id = $2) AND died_at <= $3 ORDER BY comment_id LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """A comment whose site has not heard all its events; ``last_outcome`` is None before the first attempt."""

    comment_id: UUID
    external_id: str | None
    next_sequence: int
    attempts: int
    next_attempt_at: datetime
    first_due_at: datetime
    last_outcome: str | None
    last_status: int | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up."""

    comment_id: UUID
    external_id: str | None
    sequence: int
    outcome: str
    died_at: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """How much waits: comments pending, those of them with failed attempts, the oldest one's time, and dead events."""

    pending: int
    failing: int
    oldest_due_at: datetime | None
    dead: int


class Backlog:
    """Lists and redrives. Raises `DependencyUnavailableError` when PostgreSQL is away."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def summary(self, site_id: SiteId | None = None) -> Summary:
        """Count what waits for one site, or for all."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_SUMMARY, site_id)
        assert row is not None
        return Summary(row["pending"], row["failing"], row["oldest_due_at"], row["dead"])

    async def pending(
        self, site_id: SiteId, *, after: UUID | None = None, limit: int = 100, failing_only: bool = False
    ) -> list[PendingDelivery]:
        """List what waits, oldest comment first; ``after`` is the last comment of the page before."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_PENDING, site_id, after, int(failing_only), limit)
        return [PendingDelivery(*row.values()) for row in rows]

    async def dead(
        self, site_id: SiteId, *, after: tuple[UUID, int] | None = None, limit: int = 100
    ) -> list[DeadLetter]:
        """List what was given up, oldest comment first; ``after`` is comment and sequence of the last one of the page before."""
        comment_id, sequence = after or (None, 0)
        async with self._database.connection() as connection:
            rows = await connection.fetch(_DEAD, site_id, comment_id, sequence, limit)
        return [DeadLetter(*row.values()) for row in rows]

    async def redrive(self, site_id: SiteId, *, comment_id: CommentId | None = None) -> int:
        """Put the dead letters of a site, or of one comment, back on their way; return how many events those were.

        A comment is served again from its lowest dead event on, with a fresh schedule: events after that one are repeated under
        their old ids, so that the last word is again the newest. Done in groups; what is done stays done if it stops midway.
        """
        now = self._clock()
        redriven = 0
        while comment_ids := await self._dead_comments(site_id, comment_id, now):
            async with self._database.transaction() as connection:
                await connection.execute(_REDRIVE, site_id, comment_ids, now)
                rows = await connection.fetch(
                    "DELETE FROM dead_letters WHERE site_id = $1 AND comment_id = ANY($2) RETURNING 1",
                    site_id,
                    comment_ids,
                )
            redriven += len(rows)
        return redriven

    async def _dead_comments(self, site_id: SiteId, comment_id: UUID | None, now: datetime) -> list[UUID]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(_DEAD_COMMENTS, site_id, comment_id, now, _REDRIVE_GROUP)
        return [row["comment_id"] for row in rows]
