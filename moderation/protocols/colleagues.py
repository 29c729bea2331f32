"""``GET /v1/colleagues?site=``: whose ids stand in claims, decisions and history, for those who work beside them.

Ids stand there because they never change; names are looked up here, once. No e-mail address leaves, and sites' keys learn nothing.
"""

from aiohttp import web

from moderation.protocols.authentication import authenticate_person, site_of
from moderation.protocols.operations import DATABASE
from moderation.protocols.rendering import json_response
from moderation.protocols.review_fields import ONE_SITE, read_query
from moderation.storage.colleagues import read_colleagues


def routes() -> list[web.RouteDef]:
    """Return this module's routes."""
    return [web.get("/v1/colleagues", list_colleagues)]


async def list_colleagues(request: web.Request) -> web.Response:
    """List everybody who moderates a site or decided on it, to a person with a role there."""
    person = await authenticate_person(request)
    site = await site_of(request, person, read_query(request, known=ONE_SITE).get("site", ""))
    async with request.app[DATABASE].connection() as connection:
        found = await read_colleagues(connection, site.id)
    items = [{"id": str(one.id), "name": one.name, "role": one.role} for one in found]
    return json_response({"items": items})
