"""``POST /v1/comments/batch``: newline-delimited JSON in and out, streamed, one answer a line and in the same order.

A line with ``state`` and ``decided_at`` is history: what the site did with a comment before it came to us. It takes no
part in limits, is not judged, makes no event, and counts as a person's decision.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
from aiohttp import web

from moderation.domain.clock import utc_now
from moderation.domain.errors import (
    InvalidCommentError,
    MalformedRequestError,
    ModerationError,
    TooLargeError,
)
from moderation.domain.policy import Ruling
from moderation.domain.site import Site
from moderation.domain.verdict import HUMAN_REASONS, Reason, ReasonCode, Verdict
from moderation.intake.candidates import History, Outcome
from moderation.intake.pipeline import Intake
from moderation.intake.validation import FieldReader, read_submission, read_time
from moderation.protocols.bodies import NATIVE_LIMIT_BYTES, parse_json
from moderation.protocols.edge import note
from moderation.protocols.languages import language_of
from moderation.protocols.native import INTAKE, outcome_body, site_caller
from moderation.protocols.problems import problem_body

UNDER_WAY = 64
"""Lines of one request that are in the pipeline at once."""
ORIGIN = "batch"
_VERDICTS = {"approved": Verdict.APPROVE, "held": Verdict.HOLD, "rejected": Verdict.REJECT}


def routes() -> list[web.RouteDef]:
    """Return this dialect's routes."""
    return [web.post("/v1/comments/batch", receive)]


async def receive(request: web.Request) -> web.StreamResponse:
    """Answer each line as soon as it and those before it are done."""
    caller = await site_caller(request)
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    answers = _Answers(request, caller.site)
    try:
        async for line in _lines(request):
            answers.add(line)
            while answers.is_full:
                await response.write(await answers.next())
        while answers.remain:
            await response.write(await answers.next())
    except MalformedRequestError as cut_off:
        while answers.remain:
            await response.write(await answers.next())
        await response.write(answers.problem(cut_off))
    finally:
        answers.cancel()
    note(request, lines=answers.count)
    await response.write_eof()
    return response


class _Answers:
    """The lines under way, in order."""

    def __init__(self, request: web.Request, site: Site) -> None:
        self._intake: Intake = request.app[INTAKE]
        self._site = site
        self._language = language_of(request)
        self._tasks: deque[asyncio.Task[bytes]] = deque()
        self.count = 0

    @property
    def remain(self) -> bool:
        return bool(self._tasks)

    @property
    def is_full(self) -> bool:
        return len(self._tasks) >= UNDER_WAY

    def add(self, line: bytes | ModerationError) -> None:
        self.count += 1
        self._tasks.append(asyncio.create_task(self._answer(line, self.count)))

    async def next(self) -> bytes:
        return await self._tasks.popleft()

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def problem(self, error: ModerationError, number: int | None = None) -> bytes:
        body = problem_body(error, self._language)
        return orjson.dumps({"line": number or self.count + 1, **body}) + b"\n"

    async def _answer(self, line: bytes | ModerationError, number: int) -> bytes:
        try:
            if isinstance(line, ModerationError):
                raise line
            outcome = await _enter(self._intake, self._site, parse_json(line))
        except ModerationError as error:
            return self.problem(error, number)
        status = 200 if outcome.is_replay or outcome.is_edit else 201
        return (
            orjson.dumps({"line": number, "status": status, **outcome_body(outcome, self._language)}) + b"\n"
        )


async def _enter(intake: Intake, site: Site, raw: Any) -> Outcome:
    if isinstance(raw, dict) and raw.get("state") is not None and raw.get("decided_at") is not None:
        lenient = replace(site.settings, required=("text",))
        submission = read_submission(raw, lenient, now=utc_now(), origin=ORIGIN)
        return await intake.enter(site, submission, _read_history(raw))
    return await intake.submit(site, raw, origin=ORIGIN)


def _read_history(raw: dict[str, Any]) -> History:
    reader = FieldReader()
    now = utc_now()
    decided_at = read_time(reader, raw, "decided_at", now=now)
    state, written = raw.get("state"), raw.get("reason")
    verdict = _VERDICTS.get(state) if isinstance(state, str) else None
    if verdict is None:
        reader.fail("/state", "invalid_value", allowed=", ".join(_VERDICTS))
    allowed = {code.value for code in HUMAN_REASONS}
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


async def _lines(request: web.Request) -> AsyncIterator[bytes | ModerationError]:
    """Yield the non-blank lines of the body; an over-long one becomes an error, and reading goes on behind it."""
    buffer = bytearray()
    is_too_long = False
    try:
        async for chunk in request.content.iter_any():
            *complete, rest = chunk.split(b"\n")
            for end in complete:
                buffer += end
                if is_too_long or len(buffer) > NATIVE_LIMIT_BYTES:
                    yield TooLargeError("", limit_bytes=NATIVE_LIMIT_BYTES)
                elif buffer.strip():
                    yield bytes(buffer)
                buffer.clear()
                is_too_long = False
            buffer += rest
            if len(buffer) > NATIVE_LIMIT_BYTES:
                is_too_long = True
                buffer.clear()
    except (web.PayloadAccessError, ConnectionResetError) as error:
        raise MalformedRequestError("The body was cut off.") from error
    if is_too_long:
        yield TooLargeError("", limit_bytes=NATIVE_LIMIT_BYTES)
    elif buffer.strip():
        yield bytes(buffer)
