"""The console's addresses: signing in and out, setting a password, and the desk itself."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web

from moderation.console import second_visits
from moderation.console.doors import (
    HOME,
    LONGEST_EMAIL,
    SIGN_IN,
    STAYS,
    count,
    delay,
    is_insecure,
    own_path,
    put_off,
    read_form,
    sign_in_page,
    visit_of,
)
from moderation.console.entrance import ENTRANCE
from moderation.console.pages import console_language, moved, page, send_file
from moderation.console.second_visits import go_on
from moderation.console.words import age
from moderation.domain.clock import utc_now
from moderation.domain.errors import DependencyUnavailableError, NotPermittedError, RateLimitedError
from moderation.domain.messages import LANGUAGES
from moderation.privacy.passwords import SHORTEST, Fault
from moderation.protocols.edge import note
from moderation.protocols.preferences import prefers_html
from moderation.protocols.sessions import (
    CSRF_HEADER,
    SESSIONS,
    csrf_token,
    drop_cookie,
    is_same_origin,
    refuse_forgery,
    session_of,
)

_ENDED = {"yes": "session_ended", "unsent": "session_ended_unsent"}
"""What the desk's page says of the session that brought somebody here."""


def routes() -> list[web.RouteDef]:
    """Return the console's routes."""
    return [
        web.get("/console", lead_on),
        web.get(HOME, show_desk),
        web.get("/console/comments/{id}", show_desk),
        web.get("/console/search", show_desk),
        web.get(SIGN_IN, show_sign_in),
        web.post(SIGN_IN, sign_in),
        web.post("/console/sign-out", sign_out),
        web.get(STAYS, show_sessions),
        web.post(STAYS, end_session),
        web.get("/console/welcome/{token}", show_welcome),
        web.post("/console/welcome/{token}", welcome),
        *second_visits.routes(),
        web.get("/console/static/{name}", send_file),
        web.get("/console/{rest:.+}", show_no_page),  # the last: it fits every address
    ]


async def lead_on(_request: web.Request) -> web.Response:
    """Lead to the desk."""
    return moved(HOME)


async def show_desk(request: web.Request) -> web.Response:
    """Show the desk to whoever is signed in, at whichever of its pages; others are sent to sign in first, and come back there."""
    try:
        session = await session_of(request)
    except DependencyUnavailableError as error:
        return put_off(sign_in_page(request, {"next": request.path_qs}, **delay(request, error)), error)
    if session is None:
        return moved(_sign_in_for(request))
    note(request, moderator=str(session.person.id))
    person = {"id": str(session.person.id), "name": session.name}
    return page(request, "desk.html", {"csrf": csrf_token(session), "person": person})


def _sign_in_for(request: web.Request) -> str:
    """Return where to sign in and come back here from, in the language that this address asks for."""
    if request.path_qs == HOME:
        return SIGN_IN
    chosen = request.query.get("lang", "")
    return f"{SIGN_IN}?next={quote(request.path_qs)}" + (f"&lang={chosen}" if chosen in LANGUAGES else "")


async def show_no_page(request: web.Request) -> web.Response:
    """Say that nothing is here: to a browser by a page, to a program as everywhere else."""
    if not prefers_html(request):
        raise web.HTTPNotFound
    return page(request, "no_page.html", {}, status=404)


async def show_sign_in(request: web.Request) -> web.Response:
    """Show the form; whoever is signed in already goes on."""
    wanted = request.query.get("next", "")
    try:
        session = await session_of(request)
    except DependencyUnavailableError as error:
        return put_off(sign_in_page(request, {"next": wanted}, **delay(request, error)), error)
    if session is not None:
        return moved(own_path(wanted))
    said = _ENDED.get(request.query.get("ended", ""))
    return sign_in_page(request, {"next": wanted}, said=said)


async def sign_in(request: web.Request) -> web.Response:
    """Begin a session, or show the form again with what went wrong."""
    fields = await read_form(request)
    if not is_same_origin(request):
        return sign_in_page(request, fields, fault="fault_origin", status=403)
    email = fields.get("email", "")[:LONGEST_EMAIL]
    try:
        entry = await request.app[ENTRANCE].sign_in(email, fields.get("password", ""), visit_of(request))
    except (RateLimitedError, DependencyUnavailableError) as error:
        return put_off(sign_in_page(request, fields, **delay(request, error)), error)
    if entry is None:
        count(request, "wrong")
        return sign_in_page(request, fields, fault="fault_wrong", status=403)
    return await go_on(request, entry, own_path(fields.get("next", "")))


async def sign_out(request: web.Request) -> web.Response:
    """End the session, or with ``everywhere`` all of the person's; harmless for whoever is signed out."""
    fields = await read_form(request)
    try:
        await _end_session(request, fields)
    except NotPermittedError:  # from elsewhere, or from a page of the session before
        return sign_in_page(request, {}, fault="fault_origin", status=403)
    except DependencyUnavailableError as error:
        return put_off(sign_in_page(request, {}, **delay(request, error)), error)
    response = moved(SIGN_IN)
    drop_cookie(request, response)
    return response


async def _end_session(request: web.Request, fields: Mapping[str, str]) -> None:
    session = await session_of(request)
    if session is None:
        return
    refuse_forgery(request, session, request.headers.get(CSRF_HEADER) or fields.get("csrf_token", ""))
    note(request, moderator=str(session.person.id))
    if fields.get("everywhere"):
        await request.app[SESSIONS].end_all(session.person.id)
    else:
        await request.app[SESSIONS].end(session.token)


async def show_sessions(request: web.Request) -> web.Response:
    """Show where the person is signed in; whoever is not is sent to sign in first."""
    try:
        session = await session_of(request)
        stays = [] if session is None else await request.app[SESSIONS].stays(session)
    except DependencyUnavailableError as error:
        return put_off(sign_in_page(request, {"next": STAYS}, **delay(request, error)), error)
    if session is None:
        return moved(f"{SIGN_IN}?next={STAYS}")
    note(request, moderator=str(session.person.id))
    now, language = utc_now(), console_language(request)

    def written(at: datetime) -> str:
        return age((now - at).total_seconds(), language)

    shown = [
        {
            "id": stay.id,
            "device": stay.device,
            "is_this": stay.is_this,
            "seen": written(stay.seen_at),
            "began": written(stay.began_at),
        }
        for stay in stays
    ]
    return page(request, "sessions.html", {"csrf": csrf_token(session), "stays": shown})


async def end_session(request: web.Request) -> web.Response:
    """End one session of the person's own, and show what is left."""
    fields = await read_form(request)
    try:
        session = await session_of(request)
        if session is not None:
            refuse_forgery(request, session, request.headers.get(CSRF_HEADER) or fields.get("csrf_token", ""))
            note(request, moderator=str(session.person.id))
            await request.app[SESSIONS].end_one(session.person.id, fields.get("session", ""))
    except NotPermittedError:
        return sign_in_page(request, {}, fault="fault_origin", status=403)
    except DependencyUnavailableError as error:
        return put_off(sign_in_page(request, {"next": STAYS}, **delay(request, error)), error)
    return moved(STAYS)


async def show_welcome(request: web.Request) -> web.Response:
    """Show the form to set a password; looking at it does not use the link up."""
    try:
        is_good = await request.app[ENTRANCE].is_good(request.match_info["token"])
    except DependencyUnavailableError as error:
        return put_off(_welcome_page(request, **delay(request, error)), error)
    return _welcome_page(request, is_good=is_good, status=200 if is_good else 404)


async def welcome(request: web.Request) -> web.Response:
    """Set the password and let the person in, or show the form again with what is wrong."""
    fields = await read_form(request)
    if not is_same_origin(request):
        return _welcome_page(request, fault="fault_origin", status=403)
    password = fields.get("password", "")
    if not hmac.compare_digest(
        password.encode(errors="surrogatepass"), fields.get("again", "").encode(errors="surrogatepass")
    ):
        return _welcome_page(request, fault="password_differs", status=422)
    try:
        entry = await request.app[ENTRANCE].welcome(request.match_info["token"], password, visit_of(request))
    except DependencyUnavailableError as error:
        return put_off(_welcome_page(request, **delay(request, error)), error)
    if entry is None:
        return _welcome_page(request, is_good=False, status=404)
    if isinstance(entry, Fault):
        return _welcome_page(request, fault=entry.value, status=422)
    return await go_on(request, entry, HOME)


def _welcome_page(
    request: web.Request, *, is_good: bool = True, status: int = 200, **shown: Any
) -> web.Response:
    values = {
        "is_good": is_good,
        "fault": None,
        "wait": None,
        "is_insecure": is_insecure(request),
        "shortest": SHORTEST,
        **shown,
    }
    return page(request, "welcome.html", values, status=status)
