"""Fixtures for every test: the real engines, a database of the test's own, and the whole service in this process."""

import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
import pytest_asyncio

from moderation.engines import EngineAddresses
from moderation.storage.database import Database, connect
from moderation.storage.migrate import migrate
from moderation.telemetry import configure_logging
from tests.engines_fixture import engine_data, engine_template, running_engines

if TYPE_CHECKING:
    from tests.service import RunningService

__all__ = ["engine_data", "engine_template", "running_engines"]

configure_logging("json", "warning")

TEMPLATE = "migrated_template"


def database_url(addresses: EngineAddresses, name: str) -> str:
    """Return the address of another database of the same engine."""
    before, _, query = addresses.database_url.partition("?")
    return f"{before.rpartition('/')[0]}/{name}?{query}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(running_engines: EngineAddresses) -> str:
    """A migrated database to copy from: quicker than migrating for every test."""
    admin = await asyncpg.connect(running_engines.database_url)
    await admin.execute(f"CREATE DATABASE {TEMPLATE}")
    connection = await connect(database_url(running_engines, TEMPLATE))
    await migrate(connection)
    await connection.close()
    await admin.close()
    return TEMPLATE


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_database_url(running_engines: EngineAddresses, template: str) -> AsyncIterator[str]:
    """The address of an empty, migrated database that nobody else uses; dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(running_engines.database_url)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield database_url(running_engines, name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest_asyncio.fixture(loop_scope="session")
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    """A pool on an empty, migrated database."""
    pool = Database(fresh_database_url)
    await pool.open()
    yield pool
    await pool.close()


@pytest_asyncio.fixture(loop_scope="session")
async def service(fresh_database_url: str, running_engines: EngineAddresses) -> "AsyncIterator[RunningService]":
    """The whole service with one site in mode `pre` and no rate limits."""
    from tests.service import running_service

    async with running_service(fresh_database_url, running_engines.redis_url) as running:
        yield running
