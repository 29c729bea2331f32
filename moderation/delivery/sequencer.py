"""Gives every committed event its position in the feed, so that a reader who asks for "after" never misses one.

Positions cannot be taken by the writers: their transactions commit in another order than they began, and a reader who
already went past would never see a late one. One sequencer numbers what is committed, in transactions of its own on the
very connection that holds the lock; what it has numbered is visible all at once.
"""

import asyncio
from datetime import UTC

from moderation.domain.clock import Clock
from moderation.storage.leadership import LeadConnection, lead

LOCK = 0x6D64_7302
POLL_S = 0.1
_GROUP = 1000
_REST = 4
"""Pauses last at least so many times what the last look took, however slow the database is."""

# Within one comment the order is that of its sequence, even if the clock was set back in between.
_NUMBER = """
WITH unnumbered AS MATERIALIZED (
    SELECT comment_id, sequence, decided_at FROM decisions WHERE position IS NULL ORDER BY decided_at LIMIT $1
), timed AS (
    SELECT comment_id, sequence, max(decided_at) OVER (PARTITION BY comment_id ORDER BY sequence) AS at FROM unnumbered
), ordered AS MATERIALIZED (
    SELECT comment_id, sequence FROM timed ORDER BY at, comment_id, sequence
), numbered AS MATERIALIZED (
    SELECT comment_id, sequence, nextval('feed_positions') AS position FROM ordered
)
UPDATE decisions d SET position = n.position FROM numbered n
 WHERE d.comment_id = n.comment_id AND d.sequence = n.sequence
RETURNING d.position
"""

_NOTE_DAY = "INSERT INTO feed_days (day, first_position) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING"


class Sequencer:
    """Numbers events while it leads."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock

    async def run(self) -> None:
        """Lead whenever nobody else does, and number what is committed, until cancelled."""
        await lead(self._url, LOCK, self._number_for_ever)

    async def number(self, connection: LeadConnection) -> int:
        """Number one group of what is committed and not numbered; return its size. Only for the holder of `LOCK`."""
        day = self._clock().astimezone(UTC).date()
        async with connection.transaction():
            rows = await connection.fetch(_NUMBER, _GROUP)
            if rows:
                await connection.execute(_NOTE_DAY, day, min(row["position"] for row in rows))
        return len(rows)

    async def _number_for_ever(self, connection: LeadConnection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            numbered = await self.number(connection)
            if numbered < _GROUP:
                await asyncio.sleep(max(POLL_S, _REST * (loop.time() - started)))
