"""Forget recognition keys whose time has passed, a bounded number at a time; measure how long people have waited."""

import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Thread

from moderation.domain.clock import Clock
from moderation.domain.ranks import received_at
from moderation.domain.task import TaskKind
from moderation.storage.database import Database, row_count
from moderation.storage.repetition import repeat
from moderation.telemetry import (
    DATABASE_BYTES,
    DEAD_LETTERS,
    DISK_FREE_BYTES,
    DISK_SIZE_BYTES,
    OLDEST_HELD_SECONDS,
    OLDEST_UNDELIVERED_SECONDS,
    OPEN_TASKS,
    UNDELIVERED,
)

EVERY_S = 10.0
COUNT_EVERY_S = 30.0
"""Counting reads every open task: some 50 ms of PostgreSQL a million."""
AT_ONCE = 5_000

# An array, for a subquery may be planned to run again for each row, and then takes more than its limit.
_FORGET = """
DELETE FROM recognitions WHERE key = ANY (ARRAY(
    SELECT key FROM recognitions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))
"""

_OLDEST = """
SELECT (SELECT min(oldest.rank) FROM sites s,
               LATERAL (SELECT rank FROM tasks WHERE site_id = s.id ORDER BY rank LIMIT 1) oldest) AS rank,
       (SELECT min(first_due_at) FROM deliveries) AS due
"""

_COUNT_TASKS = "SELECT kind, count(*) AS size FROM tasks GROUP BY kind"
_COUNT_WAITING = """
SELECT (SELECT count(*) FROM deliveries) AS undelivered, (SELECT count(*) FROM dead_letters) AS dead,
       pg_database_size(current_database()) AS size
"""


class Housekeeper:
    """A background job; several may run, for each takes rows that no other has locked."""

    def __init__(self, database: Database, *, clock: Clock, data_dir: Path) -> None:
        self._database = database
        self._clock = clock
        self._data_dir = data_dir
        self._counted_at: datetime | None = None
        self._look: Thread | None = None

    async def run(self) -> None:
        """Work until cancelled; an absent PostgreSQL only delays it."""
        await repeat(self.tend, job="housekeeping", full_batch=AT_ONCE, every_s=EVERY_S)

    async def tend(self) -> int:
        """Forget one batch and measure; return how many keys were forgotten."""
        forgotten = await self.once()
        await self.measure()
        now = self._clock()
        if self._counted_at is None or abs((now - self._counted_at).total_seconds()) >= COUNT_EVERY_S:
            await self.count()
            self.look_at_disk()
            self._counted_at = now
        return forgotten

    async def once(self) -> int:
        """Forget one batch; return how many keys."""
        async with self._database.connection() as connection:
            status: str = await connection.execute(_FORGET, self._clock(), AT_ONCE)
        return row_count(status)

    async def measure(self) -> None:
        """Set the gauges of the oldest open task and the oldest event that its site has not heard."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_OLDEST)
        assert row is not None
        now = self._clock()
        held_since = None if row["rank"] is None else received_at(row["rank"])
        OLDEST_HELD_SECONDS.set(_age_s(held_since, now))
        OLDEST_UNDELIVERED_SECONDS.set(_age_s(row["due"], now))

    def look_at_disk(self) -> None:
        """Have the gauges of the disk set; without a data directory (both engines elsewhere) they stay at 0.

        Nobody waits for it: a disk that hangs, hangs one thread of its own, which holds up neither housekeeping nor the end of the program.
        """
        if self._look is None or not self._look.is_alive():
            self._look = Thread(target=_measure_disk, args=(self._data_dir,), name="disk", daemon=True)
            self._look.start()

    async def count(self) -> None:
        """Set the gauges of how much there is: open tasks by kind, undelivered comments, dead letters, bytes of the database."""
        async with self._database.connection() as connection:
            tasks = {row["kind"]: row["size"] for row in await connection.fetch(_COUNT_TASKS)}
            row = await connection.fetchrow(_COUNT_WAITING)
        assert row is not None
        for kind in TaskKind:
            OPEN_TASKS.labels(kind.value).set(tasks.get(kind.value, 0))
        UNDELIVERED.set(row["undelivered"])
        DEAD_LETTERS.set(row["dead"])
        DATABASE_BYTES.set(row["size"])


def _measure_disk(data_dir: Path) -> None:
    with suppress(OSError):
        usage = shutil.disk_usage(data_dir)
        DISK_FREE_BYTES.set(usage.free)
        DISK_SIZE_BYTES.set(usage.total)


def _age_s(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max((now - since).total_seconds(), 0.0)
