"""The session of a person at the console: its cookie, and the proof that a request comes from our own pages.

The cookie is ``SameSite=Lax`` (``Strict`` would sign people out who follow a link in a mail), so what changes anything needs two
things more: an `Origin` or `Sec-Fetch-Site` of our own, and the session's CSRF token in `X-CSRF-Token`, which no other site
can read and nobody can work out without the cookie's value.
"""

import hmac
import ipaddress
from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import web

from moderation.domain.details import detail
from moderation.domain.errors import NotPermittedError
from moderation.protocols.addresses import comes_through_proxy
from moderation.protocols.edge import IS_PRIVATE
from moderation.storage.sessions import LONGEST, Session, Sessions

SESSIONS = web.AppKey("sessions", Sessions)
PUBLIC_ORIGIN: web.AppKey[str] = web.AppKey("public_origin", str)
"""Scheme and host of `MODERATION_PUBLIC_URL`; empty without one."""
CSRF_HEADER = "X-CSRF-Token"
SECURE_COOKIE = "__Host-moderation"
KNOWN_COOKIE = "moderation-known"
"""By which a browser is known whose person signed in there; gives no right but a place of its own in the limits."""
KNOWN_FOR = timedelta(days=180)
LOOPBACK_COOKIE = "moderation"
"""Its name where it cannot be `Secure`: on http, on this machine."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_LONGEST_TOKEN = 200
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


async def session_of(request: web.Request) -> Session | None:
    """Return the live session that the cookie names, whatever is asked; None without one."""
    token = cookie_of(request)
    if token is None:
        return None
    request[IS_PRIVATE] = True
    return await request.app[SESSIONS].find(token)


async def proven_session(request: web.Request) -> Session | None:
    """Return the live session; where the method changes something, only with the proof that our own page sent it.

    Raises `NotPermittedError` for a session without the proof.
    """
    session = await session_of(request)
    if session is not None and request.method not in SAFE_METHODS:
        refuse_forgery(request, session, request.headers.get(CSRF_HEADER, ""))
    return session


def refuse_forgery(request: web.Request, session: Session, proof: str) -> None:
    """Raise `NotPermittedError` unless the request is from our own page and ``proof`` is the session's CSRF token."""
    is_proven = hmac.compare_digest(csrf_token(session).encode(), proof.encode(errors="surrogateescape"))
    if not is_proven or not is_same_origin(request):
        raise NotPermittedError(detail("takes_own_page"))


def csrf_token(session: Session) -> str:
    """Return the session's proof: HMAC-SHA256 under the cookie's value, which scripts cannot read."""
    return hmac.digest(session.token.encode(), b"comment-moderation csrf 1", "sha256").hex()


def is_same_origin(request: web.Request) -> bool:
    """Tell whether a page of our own sent the request, as its browser says; without a word of it, no."""
    fetched, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if fetched is None and origin is None:
        return False
    return fetched in {None, "same-origin"} and (origin is None or _is_ours(request, origin))


def _is_ours(request: web.Request, origin: str) -> bool:
    """An https page of the same host is ours also where the request came to us by http: a proxy may not say so."""
    scheme, _, host = origin.lower().partition("://")
    if scheme not in _DEFAULT_PORTS or not host:
        return False
    if origin.lower() == request.app[PUBLIC_ORIGIN]:
        return True
    schemes = {"https"} if is_https(request) else {"http", "https"}
    return scheme in schemes and _plain(host, scheme) == _plain(request.headers.get("Host", ""), scheme)


def _plain(host: str, scheme: str) -> str:
    return host.lower().removesuffix(_DEFAULT_PORTS[scheme])


def is_https(request: web.Request) -> bool:
    """Tell whether the reader's connection is encrypted: ours, a trusted proxy's, or every one to the public address."""
    if request.secure:
        return True
    if comes_through_proxy(request):
        forwarded: str = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        if forwarded:
            return forwarded == "https"
    public = urlsplit(request.app[PUBLIC_ORIGIN])
    return public.scheme == "https" and public.netloc == _plain(request.headers.get("Host", ""), "https")


def is_public_https(request: web.Request) -> bool:
    """Tell whether `MODERATION_PUBLIC_URL` says that readers come by https."""
    return request.app[PUBLIC_ORIGIN].startswith("https://")


def is_loopback(request: web.Request) -> bool:
    """Tell whether the address in the browser is one of this machine."""
    try:
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    except ValueError:  # no host at all
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_cookie_secure(request: web.Request) -> bool:
    """Tell whether the cookie is `Secure`: always, but for http on this machine where no public address says otherwise.

    A proxy may well ask for ``127.0.0.1`` in the name of its readers.
    """
    return is_public_https(request) or is_https(request) or not is_loopback(request)


def cookie_of(request: web.Request) -> str | None:
    """Return the session's token out of the cookie; None without one that could be ours."""
    if "Cookie" not in request.headers:
        return None
    name = SECURE_COOKIE if is_cookie_secure(request) else LOOPBACK_COOKIE
    token = request.cookies.get(name, "")
    return token if token.isascii() and 0 < len(token) <= _LONGEST_TOKEN else None


def set_cookie(request: web.Request, response: web.Response, token: str) -> None:
    """Let the browser keep the session's token, out of scripts' reach."""
    is_secure = is_cookie_secure(request)
    response.set_cookie(
        SECURE_COOKIE if is_secure else LOOPBACK_COOKIE,
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="Lax",
    )


def known_of(request: web.Request) -> str:
    """Return by what the browser is known; empty for one that is not."""
    known = request.cookies.get(KNOWN_COOKIE, "")
    return known if known.isascii() and len(known) <= _LONGEST_TOKEN else ""


def set_known(request: web.Request, response: web.Response, known: str) -> None:
    """Let the browser be known when it comes to sign in the next time."""
    response.set_cookie(
        KNOWN_COOKIE,
        known,
        max_age=int(KNOWN_FOR.total_seconds()),
        path="/console/sign-in",
        secure=is_cookie_secure(request),
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(request: web.Request, response: web.Response) -> None:
    """Let the browser forget it."""
    is_secure = is_cookie_secure(request)
    name = SECURE_COOKIE if is_secure else LOOPBACK_COOKIE
    response.del_cookie(name, path="/", secure=is_secure, httponly=True, samesite="Lax")
