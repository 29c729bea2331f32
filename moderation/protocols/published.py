"""For pages without a server: the approved comments of an article, what a form needs to know, and the script that draws both.

Public, without keys or cookies. Names, texts and dates alone leave here; scripts of the site's own pages may read them.
"""

import base64
import binascii
import hashlib
import struct
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from aiohttp import web

from moderation.domain.clock import utc_now, wire_time
from moderation.domain.details import detail
from moderation.domain.errors import MalformedRequestError
from moderation.domain.site import Site
from moderation.intake.validation import MAX_ID, UNSTORABLE
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.edge import note
from moderation.protocols.form_checks import new_stamp
from moderation.protocols.languages import SITE_LANGUAGE
from moderation.protocols.operations import DATABASE
from moderation.protocols.origins import own_origin_headers
from moderation.protocols.reader_pages import page_source
from moderation.protocols.webhook import VAULT
from moderation.storage.published import AFTER_ALL, BEFORE_ALL, Place, PublishedComment, read_published

DEFAULT_LIMIT, MAX_LIMIT = 50, 100
FRESH_S = 15
"""How long a cache may show comments after one was approved or taken back."""
SCRIPT_FRESH_S = 3600

_ORDERS = ("oldest", "newest")
_CURSOR = struct.Struct(">Bq16s")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES = {"embed.js": "text/javascript", "embed.css": "text/css"}
_FILES = {name: page_source(name).encode() for name in _TYPES}


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [
        web.get("/sites/{site}/threads/{thread}/comments", list_comments),
        web.get("/sites/{site}/form", describe_form),
        web.get("/embed.js", send_file),
        web.get("/embed.css", send_file),
    ]


async def list_comments(request: web.Request) -> web.Response:
    """Return a page of the approved comments; 304 for a page that the caller has."""
    site = await _site(request)
    thread, order, limit = request.match_info["thread"], _read_order(request), _read_limit(request)
    place = _read_cursor(order, request.query.get("cursor"))
    found: list[PublishedComment] = []
    if len(thread) <= MAX_ID and not UNSTORABLE.search(thread):
        async with request.app[DATABASE].connection() as connection:
            found = await read_published(
                connection,
                site.id,
                thread,
                place=place,
                is_newest_first=order == "newest",
                limit=limit + 1,
            )
    body = {
        "items": [_comment(comment) for comment in found[:limit]],
        "next": _write_cursor(order, found[limit - 1]) if len(found) > limit else None,
    }
    headers = {"Vary": "Origin"} | own_origin_headers(request, site)
    return _cacheable(request, orjson.dumps(body), "application/json", FRESH_S, headers)


async def describe_form(request: web.Request) -> web.Response:
    """Return what a page needs to draw the form, with a stamp of this moment."""
    site = await _site(request)
    body = {
        "language": site.language,
        "required": list(site.settings.required),
        "max_text_length": site.settings.max_text_length,
        "stamp": new_stamp(request.app[VAULT], site, utc_now()),
    }
    headers = {"Cache-Control": "no-store", "Vary": "Origin"} | own_origin_headers(request, site)
    return web.Response(body=orjson.dumps(body), content_type="application/json", headers=headers)


async def send_file(request: web.Request) -> web.Response:
    """Send the script or its style, from memory; any page may load them."""
    name = request.path.removeprefix("/")
    headers = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
    return _cacheable(request, _FILES[name], _TYPES[name], SCRIPT_FRESH_S, headers)


async def _site(request: web.Request) -> Site:
    site = await request.app[DIRECTORY].site(request.match_info["site"])
    request[SITE_LANGUAGE] = site.language
    note(request, site=site.name)
    return site


def _comment(comment: PublishedComment) -> dict[str, Any]:
    return {
        "id": str(comment.id),
        "parent_id": None if comment.parent_id is None else str(comment.parent_id),
        "author": {"name": comment.author_name},
        "text": comment.text,
        "edited": comment.is_edited,
        "created_at": wire_time(comment.created_at),
    }


def _cacheable(
    request: web.Request, body: bytes, kind: str, fresh_s: int, headers: dict[str, str]
) -> web.Response:
    """Answer with ``body``, or with 304 where `If-None-Match` (RFC 9110 §13.1.2) names it."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = headers | {"ETag": tag, "Cache-Control": f"public, max-age={fresh_s}"}
    known = {part.strip().removeprefix("W/") for part in request.headers.get("If-None-Match", "").split(",")}
    if tag in known or "*" in known:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)


def _read_order(request: web.Request) -> str:
    order = request.query.get("order", _ORDERS[0])
    if order not in _ORDERS:
        raise MalformedRequestError(detail("parameter_order"), parameter="order")
    return order


def _read_limit(request: web.Request) -> int:
    written = request.query.get("limit", str(DEFAULT_LIMIT))
    if not (written.isascii() and written.isdigit() and len(written) < 5 and 1 <= int(written) <= MAX_LIMIT):
        raise MalformedRequestError(
            detail("parameter_number", name="limit", low=1, high=MAX_LIMIT), parameter="limit"
        )
    return int(written)


def _write_cursor(order: str, last: PublishedComment) -> str:
    microseconds = (last.created_at - _EPOCH) // timedelta(microseconds=1)
    packed = _CURSOR.pack(_ORDERS.index(order), microseconds, last.id.bytes)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _read_cursor(order: str, written: str | None) -> Place:
    if not written:
        return BEFORE_ALL if order == "oldest" else AFTER_ALL
    try:
        packed = base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
        number, microseconds, comment_id = _CURSOR.unpack(packed)
        place = Place(_EPOCH + timedelta(microseconds=microseconds), UUID(bytes=comment_id))
    except (binascii.Error, ValueError, struct.error, OverflowError):
        number, place = -1, BEFORE_ALL
    if number != _ORDERS.index(order):
        raise MalformedRequestError(detail("parameter_cursor"), parameter="cursor")
    return place
