"""The signed webhook: a site posts comments as Standard Webhooks messages, and has the verdict in the answer."""

from typing import Any

from aiohttp import web

from moderation.domain.clock import utc_now
from moderation.domain.details import detail
from moderation.domain.errors import (
    FieldError,
    GoneError,
    InvalidCommentError,
    NotAuthenticatedError,
    UnknownCommentError,
)
from moderation.domain.ids import CommentId, parse_uuid
from moderation.domain.ports import Vault, open_those_readable
from moderation.domain.signatures import ID_HEADER, Verification, verify
from moderation.domain.site import Site
from moderation.intake.validation import FieldReader
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.bodies import parse_json, read_body
from moderation.protocols.edge import note
from moderation.protocols.languages import SITE_LANGUAGE
from moderation.protocols.native import INTAKE, outcome_response

VAULT: web.AppKey[Vault] = web.AppKey("vault", Vault)
TYPES = ("comment.created", "comment.updated", "comment.deleted")
ORIGIN = "webhook"


def routes() -> list[web.RouteDef]:
    """Return this dialect's routes."""
    return [web.post("/v1/sites/{site}/webhook", receive)]


async def receive(request: web.Request) -> web.Response:
    """Take one signed message; nothing of the body is read before its signature holds."""
    site = await request.app[DIRECTORY].site(request.match_info["site"])
    request[SITE_LANGUAGE] = site.language
    note(request, site=site.name)
    body = await read_body(request)
    _check_signature(request, site, body)
    kind, data = _read_message(parse_json(body))
    if kind == "comment.deleted":
        return await _withdraw(request, site, data)
    key = "webhook:" + request.headers[ID_HEADER][:255]
    try:
        outcome = await request.app[INTAKE].submit(site, data, idempotency_key=key, origin=ORIGIN)
    except GoneError as gone:
        return _late(request, gone)
    return outcome_response(request, outcome)


def _check_signature(request: web.Request, site: Site, body: bytes) -> None:
    vault = request.app[VAULT]
    secrets = open_those_readable(vault, site.inbound_secrets, "inbound_secret")
    result = verify(request.headers, body, secrets=secrets, now=utc_now())
    if result is not Verification.VALID:
        raise NotAuthenticatedError(detail("webhook_signature"), signature=result.value)


def _read_message(message: Any) -> tuple[str, dict[str, Any]]:
    """Return a message's type and data. In faults the fields of `data` are named as in the API, from `data` on."""
    if not isinstance(message, dict):
        raise InvalidCommentError([FieldError("", "wrong_type", {"expected": "object"})])
    kind, data = message.get("type"), message.get("data")
    errors = [FieldError(f"/{name}", "missing") for name in ("type", "data") if message.get(name) is None]
    if kind is not None and kind not in TYPES:
        errors.append(FieldError("/type", "invalid_value", {"allowed": ", ".join(TYPES)}))
    if data is not None and not isinstance(data, dict):
        errors.append(FieldError("/data", "wrong_type", {"expected": "object"}))
    if errors:
        raise InvalidCommentError(errors)
    return str(kind), dict(data or {})


def _late(request: web.Request, gone: GoneError) -> web.Response:
    """Say how the comment stands that a message came too late for. Senders of webhooks take a 410 for the end of the address."""
    note(request, comment=gone.context["id"])
    return web.json_response({"id": gone.context["id"], "state": gone.context["state"]})


async def _withdraw(request: web.Request, site: Site, data: dict[str, Any]) -> web.Response:
    """Withdraw by our id or the site's. An unknown one is a 404, so that a deletion that overtook its comment is sent again."""
    reviser = request.app[INTAKE].reviser
    comment_id = await _find(request, site, data)
    await reviser.withdraw(site, comment_id, origin=ORIGIN)
    note(request, comment=str(comment_id))
    return web.json_response({"id": str(comment_id), "state": "deleted"})


async def _find(request: web.Request, site: Site, data: dict[str, Any]) -> CommentId:
    reader = FieldReader()
    external, own = reader.identifier(data, "external_id", at="/external_id"), data.get("id")
    if reader.errors:
        raise InvalidCommentError(reader.errors)
    if external is not None:
        return await request.app[INTAKE].reviser.find_external(site, external)
    found = parse_uuid(own) if isinstance(own, str) else None
    if found is None:
        if isinstance(own, str):
            raise UnknownCommentError
        raise InvalidCommentError([FieldError("/external_id", "missing")])
    return CommentId(found)
