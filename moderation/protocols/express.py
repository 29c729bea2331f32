"""The commonest request by a shorter way: `POST /v1/comments` that came whole, from a site whose key is known already.

The library's parser reads it as any other. What is left out is what the library then does for a request in general: two tasks,
a request and a response object, the router, the layers around a handler. Judging, storing and rendering are the same functions.

Whatever is not exactly so goes the ordinary way, where it is answered or refused in full: other methods, paths and versions, a query,
bodies in parts or chunks, compressed or large ones, several requests at once, unknown keys, bodies that are no JSON. What intake refuses
is answered here. Answers are the same to the byte; a test sends the same requests both ways.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

import aiohttp
import orjson
import structlog
from aiohttp import HttpVersion11
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

from moderation.domain.errors import ModerationError
from moderation.domain.ids import new_hex
from moderation.domain.site import Site, SiteCaller
from moderation.intake.candidates import Outcome
from moderation.intake.pipeline import Intake
from moderation.protocols.authentication import bearer_token
from moderation.protocols.edge import edge_headers, problem_of, record
from moderation.protocols.languages import language_for
from moderation.protocols.native import Answer, idempotency_key, outcome_answer
from moderation.protocols.problems import problem_response
from moderation.protocols.strangers import NAME, Connection
from moderation.storage.directory import Directory

log = structlog.get_logger()

ROUTE = "/v1/comments"
BEGINNING = b"POST /v1/comments HTTP/1.1\r\n"
MOST_BYTES = 32 * 1024
"""Of head and body together: far below what makes the library pause reading."""
TRIED_WITH = "3.14."
"""Versions of aiohttp that the test of this module has passed on; with another all requests go the ordinary way."""
_LEANS_ON = (
    (
        RequestHandler,
        "_close _force_close _handler_waiter _keepalive_timeout _messages _next_keepalive_close_time",
    ),
    (RequestHandler, "_parser _pause_reading_for_buffer _paused _request_count _request_in_progress"),
    (RequestHandler, "_resume_reading_for_buffer _upgraded _waiter"),
    (HttpRequestParser, "feed_data message_consumed"),
    (StreamReader, "_buffer"),
)
"""Names inside the library, which it promises nobody."""
_UNUSUAL = ("Content-Encoding", "Transfer-Encoding", "Expect", "Upgrade")
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


def fits_the_library(version: str = aiohttp.__version__) -> bool:
    """Tell whether this aiohttp is one that the short way was tried with, and has every name that it leans on."""
    has_names = all(hasattr(owner, name) for owner, names in _LEANS_ON for name in names.split())
    return version.startswith(TRIED_WITH) and has_names


class Taken(NamedTuple):
    """A request that went the short way, and whose answer is waited for."""

    site: str
    language: str
    is_last: bool
    """Whether the caller ends the connection with it."""
    request_id: str
    began_s: float
    prepared: "Prepared"


class Prepared:
    """The answer to one outcome, written while the comment was being stored."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._outcome: Outcome | None = None
        self._answer: Answer | None = None

    def write(self, outcome: Outcome) -> None:
        """Prepare the answer to what will probably become of the comment."""
        self._outcome, self._answer = outcome, outcome_answer(outcome, self._language)

    def answer(self, outcome: Outcome) -> Answer:
        """Return the answer to what became of it."""
        if self._answer is not None and self._outcome is outcome:
            return self._answer
        return outcome_answer(outcome, self._language)


class Express:
    """Begins and answers such requests; one a process."""

    def __init__(
        self, directory: Directory, intake: Intake, *, is_leaving: Callable[[], bool] = lambda: False
    ) -> None:
        self._directory = directory
        self._intake = intake
        self._is_leaving = is_leaving

    def begin(
        self, message: RawRequestMessage, body: bytes
    ) -> "tuple[Taken, asyncio.Future[Outcome]] | None":
        """Hand a comment to intake; None where the request must go the ordinary way, and then nothing was accepted."""
        began_s = time.perf_counter()
        headers = message.headers
        token = bearer_token(headers)
        caller = None if token is None else self._directory.known_caller(token)
        if not isinstance(caller, SiteCaller) or caller.dialect != "native":
            return None
        language = language_for(headers, caller.site.language)
        prepared = Prepared(language)
        outcome = self._submit(caller.site, headers, body, prepared)
        if outcome is None:
            return None
        taken = Taken(caller.site.name, language, message.should_close, new_hex(), began_s, prepared)
        return taken, outcome

    def answer(self, taken: Taken, outcome: "asyncio.Future[Outcome]") -> tuple[bytes, bool]:
        """Return the bytes of the answer, and whether the connection ends after it. Raises `CancelledError` where there is none."""
        notes: dict[str, object] = {"site": taken.site}
        try:
            answer = taken.prepared.answer(outcome.result())
            notes |= answer.notes
        except Exception as error:  # noqa: BLE001 - becomes an answer, and is logged where it is none of ours
            answer = _refusal(taken, error, notes)
        is_last = taken.is_last or self._is_leaving()
        duration_s = time.perf_counter() - taken.began_s
        record(ROUTE, "POST", answer.status, duration_s=duration_s, request_id=taken.request_id, notes=notes)
        return _written(answer, taken.request_id, is_last=is_last), is_last

    def _submit(
        self, site: Site, headers: Mapping[str, str], body: bytes, prepared: Prepared
    ) -> "asyncio.Future[Outcome] | None":
        try:
            return self._intake.submit_at_once(
                site,
                orjson.loads(body),
                idempotency_key=idempotency_key(headers),
                foresee=prepared.write,
            )
        except ModerationError as error:
            refused: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused
        except Exception:  # noqa: BLE001 - nothing was accepted; the ordinary way meets it again and says what it is
            return None


def _refusal(taken: Taken, error: Exception, notes: dict[str, object]) -> Answer:
    problem = problem_of(error, ROUTE, taken.request_id, notes)
    response = problem_response(problem, request_id=taken.request_id, language=taken.language)
    assert isinstance(response.body, bytes)
    return Answer(response.status, dict(response.headers), response.body, {})


def _written(answer: Answer, request_id: str, *, is_last: bool) -> bytes:
    """Write an answer as the library does, headers in its order."""
    lines = [f"{name}: {value}\r\n" for name, value in (answer.headers | edge_headers(request_id)).items()]
    end = "Connection: close\r\n\r\n" if is_last else "\r\n"
    head = (
        f"{_STATUS_LINES[answer.status]}{''.join(lines)}Content-Length: {len(answer.body)}\r\n"
        f"Date: {rfc822_formatted_time()}\r\nServer: {NAME}\r\n{end}"
    )
    return head.encode() + answer.body


class ExpressConnection(Connection):
    """Looks first whether a request may go the short way; the rest of the protocol is the library's."""

    __slots__ = ("_behind", "_express", "_taken")

    def __init__(self, manager: Any, *, express: Express | None = None, **options: Any) -> None:
        super().__init__(manager, **options)
        self._express = express
        self._taken = False
        self._behind = b""

    def data_received(self, data: bytes) -> None:
        """Take what the caller sent. What comes while a request of the short way is under way waits for its answer."""
        if self._taken:
            self._behind += data
            self._pause_reading_for_buffer()
            return
        if self._express is None or len(data) > MOST_BYTES or not data.startswith(BEGINNING):
            super().data_received(data)
            return
        parser = self._parser
        if parser is None or not self._is_idle():
            super().data_received(data)
            return
        fed: Any
        try:
            fed = parser.feed_data(data)
        except HttpProcessingError as error:
            fed = error
        else:
            if self._take(self._express, *fed):
                return
        self._parser = _AlreadyFed(fed)  # type: ignore[assignment]
        try:
            super().data_received(data)
        finally:
            self._parser = parser

    def _is_idle(self) -> bool:
        waiter = self._waiter
        return (
            waiter is not None
            and not waiter.done()
            and not (self._messages or self._upgraded or self._paused or self._close or self._force_close)
        )

    def _take(
        self,
        express: Express,
        messages: Sequence[tuple[RawRequestMessage, StreamReader]],
        is_upgraded: bool,
        tail: bytes,
    ) -> bool:
        if len(messages) != 1 or is_upgraded or tail:
            return False
        message, payload = messages[0]
        if not _is_plain(message) or not payload.is_eof() or payload.exception() is not None:
            return False
        begun = express.begin(message, _waiting_in(payload))
        if begun is None:
            return False
        taken, outcome = begun
        self._parser.message_consumed()  # type: ignore[union-attr]  # its stub knows less than it can do
        self._taken = True
        self._request_in_progress = True  # whoever shuts down waits for it
        self._request_count += 1
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        outcome.add_done_callback(partial(self._answer, express, taken))
        return True

    def _answer(self, express: Express, taken: Taken, outcome: "asyncio.Future[Outcome]") -> None:
        try:
            written, is_last = express.answer(taken, outcome)
        except asyncio.CancelledError:
            self.force_close()
        except Exception as error:  # nobody above could answer either: the caller sees the connection end
            log.error("express_failed", exc_info=error)
            self.force_close()
        else:
            if (
                self.transport is not None and not self.transport.is_closing()
            ):  # else the caller went away, and what was accepted is accepted
                self.transport.write(written)
                if is_last:
                    self.force_close()
        self._taken = self._request_in_progress = False
        if self._handler_waiter is not None and not self._handler_waiter.done():
            self._handler_waiter.set_result(None)
        behind, self._behind = self._behind, b""
        if behind and not self._force_close:
            self._resume_reading_for_buffer()
            self.data_received(behind)


class _AlreadyFed:
    """Stands for the parser where it was asked already, so that the library goes on from what it said."""

    def __init__(self, fed: Any) -> None:
        self._fed = fed

    def feed_data(self, _data: bytes) -> Any:
        if isinstance(self._fed, HttpProcessingError):
            raise self._fed
        return self._fed


def _is_plain(message: RawRequestMessage) -> bool:
    headers = message.headers
    return (
        message.path == ROUTE
        and message.method == "POST"
        and message.version == HttpVersion11
        and not (message.chunked or message.compression or message.upgrade)
        and headers.get("Content-Type") == "application/json"
        and not any(name in headers for name in _UNUSUAL)
    )


def _waiting_in(payload: StreamReader) -> bytes:
    """Return a body that came whole, and leave it there: reading it makes the library look for more."""
    return b"" if payload is EMPTY_PAYLOAD else b"".join(payload._buffer)  # noqa: SLF001
