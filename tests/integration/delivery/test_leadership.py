"""One leader at a time, and another as soon as the first is gone."""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest
from structlog.testing import capture_logs

from moderation.storage import leadership as leadership_module
from moderation.storage.leadership import LeadConnection, lead, leadership

KEY = 77
ASKING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid()"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership_module, "RETRY_S", 0.05)


class Job:
    """Counts how many of its runs are active, and how many there were at most."""

    def __init__(self) -> None:
        self.active: list[LeadConnection] = []
        self.most = 0
        self.runs = 0
        self.changed = asyncio.Condition()

    async def __call__(self, connection: LeadConnection) -> None:
        self.active.append(connection)
        self.runs += 1
        self.most = max(self.most, len(self.active))
        await self._tell()
        try:
            await asyncio.Event().wait()
        finally:
            self.active.remove(connection)
            await self._tell()

    async def wait_for_run(self, number: int) -> None:
        async with asyncio.timeout(60), self.changed:
            await self.changed.wait_for(lambda: self.runs == number and len(self.active) == 1)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


async def end(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_of_several_leads_and_the_next_takes_over_when_its_connection_is_lost(
    fresh_database_url: str,
):
    job = Job()
    candidates = [asyncio.create_task(lead(fresh_database_url, KEY, job)) for _ in range(3)]
    await job.wait_for_run(1)
    admin = await asyncpg.connect(fresh_database_url)
    async with asyncio.timeout(60):
        while await admin.fetchval(ASKING) < 3:
            await asyncio.sleep(0.01)
    assert job.most == job.runs == 1
    for run in (2, 3):
        lost = job.active[0]
        await admin.execute("SELECT pg_terminate_backend($1)", lost.get_server_pid())
        await job.wait_for_run(run)
        with pytest.raises(
            asyncpg.InterfaceError
        ):  # whatever the old leader still tried that way would be refused
            await lost.execute("SELECT 1")
    await admin.close()
    await end(*candidates)


async def test_a_leader_that_ends_makes_room_at_once(fresh_database_url: str):
    job = Job()
    first = asyncio.create_task(lead(fresh_database_url, KEY, job))
    await job.wait_for_run(1)
    second = asyncio.create_task(lead(fresh_database_url, KEY, job))
    await end(first)
    await job.wait_for_run(2)
    await end(second)


class Stumbling(Job):
    """Fails twice before it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = [RuntimeError("broken"), asyncpg.PostgresError("odd")]

    async def __call__(self, connection: LeadConnection) -> None:
        if self.failures:
            raise self.failures.pop()
        await super().__call__(connection)


async def test_a_job_that_fails_is_named_and_run_again(fresh_database_url: str):
    job = Stumbling()
    with capture_logs() as logs:
        leading = asyncio.create_task(lead(fresh_database_url, KEY, job))
        await job.wait_for_run(1)
    named = {(line["event"], line["job"]) for line in logs}
    assert ("job_failed", "Stumbling") in named
    await end(leading)


async def test_other_keys_are_other_jobs(fresh_database_url: str):
    async with asyncio.timeout(60), leadership(fresh_database_url, 1), leadership(fresh_database_url, 2):
        pass


async def test_the_wait_for_the_lock_holds_no_snapshot(fresh_database_url: str):
    """Else vacuum could remove nothing for as long as a second process stands by."""
    admin = await asyncpg.connect(fresh_database_url)
    async with leadership(fresh_database_url, KEY):
        job = Job()
        waiting = asyncio.create_task(lead(fresh_database_url, KEY, job))
        sql = "SELECT count(*) FILTER (WHERE backend_xmin IS NOT NULL) AS holding, count(*) AS all FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid()"  # fmt: skip
        async with asyncio.timeout(60):
            while (row := await admin.fetchrow(sql))["all"] < 2:
                await asyncio.sleep(0.01)
            while row["holding"]:
                row = await admin.fetchrow(sql)
        await end(waiting)
    await admin.close()
    assert job.runs == 0


async def test_a_long_absence_is_said_once_and_so_is_its_end(
    fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
):
    job, tries, connect = Job(), 0, asyncpg.connect

    async def away(*arguments: object, **options: object) -> object:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise ConnectionRefusedError
        return await connect(*arguments, **options)

    monkeypatch.setattr(leadership_module.asyncpg, "connect", away)
    said: list[tuple[str, object]] = []

    class Log:
        def __getattr__(self, _level: str) -> Callable[..., None]:
            return lambda event, **fields: said.append((event, fields["job"]))

    monkeypatch.setattr(leadership_module, "log", Log())
    leading = asyncio.create_task(lead(fresh_database_url, KEY, job))
    await job.wait_for_run(1)
    await end(leading)
    assert said == [
        ("leadership_lost", "Job"),
        ("leadership_back", "Job"),
    ]
