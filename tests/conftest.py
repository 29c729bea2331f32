"""Fixtures for every test: the real engines, a database of the test's own, and the whole service in this process."""

import functools
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import asyncpg
import pytest
import pytest_asyncio
import structlog
from aiohttp import web_app
from hypothesis import HealthCheck, settings

from classifiers import runtime
from classifiers.runtime import Scorer
from moderation.engines import EngineAddresses
from moderation.storage.database import Database, connect
from moderation.storage.migrate import migrate
from moderation.telemetry import configure_logging
from tests.engines_fixture import engine_data, engine_template, running_engines

if TYPE_CHECKING:
    from tests.service import RunningService

__all__ = ["engine_data", "engine_template", "running_engines"]

_configure = structlog.configure
# A logger that was used once would keep the processors of then, and tests that change or catch them would miss its lines.
structlog.configure = lambda **options: _configure(**(options | {"cache_logger_on_first_use": False}))
configure_logging("json", "warning")
# No test asserts how quick something is: machines are shared.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

NAME = "test_moderation"
_EVERYBODY_ELSE_OUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_versions'"
_SEQUENCES_BEGIN_AGAIN = """
SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence
 WHERE seqrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
"""
_load = functools.cache(Scorer.load)
# A scorer never changes and loading it takes half the time of starting a service; a damaged one is not remembered.
Scorer.shipped = classmethod(lambda cls: _load(runtime.PRETRAINED))  # type: ignore[method-assign]


def database_url(addresses: EngineAddresses, name: str) -> str:
    """Return the address of another database of the same engine."""
    before, _, query = addresses.database_url.partition("?")
    return f"{before.rpartition('/')[0]}/{name}?{query}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one_database(running_engines: EngineAddresses) -> str:
    """The address of a migrated database; made once, for making one costs about a second."""
    admin = await asyncpg.connect(running_engines.database_url)
    await admin.execute(f"CREATE DATABASE {NAME}")
    await admin.close()
    url = database_url(running_engines, NAME)
    connection = await connect(url)
    await migrate(connection)
    await connection.close()
    return url


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_database_url(one_database: str) -> str:
    """The address of an empty, migrated database that nobody else uses: emptied of what the test before left there."""
    connection = await connect(one_database)
    await connection.execute(_EVERYBODY_ELSE_OUT)
    tables = await connection.fetch(_TABLES)
    holds = " UNION ALL ".join(f"(SELECT '{name}' WHERE EXISTS (SELECT FROM {name}))" for (name,) in tables)
    used = ", ".join(name for (name,) in await connection.fetch(holds))
    if used:  # emptying a table makes new files for it and its indexes, so only where there is something
        await connection.execute(f"TRUNCATE {used} CASCADE")
    await connection.execute(_SEQUENCES_BEGIN_AGAIN)
    await connection.execute("INSERT INTO instance DEFAULT VALUES")
    await connection.close()
    return one_database


@pytest_asyncio.fixture(loop_scope="session")
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    """A pool on an empty, migrated database."""
    pool = Database(fresh_database_url)
    await pool.open()
    yield pool
    await pool.close()


@pytest_asyncio.fixture(loop_scope="session")
async def service(
    fresh_database_url: str, running_engines: EngineAddresses
) -> "AsyncIterator[RunningService]":
    """The whole service with one site in mode `pre` and no rate limits."""
    from tests.service import running_service

    async with running_service(fresh_database_url, running_engines.redis_url) as running:
        yield running


@pytest.fixture(autouse=True)
def no_application_outlives_its_test() -> Iterator[None]:
    """aiohttp remembers the last 1,024 applications with their handlers, and each of ours holds a model of 20 MB."""
    yield
    web_app._cached_build_middleware.cache_clear()
