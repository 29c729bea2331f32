"""Connections kept at hand between uses: never in somebody's way, never broken, never for ever."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import asyncpg
import pytest

from moderation.domain.errors import DependencyUnavailableError
from moderation.storage import lending
from moderation.storage.database import Database

WHO = "SELECT pg_backend_pid()"


@pytest.fixture
async def narrow(fresh_database_url: str) -> AsyncIterator[Database]:
    """A database that lends two connections at most."""
    database = Database(fresh_database_url, size=2)
    await database.open()
    yield database
    await database.close()


async def pid_of_a_use(database: Database, *, for_s: float = 0.0) -> int:
    async with database.connection() as connection:
        if for_s:
            await asyncio.sleep(for_s)
        pid: int = await connection.fetchval(WHO)
        return pid


def _lending(database: Database) -> lending.Lending:
    found = database._pool.opened
    assert found is not None
    return found


def kept(database: Database) -> int:
    return len(_lending(database)._kept)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock of what is kept: it stands until the test moves it."""
    watch = SimpleNamespace(now_s=0.0)
    monkeypatch.setattr(lending, "time", SimpleNamespace(monotonic=lambda: watch.now_s))
    return watch


async def test_the_next_use_gets_the_connection_of_the_one_before_and_asks_no_pool(
    narrow: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await pid_of_a_use(narrow)
    lent = narrow._pool.opened
    assert lent is not None
    with monkeypatch.context() as without_a_pool:
        without_a_pool.setattr(lent, "_pool", None)
        assert [await pid_of_a_use(narrow) for _ in range(3)] == [first] * 3


async def test_whoever_waits_gets_what_comes_back(narrow: Database) -> None:
    pids = await asyncio.wait_for(
        asyncio.gather(*(pid_of_a_use(narrow, for_s=0.02) for _ in range(12))), timeout=30
    )
    assert len(pids) == 12
    assert len(set(pids)) == 2


async def test_a_connection_that_the_server_ended_while_it_was_kept_is_not_lent(narrow: Database) -> None:
    first = await pid_of_a_use(narrow)
    (lent,) = _lending(narrow)._kept
    noticed = asyncio.Event()
    lent.connection.add_termination_listener(lambda _: noticed.set())
    async with Database(narrow.url).connection() as other:
        await other.execute("SELECT pg_terminate_backend($1)", first)
    await asyncio.wait_for(noticed.wait(), timeout=30)
    assert await pid_of_a_use(narrow) != first
    assert len({await pid_of_a_use(narrow) for _ in range(3)}) == 1


async def test_an_open_transaction_is_undone_before_the_next_use(narrow: Database) -> None:
    async with narrow.connection() as connection:
        await connection.execute("BEGIN; CREATE TABLE left_open (x int)")
    async with narrow.connection() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SELECT to_regclass('left_open') IS NULL")


async def test_after_an_error_the_pool_sees_to_it_and_no_place_is_lost(narrow: Database) -> None:
    for _ in range(5):
        with pytest.raises(asyncpg.PostgresSyntaxError):
            async with narrow.transaction() as connection:
                await connection.execute("no such statement")
        with pytest.raises(DependencyUnavailableError):
            async with narrow.within(0.05).connection() as connection:
                await connection.execute("SELECT pg_sleep(5)")
        cancelled = asyncio.create_task(pid_of_a_use(narrow, for_s=5))
        await asyncio.sleep(0.02)
        cancelled.cancel()
    pids = await asyncio.gather(*(pid_of_a_use(narrow, for_s=0.02) for _ in range(4)))
    assert len(set(pids)) == 2


async def test_after_an_error_a_connection_is_not_kept(narrow: Database) -> None:
    with pytest.raises(RuntimeError):
        async with narrow.connection():
            raise RuntimeError
    assert kept(narrow) == 0


async def test_one_that_was_kept_for_long_goes_back_to_the_pool(
    narrow: Database, watch: SimpleNamespace
) -> None:
    await pid_of_a_use(narrow)
    watch.now_s = lending.KEPT_S - 1
    await pid_of_a_use(narrow)
    assert kept(narrow) == 1
    watch.now_s = lending.KEPT_S
    await pid_of_a_use(narrow)
    assert kept(narrow) == 0


async def test_one_that_lies_idle_below_the_others_goes_back_too(
    narrow: Database, watch: SimpleNamespace
) -> None:
    older, newer = narrow.connection(), narrow.connection()
    await older.__aenter__()
    watch.now_s = 10.0
    above = (await newer.__aenter__()).get_server_pid()
    for use in (older, newer):
        await use.__aexit__(None, None, None)
    assert kept(narrow) == 2
    watch.now_s = lending.KEPT_S
    assert await pid_of_a_use(narrow) == above
    assert kept(narrow) == 1


async def test_closing_does_not_wait_for_those_that_are_kept_and_the_next_use_opens_anew(
    narrow: Database,
) -> None:
    first = await pid_of_a_use(narrow)
    await asyncio.wait_for(narrow.close(), timeout=30)
    assert await pid_of_a_use(narrow) != first
