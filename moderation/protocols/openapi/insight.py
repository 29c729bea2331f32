"""What helps to judge a comment: its author, its thread, and others like it."""

from moderation.domain.policy import Standing
from moderation.domain.searching import MAX_QUERY, MAX_WANTED
from moderation.domain.verdict import State
from moderation.protocols.insight import DEFAULT_FOUND, FOUND_STATES, KINDS
from moderation.protocols.openapi.examples import COMMENT_EXAMPLE, COMMENT_ID
from moderation.protocols.openapi.parts import (
    BODY,
    JSON,
    KEYED,
    PERSON,
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
from moderation.protocols.openapi.schemas import ID, LANGUAGE_HEADER, PATH_ID, TIME_IN, text, words
from moderation.protocols.review_fields import MAX_FILTER, MAX_NOTE
from moderation.review.authors import LATEST, MAX_COUNTED
from moderation.review.search import BESIDE, MAX_FOUND

_COUNT: Json = {"type": "integer", "minimum": 0}
_STANDING = words(Standing)
_KIND: Json = {"type": "string", "enum": list(KINDS)}
_SHOWN: Json = {"anyOf": [ref("Comment"), ref("BlindComment")]}
"""One of an open audit is shown without what the service said of it."""
_AUTHOR = record(
    {
        "name": nullable({"type": "string"}),
        "standings": {
            "type": "object",
            "description": "What is said of each thing that the comment gave, the strongest first; never the thing itself.",
            "properties": dict.fromkeys(KINDS, _STANDING),
        },
        "by_people": record(
            {"approved": _COUNT, "rejected": _COUNT},
            description="How many of their comments people approved and rejected.",
        ),
        "states": record({state.value: _COUNT for state in State}),
        "is_more": {
            "type": "boolean",
            "description": f"`states` has the latest {MAX_COUNTED} comments alone.",
        },
        "comments": array(_SHOWN, maxItems=LATEST),
    },
    description="The same author on this site alone: by e-mail address, else your id of them, else the name.",
)
_AUTHOR_EXAMPLE = {
    "name": "ليلى",
    "standings": {"email": "none", "name": "none", "address": "none"},
    "by_people": {"approved": 3, "rejected": 1},
    "states": {"approved": 3, "held": 1, "rejected": 1, "deleted": 0},
    "is_more": False,
    "comments": [COMMENT_EXAMPLE],
}
_SAY = record(
    {
        "standing": _STANDING | {"description": "`none` takes a block or trust back."},
        "by": nullable(
            _KIND
            | {
                "description": "The strongest that the comment gave without one; trust is by e-mail or external id."
            }
        ),
        "note": nullable(text(MAX_NOTE, "Why: for the audit. It goes with the comment's text.")),
    },
    optional=("by", "note"),
)
_SAID = record({"comment_id": ID, "by": _KIND, "standing": _STANDING})
_THREAD = record(
    {
        "thread": record(
            {
                "id": {"type": "string"},
                "url": nullable({"type": "string"}),
                "title": nullable({"type": "string"}),
            }
        ),
        "parent": nullable(_SHOWN),
        "before": array(_SHOWN, maxItems=BESIDE),
        "after": array(_SHOWN, maxItems=BESIDE),
    }
)
_THREAD_EXAMPLE = {
    "thread": COMMENT_EXAMPLE["thread"],
    "parent": None,
    "before": [COMMENT_EXAMPLE],
    "after": [],
}
_FOUND = record({"items": array(_SHOWN, maxItems=MAX_FOUND), "next": nullable({"type": "string"})})
_LIMIT: Json = {"type": "integer", "minimum": 1, "maximum": MAX_FOUND, "default": DEFAULT_FOUND}
_WORDS = (
    f"Up to {MAX_WANTED} words of text or name, all of them, each also as the beginning of a longer one. Spelling is folded: hamza, "
    "ta marbuta, diacritics, case, the article."
)
_QUERY: tuple[tuple[str, Json, str, Json], ...] = (
    ("site", {"type": "string"}, "The site.", {"required": True}),
    (
        "q",
        text(MAX_QUERY),
        _WORDS,
        {},
    ),
    ("state", {"type": "string", "enum": sorted(FOUND_STATES)}, "Only those.", {}),
    ("author", ID, "A comment: only those by its author.", {}),
    ("from", TIME_IN, "Received since then.", {}),
    ("to", TIME_IN, "Received before then.", {}),
    ("limit", _LIMIT, "How many at most.", {}),
    ("cursor", text(MAX_FILTER), "`next` of the page before.", {}),
)
_ON_A_COMMENT = (*KEYED, "unknown-comment", "gone")

DIALECT = Dialect(
    name="Insight",
    description="Who wrote a comment, what stands around it, and others like it. The last seconds may be missing.",
    operations=(
        Operation(
            "GET",
            "/v1/comments/{id}/author",
            "showAuthor",
            "Who wrote it",
            description="What else they wrote on this site, and what was said of them; no address and no hash.",
            callers=(PERSON,),
            parameters=(PATH_ID, LANGUAGE_HEADER),
            answers={200: Answer("The author.", {JSON: shown(_AUTHOR, _AUTHOR_EXAMPLE)})},
            problems=_ON_A_COMMENT,
        ),
        Operation(
            "POST",
            "/v1/comments/{id}/author",
            "sayOfAuthor",
            "Block or trust its author",
            description="Takes the role `lead`. What holds for the author's next comments; this one stays as it is.",
            callers=(PERSON,),
            parameters=(PATH_ID, LANGUAGE_HEADER),
            body=request_body(
                {JSON: shown(_SAY, {"standing": "blocked", "by": "email", "note": "إعلانات متكررة"})}
            ),
            answers={
                200: Answer(
                    "Done.",
                    {JSON: shown(_SAID, {"comment_id": COMMENT_ID, "by": "email", "standing": "blocked"})},
                )
            },
            problems=(*BODY, *_ON_A_COMMENT, "invalid-comment"),
        ),
        Operation(
            "GET",
            "/v1/comments/{id}/thread",
            "showThread",
            "What stands around it",
            description="The comment it answers, and those of the same thread before and after it, published or not.",
            callers=(PERSON,),
            parameters=(PATH_ID, LANGUAGE_HEADER),
            answers={200: Answer("The thread.", {JSON: shown(_THREAD, _THREAD_EXAMPLE)})},
            problems=_ON_A_COMMENT,
        ),
        Operation(
            "GET",
            "/v1/search",
            "search",
            "Find comments",
            description=(
                "The latest received first; withdrawn ones are not found, nor those whose text is gone. A page may be short, even empty, "
                "and still have a `next`."
            ),
            callers=(PERSON,),
            parameters=(
                *(parameter(name, "query", schema, said, **more) for name, schema, said, more in _QUERY),
                LANGUAGE_HEADER,
            ),
            answers={
                200: Answer("A page.", {JSON: shown(_FOUND, {"items": [COMMENT_EXAMPLE], "next": None})})
            },
            problems=("malformed-request", *KEYED, "unknown-site", "unknown-comment"),
        ),
    ),
)
