"""The review routes behind the real edge, directory and database, with a clock that tests move."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from moderation.domain.ids import SiteId
from moderation.domain.site import Person, Role
from moderation.protocols import review
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.edge import edge
from moderation.review.desk import ReviewDesk
from moderation.storage.database import Database
from moderation.storage.directory import Directory
from tests.seeding import SteppedClock, add_moderator, add_site, add_site_key


@dataclass
class Desk:
    """Two sites, a moderator, a lead and a key of the first, a stranger of the second, and a client."""

    client: TestClient[web.Request, web.Application]
    database: Database
    clock: SteppedClock
    site_id: SiteId
    other_id: SiteId
    moderator: Person
    tokens: dict[str, str]

    async def call(self, method: str, path: str, *, by: str = "moderator", **options: Any) -> tuple[int, Any]:
        """Send one request as one of `tokens`; return status and JSON (None without a body)."""
        headers = {"Authorization": f"Bearer {self.tokens.get(by, by)}", **options.pop("headers", {})}
        async with self.client.request(method, path, headers=headers, **options) as response:
            body = await response.read()
            return response.status, await response.json(content_type=None) if body else None

    async def decide(self, comment_id: object, *, by: str = "moderator", **body: Any) -> tuple[int, Any]:
        """Post one decision."""
        path = f"/v1/comments/{comment_id}/decision"
        return await self.call("POST", path, by=by, json={"revision": 1, "verdict": "approve"} | body)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(database: Database) -> AsyncIterator[Desk]:
    clock = SteppedClock()
    app = web.Application(middlewares=[edge])
    app[DIRECTORY] = Directory(database)
    app[review.DESK] = ReviewDesk(database, clock=clock)
    app.add_routes(review.routes())
    site_id, other_id = await add_site(database, "paper"), await add_site(database, "other")
    moderator, token = await add_moderator(database, {site_id: Role.MODERATOR})
    tokens = {
        "moderator": token,
        "colleague": (await add_moderator(database, {site_id: Role.MODERATOR}))[1],
        "lead": (await add_moderator(database, {site_id: Role.LEAD}))[1],
        "both": (await add_moderator(database, {site_id: Role.MODERATOR, other_id: Role.LEAD}))[1],
        "stranger": (await add_moderator(database, {other_id: Role.ADMIN}))[1],
        "nobody": (await add_moderator(database, {}))[1],
        "site": await add_site_key(database, site_id),
        "other site": await add_site_key(database, other_id),
        "akismet": await add_site_key(database, site_id, dialect="akismet"),
    }
    async with TestClient(TestServer(app)) as client:
        yield Desk(client, database, clock, site_id, other_id, moderator, tokens)
