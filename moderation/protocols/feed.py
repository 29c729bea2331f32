"""``GET /v1/events``: the events of the calling site, page by page."""

import orjson
from aiohttp import web

from moderation.delivery.feed import MAX_LIMIT, Feed, as_wire
from moderation.domain.details import detail
from moderation.domain.errors import MalformedRequestError
from moderation.protocols.authentication import authenticate_site
from moderation.protocols.review_fields import read_query

FEED = web.AppKey("feed", Feed)

DEFAULT_LIMIT = 100
_PARAMETERS = frozenset({"after", "limit"})
_MAX_POSITION = 2**63 - 2


def routes() -> list[web.RouteDef]:
    """Return the routes of the feed."""
    return [web.get("/v1/events", list_events)]


async def list_events(request: web.Request) -> web.Response:
    """Answer with the events after a position, and the position to ask for next."""
    caller = await authenticate_site(request)
    # A position under a name that is spelled wrongly would send everything again from the beginning.
    read_query(request, known=_PARAMETERS)
    after = _whole(request, "after", low=0, high=_MAX_POSITION, default=0)
    limit = _whole(request, "limit", low=1, high=MAX_LIMIT, default=DEFAULT_LIMIT)
    site = caller.site
    page = await request.app[FEED].read(
        site.id, site.language, after=after, limit=limit, kept_days=site.settings.retention.get("events")
    )
    return web.Response(body=orjson.dumps(as_wire(page)), content_type="application/json")


def _whole(request: web.Request, name: str, *, low: int, high: int, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 19 and low <= int(text) <= high:
        return int(text)
    raise MalformedRequestError(detail("parameter_number", name=name, low=low, high=high))
