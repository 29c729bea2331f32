"""Decisions and history: for moderators, and for sites' own desks."""

from moderation.domain.verdict import State, Verdict
from moderation.protocols.openapi import queue
from moderation.protocols.openapi.examples import (
    COMMENT_EXAMPLE,
    COMMENT_ID,
    SCORES_EXAMPLE,
)
from moderation.protocols.openapi.parts import (
    BODY,
    JSON,
    KEYED,
    PERSON,
    SITE,
    Answer,
    Dialect,
    Json,
    Operation,
    array,
    nullable,
    record,
    ref,
    request_body,
    shown,
    wishes,
)
from moderation.protocols.openapi.schemas import (
    FIELD_ERROR,
    HUMAN_REASON,
    ID,
    LANGUAGE_HEADER,
    NUMBER,
    PATH_ID,
    text,
    words,
)
from moderation.protocols.review_fields import MAX_LOGIN, MAX_NOTE
from moderation.review.decisions import MAX_BULK

_LOGIN = text(MAX_LOGIN, "Your own login of whoever decides: required with a site's key.")
_NOTE = text(MAX_NOTE, "For other moderators; never shown to readers.")
_SEQUENCE = NUMBER | {
    "description": "The decision that you saw; names the one that you mean to replace or undo."
}
_OWN: Json = {
    "type": "boolean",
    "description": "Only a decision of one's own is taken back: a lead's, too, where a colleague had decided alike before.",
}
_RULING: dict[str, Json] = {
    "verdict": words(Verdict, "`hold` takes the role `lead`."),
    "reason": nullable(HUMAN_REASON),
    "note": nullable(_NOTE),
    "moderator": nullable(_LOGIN),
}
_BESIDE = ("reason", "note", "moderator", "sequence")
_DECISION = record(
    {
        **_RULING,
        "revision": NUMBER | {"description": "The text that you read."},
        "sequence": nullable(_SEQUENCE),
    },
    optional=_BESIDE,
)
_BULK = record(
    {
        **_RULING,
        "items": array(
            record({"id": ID, "revision": NUMBER, "sequence": nullable(_SEQUENCE)}, optional=("sequence",)),
            maxItems=MAX_BULK,
        ),
    },
    optional=_BESIDE,
)
_DONE = record(
    {
        "id": ID,
        "status": {"const": 200},
        "revision": NUMBER,
        "state": words(State),
        "verdict": nullable(words(Verdict)),
        "sequence": NUMBER,
    }
)
_REFUSED: Json = {
    "type": "object",
    "description": "A problem detail of one item; the other items are not harmed.",
    "properties": {
        "id": nullable({"type": "string", "description": "As you wrote it."}),
        "code": {"type": "string"},
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400},
        "detail": {"type": "string"},
        "errors": array(FIELD_ERROR),
    },
    "required": ["id", "code", "type", "title", "status", "detail"],
    "additionalProperties": True,
}
_RESULTS = record({"results": array({"oneOf": [ref("BulkDone"), ref("BulkRefused")]})})

_APPROVED = COMMENT_EXAMPLE | {
    "state": "approved",
    "verdict": "approve",
    "reasons": [],
    "sequence": 2,
    "decided_by": "moderator",
}
_HISTORY_EXAMPLE = {
    "id": COMMENT_ID,
    "external_id": "1001",
    "revision": 1,
    "state": "approved",
    "decisions": [
        {
            "sequence": 1,
            "revision": 1,
            "state": "held",
            "verdict": "hold",
            "reasons": COMMENT_EXAMPLE["reasons"],
            "scores": SCORES_EXAMPLE,
            "model": "shipped-0123456789ab",
            "policy": 1,
            "decided_by": "service",
            "moderator": None,
            "note": None,
            "undoes": None,
            "task": None,
            "origin": "native",
            "decided_at": "2026-03-01T12:00:00.000Z",
        }
    ],
    "revisions": [],
    "escalations": [],
}
_BULK_EXAMPLE = {
    "results": [
        {
            "id": COMMENT_ID,
            "status": 200,
            "revision": 1,
            "state": "approved",
            "verdict": "approve",
            "sequence": 2,
        }
    ]
}

_COMMENT = {200: Answer("As it stands now.", {JSON: shown(ref("Comment"), COMMENT_EXAMPLE)}, ("ETag",))}
_SEEN = {
    200: Answer(
        "As it stands now; to people without what the service said while it is audited.",
        {JSON: shown({"anyOf": [ref("Comment"), ref("BlindComment")]}, COMMENT_EXAMPLE)},
        ("ETag",),
    )
}
_DECIDED = {200: Answer("As it stands now.", {JSON: shown(ref("Comment"), _APPROVED)}, ("ETag",))}
_BOTH = (PERSON, SITE)
_ON_A_COMMENT = (*BODY, *KEYED, "unknown-comment", "gone", "conflict", "claim-lost", "invalid-comment")


DIALECT = Dialect(
    name="Review",
    description=(
        "Moderators' work. A claim is optional and exclusive; a decision names the revision that was read. A site's own key "
        "may decide, too, with `moderator`: who did, by its own login."
    ),
    schemas={
        **queue.SCHEMAS,
        "BulkDone": _DONE,
        "BulkRefused": _REFUSED,
    },
    operations=(
        *queue.OPERATIONS,
        Operation(
            "GET",
            "/v1/comments/{id}",
            "readComment",
            "Read a comment",
            callers=_BOTH,
            parameters=(PATH_ID, LANGUAGE_HEADER),
            answers=_SEEN,
            problems=(*KEYED, "unknown-comment", "gone"),
        ),
        Operation(
            "GET",
            "/v1/comments/{id}/history",
            "readHistory",
            "Read what was decided about it",
            description="Every decision, every earlier text, every escalation.",
            callers=_BOTH,
            parameters=(PATH_ID, LANGUAGE_HEADER),
            answers={200: Answer("The history.", {JSON: shown(ref("History"), _HISTORY_EXAMPLE)})},
            problems=(*KEYED, "unknown-comment", "gone"),
        ),
        Operation(
            "POST",
            "/v1/comments/{id}/decision",
            "decide",
            "Decide",
            description="Sent again, it changes nothing. Where somebody else decided otherwise meanwhile, the 409 says who and what.",
            callers=_BOTH,
            parameters=(PATH_ID, LANGUAGE_HEADER),
            body=request_body({JSON: shown(_DECISION, {"verdict": "approve", "revision": 1})}),
            answers=_DECIDED,
            problems=(*_ON_A_COMMENT, "stale-revision"),
        ),
        Operation(
            "POST",
            "/v1/comments/{id}/undo",
            "undo",
            "Take the latest decision back",
            description="One's own; a lead may undo anybody's. The decision before it holds again, and the site hears of it.",
            callers=_BOTH,
            parameters=(PATH_ID, LANGUAGE_HEADER),
            body=request_body(
                {
                    JSON: shown(
                        wishes({"sequence": _SEQUENCE, "own": _OWN, "note": _NOTE, "moderator": _LOGIN}),
                        {},
                    )
                },
                required=False,
            ),
            answers=_SEEN,
            problems=_ON_A_COMMENT,
        ),
        Operation(
            "POST",
            "/v1/comments/{id}/escalate",
            "escalate",
            "Pass it on to the leads",
            callers=(PERSON,),
            parameters=(PATH_ID, LANGUAGE_HEADER),
            body=request_body(
                {
                    JSON: shown(
                        record(
                            {"revision": NUMBER, "sequence": nullable(_SEQUENCE), "note": nullable(_NOTE)},
                            optional=("sequence", "note"),
                        ),
                        {"revision": 1, "note": "قضية أمام المحاكم"},
                    )
                }
            ),
            answers=_COMMENT,
            problems=(*_ON_A_COMMENT, "stale-revision"),
        ),
        Operation(
            "POST",
            "/v1/decisions",
            "decideAll",
            "Decide many alike",
            description="Each for itself: one result an item, in order.",
            callers=_BOTH,
            parameters=(LANGUAGE_HEADER,),
            body=request_body(
                {JSON: shown(_BULK, {"verdict": "approve", "items": [{"id": COMMENT_ID, "revision": 1}]})}
            ),
            answers={200: Answer("One result an item.", {JSON: shown(_RESULTS, _BULK_EXAMPLE)})},
            problems=(*BODY, *KEYED, "invalid-comment"),
        ),
    ),
)
