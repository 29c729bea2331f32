"""`GET /v1/events`: who may ask, and for what."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from moderation.delivery.feed import Feed
from moderation.delivery.sequencer import Sequencer
from moderation.domain.site import Role
from moderation.protocols import feed
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.edge import edge
from moderation.storage.database import connect
from moderation.storage.directory import Directory
from tests.integration.delivery.conftest import Bench
from tests.seeding import add_moderator, add_site_key

Client = TestClient[web.Request, web.Application]


@pytest_asyncio.fixture(loop_scope="session")
async def client(bench: Bench) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[edge])
    app[DIRECTORY] = Directory(bench.database)
    app[feed.FEED] = Feed(bench.database, bench.clock)
    app.add_routes(feed.routes())
    async with TestClient(TestServer(app)) as running:
        yield running


async def get(client: Client, key: str, query: str = "") -> tuple[int, dict[str, Any]]:
    async with client.get("/v1/events" + query, headers={"Authorization": f"Bearer {key}"}) as response:
        return response.status, await response.json(content_type=None)


async def number(bench: Bench) -> None:
    connection = await connect(bench.database.url)
    await Sequencer(bench.database.url, bench.clock).number(connection)
    await connection.close()


async def test_a_site_reads_its_events_page_by_page_in_its_language(bench: Bench, client: Client):
    site = await bench.newsroom.add_site("daily", None)
    key = await add_site_key(bench.database, site)
    comments = [await bench.newsroom.comment(site) for _ in range(3)]
    await number(bench)
    status, first = await get(client, key, "?limit=2")
    assert status == 200
    assert [event["data"]["id"] for event in first["events"]] == [str(comment) for comment in comments[:2]]
    assert first["events"][0]["data"]["reasons"] == [{"code": "insult", "message": "إهانة لشخص."}]
    assert first["next"] == first["events"][-1]["position"]
    _, second = await get(client, key, f"?after={first['next']}")
    assert [event["data"]["id"] for event in second["events"]] == [str(comments[2])]
    assert await get(client, key, f"?after={second['next']}") == (200, {"events": [], "next": second["next"]})


async def test_no_site_reads_anothers_events(bench: Bench, client: Client):
    site, other = await bench.newsroom.add_site("daily", None), await bench.newsroom.add_site("weekly", None)
    await bench.newsroom.comment(site)
    await number(bench)
    key = await add_site_key(bench.database, other)
    assert await get(client, key) == (200, {"events": [], "next": 0})


async def test_only_a_sites_own_key_opens_the_feed(bench: Bench, client: Client):
    site = await bench.newsroom.add_site("daily", None)
    _, token = await add_moderator(bench.database, {site: Role.ADMIN})
    assert (await get(client, token))[0] == 403
    assert (await get(client, await add_site_key(bench.database, site, dialect="akismet")))[0] == 403
    assert (await get(client, "mds_nobody"))[0] == 401
    async with client.get("/v1/events") as response:
        assert response.status == 401


@pytest.mark.parametrize(
    "query",
    ["?after=-1", "?after=x", "?after=", "?after=1.5", "?after=1e3", "?after=٣", "?after=9223372036854775807", "?after=" + "9" * 40, "?limit=0", "?limit=1001", "?limit=", "?after=%00", "?afer=5", "?after=1&after=2"],
)  # fmt: skip
async def test_a_faulty_parameter_is_named(bench: Bench, client: Client, query: str):
    site = await bench.newsroom.add_site("daily", None)
    status, problem = await get(client, await add_site_key(bench.database, site), query)
    assert status == 400
    assert query[1:].split("=", maxsplit=1)[0] in problem["detail"]


async def test_a_place_ahead_of_the_feed_is_a_conflict(bench: Bench, client: Client):
    site = await bench.newsroom.add_site("daily", None)
    status, problem = await get(
        client, await add_site_key(bench.database, site), "?after=9223372036854775806"
    )
    assert status == 409
    assert problem["type"].endswith("/conflict")
