"""The recipe that partitions by month (`deploy/postgresql/`), run on a database with comments; the service then works on it as before."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from moderation.engines import EngineAddresses
from moderation.privacy.keyring import Keyring
from moderation.storage.database import Connection, connect
from moderation.storage.migrate import migrate
from tests.conftest import database_url
from tests.service import RunningService, comment, running_service

RECIPE = Path(__file__).parents[2] / "deploy" / "postgresql" / "partition-by-month.sql"
PARTED = ("comments", "decisions", "revisions")


@pytest.fixture
async def url(running_engines: EngineAddresses) -> AsyncIterator[str]:
    """A migrated database of the test's own."""
    admin = await asyncpg.connect(running_engines.database_url)
    await admin.execute("CREATE DATABASE parted")
    parted = database_url(running_engines, "parted")
    connection = await connect(parted)
    await migrate(connection)
    yield parted
    await connection.close()
    await admin.execute("DROP DATABASE parted WITH (FORCE)")
    await admin.close()


async def indexes(connection: Connection) -> dict[str, str]:
    rows = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY($1)",
        PARTED,
    )
    return {name: body.replace("UNIQUE ", "").replace(" ONLY ", " ") for name, body in rows}


async def approve(service: RunningService, key: str, comment_id: str) -> None:
    ruling = {"verdict": "approve", "revision": 1, "moderator": "desk"}
    assert (await service.call("POST", f"/v1/comments/{comment_id}/decision", key=key, json=ruling))[0] == 200


async def test_the_service_works_on_partitions_as_before(
    url: str, running_engines: EngineAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = Keyring.new()
    monkeypatch.setattr(Keyring, "new", lambda: keyring)  # of the same instance, before and after
    admin = await connect(url)
    async with running_service(url, running_engines.redis_url) as service:
        body, key = comment("قديم", external_id="old"), service.site.key
        _, old = await service.call("POST", "/v1/comments", key=key, json=body)
    before = await indexes(admin)
    await admin.execute(RECIPE.read_text("utf-8"))
    assert await indexes(admin) == before, (
        "the same indexes, those of the sites' ids and feed positions without uniqueness"
    )

    async with (
        running_service(url, running_engines.redis_url) as service,
        running_service(url, running_engines.redis_url) as other,
    ):
        status, again = await service.call("POST", "/v1/comments", key=key, json=body)
        assert (status, again["id"]) == (200, old["id"]), "what came before is known"
        changed = body | {"text": "قديم، لكن أوضح"}
        status, edited = await service.call("POST", "/v1/comments", key=key, json=changed)
        assert (edited["id"], edited["revision"]) == (old["id"], 2)

        raced = comment("سباق", external_id="race")
        answers = await asyncio.gather(
            *(
                process.call("POST", "/v1/comments", key=key, json=raced)
                for _ in range(20)
                for process in (service, other)
            )
        )
        assert len({body["id"] for status, body in answers}) == 1, "two processes, one comment"
        assert max(status for status, _ in answers) == 201
        await approve(service, key, answers[0][1]["id"])
        assert await admin.fetchval("SELECT count(*) FROM external_ids") == 2
        assert (await service.call("DELETE", f"/v1/comments/{answers[0][1]['id']}", key=key))[0] in {200, 204}
        assert await admin.fetchval("SELECT count(*) FROM comments") == 2
    await admin.close()


async def test_months_are_made_ahead_and_an_old_one_is_let_go(url: str) -> None:
    admin = await connect(url)
    await admin.execute(RECIPE.read_text("utf-8"))
    parts: list[Any] = [
        await admin.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = $1::regclass", name)
        for name in PARTED
    ]
    assert parts == [5, 5, 5], "what was before, three months, the rest"
    assert await admin.fetchval("SELECT make_months(3)") == 0
    assert await admin.fetchval("SELECT make_months(4)") == 3

    month = await admin.fetchval(
        "SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months')::date"
    )
    first: UUID = await admin.fetchval("SELECT first_id_of($1)", month)
    assert int.from_bytes(first.bytes[:6]) == int(
        await admin.fetchval("SELECT extract(epoch FROM $1::date) * 1000", month)
    )
    await admin.execute(
        "INSERT INTO comments (id, site_id, thread_id, external_id, text, content_hash, state, sequence, origin, created_at, received_at)"
        " VALUES ($1, 1, 't', 'e', 'x', ''::bytea, 'held', 1, 'native', now(), now())",
        first,
    )
    assert await admin.fetchval("SELECT tableoid::regclass::text FROM comments") == f"comments_{month:%Y_%m}"
    with pytest.raises(asyncpg.UniqueViolationError):
        await admin.execute(
            "INSERT INTO comments SELECT (gen_random_uuid()), site_id, thread_id, external_id, parent_id, author_name, author_url,"
            " author_external_id, identity, email_sealed, email_hash, address_sealed, user_agent, text, language, context,"
            " content_hash, revision, state, sequence, origin, created_at, received_at FROM comments"
        )
    waiting = (
        "INSERT INTO tasks (comment_id, site_id, kind, revision, thread_id, reasons, rank, abuse_rank, uncertain_rank)"
        " VALUES ($1, 1, 'held', 1, 't', '{}', 1, 1, 1)"
    )
    await admin.execute(waiting, first)
    with pytest.raises(asyncpg.RaiseError, match="still wait"):
        await admin.fetchval("SELECT forget_month($1)", month)
    await admin.execute("DELETE FROM tasks")
    assert await admin.fetchval("SELECT forget_month($1)", month) == 1
    assert await admin.fetchval("SELECT count(*) FROM comments") == 0
    assert await admin.fetchval(f"SELECT count(*) FROM comments_{month:%Y_%m}") == 1
    assert await admin.fetchval("SELECT count(*) FROM external_ids") == 0
    await admin.close()
