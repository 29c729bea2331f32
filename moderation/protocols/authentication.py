"""Who calls: a site's key (``mds_``) or a person's token (``mdu_``), from `Authorization: Bearer`."""

from aiohttp import web

from moderation.domain.details import detail
from moderation.domain.errors import NotAuthenticatedError, NotPermittedError
from moderation.domain.site import Caller, Person, SiteCaller
from moderation.storage.directory import Directory

DIRECTORY = web.AppKey("directory", Directory)


async def authenticate(request: web.Request) -> Caller:
    """Return who calls. Raises `NotAuthenticatedError` without a live key or token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() == "bearer" and token.isascii() and 0 < len(token) <= 200:
        caller = await request.app[DIRECTORY].caller(token)
        if caller is not None:
            return caller
    raise NotAuthenticatedError


async def authenticate_site(request: web.Request) -> SiteCaller:
    """Return the calling site. Raises `NotPermittedError` for a person's token or another dialect's key."""
    caller = await authenticate(request)
    if isinstance(caller, SiteCaller) and caller.dialect == "native":
        return caller
    raise NotPermittedError(detail("takes_site_key"))


async def authenticate_person(request: web.Request) -> Person:
    """Return the calling moderator. Raises `NotPermittedError` for a site's key."""
    caller = await authenticate(request)
    if isinstance(caller, Person):
        return caller
    raise NotPermittedError(detail("takes_person_token"))
