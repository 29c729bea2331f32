"""``POST /v1/comments/batch``: newline-delimited JSON in and out, streamed, one answer a line and in the same order.

A line with ``state`` and ``decided_at`` is history: what the site did with a comment before it came to us. It takes no
part in limits, is not judged, makes no event, and counts as a person's decision. A line with one of the two alone is
faulty: taken for a new comment, what the site had rejected could be published.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from typing import Any

import orjson
import structlog
from aiohttp import web

from moderation.domain.clock import utc_now
from moderation.domain.details import detail
from moderation.domain.errors import (
    DependencyUnavailableError,
    FieldError,
    InvalidCommentError,
    MalformedRequestError,
    ModerationError,
    RateLimitedError,
    TooLargeError,
)
from moderation.domain.policy import Ruling
from moderation.domain.site import Site
from moderation.domain.verdict import HUMAN_REASONS, Reason, ReasonCode, Verdict
from moderation.intake.candidates import History, Outcome
from moderation.intake.pipeline import Intake
from moderation.intake.validation import FieldReader, read_submission, read_time
from moderation.protocols.bodies import CUT_OFF, NATIVE_LIMIT_BYTES, parse_json, refuse_encoding
from moderation.protocols.edge import REQUEST_ID, note
from moderation.protocols.languages import language_of
from moderation.protocols.native import INTAKE, outcome_body, site_caller
from moderation.protocols.problems import problem_body
from moderation.protocols.reader_words import duration

UNDER_WAY = 64
"""Lines of one request that are in the pipeline at once."""
IDLE_TIMEOUT_S = 60.0
"""How long the sender may pause between two pieces of the body."""
ORIGIN = "batch"
log = structlog.get_logger()

_VERDICTS = {"approved": Verdict.APPROVE, "held": Verdict.HOLD, "rejected": Verdict.REJECT}


def routes() -> list[web.RouteDef]:
    """Return this dialect's routes."""
    return [web.post("/v1/comments/batch", receive)]


async def receive(request: web.Request) -> web.StreamResponse:
    """Answer each line as soon as it and those before it are done, while later ones still arrive."""
    caller = await site_caller(request)
    refuse_encoding(request)
    response = web.StreamResponse(headers=_headers(request))
    lines = _Lines(request, caller.site)
    under_way: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue(UNDER_WAY)
    try:
        await response.prepare(request)
        async with asyncio.TaskGroup() as group:
            group.create_task(_read(request, lines, under_way, group))
            while (answer := await under_way.get()) is not None:
                await response.write(await answer)
        await response.write_eof()
    except* ConnectionResetError:
        note(request, sender="gone")  # what was stored stays so; sent again, it is recognised
    note(request, lines=lines.count)
    return response


def _headers(request: web.Request) -> dict[str, str]:
    """Return all headers: what is streamed has left when the edge would add its own."""
    return {
        "Content-Type": "application/x-ndjson",
        "X-Request-ID": request[REQUEST_ID],
        "X-Content-Type-Options": "nosniff",
    }


async def _read(
    request: web.Request,
    lines: "_Lines",
    under_way: "asyncio.Queue[asyncio.Task[bytes] | None]",
    group: asyncio.TaskGroup,
) -> None:
    """Start one task a line; a full queue stops the reading, and with it the sender."""
    try:
        async for number, line in _split(request):
            await under_way.put(lines.start(number, line, group))
    except MalformedRequestError as cut_off:
        if request.transport is not None and not request.transport.is_closing():
            await under_way.put(lines.start(lines.last + 1, cut_off, group))
    await under_way.put(None)


class _Lines:
    """The lines of one request; a reply waits for the line with its parent, if that is still under way."""

    def __init__(self, request: web.Request, site: Site) -> None:
        self._intake: Intake = request.app[INTAKE]
        self._site = site
        self._language = language_of(request)
        self._by_external_id: dict[str, asyncio.Task[bytes]] = {}
        self.count = 0
        self.last = 0
        """Number of the line read last."""

    def start(
        self, number: int, line: bytes | ModerationError, group: asyncio.TaskGroup
    ) -> "asyncio.Task[bytes]":
        """Begin to answer a line; ``number`` counts the blank ones too, as editors do."""
        self.count += 1
        self.last = number
        raw = _parsed(line)
        parent = self._by_external_id.get(_id(raw, "parent_id"))
        task = _begin(self._answer(raw, number, parent), group)
        external_id = _id(raw, "external_id")
        if external_id:
            self._by_external_id[external_id] = task
            task.add_done_callback(lambda done: self._forget(external_id, done))
        return task

    def _forget(self, external_id: str, task: "asyncio.Task[bytes]") -> None:
        if self._by_external_id.get(external_id) is task:
            del self._by_external_id[external_id]

    async def _answer(self, raw: Any, number: int, parent: "asyncio.Task[bytes] | None") -> bytes:
        if isinstance(raw, ModerationError):
            return self._problem(raw, number)
        try:
            if parent is not None:
                await asyncio.wait((parent,))
            outcome = await _enter(self._intake, self._site, raw)
        except ModerationError as error:
            return self._problem(error, number)
        except Exception as error:
            log.error("line_failed", site=self._site.name, exc_info=error)
            return self._problem(ModerationError(), number)
        status = 200 if outcome.is_replay or outcome.is_edit else 201
        return _line({"line": number, "status": status, **outcome_body(outcome, self._language)})

    def _problem(self, error: ModerationError, number: int) -> bytes:
        answer = {"line": number, **problem_body(error, self._language)}
        if isinstance(
            error, RateLimitedError | DependencyUnavailableError
        ):  # a line has no header of its own
            answer["retry_after"] = error.retry_after_s
            wait = duration(error.retry_after_s, self._language)
            answer["detail"] = detail("line_later", wait=wait).said_in(self._language)
        return _line(answer)


def _begin(answering: Coroutine[Any, Any, bytes], group: asyncio.TaskGroup) -> "asyncio.Task[bytes]":
    """Start to answer a line, unless the group is ending because its sender is gone."""
    try:
        return group.create_task(answering)
    except RuntimeError as error:
        answering.close()
        raise ConnectionResetError from error


def _line(answer: dict[str, Any]) -> bytes:
    return orjson.dumps(answer) + b"\n"


def _parsed(line: bytes | ModerationError) -> Any:
    if isinstance(line, ModerationError):
        return line
    try:
        return parse_json(line)
    except MalformedRequestError as error:
        return error


def _id(raw: Any, name: str) -> str:
    value = raw.get(name) if isinstance(raw, dict) else None
    return str(value).strip() if isinstance(value, str | int) else ""


async def _enter(intake: Intake, site: Site, raw: Any) -> Outcome:
    if isinstance(raw, dict) and _is_history(raw):
        lenient = replace(site.settings, required=("text",))
        submission = read_submission(raw, lenient, now=utc_now(), origin=ORIGIN)
        return await intake.enter(site, submission, read_history(raw))
    return await intake.submit(site, raw, origin=ORIGIN)


def _is_history(raw: dict[str, Any]) -> bool:
    """Tell a line of history from a new comment. Raises `InvalidCommentError` for half of one."""
    missing = [name for name in ("state", "decided_at") if raw.get(name) in (None, "")]
    if len(missing) == 1:
        raise InvalidCommentError([FieldError(f"/{missing[0]}", "missing")])
    return not missing


def read_history(raw: dict[str, Any]) -> History:
    """Read what a line says that its site did with the comment. Raises `InvalidCommentError`."""
    reader = FieldReader()
    now = utc_now()
    decided_at = read_time(reader, raw, "decided_at", now=now)
    state, written = raw.get("state"), raw.get("reason")
    verdict = _VERDICTS.get(state) if isinstance(state, str) else None
    if verdict is None:
        reader.fail("/state", "invalid_value", allowed=", ".join(_VERDICTS))
    allowed = {code.value for code in HUMAN_REASONS}
    if written == "":
        written = None
    if written is not None and not (isinstance(written, str) and written in allowed):
        reader.fail("/reason", "invalid_value", allowed=", ".join(sorted(allowed)))
    actor = reader.text(raw, "moderator", at="/moderator", limit=200)
    if reader.errors:
        raise InvalidCommentError(reader.errors)
    assert verdict is not None
    return History(Ruling(verdict, _reasons(verdict, written)), decided_at or now, actor)


def _reasons(verdict: Verdict, written: str | None) -> tuple[Reason, ...]:
    if written is not None:
        return (Reason(ReasonCode(written)),)
    default = {Verdict.HOLD: ReasonCode.PREMODERATION, Verdict.REJECT: ReasonCode.OTHER}.get(verdict)
    return () if default is None else (Reason(default),)


async def _split(request: web.Request) -> AsyncIterator[tuple[int, bytes | ModerationError]]:
    """Yield the lines that are not blank, with their numbers; an over-long one becomes an error, and reading goes on behind it."""
    buffer = bytearray()
    is_too_long, number = False, 1
    try:
        while chunk := await asyncio.wait_for(request.content.readany(), IDLE_TIMEOUT_S):
            *complete, rest = chunk.split(b"\n")
            for end in complete:
                buffer += end
                if is_too_long or len(buffer) > NATIVE_LIMIT_BYTES:
                    yield number, TooLargeError("", limit_bytes=NATIVE_LIMIT_BYTES)
                elif buffer.strip():
                    yield number, bytes(buffer)
                buffer.clear()
                is_too_long = False
                number += 1
            buffer += rest
            if len(buffer) > NATIVE_LIMIT_BYTES:
                is_too_long = True
                buffer.clear()
    except CUT_OFF as error:
        raise MalformedRequestError(detail("body_cut_off")) from error
    if is_too_long:
        yield number, TooLargeError("", limit_bytes=NATIVE_LIMIT_BYTES)
    elif buffer.strip():
        yield number, bytes(buffer)
