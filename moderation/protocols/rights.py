"""What authors may ask of a site, and a site of us: the records of decisions, and erasing a person by e-mail."""

from aiohttp import web

from moderation.domain.errors import InvalidCommentError, InvalidConfigurationError
from moderation.domain.ids import CommentId
from moderation.intake.validation import MAX_EMAIL, FieldReader
from moderation.privacy.erasure import Eraser
from moderation.protocols.authentication import authenticate_site
from moderation.protocols.bodies import read_object
from moderation.protocols.edge import note
from moderation.protocols.rendering import json_response
from moderation.protocols.review import caller_of, comment_id_of, is_blind, readable_by, speak_as
from moderation.review.records import Records

RECORDS = web.AppKey("records", Records)
ERASER = web.AppKey("eraser", Eraser)


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [
        web.get("/v1/comments/{id}/records", read_records),
        web.post("/v1/erasures", erase),
    ]


async def read_records(request: web.Request) -> web.Response:
    """Return one record a decision; also of a comment that is gone. To people none while it is audited: each tells of the verdict."""
    caller = await caller_of(request)
    comment_id: CommentId = comment_id_of(request)
    site_id, records = await request.app[RECORDS].of(comment_id, readable_by(caller))
    await speak_as(request, site_id)
    if await is_blind(request, caller, comment_id):
        records = []
    return json_response({"comment_id": str(comment_id), "records": records})


async def erase(request: web.Request) -> web.Response:
    """Erase everything that the calling site holds of a person; asked again, it finds nothing more."""
    caller = await authenticate_site(request)
    note(request, site=caller.site.name)
    raw = await read_object(request)
    reader = FieldReader()
    email = reader.text(raw, "email", at="/email", limit=MAX_EMAIL)
    if email is None and not reader.errors:
        reader.fail("/email", "missing")
    if reader.errors:
        raise InvalidCommentError(reader.errors)
    assert email is not None
    try:
        done = await request.app[ERASER].erase_for_site(caller.site.name, email)
    except InvalidConfigurationError as error:  # the address itself
        raise InvalidCommentError(error.errors) from error
    note(request, comments=done.comments)
    return json_response({"comments": done.comments, "still_blocked": done.is_still_blocked})
