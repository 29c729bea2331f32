"""``/v1/sites/{site}/webhook``: comments as Standard Webhooks messages."""

from moderation.domain.signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from moderation.protocols.openapi.examples import ACCEPTED_EXAMPLE, COMMENT_ID, NEW_COMMENT_EXAMPLE
from moderation.protocols.openapi.parts import (
    BODY,
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
from moderation.protocols.openapi.schemas import ID, LANGUAGE_HEADER, PATH_SITE, identifier
from moderation.protocols.webhook import TYPES

SIGNATURE = "webhookSignature"

_HEADERS = (
    parameter(
        ID_HEADER,
        "header",
        {"type": "string", "minLength": 1},
        "Yours; the same in every repetition.",
        required=True,
        example="msg_1001",
    ),
    parameter(
        TIMESTAMP_HEADER,
        "header",
        {"type": "string", "pattern": "^[0-9]{1,12}$"},
        "Seconds since 1970; five minutes off at most.",
        required=True,
        example="1772366400",
    ),
    parameter(
        SIGNATURE_HEADER,
        "header",
        {"type": "string"},
        "`v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`.",
        required=True,
        example="v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
)
_TIME: Json = {"type": "string", "description": "When it happened; not read."}
_MESSAGE: Json = {
    "oneOf": [
        {
            "type": "object",
            "required": ["type", "data"],
            "properties": {"type": {"enum": list(TYPES[:2])}, "timestamp": _TIME, "data": ref("NewComment")},
        },
        {
            "type": "object",
            "required": ["type", "data"],
            "properties": {
                "type": {"const": TYPES[2]},
                "timestamp": _TIME,
                "data": {
                    "type": "object",
                    "properties": {"external_id": nullable(identifier("Your id.")), "id": nullable(ID)},
                    "anyOf": [{"required": ["external_id"]}, {"required": ["id"]}],
                },
            },
        },
    ]
}
_WITHDRAWN = record(
    {"id": ID, "state": {"enum": ["deleted", "rejected"]}},
    description="The answer to `comment.deleted`, and to what came too late for a comment: rejected where only its text is gone.",
)
_EXAMPLE = {"type": TYPES[0], "timestamp": "2026-03-01T12:00:00Z", "data": NEW_COMMENT_EXAMPLE}

DIALECT = Dialect(
    name="Webhook",
    description="Comments as signed Standard Webhooks 1.0 messages; no key.",
    schemas={"WebhookMessage": _MESSAGE, "Withdrawn": _WITHDRAWN},
    security_schemes={
        SIGNATURE: {
            "type": "apiKey",
            "in": "header",
            "name": SIGNATURE_HEADER,
            "description": "Standard Webhooks 1.0, made with the site's inbound secret.",
        }
    },
    operations=(
        Operation(
            "POST",
            "/v1/sites/{site}/webhook",
            "receiveWebhook",
            "Send a signed message",
            description=(
                f"`type` is one of {', '.join(f'`{kind}`' for kind in TYPES)}. "
                "Nothing of the body is read before its signature holds."
            ),
            callers=(SIGNATURE,),
            parameters=(PATH_SITE, *_HEADERS, LANGUAGE_HEADER),
            body=request_body({JSON: shown(ref("WebhookMessage"), _EXAMPLE)}),
            answers={
                201: Answer(
                    "Stored.",
                    {JSON: shown(ref("Accepted"), ACCEPTED_EXAMPLE)},
                    ("Location", "ETag", "RateLimit", "RateLimit-Policy"),
                ),
                200: Answer(
                    "It had come before, is an edit, or was withdrawn, now or earlier.",
                    {
                        JSON: {
                            "oneOf": [ref("Accepted"), ref("Withdrawn")],
                            "examples": {
                                "again": {"value": ACCEPTED_EXAMPLE},
                                "withdrawn": {"value": {"id": COMMENT_ID, "state": "deleted"}},
                            },
                        }
                    },
                    ("Location", "ETag", "Idempotency-Replayed", "RateLimit", "RateLimit-Policy"),
                ),
            },
            problems=(
                *BODY,
                "not-authenticated",
                "unknown-site",
                "unknown-comment",
                "idempotency-mismatch",
                "conflict",
                "invalid-comment",
                "rate-limited",
                *STORED,
            ),
        ),
    ),
)
