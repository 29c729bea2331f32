"""What authors may ask of a site: the records of decisions with their statements of reasons, and erasure."""

from moderation.domain.decision import Decider
from moderation.domain.verdict import OUTPUTS, ReasonCode
from moderation.intake.validation import MAX_EMAIL
from moderation.protocols.openapi.examples import COMMENT_ID, SCORES_EXAMPLE
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
    request_body,
    shown,
)
from moderation.protocols.openapi.schemas import ID, LANGUAGE_HEADER, NUMBER, PATH_ID, TIME, text, words

_STRING: Json = {"type": "string"}
_PUID: Json = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,500}$", "description": "Unique for good."}
_STATEMENT = record(
    {
        "is_due": {"type": "boolean", "description": "False for bulk spam, for which no statement is asked."},
        "template": NUMBER,
        "ar": _STRING | {"description": "To send to the author; no personal data."},
        "en": _STRING,
        "transparency": {
            "type": "object",
            "description": "Fields of the Union's database of statements, as its API takes them.",
            "additionalProperties": True,
        },
    }
)
_RECORD = record(
    {
        "id": _PUID,
        "comment": record(
            {
                "id": ID,
                "external_id": nullable(_STRING),
                "revision": NUMBER,
                "text_hash": nullable(
                    _STRING | {"description": "Keyed; null after an erasure. It outlives the text."}
                ),
            }
        ),
        "site": _STRING,
        "created_at": TIME,
        "decided_at": TIME,
        "measure": {"enum": ["none", "withheld", "not_published", "removed", "withdrawn"]},
        "ground": {"enum": ["illegal", "rules", None]},
        "reasons": array(words(ReasonCode)),
        "category": nullable(_STRING),
        "keyword": nullable(_STRING),
        "source": {"const": "own_initiative"},
        "detection": record(
            {
                "is_automated": {"type": "boolean"},
                "rules": array(_STRING),
                "model": nullable(_STRING),
                "policy": nullable(NUMBER),
                "scores": nullable(
                    record(
                        {name: {"type": ["number", "null"], "minimum": 0, "maximum": 1} for name in OUTPUTS}
                    )
                ),
            }
        ),
        "decided_by": words(Decider),
        "moderator": nullable(_STRING | {"description": "Our id of the person; no name."}),
        "automation": {"enum": ["fully", "partially", "not_automated"]},
        "language": nullable(_STRING),
        "notified": nullable(record({"channel": {"const": "webhook"}, "at": TIME})),
        "superseded_by": nullable(_PUID),
        "statement": nullable(_STATEMENT),
    }
)
_RECORDS = record({"comment_id": ID, "records": array(_RECORD)})
_EXAMPLE: Json = {
    "comment_id": COMMENT_ID,
    "records": [
        {
            "id": f"{COMMENT_ID}-1",
            "comment": {
                "id": COMMENT_ID,
                "external_id": "1001",
                "revision": 1,
                "text_hash": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            },
            "site": "demo",
            "created_at": "2026-03-01T12:00:00.000Z",
            "decided_at": "2026-03-01T12:00:00.000Z",
            "measure": "not_published",
            "ground": "rules",
            "reasons": ["insult"],
            "category": "CYBER_VIOLENCE",
            "keyword": "CYBER_HARASSMENT",
            "source": "own_initiative",
            "detection": {
                "is_automated": True,
                "rules": [],
                "model": "shipped-0123456789ab",
                "policy": 1,
                "scores": SCORES_EXAMPLE,
            },
            "decided_by": "service",
            "moderator": None,
            "automation": "fully",
            "language": "ar",
            "notified": {"channel": "webhook", "at": "2026-03-01T12:00:01.000Z"},
            "superseded_by": None,
            "statement": {
                "is_due": True,
                "template": 1,
                "ar": "لم يُنشر تعليقك …",
                "en": "Your comment … was not published.",
                "transparency": {"decision_visibility": ["DECISION_VISIBILITY_CONTENT_DISABLED"]},
            },
        }
    ],
}

DIALECT = Dialect(
    name="Authors' rights",
    description="Records of decisions, statements of reasons and erasure; none of these answers holds personal data.",
    operations=(
        Operation(
            "GET",
            "/v1/comments/{id}/records",
            "readRecords",
            "Read the records of its decisions",
            description="Also of a comment that was withdrawn or erased, or whose text is gone. To people none while it is audited.",
            callers=(PERSON, SITE),
            parameters=(PATH_ID, LANGUAGE_HEADER),
            answers={200: Answer("One record a decision, oldest first.", {JSON: shown(_RECORDS, _EXAMPLE)})},
            problems=(*KEYED, "unknown-comment"),
        ),
        Operation(
            "POST",
            "/v1/erasures",
            "erase",
            "Erase a person",
            description="Everything your site holds of the person with that address, for good; a block stays, as a keyed hash. "
            "Asked again, it goes on where it stopped.",
            callers=(SITE,),
            parameters=(LANGUAGE_HEADER,),
            body=request_body(
                {
                    JSON: shown(
                        record({"email": text(MAX_EMAIL, required=True)}), {"email": "layla@example.com"}
                    )
                }
            ),
            answers={
                200: Answer(
                    "What was done.",
                    {
                        JSON: shown(
                            record(
                                {
                                    "comments": {"type": "integer", "minimum": 0},
                                    "still_blocked": {"type": "boolean"},
                                }
                            ),
                            {"comments": 3, "still_blocked": False},
                        )
                    },
                )
            },
            problems=(*BODY, *KEYED, "invalid-comment"),
        ),
    ),
)
