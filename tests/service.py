"""The whole service in this process, on the real engines, with one site and one moderator."""

import asyncio
import hashlib
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from moderation import app as app_module
from moderation import settings as settings_module
from moderation.app import create_app, server_options
from moderation.console.entrance import ENTRANCE
from moderation.domain.signatures import new_secret
from moderation.intake import groups
from moderation.privacy.keys import Keyring
from moderation.privacy.vault import KeyedVault
from moderation.storage.database import Database

PATIENT_S = 20.0
"""For whatever is given up, refused or judged otherwise after a moment: that has tests of its own, and machines are shared."""

NO_LIMITS = {rule: [0, 1, 1] for rule in ("author", "address", "thread", "site")}


@dataclass(frozen=True)
class SeededSite:
    """A site as its owner knows it: with its keys and secrets."""

    id: int
    name: str
    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    inbound_secret: str = field(repr=False)


@dataclass
class RunningService:
    """A client on the running application, and what a test needs to know of it."""

    client: TestClient[web.Request, web.Application]
    database: Database
    vault: KeyedVault
    database_url: str
    redis_url: str
    site: SeededSite

    async def call(
        self, method: str, path: str, *, key: str | None = None, **options: Any
    ) -> tuple[int, Any]:
        """Send one request with a key or token; return status and decoded JSON."""
        async with self.request(method, path, key=key, **options) as response:
            return response.status, await decoded(response)

    def request(self, method: str, path: str, *, key: str | None = None, **options: Any) -> Any:
        """Send one request; return the response as a context manager."""
        headers = {"Authorization": f"Bearer {key or self.site.key}", **options.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **options)

    async def submit(self, text: str = "تعليق هادئ على الخبر", **fields: Any) -> tuple[int, Any]:
        """Post one comment of the site."""
        return await self.call("POST", "/v1/comments", json=comment(text, **fields))


async def decoded(response: ClientResponse) -> Any:
    """Return the JSON of a response, or its text."""
    if "json" in response.content_type:
        return await response.json(content_type=None)
    return await response.text()


def comment(text: str = "تعليق هادئ على الخبر", **fields: Any) -> dict[str, Any]:
    """A comment that is right in every field, by an author of its own."""
    someone = uuid.uuid4().hex[:12]
    return {
        "thread": {"id": "12", "url": "https://news.example/12", "title": "خبر"},
        "author": {"name": f"قارئ {someone}", "email": f"{someone}@example.com"},
        "text": text,
        **fields,
    }


async def seed_site(
    database: Database,
    vault: KeyedVault,
    *,
    policy: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    webhook_url: str | None = None,
) -> SeededSite:
    """Add a site of a random name, without rate limits unless ``settings`` says otherwise."""
    name, key = f"site-{secrets.token_hex(6)}", f"mds_{secrets.token_urlsafe(32)}"
    outgoing, inbound = new_secret(), new_secret()
    chosen = {"limits": await _no_limits(), "allow_private_endpoint": True, **(settings or {})}
    async with database.transaction() as connection:
        site_id = await connection.fetchval(
            "INSERT INTO sites (name, title, url, language, webhook_url, webhook_secrets, inbound_secrets, settings)"
            " VALUES ($1, $1, 'https://news.example', 'ar', $2, $3, $4, $5) RETURNING id",
            name,
            webhook_url,
            [vault.seal(outgoing, "webhook_secret")],
            [vault.seal(inbound, "inbound_secret")],
            chosen,
        )
        await connection.execute(
            "INSERT INTO policies (site_id, version, policy, created_by) VALUES ($1, 1, $2, 'test')",
            site_id,
            {"mode": "pre", "audit_share": 0.0, **(policy or {})},
        )
        await connection.execute(
            "INSERT INTO site_keys (id, site_id, token_hash) VALUES ($1, $2, $3)",
            uuid.uuid4(),
            site_id,
            hashlib.sha256(key.encode()).digest(),
        )
        await connection.execute("UPDATE instance SET config_version = config_version + 1")
    return SeededSite(site_id, name, key, outgoing, inbound)


async def _no_limits() -> dict[str, Any]:
    from moderation.domain.rates import Limit, Limits

    off = Limit(0, 1, 1)
    return Limits(off, off, off, off).as_json()


async def seed_moderator(database: Database, roles: dict[int, str]) -> str:
    """Add a moderator with a role on each site; return the token."""
    token, moderator = f"mdu_{secrets.token_urlsafe(32)}", uuid.uuid4()
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO moderators (id) VALUES ($1)", moderator)
        for site_id, role in roles.items():
            await connection.execute(
                "INSERT INTO moderator_roles VALUES ($1, $2, $3)", moderator, site_id, role
            )
        await connection.execute(
            "INSERT INTO moderator_tokens (id, moderator_id, token_hash) VALUES ($1, $2, $3)",
            uuid.uuid4(),
            moderator,
            hashlib.sha256(token.encode()).digest(),
        )
        await connection.execute("UPDATE instance SET config_version = config_version + 1")
    return token


@asynccontextmanager
async def running_service(
    database_url: str,
    redis_url: str,
    *,
    policy: dict[str, Any] | None = None,
    site: dict[str, Any] | None = None,
    webhook_url: str | None = None,
    **settings: str,
) -> AsyncIterator[RunningService]:
    """Run the application on these engines until the block ends."""
    keyring = Keyring.new()
    vault, database = KeyedVault(keyring), Database(database_url)
    environ = {"MODERATION_SCORE_DEADLINE_MS": str(int(PATIENT_S * 1000))}
    environ |= {f"MODERATION_{name.upper()}": value for name, value in settings.items()}
    environ |= {"MODERATION_DATABASE_URL": database_url, "MODERATION_REDIS_URL": redis_url}
    try:
        seeded = await seed_site(database, vault, policy=policy, settings=site, webhook_url=webhook_url)
        with patch.object(app_module, "ANSWERED_WITHIN_S", PATIENT_S):
            app = create_app(settings_module.load(environ, require_keys=False), keyring)
        app[ENTRANCE]._limiter._deadline_s = PATIENT_S
        server = TestServer(app)
        await server.start_server(**server_options(app))
        async with TestClient(server) as client:
            with patch.object(groups, "ANSWERED_WITHIN_S", PATIENT_S):
                yield RunningService(client, database, vault, database_url, redis_url, seeded)
    finally:
        await database.close()


def rest(monkeypatch: pytest.MonkeyPatch, *jobs: type) -> None:
    """Let the service's own jobs of these kinds do nothing: the test does their work itself, and would meet them.

    To be called before the service starts.
    """

    async def run(_job: object) -> None:
        await asyncio.Event().wait()

    for job in jobs:
        monkeypatch.setattr(job, "run", run)
