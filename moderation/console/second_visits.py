"""The second step at the console: showing a code, and setting, renewing and removing what codes are checked by."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from moderation.console.doors import (
    HOME,
    SECOND,
    code_page,
    count,
    delay,
    let_in,
    own_path,
    put_off,
    read_form,
    sign_in_page,
    visit_of,
)
from moderation.console.entrance import ENTRANCE, Entry, WrongCode
from moderation.console.pages import console_language, moved, page
from moderation.console.second_steps import Halfway, Offer
from moderation.console.words import age
from moderation.domain.clock import utc_now
from moderation.domain.errors import DependencyUnavailableError, NotPermittedError, RateLimitedError
from moderation.domain.ids import ModeratorId
from moderation.protocols.edge import note
from moderation.protocols.sessions import (
    CSRF_HEADER,
    PUBLIC_ORIGIN,
    csrf_token,
    is_same_origin,
    refuse_forgery,
    session_of,
    set_known,
)
from moderation.storage.administration.passwords import Account
from moderation.storage.sessions import Session

CODE = "/console/sign-in/code"


def routes() -> list[web.RouteDef]:
    """Return the routes of the second step."""
    return [web.post(CODE, show_code), web.get(SECOND, show_factor), web.post(SECOND, change_factor)]


async def go_on(request: web.Request, found: Entry | Halfway, location: str) -> web.Response:
    """Let somebody in whose password is right, or show what stands between."""
    if isinstance(found, Entry):
        return let_in(request, found, moved(location))
    count(request, "halfway")
    fields = {"ticket": found.ticket, "next": location}
    if not found.must_set:
        return code_page(request, fields)
    account = await request.app[ENTRANCE].second.account_of(found.ticket)
    if account is None:  # their password was changed this very moment
        return sign_in_page(request, fields, fault="fault_stale", status=403)
    return await _offer_page(request, account.id, fields)


async def show_code(request: web.Request) -> web.Response:
    """Begin the session of whoever has shown a password, and shows a code now."""
    fields = await read_form(request)
    if not is_same_origin(request):
        return sign_in_page(request, fields, fault="fault_origin", status=403)
    code = fields.get("recovery", "").strip() or fields.get("code", "")  # who opens that field means it
    try:
        found = await request.app[ENTRANCE].show_code(fields.get("ticket", ""), code, visit_of(request))
    except (RateLimitedError, DependencyUnavailableError) as error:
        return put_off(code_page(request, fields, **delay(request, error)), error)
    if found is None:
        return sign_in_page(request, fields, fault="fault_stale", status=403)
    if isinstance(found, WrongCode):
        count(request, "wrong-code")
        return code_page(request, fields, fault="fault_code", status=403)
    return let_in(request, found, moved(own_path(fields.get("next", ""))))


async def show_factor(request: web.Request) -> web.Response:
    """Show whether the person has a second factor, and what can be done; whoever is not signed in does that first."""
    try:
        session = await session_of(request)
        if session is None:
            return moved(f"/console/sign-in?next={SECOND}")
        return await _factor_page(request, session, {})
    except DependencyUnavailableError as error:
        return put_off(sign_in_page(request, {"next": SECOND}, **delay(request, error)), error)


async def change_factor(request: web.Request) -> web.Response:
    """Set, renew or remove: in a session, or with the ticket of somebody who must have one to come in."""
    fields = await read_form(request)
    session = None
    try:
        if "ticket" in fields:
            return await _set_to_come_in(request, fields)
        session = await session_of(request)
        if session is None:
            return moved(f"/console/sign-in?next={SECOND}")
        refuse_forgery(request, session, request.headers.get(CSRF_HEADER) or fields.get("csrf_token", ""))
        note(request, moderator=str(session.person.id))
        return await _change(request, session, fields)
    except NotPermittedError:
        return sign_in_page(request, {}, fault="fault_origin", status=403)
    except RateLimitedError as error:
        assert session is not None  # tickets are charged where a code is shown
        return put_off(await _factor_page(request, session, fields, **delay(request, error)), error)
    except DependencyUnavailableError as error:
        return put_off(sign_in_page(request, {"next": SECOND}, **delay(request, error)), error)


async def _set_to_come_in(request: web.Request, fields: Mapping[str, str]) -> web.Response:
    if not is_same_origin(request):
        raise NotPermittedError
    entrance, ticket = request.app[ENTRANCE], fields.get("ticket", "")
    found = await entrance.set_second_factor(
        ticket, fields.get("offer", ""), fields.get("code", ""), visit_of(request)
    )
    if isinstance(found, WrongCode):
        account = await entrance.second.account_of(ticket)
        if account is not None:
            return await _offer_page(request, account.id, fields, fault="fault_code", status=403)
    if found is None or isinstance(found, WrongCode):
        return sign_in_page(request, fields, fault="fault_stale", status=403)
    entry, codes = found
    return let_in(request, entry, _codes_page(request, codes, own_path(fields.get("next", ""))))


async def _change(request: web.Request, session: Session, fields: Mapping[str, str]) -> web.Response:
    second, code = request.app[ENTRANCE].second, fields.get("code", "")
    account = await second.account(session.person.id)
    if account is None:
        return moved("/console/sign-in")
    if fields.get("do") == "set":
        return await _set(request, session, account, fields)
    if not await second.is_shown(account, code, None):
        return await _factor_page(request, session, fields, fault="fault_code", status=403)
    if fields.get("do") == "renew":
        return _codes_page(request, await second.renew(account.id), SECOND)
    if fields.get("do") == "remove" and not second.is_required:
        await second.remove(account.id)
    return moved(SECOND)


async def _set(
    request: web.Request, session: Session, account: Account, fields: Mapping[str, str]
) -> web.Response:
    entrance, offer = request.app[ENTRANCE], fields.get("offer", "")
    # Whoever finds a desk open must not shut its owner out.
    if not await entrance.is_password_of(account, fields.get("password", ""), visit_of(request)):
        return await _factor_page(request, session, fields, fault="fault_password", status=403)
    codes = await entrance.second.accept(account, offer, fields.get("code", ""), session=session.token)
    if codes is None:
        fault = "fault_code" if entrance.second.is_offered(account.id, offer) else "fault_offer"
        return await _factor_page(request, session, fields, fault=fault, status=403)
    return await _known_again(request, account.id, _codes_page(request, codes, HOME))


async def _known_again(
    request: web.Request, moderator_id: ModeratorId, response: web.Response
) -> web.Response:
    """Let a browser be known by the factor that was set in it a moment ago."""
    entrance = request.app[ENTRANCE]
    account = await entrance.second.account(moderator_id)
    if account is not None:
        set_known(request, response, entrance.known(account, visit_of(request)))
    return response


async def _factor_page(
    request: web.Request, session: Session, fields: Mapping[str, str], *, status: int = 200, **shown: Any
) -> web.Response:
    """Show the page in a session: an offer to whoever has no second factor, else what there is."""
    note(request, moderator=str(session.person.id))
    second = request.app[ENTRANCE].second
    since, left = await second.since_and_left(session.person.id)
    values = shown | {"csrf": csrf_token(session)}
    if since is None:
        return await _offer_page(request, session.person.id, fields, status=status, **values)
    values |= {
        "since": age((utc_now() - since).total_seconds(), console_language(request)),
        "left": left,
        "may_remove": not second.is_required,
    }
    return _page(request, None, values, status)


async def _offer_page(
    request: web.Request,
    moderator_id: ModeratorId,
    fields: Mapping[str, str],
    *,
    status: int = 200,
    **shown: Any,
) -> web.Response:
    offer = await request.app[ENTRANCE].second.offer(
        moderator_id, issuer=_issuer(request), before=fields.get("offer", "")
    )
    values = {"ticket": fields.get("ticket", ""), "next": own_path(fields.get("next", ""))}
    return _page(request, offer, values | shown, status)


def _page(request: web.Request, offer: Offer | None, values: Mapping[str, Any], status: int) -> web.Response:
    nothing = {"csrf": "", "ticket": "", "next": HOME, "since": "", "left": 0, "may_remove": False}
    shown = {"fault": None, "wait": None, **nothing, **values, "offer": offer}
    return page(request, "second_factor.html", shown, status=status)


def _codes_page(request: web.Request, codes: list[str], location: str) -> web.Response:
    return page(request, "recovery_codes.html", {"codes": codes, "next": location})


def _issuer(request: web.Request) -> str:
    """Return by what people tell this service from others in their authenticator."""
    return urlsplit(request.app[PUBLIC_ORIGIN]).hostname or request.host.partition(":")[0]
