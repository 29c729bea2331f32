"""The Coral dialect: an external moderation phase, and the webhooks by which Coral says what it did.

The phase's answers are in `coral_intake`. Refused is only what is not Coral's: an unknown site, and a signature that does not
hold, for whoever sends that would have no use for an answer.
"""

import hashlib

import orjson
import structlog
from aiohttp import web

from moderation.domain.clock import utc_now
from moderation.domain.details import detail
from moderation.domain.errors import (
    DependencyUnavailableError,
    MalformedRequestError,
    NotAuthenticatedError,
    TooLargeError,
)
from moderation.domain.ports import SealedValueError, open_those_readable
from moderation.domain.site import Site
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.bodies import parse_json, read_body
from moderation.protocols.coral_answers import WITHHELD, Answer
from moderation.protocols.coral_feedback import hear_webhook
from moderation.protocols.coral_intake import CoralIntake
from moderation.protocols.coral_requests import (
    SIGNATURE_HEADER,
    UnreadableRequestError,
    is_signed,
    read_comment,
)
from moderation.protocols.edge import REQUEST_ID, note
from moderation.protocols.languages import SITE_LANGUAGE
from moderation.protocols.webhook import VAULT
from moderation.storage.administration.site_keys import SEALED_AS
from moderation.telemetry import CORAL_ANSWERS, tally

CORAL_INTAKE = web.AppKey("coral_intake", CoralIntake)
LIMIT_BYTES = 512 * 1024
SAME_REQUEST_S = 3600

log = structlog.get_logger()


def routes() -> list[web.RouteDef]:
    """Return this dialect's routes."""
    return [
        web.post("/coral/{site}/moderate", moderate),
        web.post("/coral/{site}/webhooks", receive_webhook),
    ]


async def moderate(request: web.Request) -> web.Response:
    """Say what is to become of a comment: 200 or 204 for whatever Coral signed, in time."""
    try:
        site, body = await _read_signed(request)
    except (DependencyUnavailableError, SealedValueError, TooLargeError) as error:
        kind, site_name = type(error).__name__, request.match_info["site"]
        log.error("coral_not_checked", request_id=request[REQUEST_ID], site=site_name, error=kind)
        return _answer(WITHHELD, "nothing")
    try:
        comment = read_comment(parse_json(body))
    except (UnreadableRequestError, MalformedRequestError):
        log.error("coral_unreadable", request_id=request[REQUEST_ID], site=site.name)
        return _answer(WITHHELD, "nothing")
    told = await request.app[CORAL_INTAKE].take(site, comment, key=_key(body))
    if told.outcome is not None:
        note(
            request,
            comment=str(told.outcome.id),
            verdict=told.outcome.verdict,
            model=told.outcome.model,
            policy=told.outcome.policy,
        )
    note(request, rests_on=told.rests_on)
    return _answer(told.answer, told.rests_on)


def _key(body: bytes) -> str:
    """Name the request: the same for the same signature within one hour of the clock, whichever secret made it.

    Requests name no comment, so a reader's second "thanks" to the same person looks like the first one sent again.
    """
    hour = int(utc_now().timestamp()) // SAME_REQUEST_S
    return f"coral:{hour}:{hashlib.sha256(body).hexdigest()}"


async def receive_webhook(request: web.Request) -> web.Response:
    """Take one of Coral's webhooks; what is not about a comment that we know is acknowledged and let go."""
    site, body = await _read_signed(request)
    message = parse_json(body)
    if not isinstance(message, dict):
        raise MalformedRequestError(detail("body_no_object"))
    note(request, **await hear_webhook(request, site, message))
    return web.json_response({"received": True})


async def _read_signed(request: web.Request) -> tuple[Site, bytes]:
    """Return the site and the raw body, once one of the site's secrets has signed it. Raises `NotAuthenticatedError`."""
    site = await request.app[DIRECTORY].site(request.match_info["site"])
    request[SITE_LANGUAGE] = site.language
    note(request, site=site.name)
    body = await read_body(request, LIMIT_BYTES)
    sealed = await request.app[DIRECTORY].signing_secrets(site.id, "coral")
    secrets = open_those_readable(request.app[VAULT], sealed, SEALED_AS)
    if not is_signed(request.headers.get(SIGNATURE_HEADER, ""), body, secrets):
        CORAL_ANSWERS.labels("wrong_signature").inc()
        log.warning("coral_signature_refused", site=site.name, secrets=len(secrets))
        raise NotAuthenticatedError(detail("coral_signature"))
    return site, body


def _answer(answer: Answer, rests_on: str) -> web.Response:
    tally(CORAL_ANSWERS, rests_on).inc()
    if answer is None:
        return web.Response(status=204)
    return web.Response(body=orjson.dumps(answer), content_type="application/json")
