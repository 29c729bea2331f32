"""The queue, claims, decisions and history: for moderators, and for sites' own desks."""

from moderation.domain.task import QueueOrder, TaskKind
from moderation.domain.verdict import ReasonCode, State, Verdict
from moderation.protocols.openapi.examples import (
    CLAIM_ID,
    COMMENT_EXAMPLE,
    COMMENT_ID,
    PERSON_ID,
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
    parameter,
    record,
    ref,
    request_body,
    shown,
)
from moderation.protocols.openapi.schemas import (
    FIELD_ERROR,
    HUMAN_REASON,
    ID,
    LANGUAGE_HEADER,
    NUMBER,
    PATH_ID,
    TIME,
    text,
    words,
)
from moderation.protocols.review import DEFAULT_CLAIM, DEFAULT_PAGE
from moderation.protocols.review_fields import MAX_FILTER, MAX_LOGIN, MAX_NOTE
from moderation.review.claims import MAX_CLAIM
from moderation.review.decisions import MAX_BULK
from moderation.review.queue import MAX_PAGE

_NAME = text(MAX_FILTER, "The site; may be left out by a person with a role on one site alone.")
_FILTERS: dict[str, Json] = {
    "site": _NAME,
    "order": words(QueueOrder, "`oldest` first without one."),
    "kind": words(TaskKind, "`escalated` takes the role `lead`."),
    "thread": text(MAX_FILTER, "Your id of the article."),
    "reason": words(ReasonCode),
    "language": text(MAX_FILTER, "Such as `ar`."),
}
_CURSOR = text(MAX_FILTER, "`next` of the page before; good for the same order alone.")

_CLAIM = record(
    {"id": ID | {"description": "To the holder alone."}, "by": ID, "expires_at": TIME},
    optional=("id",),
    description="A lease of five minutes on a task.",
)
_TASK = record({"kind": words(TaskKind), "revision": NUMBER})
_ENTRY = record(
    {"comment": {"anyOf": [ref("Comment"), ref("BlindComment")]}, "task": _TASK, "claim": ref("Claim")},
    optional=("claim",),
)
_BLIND = record(
    {
        name: {"type": "null"}
        for name in ("state", "verdict", "scores", "model", "policy", "decided_by", "decided_at")
    }
    | {
        "reasons": array({}, maxItems=0),
        "id": ID,
        "external_id": nullable({"type": "string"}),
        "site": {"type": "string"},
        "thread": {"type": "object"},
        "parent_id": nullable(ID),
        "author": {"type": "object"},
        "text": {"type": "string"},
        "language": nullable({"type": "string"}),
        "revision": NUMBER,
        "sequence": NUMBER,
        "created_at": TIME,
        "received_at": TIME,
        "links": ref("Links"),
    },
    description="A comment of an audit: without what the service said of it.",
)
_QUEUE = record({"items": array(ref("QueueEntry")), "next": nullable({"type": "string"})})
_CLAIMED = record({"items": array(ref("QueueEntry"))})
_RENEWED = {
    **_CLAIM,
    "properties": _CLAIM["properties"] | {"comment_id": ID},
    "required": ["comment_id", "id", "by", "expires_at"],
}

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

_ENTRY_EXAMPLE = {
    "comment": COMMENT_EXAMPLE,
    "task": {"kind": "held", "revision": 1},
    "claim": {"id": CLAIM_ID, "by": PERSON_ID, "expires_at": "2026-03-01T12:05:00.000Z"},
}
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
_CLAIM_PATH = parameter("id", "path", ID, "The claim's id.", example=CLAIM_ID)
_ITS_CLAIM = dict.fromkeys(("renewClaim", "releaseClaim"), "/items/0/claim/id")
_CLAIM_PROBLEMS = (*KEYED, "unknown-claim")


def _optional(properties: dict[str, Json]) -> Json:
    return {"type": "object", "properties": {name: nullable(schema) for name, schema in properties.items()}}


DIALECT = Dialect(
    name="Review",
    description=(
        "Moderators' work. A claim is optional and exclusive; a decision names the revision that was read. A site's own key "
        "may decide, too, with `moderator`: who did, by its own login."
    ),
    schemas={
        "Claim": _CLAIM,
        "QueueEntry": _ENTRY,
        "BlindComment": _BLIND,
        "BulkDone": _DONE,
        "BulkRefused": _REFUSED,
    },
    operations=(
        Operation(
            "GET",
            "/v1/queue",
            "listQueue",
            "What waits for a person",
            callers=(PERSON,),
            parameters=(
                *(
                    parameter(name, "query", schema, schema.get("description", "A filter."))
                    for name, schema in _FILTERS.items()
                ),
                parameter(
                    "limit",
                    "query",
                    {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
                    "How many at most.",
                ),
                parameter("cursor", "query", _CURSOR, "Where the page before ended."),
                LANGUAGE_HEADER,
            ),
            answers={
                200: Answer("A page.", {JSON: shown(_QUEUE, {"items": [_ENTRY_EXAMPLE], "next": None})})
            },
            problems=("malformed-request", *KEYED, "unknown-site"),
        ),
        Operation(
            "POST",
            "/v1/queue/claim",
            "claimTasks",
            "Claim the first free tasks",
            description="No task goes to two people at once.",
            callers=(PERSON,),
            parameters=(LANGUAGE_HEADER,),
            body=request_body(
                {
                    JSON: shown(
                        _optional(
                            {
                                **_FILTERS,
                                "limit": {
                                    "type": "integer",
                                    "minimum": 1,
                                    "maximum": MAX_CLAIM,
                                    "default": DEFAULT_CLAIM,
                                },
                            }
                        ),
                        {"site": "demo", "limit": 5},
                    )
                }
            ),
            answers={
                200: Answer(
                    "What is yours now.",
                    {JSON: shown(_CLAIMED, {"items": [_ENTRY_EXAMPLE]})},
                    leads_to=_ITS_CLAIM,
                )
            },
            problems=(*BODY, *KEYED, "unknown-site", "invalid-comment"),
        ),
        Operation(
            "PUT",
            "/v1/claims/{id}",
            "renewClaim",
            "Go on with a claim",
            callers=(PERSON,),
            parameters=(_CLAIM_PATH,),
            answers={
                200: Answer(
                    "The lease starts anew.",
                    {JSON: shown(_RENEWED, {"comment_id": COMMENT_ID, **_ENTRY_EXAMPLE["claim"]})},
                )
            },
            problems=_CLAIM_PROBLEMS,
        ),
        Operation(
            "DELETE",
            "/v1/claims/{id}",
            "releaseClaim",
            "Give a claim up",
            callers=(PERSON,),
            parameters=(_CLAIM_PATH,),
            answers={204: Answer("Others may have the task.")},
            problems=_CLAIM_PROBLEMS,
        ),
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
                        _optional({"sequence": _SEQUENCE, "own": _OWN, "note": _NOTE, "moderator": _LOGIN}),
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
