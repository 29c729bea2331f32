"""What every visit to the console's doors has: reading a form, and the answers that more than one of them gives."""

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from moderation.console.devices import device_of
from moderation.console.entrance import Entry, Visit
from moderation.console.pages import console_language, page
from moderation.console.words import duration
from moderation.domain.details import detail
from moderation.domain.errors import (
    DependencyUnavailableError,
    ModerationError,
    RateLimitedError,
    UnsupportedMediaTypeError,
)
from moderation.protocols.addresses import client_address
from moderation.protocols.bodies import read_body
from moderation.protocols.edge import note
from moderation.protocols.form_fields import URLENCODED, urlencoded_pairs
from moderation.protocols.sessions import (
    cookie_of,
    is_cookie_secure,
    is_https,
    is_public_https,
    known_of,
    set_cookie,
    set_known,
)
from moderation.telemetry import SIGN_INS

HOME = "/console/"
SIGN_IN = "/console/sign-in"
STAYS = "/console/sessions"
SECOND = "/console/second-factor"
LONGEST_EMAIL = 320
_OUR_PATH = re.compile(r"/console/(?!sign-)[A-Za-z0-9_.~!$&'()*+,;=:@%/?#-]{0,2000}")
_FORM_BYTES = 16 * 1024


def own_path(wanted: str) -> str:
    """Return ``wanted`` if it is a path of the console, else the desk: nobody is sent elsewhere from here."""
    return wanted if _OUR_PATH.fullmatch(wanted) and ".." not in wanted else HOME


def let_in(request: web.Request, entry: Entry, response: web.Response) -> web.Response:
    """Answer with ``response``, and let the browser keep the session."""
    note(request, moderator=str(entry.moderator_id))
    count(request, "done")
    set_cookie(request, response, entry.token)
    set_known(request, response, entry.known)
    return response


def code_page(
    request: web.Request, fields: Mapping[str, str], *, status: int = 200, **shown: Any
) -> web.Response:
    """Show the form for a code."""
    values = {"ticket": fields.get("ticket", ""), "next": own_path(fields.get("next", ""))}
    return page(request, "code.html", {**values, "fault": None, "wait": None, **shown}, status=status)


def sign_in_page(
    request: web.Request, fields: Mapping[str, str], *, status: int = 200, **shown: Any
) -> web.Response:
    """Show the form to sign in."""
    values = {
        "next": own_path(fields.get("next", "")),
        "email": fields.get("email", "")[:LONGEST_EMAIL],
        "said": None,
        "fault": None,
        "wait": None,
        "is_insecure": is_insecure(request),
        **shown,
    }
    return page(request, "sign_in.html", values, status=status)


def is_insecure(request: web.Request) -> bool:
    """Tell whether the browser would not keep the cookie.

    Browsers say `Sec-Fetch-Mode` on https alone: so nothing wrong is said to whoever comes through a proxy that we were not told about.
    """
    is_encrypted = is_https(request) or is_public_https(request) or "Sec-Fetch-Mode" in request.headers
    return is_cookie_secure(request) and not is_encrypted


def visit_of(request: web.Request) -> Visit:
    """Return what the browser comes with."""
    device = device_of(request.headers.get("User-Agent", ""))
    return Visit(client_address(request), cookie_of(request), known_of(request), device)


def delay(request: web.Request, error: ModerationError) -> dict[str, Any]:
    """Return what the page says where nothing was looked at; an attempt to come in, or to go out, is counted."""
    if request.method == "POST" and request.path not in {STAYS, SECOND}:
        count(request, error.code)
    if isinstance(error, RateLimitedError):
        wait = duration(error.retry_after_s, console_language(request))
        return {"status": 429, "fault": "fault_throttled", "wait": wait}
    return {"status": 503, "fault": "fault_unavailable"}


def count(request: web.Request, outcome: str) -> None:
    """Count an attempt: done, halfway, wrong, wrong-code, rate-limited or unavailable."""
    note(request, sign_in=outcome)
    SIGN_INS.labels(outcome).inc()


def put_off(response: web.Response, error: RateLimitedError | DependencyUnavailableError) -> web.Response:
    """Say in the answer when to come again."""
    response.headers["Retry-After"] = str(error.retry_after_s)
    return response


async def read_form(request: web.Request) -> dict[str, str]:
    """Return the fields of a form. Raises `UnsupportedMediaTypeError`, `TooLargeError` and `MalformedRequestError`."""
    if request.content_type != URLENCODED and request.can_read_body:
        raise UnsupportedMediaTypeError(detail("console_form", urlencoded=URLENCODED))
    body = await read_body(request, _FORM_BYTES)
    return {name: value.decode(errors="replace") for name, value in urlencoded_pairs(body)}
