"""What helps to judge a comment: who wrote it, what stands around it, and finding others like it. For people with a role there."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from moderation.domain.clock import Clock
from moderation.domain.details import detail
from moderation.domain.errors import InvalidCommentError, MalformedRequestError
from moderation.domain.ids import CommentId, SiteId, first_uuid, parse_uuid
from moderation.domain.policy import Standing
from moderation.domain.searching import MAX_QUERY, MAX_WANTED, words_of
from moderation.domain.verdict import State
from moderation.intake.validation import FieldReader, read_time
from moderation.protocols.authentication import authenticate_person, site_of
from moderation.protocols.bodies import read_object
from moderation.protocols.edge import note
from moderation.protocols.languages import language_of
from moderation.protocols.rendering import found_body, json_response
from moderation.protocols.review import DESK, comment_id_of, speak_as
from moderation.protocols.review_fields import (
    MAX_FILTER,
    query_as_body,
    read_note,
    read_number,
    read_word,
    refuse_parameters,
    refuse_unknown,
)
from moderation.review.authors import MAX_COUNTED, Authors, AuthorView, Say
from moderation.review.search import MAX_FOUND, Search
from moderation.storage.search import FIRST, LAST, Wanted

AUTHORS = web.AppKey("authors", Authors)
SEARCH = web.AppKey("search", Search)
KINDS = ("email", "external_id", "name", "address")
"""By what an author may be named."""
FOUND_STATES = frozenset({State.APPROVED, State.HELD, State.REJECTED})
DEFAULT_FOUND = 50
_SEARCH_PARAMETERS = frozenset({"site", "q", "state", "author", "from", "to", "limit", "cursor"})


def routes() -> list[web.RouteDef]:
    """Return this module's routes."""
    return [
        web.get("/v1/comments/{id}/author", show_author),
        web.post("/v1/comments/{id}/author", say_of_author),
        web.get("/v1/comments/{id}/thread", show_thread),
        web.get("/v1/search", search),
    ]


async def show_author(request: web.Request) -> web.Response:
    """Show what else the author wrote on this site, and what was said of them."""
    person = await authenticate_person(request)
    comment_id = comment_id_of(request)
    view = await request.app[AUTHORS].of(comment_id, person.roles)
    await speak_as(request, view.site_id)
    note(request, moderator=str(person.id), comment=str(comment_id))
    return json_response(author_body(view, language_of(request)))


async def say_of_author(request: web.Request) -> web.Response:
    """Block or trust the author, or take it back."""
    person = await authenticate_person(request)
    raw = await read_object(request)
    reader = FieldReader()
    standing = read_word(reader, raw, "standing", Standing, allowed=frozenset(Standing))
    if raw.get("standing") is None:
        reader.fail("/standing", "missing")
    by = reader.text(raw, "by", at="/by", limit=MAX_FILTER)
    if by is not None and by not in KINDS:
        reader.fail("/by", "invalid_value", allowed=", ".join(KINDS))
    said = Say(standing or Standing.NONE, by, read_note(reader, raw))
    if reader.errors:
        raise InvalidCommentError(reader.errors)
    comment, known_by = await request.app[AUTHORS].say(person, comment_id_of(request), said)
    await speak_as(request, comment.site_id)
    note(request, moderator=str(person.id), comment=str(comment.id))
    return json_response({"comment_id": str(comment.id), "by": known_by, "standing": said.standing.value})


async def show_thread(request: web.Request) -> web.Response:
    """Show what stands around a comment: the one it answers, and those before and after it."""
    person = await authenticate_person(request)
    found = await request.app[SEARCH].around(comment_id_of(request), person.roles)
    await speak_as(request, found.comment.site_id)
    note(request, moderator=str(person.id), comment=str(found.comment.id))
    language, thread = language_of(request), found.comment.thread
    return json_response(
        {
            "thread": {"id": thread.id, "url": thread.url, "title": thread.title},
            "parent": None if found.parent is None else found_body(found.parent, found.audited, language),
            "before": [found_body(comment, found.audited, language) for comment in found.before],
            "after": [found_body(comment, found.audited, language) for comment in found.after],
        }
    )


async def search(request: web.Request) -> web.Response:
    """Find comments of one site, the latest received first."""
    person = await authenticate_person(request)
    raw = query_as_body(request)
    site = await site_of(request, person, str(raw.get("site", "")))
    await speak_as(request, site.id)
    reader = FieldReader()
    refuse_unknown(reader, raw, _SEARCH_PARAMETERS)
    limit = read_number(reader, raw, "limit", high=MAX_FOUND) or DEFAULT_FOUND
    wanted, is_empty = await _wanted(request, reader, raw, site.id)
    refuse_parameters(reader, language_of(request))
    language = language_of(request)
    if is_empty:
        return json_response({"items": [], "next": None})
    found = await request.app[SEARCH].find(wanted, limit)
    return json_response(
        {
            "items": [found_body(comment, found.audited, language) for comment in found.comments],
            "next": None if found.next is None else str(found.next),
        }
    )


async def _wanted(
    request: web.Request, reader: FieldReader, raw: Mapping[str, Any], site_id: SiteId
) -> tuple[Wanted, bool]:
    """Read what is looked for, and whether it is something that no comment can have: a question without a word in it."""
    clock: Clock = request.app[DESK].clock
    now = clock()
    written = reader.text(raw, "q", at="/q", limit=MAX_QUERY)
    words = tuple(words_of(written or ""))
    if len(words) > MAX_WANTED:
        reader.fail("/q", "too_many", limit=MAX_WANTED)
    since, until = (read_time(reader, raw, name, now=now) for name in ("from", "to"))
    before = LAST if until is None else first_uuid(until)
    author = _id(reader, raw, "author")
    identity = None if author is None else await request.app[SEARCH].identity_of(site_id, author)
    wanted = Wanted(
        site_id,
        words=words[:MAX_WANTED],
        state=read_word(reader, raw, "state", State, allowed=FOUND_STATES),
        identity=identity,
        first=FIRST if since is None else first_uuid(since),
        before=min(before, _read_cursor(raw)),
    )
    return wanted, written is not None and not words


def _id(reader: FieldReader, raw: Mapping[str, Any], name: str) -> CommentId | None:
    if name not in raw:
        return None
    found = parse_uuid(str(raw[name]))
    if found is None:
        reader.fail(f"/{name}", "invalid_id")
        return None
    return CommentId(found)


def _read_cursor(raw: Mapping[str, Any]) -> UUID:
    """Read the id to go on before. Raises `MalformedRequestError` for what is none."""
    if "cursor" not in raw:
        return LAST
    found = parse_uuid(str(raw["cursor"]))
    if found is None:
        raise MalformedRequestError(detail("parameter_cursor"), parameter="cursor")
    return found


def author_body(view: AuthorView, language: str) -> dict[str, Any]:
    """Write an author; what they are known by is named by its kind alone."""
    counted = {state.value: view.states.get(state, 0) for state in State}
    return {
        "name": view.name,
        "standings": {by: standing.value for by, standing in view.standings.items()},
        "by_people": {"approved": view.approved, "rejected": view.rejected},
        "states": counted,
        "is_more": sum(counted.values()) >= MAX_COUNTED,
        "comments": [found_body(comment, view.audited, language) for comment in view.comments],
    }
