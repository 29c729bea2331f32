"""A database that is slow is told from one that is away: in the log, and in what the alerts look at."""

import asyncio
from collections.abc import MutableMapping
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
import structlog
from prometheus_client import REGISTRY
from structlog.testing import LogCapture

from moderation import telemetry
from moderation.domain.errors import DependencyUnavailableError
from moderation.storage import database as module
from moderation.storage.database import Database

WITHIN_S = 3.0


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[MutableMapping[str, Any]]:
    """What the module says, of every level."""
    said = LogCapture()
    everything = structlog.wrap_logger(None, processors=[said], wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(module, "log", everything)
    telemetry.DATABASE_AWAY.set(0)  # of the process: a test before may have ended while its database was away
    return said.entries


def away() -> float | None:
    return REGISTRY.get_sample_value("moderation_database_away")


def slow() -> float:
    return REGISTRY.get_sample_value("moderation_database_slow_total") or 0.0


async def asks(database: Database, statement: str) -> None:
    async with database.within(WITHIN_S).connection() as connection:
        await connection.fetchval(statement)


async def test_one_use_that_takes_too_long_while_others_are_answered_is_slow(
    database: Database, lines: list[MutableMapping[str, Any]]
) -> None:
    before = slow()
    for _ in range(2):
        late = asyncio.create_task(asks(database, "SELECT pg_sleep(60)"))
        await asyncio.sleep(0)
        await asks(database, "SELECT 1")
        with pytest.raises(DependencyUnavailableError):
            await late
    assert [line["event"] for line in lines] == ["postgresql_slow"]
    assert (slow() - before, away()) == (2, 0)


async def test_a_statement_that_somebody_at_the_server_cancelled_is_no_absence(
    database: Database, lines: list[MutableMapping[str, Any]]
) -> None:
    with pytest.raises(DependencyUnavailableError):
        async with database.connection() as connection:
            await connection.execute("SET LOCAL statement_timeout = 100; SELECT pg_sleep(8)")
    assert [line["event"] for line in lines] == ["postgresql_slow"]


async def test_where_nobody_is_answered_it_is_away_for_as_long_as_it_was(
    database: Database, lines: list[MutableMapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACK_AFTER_S", 0.0)
    await asks(database, "SELECT 1")
    with pytest.raises(DependencyUnavailableError):
        await asks(database, "SELECT pg_sleep(60)")
    assert away() == 1
    await asks(database, "SELECT 1")
    assert [line["event"] for line in lines] == ["postgresql_away", "postgresql_back"]
    assert WITHIN_S <= lines[-1]["away_s"] < 60
    assert away() == 0


async def test_an_absence_ends_with_the_first_answer_not_when_it_is_said(
    database: Database, lines: list[MutableMapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = SimpleNamespace(now_s=0.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: watch.now_s))
    with pytest.raises(DependencyUnavailableError):
        async with database.connection():
            raise asyncpg.CannotConnectNowError
    for now_s in (2.0, 2.9, 3.1):
        watch.now_s = now_s
        await database.check()
    assert [(line["event"], line.get("away_s")) for line in lines] == [
        ("postgresql_away", None),
        ("postgresql_back", 2.0),
    ]
