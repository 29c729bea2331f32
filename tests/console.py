"""A person at the console: a browser as far as cookies, `Origin` and the page's CSRF token go, and accounts to sign in with."""

import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import aiohttp

from moderation.domain.clock import utc_now
from moderation.domain.ids import ModeratorId, new_uuid
from moderation.privacy.passwords import Passwords
from moderation.review.indexing import Indexer
from moderation.storage import search
from moderation.storage.administration.addresses import insert_moderator
from moderation.storage.database import connect
from moderation.storage.sessions import Sessions
from tests.service import RunningService, decoded

PASSWORD = "ثلاث كلمات طويلة"


@dataclass(frozen=True)
class Account:
    """Somebody with a password."""

    id: ModeratorId
    email: str
    password: str = PASSWORD
    encoded: str = ""
    """The hash that is kept of it."""


async def add_account(
    service: RunningService,
    roles: Mapping[int, str],
    *,
    password: str | None = PASSWORD,
    name: str | None = None,
) -> Account:
    """Add a person with a role on each site; without ``password`` one who cannot sign in yet."""
    person, email = ModeratorId(new_uuid()), f"{secrets.token_hex(6)}@desk.example"
    encoded = None if password is None else await Passwords().hash(password)
    async with service.database.transaction() as connection:
        await insert_moderator(connection, service.vault, person, email, name)
        await connection.execute("UPDATE moderators SET password = $2 WHERE id = $1", person, encoded)
        for site_id, role in roles.items():
            await connection.execute("INSERT INTO moderator_roles VALUES ($1, $2, $3)", person, site_id, role)
        await connection.execute("UPDATE instance SET config_version = config_version + 1")
    return Account(person, email, password or "", encoded or "")


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: Any
    body: Any

    @property
    def csrf(self) -> str:
        """The proof that the page holds."""
        found = re.search(r'<meta name="csrf-token" content="([0-9a-f]{64})">', self.body)
        assert found is not None
        return found[1]


@dataclass
class Browser:
    """Keeps cookies and follows no redirect; sends an `Origin` with whatever changes something."""

    session: aiohttp.ClientSession
    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    async def send(self, method: str, path: str, **options: Any) -> Reply:
        """Send one request as a page of the console would."""
        headers = {"Sec-Fetch-Site": "same-origin"} if method == "GET" else {"Origin": self.url}
        if self.csrf and method != "GET":
            headers["X-CSRF-Token"] = self.csrf
        headers |= {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers |= options.pop("headers", {})
        kept = {name: value for name, value in headers.items() if value is not None}
        async with self.session.request(
            method, self.url + path, headers=kept, allow_redirects=False, **options
        ) as response:
            for written in response.headers.getall("Set-Cookie", []):
                self._keep(written)
            return Reply(response.status, response.headers, await decoded(response))

    def _keep(self, written: str) -> None:
        for name, morsel in SimpleCookie(written).items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value

    async def try_to_sign_in(self, email: str, password: str, **fields: str) -> Reply:
        """Send the form."""
        return await self.send(
            "POST", "/console/sign-in", data={"email": email, "password": password, **fields}
        )

    async def sign_in(self, account: Account) -> None:
        """Sign in, and load the desk for its CSRF token."""
        reply = await self.try_to_sign_in(account.email, account.password)
        assert (reply.status, reply.headers["Location"]) == (303, "/console/"), reply.body
        self.csrf = (await self.send("GET", "/console/")).csrf


async def make_entries(service: RunningService) -> None:
    """Make what comments are found by now, instead of waiting for the job."""
    connection = await connect(service.database_url)
    # The service's own job stays away meanwhile, and a group of its that is under way is waited for.
    await connection.execute("SELECT pg_advisory_lock($1)", search._LOCK)
    while await Indexer(service.database_url, clock=utc_now).once(connection):
        pass
    await connection.close()


async def begin_session(sessions: Sessions, account: Account) -> str:
    """Begin a session past the form."""
    token = await sessions.begin(account.id, password=account.encoded)
    assert token is not None
    return token


@asynccontextmanager
async def browser(service: RunningService) -> AsyncIterator[Browser]:
    """A browser that has never been here."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Browser(session, str(service.client.make_url("")).rstrip("/"))
