"""The native dialect, review side: the queue, claims, decisions and history, for moderators and for sites' own desks."""

from collections.abc import Container, Mapping
from typing import Any

from aiohttp import web

from moderation.domain.comment import StoredComment
from moderation.domain.details import detail
from moderation.domain.errors import (
    InvalidCommentError,
    MalformedRequestError,
    NotPermittedError,
    UnknownClaimError,
    UnknownCommentError,
)
from moderation.domain.ids import ClaimId, CommentId, SiteId, parse_uuid
from moderation.domain.site import Caller, Person, SiteCaller
from moderation.domain.task import TaskKind
from moderation.intake.validation import FieldReader
from moderation.protocols.authentication import DIRECTORY, authenticate, authenticate_person, site_of
from moderation.protocols.bodies import parse_json, read_body, read_object
from moderation.protocols.cursors import read_cursor, write_cursor
from moderation.protocols.edge import note
from moderation.protocols.languages import SITE_LANGUAGE, language_of
from moderation.protocols.rendering import (
    claim_body,
    entry_body,
    found_body,
    history_body,
    json_response,
    outcome_body,
    refusal_body,
)
from moderation.protocols.review_fields import (
    MAX_FILTER,
    FaultyItem,
    query_as_body,
    read_flag,
    read_kind,
    read_login,
    read_note,
    read_number,
    read_order,
    read_reason,
    read_ruling,
    read_target,
    read_targets,
    refuse_parameters,
    refuse_unknown,
)
from moderation.review.claims import MAX_CLAIM
from moderation.review.desk import ReviewDesk
from moderation.review.queue import MAX_PAGE, Selection
from moderation.review.reviewer import Reviewer
from moderation.review.rulings import Target, Undo

DESK = web.AppKey("review_desk", ReviewDesk)
DEFAULT_PAGE = 50
DEFAULT_CLAIM = 10
QUEUE_PARAMETERS = frozenset({"site", "order", "kind", "thread", "reason", "language", "limit", "cursor"})


def routes() -> list[web.RouteDef]:
    """Return the routes of review."""
    return [
        web.get("/v1/queue", list_queue),
        web.post("/v1/queue/claim", claim_tasks),
        web.put("/v1/claims/{id}", renew_claim),
        web.delete("/v1/claims/{id}", release_claim),
        web.get("/v1/comments/{id}", read_comment),
        web.get("/v1/comments/{id}/history", read_history),
        web.post("/v1/comments/{id}/decision", decide),
        web.post("/v1/comments/{id}/undo", undo),
        web.post("/v1/comments/{id}/escalate", escalate),
        web.post("/v1/decisions", decide_all),
    ]


async def list_queue(request: web.Request) -> web.Response:
    """List open tasks, claimed ones among them."""
    person = await authenticate_person(request)
    raw = query_as_body(request)
    reader = FieldReader()
    # A filter that is spelled wrongly would show everything, and a bulk decide it.
    refuse_unknown(reader, raw, QUEUE_PARAMETERS)
    site = reader.text(raw, "site", at="/site", limit=MAX_FILTER)
    cursor = reader.text(raw, "cursor", at="/cursor", limit=MAX_FILTER)
    limit = read_number(reader, raw, "limit", high=MAX_PAGE) or DEFAULT_PAGE
    site_id = await _site(request, person, site, reader)
    selection = _selection(reader, raw, person, site_id)
    refuse_parameters(reader, language_of(request))
    desk = request.app[DESK]
    page = await desk.queue.page(selection, after=read_cursor(selection.order, cursor), limit=limit)
    now, language = desk.clock(), language_of(request)
    return json_response(
        {
            "items": [entry_body(entry, language, reader=person.id, now=now) for entry in page.entries],
            "next": None if page.next is None else write_cursor(selection.order, page.next),
        }
    )


async def claim_tasks(request: web.Request) -> web.Response:
    """Claim the first free tasks for the caller alone."""
    person = await authenticate_person(request)
    raw = await read_object(request)
    reader = FieldReader()
    site = reader.text(raw, "site", at="/site", limit=MAX_FILTER)
    limit = read_number(reader, raw, "limit", high=MAX_CLAIM) or DEFAULT_CLAIM
    site_id = await _site(request, person, site, reader)
    selection = _selection(reader, raw, person, site_id)
    _refuse_fields(reader)
    desk = request.app[DESK]
    entries = await desk.claims.claim(person.id, selection, limit=limit)
    now, language = desk.clock(), language_of(request)
    return json_response(
        {"items": [entry_body(entry, language, reader=person.id, now=now) for entry in entries]}
    )


async def renew_claim(request: web.Request) -> web.Response:
    """Start the lease anew."""
    person = await authenticate_person(request)
    renewal = await request.app[DESK].claims.renew(person.id, _claim_id(request), person.roles)
    note(request, comment=str(renewal.comment_id))
    return json_response(
        {"comment_id": str(renewal.comment_id), **claim_body(renewal.claim, reader=person.id)}
    )


async def release_claim(request: web.Request) -> web.Response:
    """Let others have the task."""
    person = await authenticate_person(request)
    await request.app[DESK].claims.release(person.id, _claim_id(request))
    return web.Response(status=204)


async def read_comment(request: web.Request) -> web.Response:
    """Return one comment: to its site, and to people with a role there; to people blind while it is audited."""
    caller = await caller_of(request)
    comment = await request.app[DESK].archive.comment(comment_id_of(request), readable_by(caller))
    return await _shown_response(request, caller, comment)


async def read_history(request: web.Request) -> web.Response:
    """Return what was decided about one comment, by whom, and on which text."""
    caller = await caller_of(request)
    history = await request.app[DESK].archive.history(comment_id_of(request), readable_by(caller))
    await speak_as(request, history.comment.site_id)
    is_told = isinstance(caller, SiteCaller) or not history.is_audited
    return json_response(history_body(history, language_of(request), is_blind=not is_told))


async def decide(request: web.Request) -> web.Response:
    """Decide one comment at the revision that the caller read."""
    caller = await caller_of(request)
    raw = await read_object(request)
    reader = FieldReader()
    reviewer = _reviewer(reader, raw, caller)
    target = read_target(reader, raw, comment_id_of(request))
    ruling = read_ruling(reader, raw)
    _refuse_fields(reader)
    comment = await request.app[DESK].decisions.decide(reviewer, target, ruling)
    return await _comment_response(request, comment)


async def undo(request: web.Request) -> web.Response:
    """Take the latest decision back. The body may be empty."""
    caller = await caller_of(request)
    raw = await _optional_object(request)
    reader = FieldReader()
    reviewer = _reviewer(reader, raw, caller)
    wish = Undo(
        read_number(reader, raw, "sequence"), read_note(reader, raw), is_own=read_flag(reader, raw, "own")
    )
    _refuse_fields(reader)
    comment = await request.app[DESK].decisions.undo(reviewer, comment_id_of(request), wish)
    return await _shown_response(request, caller, comment)


async def escalate(request: web.Request) -> web.Response:
    """Pass the comment on to the leads."""
    person = await authenticate_person(request)
    raw = await read_object(request)
    reader = FieldReader()
    target = read_target(reader, raw, comment_id_of(request))
    remark = read_note(reader, raw)
    _refuse_fields(reader)
    comment = await request.app[DESK].decisions.escalate(Reviewer.person(person), target, note=remark)
    return await _comment_response(request, comment)


async def decide_all(request: web.Request) -> web.Response:
    """Decide many comments alike, each for itself; answers 200 with one result for each, in order."""
    caller = await caller_of(request)
    raw = await read_object(request)
    reader = FieldReader()
    reviewer = _reviewer(reader, raw, caller)
    ruling = read_ruling(reader, raw)
    _refuse_fields(reader)
    items = read_targets(raw)
    targets = [item for item in items if isinstance(item, Target)]
    outcomes = iter(await request.app[DESK].decisions.decide_all(reviewer, targets, ruling))
    language = language_of(request)
    results = [
        refusal_body(item.written_id, item.error, language)
        if isinstance(item, FaultyItem)
        else outcome_body(next(outcomes), language)
        for item in items
    ]
    note(request, verdict=ruling.verdict, comments=len(items))
    return json_response({"results": results})


async def caller_of(request: web.Request) -> Caller:
    """Return a person, or a site by its native key."""
    caller = await authenticate(request)
    if isinstance(caller, SiteCaller):
        if caller.dialect != "native":
            raise NotPermittedError(detail("key_of_dialect"))
        request[SITE_LANGUAGE] = caller.site.language
        note(request, site=caller.site.name)
    else:
        note(request, moderator=str(caller.id))
    return caller


def readable_by(caller: Caller) -> Container[SiteId]:
    """Return the sites whose comments the caller may read."""
    return caller.roles.keys() if isinstance(caller, Person) else {caller.site.id}


def _reviewer(reader: FieldReader, raw: Mapping[str, Any], caller: Caller) -> Reviewer:
    if isinstance(caller, Person):
        return Reviewer.person(caller)
    return Reviewer.site(caller, read_login(reader, raw))


async def _site(request: web.Request, person: Person, name: str | None, reader: FieldReader) -> SiteId:
    """Return the site meant: the named one, or the only one the person has a role on.

    Raises `UnknownSiteError` for a site without a role on it, as for one that does not exist.
    """
    if name is None:
        if len(person.roles) != 1:
            reader.fail("/site", "missing")
            return SiteId(0)
        (site_id,) = person.roles
    else:
        site_id = (await site_of(request, person, name)).id
    await speak_as(request, site_id)
    return site_id


def _selection(reader: FieldReader, raw: Mapping[str, Any], person: Person, site_id: SiteId) -> Selection:
    """Read order and filters. Raises `NotPermittedError` for tasks above the person's role."""
    kind = read_kind(reader, raw)
    role = person.roles.get(site_id)
    if role is not None and kind is not None:
        person.require(site_id, kind.required_role)
    kinds = TaskKind.visible_to(role) if role is not None else frozenset[TaskKind]()
    return Selection(
        site_id=site_id,
        kinds=kinds if kind is None else frozenset({kind}),
        order=read_order(reader, raw),
        thread=reader.text(raw, "thread", at="/thread", limit=MAX_FILTER),
        reason=read_reason(reader, raw),
        language=reader.text(raw, "language", at="/language", limit=MAX_FILTER),
    )


async def speak_as(request: web.Request, site_id: SiteId) -> None:
    """Answer in the site's language where the caller asks for none."""
    site = await request.app[DIRECTORY].site_by_id(site_id)
    request[SITE_LANGUAGE] = site.language
    note(request, site=site.name)


async def _shown_response(request: web.Request, caller: Caller, comment: StoredComment) -> web.Response:
    audited = {comment.id} if await is_blind(request, caller, comment.id) else set[CommentId]()
    return await _comment_response(request, comment, audited=audited)


async def is_blind(request: web.Request, caller: Caller, comment_id: CommentId) -> bool:
    """Tell whether the caller may yet judge the comment in an audit, and so is not told what the service said."""
    return isinstance(caller, Person) and await request.app[DESK].archive.is_audited(comment_id)


async def _comment_response(
    request: web.Request, comment: StoredComment, *, audited: Container[CommentId] = ()
) -> web.Response:
    await speak_as(request, comment.site_id)
    note(request, comment=str(comment.id), verdict=comment.verdict)
    body = found_body(comment, audited, language_of(request))
    return json_response(body, headers={"ETag": f'"{comment.revision}"'})


async def _optional_object(request: web.Request) -> dict[str, Any]:
    """Return the body, an empty object where there is none."""
    body = await read_body(request)
    if not body.strip():
        return {}
    raw = parse_json(body)
    if not isinstance(raw, dict):
        raise MalformedRequestError(detail("body_no_object"))
    return raw


def _refuse_fields(reader: FieldReader) -> None:
    if reader.errors:
        raise InvalidCommentError(reader.errors)


def comment_id_of(request: web.Request) -> CommentId:
    """Return the comment that the path names. Raises `UnknownCommentError` for what is no id."""
    found = parse_uuid(request.match_info["id"])
    if found is None:
        raise UnknownCommentError
    return CommentId(found)


def _claim_id(request: web.Request) -> ClaimId:
    found = parse_uuid(request.match_info["id"])
    if found is None:
        raise UnknownClaimError
    return ClaimId(found)
