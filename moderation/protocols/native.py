"""The native dialect, intake side: ``/v1/comments`` for a site's own server."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from moderation.domain.details import detail
from moderation.domain.errors import MalformedRequestError, PreconditionFailedError, UnknownCommentError
from moderation.domain.ids import CommentId, parse_uuid
from moderation.domain.site import SiteCaller
from moderation.intake.candidates import Outcome
from moderation.intake.pipeline import Intake
from moderation.protocols.authentication import authenticate_site
from moderation.protocols.bodies import read_json, read_object
from moderation.protocols.edge import note
from moderation.protocols.languages import SITE_LANGUAGE, language_of
from moderation.protocols.rate_headers import rate_headers
from moderation.protocols.rendering import reason_bodies

INTAKE = web.AppKey("intake", Intake)
MAX_KEY = 255


def routes() -> list[web.RouteDef]:
    """Return this dialect's routes."""
    return [
        web.post("/v1/comments", create_comment),
        web.put("/v1/comments/{id}", edit_comment),
        web.delete("/v1/comments/{id}", withdraw_comment),
    ]


async def create_comment(request: web.Request) -> web.Response:
    """Take a comment in: 201 for a new one, 200 for one that came before or was edited."""
    caller = await site_caller(request)
    raw = await read_json(request)
    outcome = await request.app[INTAKE].submit(
        caller.site, raw, idempotency_key=idempotency_key(request.headers)
    )
    return outcome_response(request, outcome)


async def edit_comment(request: web.Request) -> web.Response:
    """Replace text, name or website; makes a new revision, judged again."""
    caller = await site_caller(request)
    raw = await read_object(request)
    outcome = await request.app[INTAKE].reviser.edit(
        caller.site, comment_id(request), raw, if_match=if_match(request)
    )
    return outcome_response(request, outcome)


async def withdraw_comment(request: web.Request) -> web.Response:
    """Withdraw: the state becomes `deleted`; doing it again changes nothing."""
    caller = await site_caller(request)
    await request.app[INTAKE].reviser.withdraw(caller.site, comment_id(request), origin="native")
    return web.Response(status=204)


async def site_caller(request: web.Request) -> SiteCaller:
    """Authenticate a site's server, and note its language for messages."""
    caller = await authenticate_site(request)
    request[SITE_LANGUAGE] = caller.site.language
    note(request, site=caller.site.name)
    return caller


def comment_id(request: web.Request) -> CommentId:
    """Return the id in the path. Raises `UnknownCommentError` for what cannot be one."""
    found = parse_uuid(request.match_info["id"])
    if found is None:
        raise UnknownCommentError
    return CommentId(found)


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """Return the `Idempotency-Key`, told apart from other kinds of key. Raises `MalformedRequestError` when unusable."""
    key = headers.get("Idempotency-Key")
    if key is None:
        return None
    key = key.strip()
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise MalformedRequestError(detail("idempotency_key", limit=MAX_KEY))
    return "header:" + key


def if_match(request: web.Request) -> frozenset[int] | None:
    """Return the revisions that `If-Match` names, one or a list (RFC 9110 §13.1.1); None when absent or ``*``."""
    written = request.headers.getall("If-Match", [])
    if not written or [tag.strip() for tag in written] == ["*"]:
        return None
    return frozenset(_revision(tag) for tag in ",".join(written).split(","))


def _revision(tag: str) -> int:
    revision = tag.strip().removeprefix("W/").strip('"')
    if not (revision.isascii() and revision.isdigit() and len(revision) < 10):
        raise PreconditionFailedError
    return int(revision)


def outcome_response(request: web.Request, outcome: Outcome) -> web.Response:
    """Render the answer to a submission or an edit."""
    answer = outcome_answer(outcome, language_of(request))
    note(request, **answer.notes)
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


class Answer(NamedTuple):
    """What is answered, and what the log line says of it."""

    status: int
    headers: dict[str, str]
    body: bytes
    notes: dict[str, object]


def outcome_answer(outcome: Outcome, language: str) -> Answer:
    """Render the answer to a submission or an edit, with reasons in words of ``language``."""
    body = outcome_body(outcome, language)
    headers = {
        "Content-Type": "application/json",
        "Location": body["links"]["self"],
        "ETag": f'"{outcome.revision}"',
    }
    if outcome.is_replay:
        headers["Idempotency-Replayed"] = "true"
    if outcome.rates is not None:
        headers.update(rate_headers(outcome.rates))
    is_new = not (outcome.is_replay or outcome.is_edit)
    notes: dict[str, object] = {
        "comment": body["id"],
        "verdict": outcome.verdict,
        "model": outcome.model,
        "policy": outcome.policy,
    }
    return Answer(201 if is_new else 200, headers, orjson.dumps(body), notes)


def outcome_body(outcome: Outcome, language: str) -> dict[str, Any]:
    """Return the answer as JSON, with reasons in words of ``language``."""
    written_id = str(outcome.id)
    return {
        "id": written_id,
        "external_id": outcome.external_id,
        "revision": outcome.revision,
        "state": outcome.state,
        "verdict": outcome.verdict,
        "reasons": reason_bodies(outcome.reasons, language),
        "scores": outcome.scores.as_wire() if outcome.scores else None,
        "model": outcome.model,
        "policy": outcome.policy,
        "links": {"self": f"/v1/comments/{written_id}", "history": f"/v1/comments/{written_id}/history"},
    }
