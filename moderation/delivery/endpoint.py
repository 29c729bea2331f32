"""One attempt to reach a site's endpoint: bounded in time and size, guarded, and always an outcome, never an exception."""

import asyncio
import ssl
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from moderation.delivery.addresses import (
    GuardedResolver,
    Lookup,
    RefusedAddressError,
    SystemLookup,
    check_literal,
)
from moderation.delivery.retries import parse_retry_after
from moderation.domain.clock import Clock

TIMEOUT_S = 10.0
BODY_BYTES = 64 * 1024
_BODY_TIMEOUT_S = 1.0
_KEEP_ALIVE_S = 2.0
"""Shorter than servers' own (5 s and more), so that an event rarely meets a connection that is just being closed."""


class Outcome(StrEnum):
    """How an attempt ended; everything but `DELIVERED` is a failure."""

    DELIVERED = "delivered"
    GONE = "gone"
    REDIRECTED = "redirected"
    THROTTLED = "throttled"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNRESOLVED = "unresolved"
    TLS_FAILED = "tls_failed"
    BROKEN_ANSWER = "broken_answer"
    REFUSED_ADDRESS = "refused_address"
    INVALID_URL = "invalid_url"
    NOT_SIGNED = "not_signed"
    NO_ENDPOINT = "no_endpoint"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt; ``status`` is None where no HTTP answer arrived."""

    outcome: Outcome
    status: int | None = None
    duration_s: float = 0.0
    retry_after_s: float | None = None
    body: bytes = field(default=b"", repr=False)
    """What the endpoint said, if it was short and said at once; else empty."""


# In this order: several of them are kinds of the later ones.
_FAILURES: tuple[tuple[tuple[type[Exception], ...], Outcome], ...] = (
    ((RefusedAddressError,), Outcome.REFUSED_ADDRESS),
    ((aiohttp.InvalidURL, UnicodeError), Outcome.INVALID_URL),
    ((aiohttp.ClientConnectorDNSError,), Outcome.UNRESOLVED),
    ((aiohttp.ClientSSLError, ssl.SSLError), Outcome.TLS_FAILED),
    ((TimeoutError,), Outcome.TIMEOUT),
    ((aiohttp.ClientConnectorError,), Outcome.UNREACHABLE),
    ((aiohttp.ClientError, OSError), Outcome.BROKEN_ANSWER),
)


class EndpointClient:
    """Posts to endpoints. Use as an asynchronous context manager.

    Follows no redirect, keeps no cookie, uses no proxy of the environment, checks certificates, reads no more of an answer
    than it must. Connections to endpoints that may be private are kept apart, so that no other site's request can ride on one.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        timeout_s: float = TIMEOUT_S,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._lookup = lookup
        self._tls = tls
        self._system_lookup: SystemLookup | None = None
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        if self._lookup is None:
            self._system_lookup = SystemLookup()
        lookup = self._lookup or self._system_lookup
        assert lookup is not None
        self._sessions = {allowed: self._session(lookup, allow_private=allowed) for allowed in (False, True)}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()
        if self._system_lookup is not None:
            self._system_lookup.close()

    async def post(self, url: str, body: bytes, *, headers: dict[str, str], allow_private: bool) -> Answer:
        """Send ``body`` and return what came of it, within the time limit and a second; raises nothing but cancellation."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            answer = await self._post(URL(url), body, headers, allow_private=allow_private)
        except Exception as error:  # noqa: BLE001 - whatever an endpoint does to us is an outcome, and is counted as one
            answer = Answer(_classify(error))
        return replace(answer, duration_s=loop.time() - started)

    async def _post(self, url: URL, body: bytes, headers: dict[str, str], *, allow_private: bool) -> Answer:
        if url.scheme not in {"http", "https"} or not url.host:
            return Answer(Outcome.INVALID_URL)
        if not allow_private:
            check_literal(url.host)
        async with asyncio.timeout(self._timeout_s):
            response = await self._sessions[allow_private].post(
                url, data=body, headers=headers, allow_redirects=False
            )
        async with response:
            body = await _read_short(response)
        return replace(_read_answer(response, self._clock()), body=body)

    def _session(self, lookup: Lookup, *, allow_private: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(lookup, allow_private=allow_private),
            ssl=self._tls or True,
            limit=0,  # the worker bounds how many attempts run
            keepalive_timeout=_KEEP_ALIVE_S,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),  # ours counts from the look-up to the answer's head
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers={"User-Agent": "comment-moderation", "Accept-Encoding": "identity"},
        )


def _read_answer(response: aiohttp.ClientResponse, now: datetime) -> Answer:
    retry_after_s = parse_retry_after(response.headers.get("Retry-After"), now)
    return Answer(_outcome_of(response.status), response.status, retry_after_s=retry_after_s)


def _outcome_of(status: int) -> Outcome:
    special = {410: Outcome.GONE, 429: Outcome.THROTTLED}
    by_class = {2: Outcome.DELIVERED, 3: Outcome.REDIRECTED, 4: Outcome.CLIENT_ERROR, 5: Outcome.SERVER_ERROR}
    return special.get(status) or by_class.get(status // 100, Outcome.BROKEN_ANSWER)


async def _read_short(response: aiohttp.ClientResponse) -> bytes:
    """Return a short body, so that the connection can be used again; give a long or slow one up with its connection.

    The status has decided already: whatever goes wrong here changes nothing.
    """
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_S):
            await response.content.readexactly(BODY_BYTES + 1)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    except (aiohttp.ClientError, OSError):
        pass
    response.close()
    return b""


def _classify(error: Exception) -> Outcome:
    for kinds, outcome in _FAILURES:
        if isinstance(error, kinds):
            return outcome
    if isinstance(
        error, ValueError
    ):  # an address that cannot be read as a URL, or a header that cannot be sent
        return Outcome.INVALID_URL
    return Outcome.INTERNAL_ERROR
