"""The demonstration site's own server: takes events as any site should, and shows them on a page.

It verifies every signature before it reads the body, ignores what it has heard before, and answers at once.
"""

from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import orjson
import structlog
from aiohttp import web

from moderation.demo.receiver_page import HEADERS, STATIC_TYPES, Heard, receiver_page, static_file
from moderation.domain.clock import Clock, wire_time
from moderation.domain.errors import DependencyUnavailableError
from moderation.domain.messages import LANGUAGES
from moderation.domain.signatures import Verification, verify
from moderation.protocols.languages import language_of

MAX_EVENTS = 100
"""Kept in memory for the page."""
MAX_COMMENTS = 10_000
"""Whose last sequence is remembered."""
BODY_BYTES = 64 * 1024
HOST = "127.0.0.1"
EVENTS_PATH = "/events"

Secrets = Callable[[], Awaitable[Sequence[str]]]
"""Returns the secrets that are good now. Raises `DependencyUnavailableError`."""

_STATIC = {name: static_file(name) for name in STATIC_TYPES}

log = structlog.get_logger()


class Receiver:
    """Listens on loopback only."""

    def __init__(self, secrets: Secrets, *, clock: Clock) -> None:
        self._secrets = secrets
        self._clock = clock
        self._events: deque[Heard] = deque(maxlen=MAX_EVENTS)
        self._last: OrderedDict[str, int] = OrderedDict()
        self._heard = 0
        self._refused = 0
        self._port = 0

    @property
    def page_url(self) -> str:
        """The page for people."""
        return f"http://{HOST}:{self._port}/"

    @property
    def webhook_url(self) -> str:
        """Where events are to be sent."""
        return f"http://{HOST}:{self._port}{EVENTS_PATH}"

    @asynccontextmanager
    async def listening(self, *, near: int) -> AsyncIterator[None]:
        """Listen on port ``near``, or on any free one if that is taken, until the block ends."""
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, HOST, near).start()
            except (OSError, OverflowError):
                await web.TCPSite(runner, HOST, 0).start()
            self._port = runner.addresses[0][1]
            yield
        finally:
            await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=BODY_BYTES)
        app.add_routes(
            [
                web.post(EVENTS_PATH, self._receive),
                web.get("/", self._show_page),
                web.get("/events.json", self._list_events),
                web.get("/static/{name}", _send_static),
            ]
        )
        return app

    async def _receive(self, request: web.Request) -> web.Response:
        """Answer 204 for an event with a good signature, 401 for any other, 503 while the secrets cannot be read."""
        body = await request.read()
        try:
            secrets = await self._secrets()
        except DependencyUnavailableError:
            return web.Response(status=503, headers={"Retry-After": "2"})
        verification = verify(request.headers, body, secrets=secrets, now=self._clock())
        if verification is not Verification.VALID:
            self._refused += 1
            log.warning("demonstration_event_refused", verification=verification.value)
            return web.Response(status=401)
        self._remember(orjson.loads(body))
        return web.Response(status=204)

    def _remember(self, event: dict[str, Any]) -> None:
        data = event["data"]
        comment_id, sequence = data["id"], data["sequence"]
        is_new = sequence > self._last.get(comment_id, 0)
        if is_new:
            self._last[comment_id] = sequence
            self._last.move_to_end(comment_id)
            if len(self._last) > MAX_COMMENTS:
                self._last.popitem(last=False)
        self._heard += 1
        self._events.appendleft(
            Heard(
                type=event["type"],
                id=comment_id,
                external_id=data["external_id"],
                sequence=sequence,
                revision=data["revision"],
                state=data["state"],
                verdict=data["verdict"],
                reasons=tuple(reason["code"] for reason in data["reasons"]),
                decided_by=data["decided_by"],
                decided_at=data["decided_at"],
                heard_at=wire_time(self._clock()),
                is_new=is_new,
            )
        )
        log.info("demonstration_event_heard", comment=comment_id, sequence=sequence, state=data["state"])

    async def _list_events(self, _request: web.Request) -> web.Response:
        body = {"heard": self._heard, "refused": self._refused, "events": [asdict(e) for e in self._events]}
        return web.Response(
            body=orjson.dumps(body), content_type="application/json", headers={"Cache-Control": "no-store"}
        )

    async def _show_page(self, request: web.Request) -> web.Response:
        named = request.query.get("lang")
        language = named if named in LANGUAGES else language_of(request)
        page = receiver_page(
            list(self._events), language, heard=self._heard, refused=self._refused, most=MAX_EVENTS
        )
        return web.Response(text=page, content_type="text/html", headers=HEADERS)


async def _send_static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _STATIC:
        raise web.HTTPNotFound
    return web.Response(
        text=_STATIC[name], content_type=STATIC_TYPES[name], headers={"Cache-Control": "no-cache"}
    )
