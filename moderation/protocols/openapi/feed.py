"""Events: the feed, and the webhook that a site receives."""

from moderation.delivery.feed import MAX_LIMIT
from moderation.domain.decision import Decider
from moderation.domain.verdict import ReasonCode, State, Verdict
from moderation.protocols.feed import DEFAULT_LIMIT
from moderation.protocols.openapi.examples import COMMENT_ID
from moderation.protocols.openapi.parts import (
    JSON,
    KEYED,
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
    shown,
)
from moderation.protocols.openapi.schemas import ID, NUMBER, TIME, words

_REASON = record(
    {"code": words(ReasonCode), "message": {"type": "string", "description": "May be missing."}},
    optional=("message",),
)
_EVENT = record(
    {
        "type": {
            "enum": ["comment.decided", "comment.deleted"],
            "description": "Ignore types that you do not know.",
        },
        "timestamp": TIME,
        "data": record(
            {
                "id": ID,
                "external_id": nullable({"type": "string"}),
                "sequence": NUMBER
                | {"description": "Take an event only if this is above the last you took for the comment."},
                "revision": NUMBER,
                "state": words(State),
                "verdict": nullable(words(Verdict)),
                "reasons": array(_REASON),
                "decided_by": words(Decider),
                "decided_at": TIME,
                "origin": {"type": "string"},
            }
        ),
    },
    description="One change of a comment, carrying its whole state; no text, name, e-mail or address.",
)
_LISTED = {
    **_EVENT,
    "properties": _EVENT["properties"] | {"position": {"type": "integer", "minimum": 1}},
    "required": [*_EVENT["required"], "position"],
}
_PAGE = record(
    {
        "events": array(ref("ListedEvent"), maxItems=MAX_LIMIT),
        "next": {"type": "integer", "minimum": 0, "description": "What to ask for next."},
        "truncated": {"const": True, "description": "Events after your place have left the feed."},
    },
    optional=("truncated",),
)
EVENT_EXAMPLE: Json = {
    "type": "comment.decided",
    "timestamp": "2026-03-01T12:00:00.123Z",
    "data": {
        "id": COMMENT_ID,
        "external_id": "1001",
        "sequence": 2,
        "revision": 1,
        "state": "approved",
        "verdict": "approve",
        "reasons": [],
        "decided_by": "moderator",
        "decided_at": "2026-03-01T12:00:00.123Z",
        "origin": "native",
    },
}
_PAGE_EXAMPLE = {"events": [EVENT_EXAMPLE | {"position": 4711}], "next": 4711}

DIALECT = Dialect(
    name="Events",
    description="How a site hears what became of a comment. The guide is `docs/events.md`.",
    schemas={"Event": _EVENT, "ListedEvent": _LISTED, "EventPage": _PAGE},
    operations=(
        Operation(
            "GET",
            "/v1/events",
            "listEvents",
            "Read the feed of events",
            description="Never skips: an event that is committed late gets a later position than any you have seen.",
            callers=(SITE,),
            parameters=(
                parameter(
                    "after",
                    "query",
                    {"type": "integer", "minimum": 0, "maximum": 2**63 - 2, "default": 0},
                    "The last answer's `next`.",
                    example=0,
                ),
                parameter(
                    "limit",
                    "query",
                    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                    "How many at most.",
                ),
            ),
            answers={
                200: Answer(
                    "A page; empty when you are up to date.", {JSON: shown(ref("EventPage"), _PAGE_EXAMPLE)}
                )
            },
            problems=("malformed-request", *KEYED, "conflict"),
        ),
    ),
)

WEBHOOKS: Json = {
    "commentDecided": {
        "post": {
            "operationId": "commentDecided",
            "tags": [DIALECT.name],
            "summary": "What we send to the site's webhook address",
            "description": "Signed after Standard Webhooks 1.0 with the site's webhook secret; see `docs/events.md`.",
            "security": [],
            "parameters": [
                parameter("webhook-id", "header", {"type": "string"}, "The same in every repetition.", required=True),
                parameter("webhook-timestamp", "header", {"type": "string"}, "When this attempt was made.", required=True),
                parameter("webhook-signature", "header", {"type": "string"}, "`v1,<base64>`, one for each live secret.", required=True),
            ],
            "requestBody": {"required": True, "content": {JSON: {"schema": ref("Event"), "example": EVENT_EXAMPLE}}},
            "responses": {
                "2XX": {"description": "Heard; answer within 10 seconds."},
                "410": {"description": "This address is no more: everything pending for it is given up."},
                "default": {"description": "Tried again, for about three days."},
            },
        }
    }
}  # fmt: skip
