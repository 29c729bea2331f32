"""The feed: every event of a site in a fixed order, for sites that ask instead of listening, or that missed something."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from moderation.delivery.events import EVENT_COLUMNS, JsonObject, event
from moderation.domain.clock import Clock
from moderation.domain.details import detail
from moderation.domain.errors import ConflictError
from moderation.domain.ids import SiteId
from moderation.domain.retention import Retention
from moderation.storage.database import Connection, Database

MAX_LIMIT = 1000

_NOTHING_KEPT = 2**63 - 1

_PAGE = f"""
SELECT d.position, {EVENT_COLUMNS} FROM decisions d LEFT JOIN comments c ON c.id = d.comment_id
 WHERE d.site_id = $1 AND d.position > $2 AND d.position > 0 ORDER BY d.position LIMIT $3
"""  # noqa: S608 - column names of our own

_LAST_DROPPED = """
SELECT max(position) FROM decisions WHERE site_id = $1 AND position > $2 AND position < $3 AND position > 0
"""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Events in order; ``next`` is what to ask for next; ``is_truncated`` if events after the reader's place left the feed."""

    events: tuple[JsonObject, ...]
    next: int
    is_truncated: bool


class Feed:
    """Reads the feed. Raises `DependencyUnavailableError` when PostgreSQL is away."""

    def __init__(self, database: Database, clock: Clock, kept_days: int = Retention().events) -> None:
        self._database = database
        self._clock = clock
        self._kept_days = kept_days

    async def read(
        self, site_id: SiteId, language: str, *, after: int, limit: int, kept_days: int | None = None
    ) -> FeedPage:
        """Return up to ``limit`` events of the site with a position above ``after``; 0 is the beginning.

        Events are kept for ``kept_days`` at least (None: as long as the instance says); who asks for older ones gets the
        oldest kept. Raises `ConflictError` for a position that this feed never gave, as after going back to a backup.
        """
        # One moment for all questions: else an event numbered between two of them could be taken for one that has left.
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            days = self._kept_days if kept_days is None else kept_days
            dropped = await self._last_dropped(connection, site_id, after, days=days)
            start = after if dropped is None else dropped
            rows = await connection.fetch(_PAGE, site_id, start, limit)
            if not rows:
                await _refuse_unknown(connection, after)
        events = tuple({**event(row, language), "position": row["position"]} for row in rows)
        return FeedPage(events, rows[-1]["position"] if rows else start, is_truncated=dropped is not None)

    async def _last_dropped(
        self, connection: Connection, site_id: SiteId, after: int, *, days: int
    ) -> int | None:
        """Return the newest position above ``after`` that has left the feed; None if the reader missed nothing."""
        oldest_day = (self._clock() - timedelta(days=days)).astimezone(UTC).date()
        kept_from = await connection.fetchval(
            "SELECT min(first_position) FROM feed_days WHERE day >= $1", oldest_day
        )
        dropped: int | None = await connection.fetchval(
            _LAST_DROPPED, site_id, after, _NOTHING_KEPT if kept_from is None else kept_from
        )
        return dropped


async def _refuse_unknown(connection: Connection, after: int) -> None:
    if after > await connection.fetchval("SELECT last_value FROM feed_positions"):
        raise ConflictError(detail("feed_ahead"))


def as_wire(page: FeedPage) -> dict[str, Any]:
    """Return the page as the API answers it."""
    body: dict[str, Any] = {"events": list(page.events), "next": page.next}
    return body | ({"truncated": True} if page.is_truncated else {})
