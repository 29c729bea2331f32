"""The Coral dialect: an external moderation phase, and webhooks."""

from moderation.protocols.openapi.parts import (
    BODY,
    JSON,
    STORED,
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
from moderation.protocols.openapi.schemas import PATH_SITE

_STRING: Json = {"type": "string"}
_REQUEST = record(
    {
        "action": {"enum": ["NEW", "EDIT"]},
        "comment": record({"body": _STRING, "parentID": nullable(_STRING)}, optional=("parentID",)),
        "author": record({"id": _STRING, "role": _STRING}, optional=("role",)),
        "story": record({"id": _STRING, "url": _STRING}, optional=("url",)),
        "site": record({"id": _STRING}),
        "tenantID": _STRING,
        "tenantDomain": _STRING,
    },
    optional=("action", "site", "tenantID", "tenantDomain"),
)
_FLAG = record(
    {
        "actionType": {"const": "FLAG"},
        "reason": {"enum": ["COMMENT_DETECTED_SPAM", "COMMENT_DETECTED_TOXIC"]},
    }
)
_ANSWER = record(
    {
        "status": {"enum": ["NONE", "APPROVED", "PREMOD", "SYSTEM_WITHHELD", "REJECTED"]},
        "actions": array(_FLAG),
        "moderationAction": record(
            {"status": {"const": "REJECTED"}, "rejectionReason": record({"code": _STRING})}
        ),
    },
    optional=("actions", "moderationAction"),
)
_WEBHOOK: Json = {
    "type": "object",
    "properties": {"id": _STRING, "type": _STRING, "data": {"type": "object", "additionalProperties": True}},
    "additionalProperties": True,
}
_SIGNATURE = parameter(
    "X-Coral-Signature",
    "header",
    _STRING,
    "`sha256=<hex>` of the raw body, one for each live secret, with commas between.",
    required=True,
)
_EXAMPLE: Json = {
    "action": "NEW",
    "comment": {"body": "<div>خبر جميل</div>", "parentID": None},
    "author": {"id": "u-1", "role": "COMMENTER"},
    "story": {"id": "s-1", "url": "https://news.example/1"},
    "site": {"id": "site-1"},
    "tenantID": "t-1",
    "tenantDomain": "coral.example",
}

DIALECT = Dialect(
    name="Coral",
    description="What a Coral server calls. The guide is `docs/coral.md`.",
    schemas={"CoralRequest": _REQUEST, "CoralAnswer": _ANSWER, "CoralWebhook": _WEBHOOK},
    operations=(
        Operation(
            "POST",
            "/coral/{site}/moderate",
            "moderateCoralComment",
            "Judge a comment, as an external moderation phase",
            description="Whatever Coral signed has an answer of 200 or 204 within the site's deadline.",
            parameters=(PATH_SITE, _SIGNATURE),
            body=request_body({JSON: shown(ref("CoralRequest"), _EXAMPLE)}),
            answers={
                200: Answer(
                    "What is to become of it.", {JSON: shown(ref("CoralAnswer"), {"status": "PREMOD"})}
                ),
                204: Answer("No opinion: Coral's own rules go on."),
            },
            problems=(
                "malformed-request",
                "unsupported-media-type",
                "not-authenticated",
                "unknown-site",
                "internal",
            ),
        ),
        Operation(
            "POST",
            "/coral/{site}/webhooks",
            "receiveCoralWebhook",
            "Hear of what happened at Coral",
            parameters=(PATH_SITE, _SIGNATURE),
            body=request_body(
                {
                    JSON: shown(
                        ref("CoralWebhook"),
                        {"id": "e-1", "type": "COMMENT_CREATED", "data": {"commentID": "c-1"}},
                    )
                }
            ),
            answers={
                200: Answer(
                    "Heard.",
                    {JSON: shown(record({"received": {"const": True}}), {"received": True})},
                )
            },
            problems=(*BODY, "not-authenticated", "unknown-site", *STORED),
        ),
    ),
)
