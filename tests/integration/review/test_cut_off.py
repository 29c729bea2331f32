"""Uses of the database that take too long for whoever waits: they end here, and in PostgreSQL, too."""

import asyncio

import pytest

from moderation.domain.errors import DependencyUnavailableError
from moderation.storage.database import Database

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def test_what_is_cut_off_leaves_no_connection_waiting_in_the_server(database: Database) -> None:
    """Else whoever retries would use up the connections that intake needs."""
    hasty = database.within(0.2)
    async with database.connection() as connection, connection.transaction():
        await connection.execute("LOCK TABLE comments IN ACCESS EXCLUSIVE MODE")
        for _ in range(3):
            with pytest.raises(DependencyUnavailableError):
                async with hasty.connection() as other:
                    await other.fetchval("SELECT count(*) FROM comments")
        async with asyncio.timeout(60):
            while await connection.fetchval(WAITING):
                await asyncio.sleep(0.1)
