"""``/sites/{site}/comments``: the classic form that readers' browsers send."""

from moderation.domain.verdict import State
from moderation.protocols.form_fields import MULTIPART, URLENCODED
from moderation.protocols.openapi.examples import COMMENT_ID
from moderation.protocols.openapi.parts import (
    BODY,
    HTML,
    JSON,
    STORED,
    Answer,
    Dialect,
    Json,
    Operation,
    nullable,
    parameter,
    record,
    ref,
    request_body,
    shown,
)
from moderation.protocols.openapi.schemas import ID, LANGUAGE_HEADER, PATH_SITE, identifier, words

_EXAMPLE = {
    "author": "ليلى",
    "email": "layla@example.com",
    "url": "",
    "comment": "خبر جميل، متى يصل الخط إلى حيّنا؟",
    "comment_post_ID": "12",
    "comment_parent": "0",
    "lang": "ar",
}
_FIELDS: Json = {
    "type": "object",
    "properties": {
        "author": {"type": ["string", "null"], "maxLength": 200},
        "email": {"type": ["string", "null"], "maxLength": 254},
        "url": {"type": ["string", "null"], "maxLength": 2000},
        "comment": {"type": ["string", "null"]},
        "comment_post_ID": nullable(identifier("The article's id.")),
        "comment_parent": nullable(identifier("`0` or empty: none.")),
        "thread_url": {
            "description": "The article's address; counts only on the site's own address.",
            "examples": [""],
        },
        "thread_title": {"type": ["string", "null"], "maxLength": 500},
        "lang": {"description": "`ar` or `en`: the language of your page; anything else is passed over."},
        "redirect_to": {
            "description": "A page of yours to go on to, for browsers without scripts.",
            "examples": [""],
        },
        "form_stamp": {"description": "From `GET /sites/{site}/form`."},
        "homepage_confirm": {"description": "A trap: readers leave it empty."},
    },
}
_ANSWER = record(
    {
        "id": ID,
        "state": words(State),
        "message": {"type": "string", "description": "What to tell the reader, in the reader's language."},
    }
)
_EXAMPLE_ANSWER = {"id": COMMENT_ID, "state": "held", "message": "وصل تعليقك وهو بانتظار موافقة المشرف."}
_BOTH = {JSON: shown(ref("FormAnswer"), _EXAMPLE_ANSWER), HTML: {"type": "string"}}
_ORIGIN = parameter(
    "Origin",
    "header",
    {"type": "string"},
    "Sent by browsers: scripts of the site's own pages may read the answer.",
)

DIALECT = Dialect(
    name="Form",
    description="The comment form of a page, with WordPress's field names; public, without a key or cookies.",
    schemas={"FormFields": _FIELDS, "FormAnswer": _ANSWER},
    operations=(
        Operation(
            "POST",
            "/sites/{site}/comments",
            "sendForm",
            "Send the comment form",
            description="Answers with a page to browsers, with JSON to scripts that ask for it in `Accept`.",
            parameters=(PATH_SITE, LANGUAGE_HEADER, _ORIGIN),
            body=request_body(
                {kind: shown(ref("FormFields"), _EXAMPLE) for kind in (URLENCODED, MULTIPART, JSON)}
            ),
            answers={
                201: Answer("Stored.", _BOTH),
                200: Answer("It had come before.", _BOTH),
                303: Answer("Stored, or had come before: go on to `redirect_to`.", headers=("Location",)),
            },
            problems=(
                *BODY,
                "unknown-site",
                "idempotency-mismatch",
                "conflict",
                "gone",
                "invalid-comment",
                "rate-limited",
                *STORED,
            ),
            page=True,
        ),
        Operation(
            "OPTIONS",
            "/sites/{site}/comments",
            "askForForm",
            "Ask as browsers do before a script sends the form",
            parameters=(PATH_SITE, _ORIGIN),
            answers={204: Answer("The headers of CORS say who may.")},
            problems=("unknown-site", *STORED),
        ),
    ),
)
