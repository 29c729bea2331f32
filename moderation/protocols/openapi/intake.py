"""``/v1/comments``: what a site's own server sends."""

from moderation.domain.verdict import State
from moderation.protocols.native import MAX_KEY
from moderation.protocols.openapi.examples import ACCEPTED_EXAMPLE, NEW_COMMENT_EXAMPLE
from moderation.protocols.openapi.parts import (
    BODY,
    JSON,
    KEYED,
    NDJSON,
    SITE,
    Answer,
    Dialect,
    Json,
    Operation,
    array,
    nullable,
    parameter,
    record,
    ref,
    request_body,
    shown,
)
from moderation.protocols.openapi.schemas import HUMAN_REASON, LANGUAGE_HEADER, PATH_ID, TIME_IN, text

_RATES = ("RateLimit", "RateLimit-Policy")
_ACCEPTED = {JSON: shown(ref("Accepted"), ACCEPTED_EXAMPLE)}
_KEY = parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    "Under the same key the same submission gets the first answer again, for 30 days.",
    example="comment-1001",
)
_IF_MATCH = parameter(
    "If-Match",
    "header",
    {"type": "string"},
    "The revision that you edit, from `ETag`, or a list of some; 412 if none is the current one.",
    example='"1"',
)
_ITS_COMMENT = dict.fromkeys(
    ("readComment", "readHistory", "editComment", "withdrawComment", "decide", "undo", "escalate"), "/id"
)
_EDIT: Json = {
    "type": "object",
    "description": "At least one of them; the others stay as they are.",
    "properties": {
        "text": nullable(text(40_000, required=True)),
        "author": {
            "type": "object",
            "properties": {"name": nullable(text(200)), "url": nullable(text(2000))},
        },
    },
}
_LINE: Json = {
    "allOf": [
        ref("NewComment"),
        {
            "properties": {
                "state": nullable(
                    {"enum": [state.value for state in State if state is not State.DELETED]}
                    | {
                        "description": "With `decided_at`: what your site had done with it; the line is history."
                    }
                ),
                "decided_at": nullable(TIME_IN),
                "reason": nullable(HUMAN_REASON),
                "moderator": nullable(text(200, "Who decided, by your own login.")),
            }
        },
    ]
}
_LINE_ANSWER: Json = {
    "oneOf": [
        {"allOf": [record({"line": {"type": "integer"}, "status": {"enum": [200, 201]}}), ref("Accepted")]},
        ref("LineProblem"),
    ]
}
_LINE_PROBLEM = record(
    {
        "line": {"type": "integer", "minimum": 1},
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400},
        "detail": {"type": "string"},
        "errors": array(ref("FieldError")),
        "rule": {"type": "string"},
        "dependency": {"type": "string"},
        "limit_bytes": {"type": "integer"},
        "retry_after": {
            "type": "integer",
            "minimum": 1,
            "description": "With 429 and 503: send the line again after so many seconds.",
        },
    },
    optional=("errors", "rule", "dependency", "limit_bytes", "retry_after"),
    description="A problem detail of one line; the other lines are not harmed.",
)

DIALECT = Dialect(
    name="Intake",
    description=(
        "Comments from a site's own server. Every answer carries a verdict and comes after the comment is stored for good. "
        "The guide is `docs/news-sites.md`."
    ),
    schemas={"Line": _LINE, "LineAnswer": _LINE_ANSWER, "LineProblem": _LINE_PROBLEM},
    operations=(
        Operation(
            "POST",
            "/v1/comments",
            "createComment",
            "Send a comment",
            description=(
                "Sent again with the same `Idempotency-Key` or `external_id` and the same content, it gets the first answer "
                "again. The same `external_id` with other content is an edit."
            ),
            callers=(SITE,),
            parameters=(_KEY, LANGUAGE_HEADER),
            body=request_body({JSON: shown(ref("NewComment"), NEW_COMMENT_EXAMPLE)}),
            answers={
                201: Answer("Stored.", _ACCEPTED, ("Location", "ETag", *_RATES), _ITS_COMMENT),
                200: Answer(
                    "It had come before, or is an edit.",
                    _ACCEPTED,
                    ("Location", "ETag", "Idempotency-Replayed", *_RATES),
                ),
            },
            problems=(
                *BODY,
                *KEYED,
                "idempotency-mismatch",
                "conflict",
                "gone",
                "invalid-comment",
                "rate-limited",
            ),
        ),
        Operation(
            "POST",
            "/v1/comments/batch",
            "createComments",
            "Send many comments, or history",
            description=(
                "One JSON object a line in (256 KiB at most), one answer a line out, in order, while later lines still arrive. "
                "A line with `state` and `decided_at` is history: not judged, not limited, no event; with one of them alone it is faulty. "
                "Other lines count against the limits; what is above them has a 429 with `retry_after`."
            ),
            callers=(SITE,),
            parameters=(LANGUAGE_HEADER,),
            body=request_body(
                {NDJSON: shown(ref("Line"), NEW_COMMENT_EXAMPLE)}, description="Each line is one `Line`."
            ),
            answers={
                200: Answer(
                    "One `LineAnswer` a line.",
                    {NDJSON: shown(ref("LineAnswer"), {"line": 1, "status": 201, **ACCEPTED_EXAMPLE})},
                )
            },
            problems=("unsupported-media-type", *KEYED),
        ),
        Operation(
            "PUT",
            "/v1/comments/{id}",
            "editComment",
            "Edit a comment",
            description="The reader edited it: a new revision, judged again.",
            callers=(SITE,),
            parameters=(PATH_ID, _IF_MATCH, LANGUAGE_HEADER),
            body=request_body({JSON: shown(_EDIT, {"text": "خبر جميل. متى يصل الخط إلى حيّنا؟"})}),
            answers={
                200: Answer(
                    "As it stands now.",
                    {JSON: shown(ref("Accepted"), ACCEPTED_EXAMPLE | {"revision": 2})},
                    ("Location", "ETag"),
                )
            },
            problems=(
                *BODY,
                *KEYED,
                "unknown-comment",
                "gone",
                "conflict",
                "precondition-failed",
                "invalid-comment",
            ),
        ),
        Operation(
            "DELETE",
            "/v1/comments/{id}",
            "withdrawComment",
            "Withdraw a comment",
            description="The reader took it back: its state becomes `deleted`. Doing it again changes nothing.",
            callers=(SITE,),
            parameters=(PATH_ID,),
            answers={204: Answer("Withdrawn.")},
            problems=(*KEYED, "unknown-comment"),
        ),
    ),
)
