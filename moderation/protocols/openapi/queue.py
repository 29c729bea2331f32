"""The queue and claims on it."""

from moderation.domain.task import QueueOrder, TaskKind
from moderation.domain.verdict import ReasonCode
from moderation.protocols.openapi.examples import CLAIM_ID, COMMENT_EXAMPLE, COMMENT_ID, PERSON_ID
from moderation.protocols.openapi.parts import (
    BODY,
    JSON,
    KEYED,
    PERSON,
    Answer,
    Json,
    Operation,
    array,
    nullable,
    parameter,
    record,
    ref,
    request_body,
    shown,
    wishes,
)
from moderation.protocols.openapi.schemas import ID, LANGUAGE_HEADER, NUMBER, TIME, text, words
from moderation.protocols.review import DEFAULT_CLAIM, DEFAULT_PAGE
from moderation.protocols.review_fields import MAX_FILTER
from moderation.review.claims import MAX_CLAIM
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

_ENTRY_EXAMPLE = {
    "comment": COMMENT_EXAMPLE,
    "task": {"kind": "held", "revision": 1},
    "claim": {"id": CLAIM_ID, "by": PERSON_ID, "expires_at": "2026-03-01T12:05:00.000Z"},
}
_CLAIM_PATH = parameter("id", "path", ID, "The claim's id.", example=CLAIM_ID)
_ITS_CLAIM = dict.fromkeys(("renewClaim", "releaseClaim"), "/items/0/claim/id")
_CLAIM_PROBLEMS = (*KEYED, "unknown-claim")


SCHEMAS: dict[str, Json] = {"Claim": _CLAIM, "QueueEntry": _ENTRY, "BlindComment": _BLIND}
OPERATIONS = (
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
        answers={200: Answer("A page.", {JSON: shown(_QUEUE, {"items": [_ENTRY_EXAMPLE], "next": None})})},
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
                    wishes(
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
)
