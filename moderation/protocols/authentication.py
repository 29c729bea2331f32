"""Who calls: a site's key (``mds_``) or a person's token (``mdu_``) from `Authorization: Bearer`, or a session of the console.

A session counts where no `Authorization` is sent, and is always a person: no cookie makes a site of anybody.
"""

from collections.abc import Mapping

from aiohttp import web

from moderation.domain.details import detail
from moderation.domain.errors import NotAuthenticatedError, NotPermittedError, UnknownSiteError
from moderation.domain.site import Caller, Person, Site, SiteCaller
from moderation.protocols.sessions import proven_session
from moderation.storage.directory import Directory

DIRECTORY = web.AppKey("directory", Directory)


async def authenticate(request: web.Request) -> Caller:
    """Return who calls.

    Raises `NotAuthenticatedError` without a live key, token or session, and `NotPermittedError` for a session that would
    change something without the proof that our own page asks for it.
    """
    if "Authorization" not in request.headers:
        session = await proven_session(request)
        if session is None:
            raise NotAuthenticatedError
        return session.person
    token = bearer_token(request.headers)
    if token is not None:
        caller = await request.app[DIRECTORY].caller(token)
        if caller is not None:
            return caller
    raise NotAuthenticatedError


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """Return what stands in `Authorization: Bearer`, or None where nothing does that could be a key or token."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token.isascii() and 0 < len(token) <= 200 else None


async def authenticate_site(request: web.Request) -> SiteCaller:
    """Return the calling site. Raises `NotPermittedError` for a person and for another dialect's key."""
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


async def site_of(request: web.Request, person: Person, name: str) -> Site:
    """Return the site of that name. Raises `UnknownSiteError` also where the person has no role: nobody learns which others there are."""
    site = await request.app[DIRECTORY].site(name)
    if site.id not in person.roles:
        raise UnknownSiteError
    return site
