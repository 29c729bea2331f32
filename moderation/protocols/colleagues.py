"""``GET /v1/colleagues?site=``: whose ids stand in claims, decisions and history, for those who work beside them.

Ids stand there because they never change; names are looked up here, once. No e-mail address leaves, and sites' keys learn nothing.
"""

import orjson
from aiohttp import web

from moderation.domain.errors import UnknownSiteError
from moderation.protocols.authentication import DIRECTORY, authenticate_person
from moderation.protocols.operations import DATABASE
from moderation.storage.colleagues import read_colleagues


def routes() -> list[web.RouteDef]:
    """Return this module's routes."""
    return [web.get("/v1/colleagues", list_colleagues)]


async def list_colleagues(request: web.Request) -> web.Response:
    """List everybody who moderates a site or decided on it, to a person with a role there."""
    person = await authenticate_person(request)
    site = await request.app[DIRECTORY].site(request.query.get("site", ""))
    if site.id not in person.roles:
        raise UnknownSiteError  # nobody learns which other sites there are
    async with request.app[DATABASE].connection() as connection:
        found = await read_colleagues(connection, site.id)
    items = [{"id": str(one.id), "name": one.name, "role": one.role} for one in found]
    return web.Response(body=orjson.dumps({"items": items}), content_type="application/json")
