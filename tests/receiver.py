"""A site's endpoint for tests: a real server on loopback that verifies, records, and misbehaves as told."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from aiohttp import web

from moderation.domain.clock import Clock, utc_now
from moderation.domain.signatures import ID_HEADER, Verification, verify


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    path: str
    message_id: str
    headers: dict[str, str]
    body: bytes
    at: datetime
    verification: Verification | None

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def data(self) -> dict[str, Any]:
        return self.event["data"]

    @property
    def key(self) -> tuple[str, int]:
        """Comment and sequence."""
        return self.data["id"], self.data["sequence"]


Behaviour = Callable[[Received], Awaitable[web.StreamResponse]]


async def accept(_received: Received) -> web.StreamResponse:
    return web.Response(status=204)


def answer(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Behaviour:
    """Always give the same answer: refuse (500), redirect (302 with Location), throttle (429), be gone (410) …"""

    async def behave(_received: Received) -> web.StreamResponse:
        return web.Response(status=status, headers=headers, body=body)

    return behave


def flap(statuses: Sequence[int]) -> Behaviour:
    """Give these answers in turn, then accept."""
    rest = list(statuses)

    async def behave(_received: Received) -> web.StreamResponse:
        return web.Response(status=rest.pop(0) if rest else 204)

    return behave


@dataclass
class Hang:
    """Answer nothing until `release` is set; counts how many requests hang at most at once."""

    release: asyncio.Event = field(default_factory=asyncio.Event)
    hanging: int = 0
    most: int = 0

    async def __call__(self, _received: Received) -> web.StreamResponse:
        self.hanging += 1
        self.most = max(self.most, self.hanging)
        try:
            await self.release.wait()
        finally:
            self.hanging -= 1
        return web.Response(status=204)


class Receiver:
    """Use as an asynchronous context manager; any path is accepted."""

    def __init__(self, *, secrets: Sequence[str] = (), clock: Clock = utc_now) -> None:
        self.secrets = list(secrets)
        self.behaviour: Behaviour = accept
        self.requests: list[Received] = []
        self.accepted: list[Received] = []
        """Those answered with 2xx."""
        self.connections = 0
        self._clock = clock
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    @property
    def keys(self) -> list[tuple[str, int]]:
        """Comment and sequence of every accepted event, in the order of arrival."""
        return [received.key for received in self.accepted]

    async def wait_for(self, condition: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
        """Return once ``condition`` holds; looked at after every request and answer."""
        async with asyncio.timeout(timeout_s), self._arrived:
            await self._arrived.wait_for(condition)

    async def wait_for_requests(self, count: int, *, timeout_s: float = 60.0) -> None:
        await self.wait_for(lambda: len(self.requests) >= count, timeout_s=timeout_s)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        received = await self._record(request)
        response = await self.behaviour(received)
        if 200 <= response.status < 300:
            self.accepted.append(received)
        async with self._arrived:
            self._arrived.notify_all()
        return response

    async def _record(self, request: web.Request) -> Received:
        body = await request.read()
        checked = (
            verify(request.headers, body, secrets=self.secrets, now=self._clock()) if self.secrets else None
        )
        received = Received(
            request.path,
            request.headers.get(ID_HEADER, ""),
            {name.lower(): value for name, value in request.headers.items()},
            body,
            self._clock(),
            checked,
        )
        self.requests.append(received)
        async with self._arrived:
            self._arrived.notify_all()
        return received
