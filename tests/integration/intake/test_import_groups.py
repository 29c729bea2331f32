"""What an import stores where PostgreSQL is lost between its groups."""

import asyncio
import json

import pytest

from moderation.domain.clock import utc_now
from moderation.domain.errors import DependencyUnavailableError
from moderation.intake.history import GROUP
from moderation.protocols.imports.importer import Importer
from moderation.protocols.imports.json_lines import read_json_lines
from moderation.storage.database import Connection, connect
from moderation.storage.directory import load_site
from tests.service import RunningService

_WAITING = """
SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'comments'::regclass LIMIT 1
"""


def archive() -> list[str]:
    """A group of comments, and behind it a group of replies to them."""
    told = {"state": "approved", "thread": {"id": "1"}, "created_at": "2024-05-01T10:00:00Z"}
    first = [{**told, "id": f"{n}", "text": f"نص {n}"} for n in range(GROUP)]
    replies = [{**told, "id": f"r{n}", "parent_id": f"{n}", "text": f"رد {n}"} for n in range(GROUP)]
    return [json.dumps(row) for row in (*first, *replies)]


async def end_whoever_stores(other: Connection) -> None:
    async with asyncio.timeout(30):
        while (pid := await other.fetchval(_WAITING)) is None:
            await asyncio.sleep(0.01)
    await other.execute("SELECT pg_terminate_backend($1)", pid)


async def test_nothing_is_stored_behind_a_group_that_was_not(service: RunningService) -> None:
    async with service.database.connection() as connection:
        site = await load_site(connection, service.site.id)

    def taking() -> "asyncio.Task[None]":
        importer = Importer(service.database, service.vault, site, clock=utc_now)
        return asyncio.create_task(importer.take(read_json_lines(archive(), {})))

    other = await connect(service.database_url)
    async with other.transaction():
        await other.execute("LOCK TABLE comments IN SHARE ROW EXCLUSIVE MODE")
        broken = taking()
        await end_whoever_stores(other)
    with pytest.raises(DependencyUnavailableError):
        await broken
    counted = "SELECT count(*), count(parent_id) FROM comments"
    assert tuple(await other.fetchrow(counted) or ()) == (0, 0)
    await taking()
    assert tuple(await other.fetchrow(counted) or ()) == (2 * GROUP, GROUP)
    await other.close()
