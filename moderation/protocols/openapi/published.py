"""For pages without a server: approved comments, what a form needs, and the script that draws both."""

from moderation.protocols.openapi.examples import COMMENT_ID
from moderation.protocols.openapi.parts import (
    JSON,
    STORED,
    Answer,
    Dialect,
    Operation,
    array,
    nullable,
    parameter,
    record,
    ref,
    shown,
)
from moderation.protocols.openapi.schemas import ID, PATH_SITE, TIME
from moderation.protocols.published import DEFAULT_LIMIT, MAX_LIMIT

_COMMENT = record(
    {
        "id": ID,
        "parent_id": nullable(ID),
        "author": record({"name": nullable({"type": "string"})}),
        "text": {"type": "string"},
        "edited": {"type": "boolean"},
        "created_at": TIME,
    }
)
_PAGE = record(
    {
        "items": array(ref("PublishedComment"), maxItems=MAX_LIMIT),
        "next": nullable({"type": "string", "description": "The cursor of the next page."}),
    }
)
_EXAMPLE = {
    "id": COMMENT_ID,
    "parent_id": None,
    "author": {"name": "ليلى"},
    "text": "خبر جميل، متى يصل الخط إلى حيّنا؟",
    "edited": False,
    "created_at": "2026-03-01T12:00:00.123Z",
}
_FORM = record(
    {
        "language": {"type": "string"},
        "required": array({"type": "string"}),
        "max_text_length": {"type": "integer"},
        "stamp": {"type": "string", "description": "To be sent as `form_stamp`."},
    }
)
_FORM_EXAMPLE = {
    "language": "ar",
    "required": ["author.name", "author.email", "text"],
    "max_text_length": 10000,
    "stamp": "1772366400.00112233445566778899aabbccddeeff",
}
_KNOWN = parameter("If-None-Match", "header", {"type": "string"}, "The `ETag` of what you have.")


def _file(name: str, media: str, summary: str) -> Operation:
    return Operation(
        "GET",
        f"/embed.{name}",
        f"getEmbed{name.capitalize()}",
        summary,
        parameters=(_KNOWN,),
        answers={
            200: Answer("The file.", {media: {"type": "string"}}, ("ETag",)),
            304: Answer("You have it.", headers=("ETag",)),
        },
    )


DIALECT = Dialect(
    name="Static sites",
    description="For pages without a server. The guide is `docs/static-sites.md`.",
    schemas={"PublishedComment": _COMMENT, "PublishedPage": _PAGE, "FormDescription": _FORM},
    operations=(
        Operation(
            "GET",
            "/sites/{site}/threads/{thread}/comments",
            "listPublishedComments",
            "Read the approved comments of an article",
            parameters=(
                PATH_SITE,
                parameter("thread", "path", {"type": "string"}, "The article's id, percent-encoded."),
                parameter(
                    "order",
                    "query",
                    {"enum": ["oldest", "newest"], "default": "oldest"},
                    "Which come first.",
                ),
                parameter(
                    "limit",
                    "query",
                    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                    "How many at most.",
                ),
                parameter("cursor", "query", {"type": "string"}, "The `next` of the page before."),
                _KNOWN,
            ),
            answers={
                200: Answer(
                    "A page; empty for an article without comments.",
                    {JSON: shown(ref("PublishedPage"), {"items": [_EXAMPLE], "next": None})},
                    ("ETag",),
                ),
                304: Answer("You have it.", headers=("ETag",)),
            },
            problems=("malformed-request", "unknown-site", *STORED),
        ),
        Operation(
            "GET",
            "/sites/{site}/form",
            "describeForm",
            "Read what a form must ask for, and get a stamp of this moment",
            parameters=(PATH_SITE,),
            answers={200: Answer("The form.", {JSON: shown(ref("FormDescription"), _FORM_EXAMPLE)})},
            problems=("unknown-site", *STORED),
        ),
        _file("js", "text/javascript", "Get the script that draws comments and form"),
        _file("css", "text/css", "Get its style"),
    ),
)
