"""The classic form: readers' browsers post comments straight to us, as they would to a WordPress page.

Public, so it needs no key and sets no cookie. Readers are told published, waiting or refused: never scores or reasons.
"""

from typing import Any

import orjson
from aiohttp import web
from yarl import URL

from moderation.domain.clock import utc_now
from moderation.domain.comment import Terms
from moderation.domain.errors import FieldError, InvalidCommentError, ModerationError
from moderation.domain.messages import LANGUAGES
from moderation.domain.site import Site, SiteSettings
from moderation.intake.candidates import Outcome
from moderation.intake.validation import is_web_url
from moderation.protocols.addresses import client_address
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.edge import REQUEST_ID, note
from moderation.protocols.form_checks import suspicions
from moderation.protocols.form_fields import read_fields
from moderation.protocols.languages import SITE_LANGUAGE, language_of
from moderation.protocols.native import INTAKE
from moderation.protocols.origins import origin_of, own_origin_headers
from moderation.protocols.preferences import prefers_html
from moderation.protocols.problems import problem_body, problem_response
from moderation.protocols.reader_pages import ANSWER_HEADERS, Filling, Form, Place, answer_page, comment_form
from moderation.protocols.reader_words import problem_message, state_message, state_name
from moderation.protocols.webhook import VAULT

PATH = "/sites/{site}/comments"
ORIGIN = "form"
PREFLIGHT_S = 600
"""How long a browser may remember what it is allowed."""

_NO_PARENT = {"", "0"}
_POINTERS = {
    "/author/name": "/author",
    "/author/email": "/email",
    "/author/url": "/url",
    "/text": "/comment",
    "/thread/id": "/comment_post_ID",
    "/thread/url": "/thread_url",
    "/thread/title": "/thread_title",
    "/parent_id": "/comment_parent",
}
_SENDABLE = {"invalid-comment", "rate-limited", "unavailable"}
"""Problems after which the reader may send the same form again, corrected or later."""


def routes() -> list[web.RouteDef]:
    """Return the routes of the form."""
    return [web.post(PATH, submit), web.options(PATH, preflight)]


async def submit(request: web.Request) -> web.Response:
    """Take a reader's comment in: 201 for a new one, 200 for one that came before; a page or JSON by `Accept`."""
    site: Site | None = None
    fields, fault = await _read(request)
    try:
        site = await _find_site(request)
        if fault is not None:
            raise fault
        outcome = await _enter(request, site, fields)
    except ModerationError as error:
        response = _refuse(request, site, fields, error)
    else:
        response = _accept(request, site, fields, outcome)
    response.headers.update(_common_headers(request, site))
    return response


async def _enter(request: web.Request, site: Site, fields: dict[str, Any]) -> Outcome:
    intake = request.app[INTAKE]
    submission = await intake.read(site, _as_comment(request, site, fields), origin=ORIGIN)
    found = suspicions(request.app[VAULT], site, fields, utc_now())
    return await intake.enter(site, submission.changed(terms=Terms(suspicions=found)))


async def preflight(request: web.Request) -> web.Response:
    """Tell a browser whether a script of the page it shows may send the form."""
    site = await _find_site(request)
    allowed = {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": str(PREFLIGHT_S),
    }
    return web.Response(status=204, headers=allowed | _common_headers(request, site))


async def _read(request: web.Request) -> tuple[dict[str, Any], ModerationError | None]:
    """Return the fields, or what is wrong with the body.

    Comes before anything else, so that a reader gets the text back even while the database is away.
    """
    try:
        return await read_fields(request), None
    except ModerationError as error:
        return {}, error


async def _find_site(request: web.Request) -> Site:
    site = await request.app[DIRECTORY].site(request.match_info["site"])
    request[SITE_LANGUAGE] = site.language
    note(request, site=site.name)
    return site


def _as_comment(request: web.Request, site: Site, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the object of ``POST /v1/comments`` that the form stands for."""
    parent = fields.get("comment_parent")
    return {
        "thread": {
            "id": fields.get("comment_post_ID"),
            "url": _own_address(site, fields.get("thread_url")),
            "title": fields.get("thread_title"),
        },
        "parent_id": None if str(parent).strip() in _NO_PARENT else parent,
        "author": {
            "name": fields.get("author"),
            "email": fields.get("email"),
            "url": fields.get("url"),
            "ip": client_address(request),
            "user_agent": request.headers.get("User-Agent"),
        },
        "text": fields.get("comment"),
    }


def _own_address(site: Site, url: Any) -> str | None:
    """Return the article's address if it is on the site: anybody can send the form, and moderators follow the link."""
    if not isinstance(url, str) or not url.isprintable() or not is_web_url(url):
        return None
    return url if origin_of(url) == origin_of(site.url) else None


def _accept(request: web.Request, site: Site, fields: dict[str, Any], outcome: Outcome) -> web.Response:
    note(
        request, comment=str(outcome.id), verdict=outcome.verdict, model=outcome.model, policy=outcome.policy
    )
    language = _language(request, fields)
    text = state_message(outcome.state, language)
    status = 200 if outcome.is_replay else 201
    if prefers_html(request):
        onward = _own_address(site, fields.get("redirect_to"))
        if onward is not None:
            return web.Response(status=303, headers={"Location": _with_state(onward, outcome)})
        page = answer_page(
            language, outcome=state_name(outcome.state), text=text, place=_place(site, fields), form=None
        )
        return _page(page, status)
    body = {"id": str(outcome.id), "state": state_name(outcome.state), "message": text}
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


def _with_state(url: str, outcome: Outcome) -> str:
    """Return the site's own page, told by ``comment_state`` what became of the comment."""
    return str(URL(url).update_query({"comment_state": state_name(outcome.state)}))


def _refuse(
    request: web.Request, site: Site | None, fields: dict[str, Any], error: ModerationError
) -> web.Response:
    error = _with_own_pointers(error)
    language = _language(request, fields)
    text = problem_message(error, language)
    response = problem_response(error, request_id=request[REQUEST_ID], language=language)
    if not prefers_html(request):
        members = {"message": text, "request_id": request[REQUEST_ID]}
        response.body = orjson.dumps(problem_body(error, language) | members)
        return response
    page = answer_page(
        language,
        outcome="invalid" if isinstance(error, InvalidCommentError) else "problem",
        text=text,
        place=None if site is None else _place(site, fields),
        form=_form_again(request, site, fields, error),
    )
    html = _page(page, response.status)
    if site is not None and _own_address(site, fields.get("redirect_to")) is not None:
        policy = html.headers["Content-Security-Policy"]  # browsers hold redirects of a form to it, too
        html.headers["Content-Security-Policy"] = policy.replace(
            "form-action 'self'", f"form-action 'self' {URL(site.url).origin()}"
        )
    if "Retry-After" in response.headers:
        html.headers["Retry-After"] = response.headers["Retry-After"]
    return html


def _form_again(
    request: web.Request, site: Site | None, fields: dict[str, Any], error: ModerationError
) -> Form | None:
    if not fields or error.code not in _SENDABLE:
        return None
    settings = SiteSettings() if site is None else site.settings
    errors = error.errors if isinstance(error, InvalidCommentError) else []
    filling = Filling(settings.required, fields, errors)
    return comment_form(request.rel_url.raw_path, _language(request, fields), filling)


def action(site_name: str) -> str:
    """Return the address that a site's form is sent to."""
    return PATH.format(site=site_name)


def _with_own_pointers(error: ModerationError) -> ModerationError:
    """Name faulty fields as the form does, for that is what the caller sent."""
    if not isinstance(error, InvalidCommentError):
        return error
    return InvalidCommentError(
        [FieldError(_POINTERS.get(e.pointer, e.pointer), e.code, e.values) for e in error.errors]
    )


def _language(request: web.Request, fields: dict[str, Any]) -> str:
    """The page's own word first: a reader of the Arabic edition expects Arabic, whatever the browser was set to."""
    named = fields.get("lang")
    return named if named in LANGUAGES else language_of(request)


def _place(site: Site, fields: dict[str, Any]) -> Place:
    return Place(site.title, _own_address(site, fields.get("thread_url")) or site.url)


def _page(page: str, status: int) -> web.Response:
    return web.Response(status=status, text=page, content_type="text/html", headers=ANSWER_HEADERS)


def _common_headers(request: web.Request, site: Site | None) -> dict[str, str]:
    headers = {"Vary": "Accept, Accept-Language, Origin", "Cache-Control": "no-store"}
    return headers | own_origin_headers(request, site)
