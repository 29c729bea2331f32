"""Counting calls: gathered in this process and added to the database once a second, so that a check costs no second commit.

Only statistics hang on it. What a killed process had gathered in its last second is missing from them; PostgreSQL away means
that it is kept and added later, up to `MAX_GATHERED` different counts, above which new ones are dropped and logged.
"""

import asyncio
from functools import lru_cache
from uuid import UUID

import structlog

from moderation.domain.clock import Clock
from moderation.domain.errors import DependencyUnavailableError
from moderation.domain.site import SiteCaller
from moderation.storage.akismet import Totals, UsageKey, count_usage
from moderation.storage.database import Database

EVERY_S = 1.0
MAX_GATHERED = 10_000

log = structlog.get_logger()


def id_of_key(caller: SiteCaller) -> UUID:
    """Return the id of the key that the caller came with."""
    return _uuid(caller.key_id)


_uuid = lru_cache(maxsize=1024)(UUID)
"""Reading one costs more than all the rest of counting a call."""


class UsageCounter:
    """Gathers counts and writes them down."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._gathered: dict[UsageKey, Totals] = {}
        self._writing = asyncio.Lock()

    def count(self, caller: SiteCaller, blog: str, totals: Totals) -> None:
        """Add to the day's count of a key and blog."""
        key = UsageKey(caller.site.id, self._clock().date(), blog, id_of_key(caller))
        known = self._gathered.get(key)
        if known is None and len(self._gathered) >= MAX_GATHERED:
            log.error("akismet_usage_dropped", site=caller.site.name)
            return
        self._gathered[key] = totals if known is None else known.plus(totals)

    async def flush(self) -> None:
        """Write down what was gathered, once nobody else does.

        Raises `DependencyUnavailableError`, and keeps it, when PostgreSQL is away.
        """
        async with self._writing:
            gathered, self._gathered = self._gathered, {}
            if gathered:
                await self._write(gathered)

    async def _write(self, gathered: dict[UsageKey, Totals]) -> None:
        try:
            async with self._database.transaction() as connection:
                await count_usage(connection, gathered)
        except BaseException:
            for key, totals in gathered.items():
                known = self._gathered.get(key)
                self._gathered[key] = totals if known is None else known.plus(totals)
            raise

    async def run(self) -> None:
        """Write down once a second until cancelled, and what is left then."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                try:
                    await self.flush()
                except DependencyUnavailableError:
                    pass  # said by every request that needs the database
                except Exception as error:
                    log.error("akismet_usage_not_written", exc_info=error)
        finally:
            await self._flush_rest()

    async def _flush_rest(self) -> None:
        try:
            await self.flush()
        except DependencyUnavailableError:
            log.error("akismet_usage_lost")
