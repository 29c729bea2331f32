"""The console's addresses: signing in and out, setting a password, and the desk itself."""

import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web

from moderation.console.devices import device_of
from moderation.console.entrance import ENTRANCE, Entry, Visit
from moderation.console.pages import console_language, moved, page, send_file
from moderation.console.words import age, duration
from moderation.domain.clock import utc_now
from moderation.domain.details import detail
from moderation.domain.errors import (
    DependencyUnavailableError,
    ModerationError,
    NotPermittedError,
    RateLimitedError,
    UnsupportedMediaTypeError,
)
from moderation.privacy.passwords import SHORTEST, Fault
from moderation.protocols.addresses import client_address
from moderation.protocols.bodies import read_body
from moderation.protocols.edge import note
from moderation.protocols.form_fields import URLENCODED, urlencoded_pairs
from moderation.protocols.preferences import prefers_html
from moderation.protocols.sessions import (
    CSRF_HEADER,
    SESSIONS,
    cookie_of,
    csrf_token,
    drop_cookie,
    is_cookie_secure,
    is_https,
    is_public_https,
    is_same_origin,
    known_of,
    refuse_forgery,
    session_of,
    set_cookie,
    set_known,
)
from moderation.telemetry import SIGN_INS

HOME = "/console/"
SIGN_IN = "/console/sign-in"
STAYS = "/console/sessions"
_OUR_PATH = re.compile(r"/console/(?!sign-)[A-Za-z0-9_.~!$&'()*+,;=:@%/?#-]{0,2000}")
_FORM_BYTES = 16 * 1024
_LONGEST_EMAIL = 320


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
        return _put_off(_sign_in_page(request, {"next": request.path_qs}, **_delay(request, error)), error)
    if session is None:
        return moved(SIGN_IN if request.path_qs == HOME else f"{SIGN_IN}?next={quote(request.path_qs)}")
    note(request, moderator=str(session.person.id))
    person = {"id": str(session.person.id), "name": session.name}
    return page(request, "desk.html", {"csrf": csrf_token(session), "person": person})


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
        return _put_off(_sign_in_page(request, {"next": wanted}, **_delay(request, error)), error)
    return _sign_in_page(request, {"next": wanted}) if session is None else moved(own_path(wanted))


async def sign_in(request: web.Request) -> web.Response:
    """Begin a session, or show the form again with what went wrong."""
    fields = await _read_form(request)
    if not is_same_origin(request):
        return _sign_in_page(request, fields, fault="fault_origin", status=403)
    email = fields.get("email", "")[:_LONGEST_EMAIL]
    try:
        entry = await request.app[ENTRANCE].sign_in(email, fields.get("password", ""), _visit(request))
    except (RateLimitedError, DependencyUnavailableError) as error:
        return _put_off(_sign_in_page(request, fields, **_delay(request, error)), error)
    if entry is None:
        _count(request, "wrong")
        return _sign_in_page(request, fields, fault="fault_wrong", status=403)
    return _let_in(request, entry, own_path(fields.get("next", "")))


async def sign_out(request: web.Request) -> web.Response:
    """End the session, or with ``everywhere`` all of the person's; harmless for whoever is signed out."""
    fields = await _read_form(request)
    try:
        await _end_session(request, fields)
    except NotPermittedError:  # from elsewhere, or from a page of the session before
        return _sign_in_page(request, {}, fault="fault_origin", status=403)
    except DependencyUnavailableError as error:
        return _put_off(_sign_in_page(request, {}, **_delay(request, error)), error)
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
        return _put_off(_sign_in_page(request, {"next": STAYS}, **_delay(request, error)), error)
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
    fields = await _read_form(request)
    try:
        session = await session_of(request)
        if session is not None:
            refuse_forgery(request, session, request.headers.get(CSRF_HEADER) or fields.get("csrf_token", ""))
            note(request, moderator=str(session.person.id))
            await request.app[SESSIONS].end_one(session.person.id, fields.get("session", ""))
    except NotPermittedError:
        return _sign_in_page(request, {}, fault="fault_origin", status=403)
    except DependencyUnavailableError as error:
        return _put_off(_sign_in_page(request, {"next": STAYS}, **_delay(request, error)), error)
    return moved(STAYS)


async def show_welcome(request: web.Request) -> web.Response:
    """Show the form to set a password; looking at it does not use the link up."""
    try:
        is_good = await request.app[ENTRANCE].is_good(request.match_info["token"])
    except DependencyUnavailableError as error:
        return _put_off(_welcome_page(request, **_delay(request, error)), error)
    return _welcome_page(request, is_good=is_good, status=200 if is_good else 404)


async def welcome(request: web.Request) -> web.Response:
    """Set the password and let the person in, or show the form again with what is wrong."""
    fields = await _read_form(request)
    if not is_same_origin(request):
        return _welcome_page(request, fault="fault_origin", status=403)
    password = fields.get("password", "")
    if not hmac.compare_digest(
        password.encode(errors="surrogatepass"), fields.get("again", "").encode(errors="surrogatepass")
    ):
        return _welcome_page(request, fault="password_differs", status=422)
    try:
        entry = await request.app[ENTRANCE].welcome(request.match_info["token"], password, _visit(request))
    except DependencyUnavailableError as error:
        return _put_off(_welcome_page(request, **_delay(request, error)), error)
    if entry is None:
        return _welcome_page(request, is_good=False, status=404)
    if isinstance(entry, Fault):
        return _welcome_page(request, fault=entry.value, status=422)
    return _let_in(request, entry, HOME)


def own_path(wanted: str) -> str:
    """Return ``wanted`` if it is a path of the console, else the desk: nobody is sent elsewhere from here."""
    return wanted if _OUR_PATH.fullmatch(wanted) and ".." not in wanted else HOME


def _let_in(request: web.Request, entry: Entry, location: str) -> web.Response:
    note(request, moderator=str(entry.moderator_id))
    _count(request, "done")
    response = moved(location)
    set_cookie(request, response, entry.token)
    set_known(request, response, entry.known)
    return response


def _sign_in_page(
    request: web.Request, fields: Mapping[str, str], *, status: int = 200, **shown: Any
) -> web.Response:
    values = {
        "next": own_path(fields.get("next", "")),
        "email": fields.get("email", "")[:_LONGEST_EMAIL],
        "fault": None,
        "wait": None,
        "is_insecure": _is_insecure(request),
        **shown,
    }
    return page(request, "sign_in.html", values, status=status)


def _welcome_page(
    request: web.Request, *, is_good: bool = True, status: int = 200, **shown: Any
) -> web.Response:
    values = {
        "is_good": is_good,
        "fault": None,
        "wait": None,
        "is_insecure": _is_insecure(request),
        "shortest": SHORTEST,
        **shown,
    }
    return page(request, "welcome.html", values, status=status)


def _is_insecure(request: web.Request) -> bool:
    """Tell whether the browser would not keep the cookie.

    Browsers say `Sec-Fetch-Mode` on https alone: so nothing wrong is said to whoever comes through a proxy that we were not told about.
    """
    is_encrypted = is_https(request) or is_public_https(request) or "Sec-Fetch-Mode" in request.headers
    return is_cookie_secure(request) and not is_encrypted


def _visit(request: web.Request) -> Visit:
    device = device_of(request.headers.get("User-Agent", ""))
    return Visit(client_address(request), cookie_of(request), known_of(request), device)


def _delay(request: web.Request, error: ModerationError) -> dict[str, Any]:
    """Return what the page says where nothing was looked at; an attempt to come in, or to go out, is counted."""
    if request.method == "POST" and request.path != STAYS:
        _count(request, error.code)
    if isinstance(error, RateLimitedError):
        wait = duration(error.retry_after_s, console_language(request))
        return {"status": 429, "fault": "fault_throttled", "wait": wait}
    return {"status": 503, "fault": "fault_unavailable"}


def _count(request: web.Request, outcome: str) -> None:
    """Count an attempt: done, wrong, rate-limited or unavailable."""
    note(request, sign_in=outcome)
    SIGN_INS.labels(outcome).inc()


def _put_off(response: web.Response, error: RateLimitedError | DependencyUnavailableError) -> web.Response:
    response.headers["Retry-After"] = str(error.retry_after_s)
    return response


async def _read_form(request: web.Request) -> dict[str, str]:
    """Return the fields of a form. Raises `UnsupportedMediaTypeError`, `TooLargeError` and `MalformedRequestError`."""
    if request.content_type != URLENCODED and request.can_read_body:
        raise UnsupportedMediaTypeError(detail("console_form", urlencoded=URLENCODED))
    body = await read_body(request, _FORM_BYTES)
    return {name: value.decode(errors="replace") for name, value in urlencoded_pairs(body)}
