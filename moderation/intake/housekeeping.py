"""Forget recognition keys whose time has passed, a bounded number at a time."""

import asyncio

import structlog

from moderation.domain.clock import Clock
from moderation.domain.errors import DependencyUnavailableError
from moderation.storage.database import Database

EVERY_S = 30.0
AT_ONCE = 5_000

_FORGET = """
DELETE FROM recognitions WHERE key IN (
    SELECT key FROM recognitions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
"""

log = structlog.get_logger()


class Housekeeper:
    """A background job; several may run, for each takes rows that no other has locked."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Work until cancelled; an absent PostgreSQL only delays it."""
        while True:
            try:
                forgotten = await self.once()
            except DependencyUnavailableError:
                forgotten = 0
            except Exception as error:
                log.error("housekeeping_failed", exc_info=error)
                forgotten = 0
            if forgotten < AT_ONCE:
                await asyncio.sleep(EVERY_S)

    async def once(self) -> int:
        """Forget one batch; return how many keys."""
        async with self._database.connection() as connection:
            status: str = await connection.execute(_FORGET, self._clock(), AT_ONCE)
        return int(status.rsplit(maxsplit=1)[-1])
