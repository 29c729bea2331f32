"""``GET /v1/me`` and ``GET /v1/queue/counts?site=``: what a desk asks first, and again and again."""

from typing import Any

from aiohttp import web

from moderation.domain.clock import wire_time
from moderation.domain.site import Person
from moderation.domain.task import TaskKind
from moderation.protocols.authentication import DIRECTORY, authenticate_person, site_of
from moderation.protocols.edge import note
from moderation.protocols.languages import language_of
from moderation.protocols.operations import DATABASE
from moderation.protocols.rendering import json_response
from moderation.protocols.review import DESK, speak_as
from moderation.protocols.review_fields import ONE_SITE, read_query
from moderation.review.queue import MAX_COUNTED
from moderation.storage.colleagues import read_name

_NOT_KEPT = {"Cache-Control": "no-store"}


def routes() -> list[web.RouteDef]:
    """Return this module's routes."""
    return [web.get("/v1/me", show_me), web.get("/v1/queue/counts", count_tasks)]


async def show_me(request: web.Request) -> web.Response:
    """Say who calls, and what they may do where; an e-mail address is not among it."""
    person = await authenticate_person(request)
    note(request, moderator=str(person.id))
    async with request.app[DATABASE].connection() as connection:
        name = await read_name(connection, person.id)
    return json_response(
        {
            "id": str(person.id),
            "name": name,
            "language": language_of(request),
            "sites": [await _site_body(request, person, site_id) for site_id in sorted(person.roles)],
        },
        headers=_NOT_KEPT,
    )


async def count_tasks(request: web.Request) -> web.Response:
    """Count what waits on one site, by kind, to a person with a role there: those kinds that they may work on."""
    person = await authenticate_person(request)
    site = await site_of(request, person, read_query(request, known=ONE_SITE).get("site", ""))
    await speak_as(request, site.id)
    counted = await request.app[DESK].queue.count(site.id, TaskKind.visible_to(person.roles[site.id]))
    kinds = {
        one.kind.value: {
            "open": min(one.open, MAX_COUNTED),
            "is_more": one.open > MAX_COUNTED,
            "oldest_at": None if one.oldest_at is None else wire_time(one.oldest_at),
        }
        for one in counted
    }
    return json_response({"site": site.name, "kinds": kinds}, headers=_NOT_KEPT)


async def _site_body(request: web.Request, person: Person, site_id: Any) -> dict[str, str]:
    site = await request.app[DIRECTORY].site_by_id(site_id)
    return {
        "name": site.name,
        "title": site.title,
        "language": site.language,
        "role": person.roles[site_id].value,
    }
