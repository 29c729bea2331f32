"""How well the service decides by itself."""

from moderation.protocols.openapi.parts import (
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
    shown,
)
from moderation.protocols.openapi.schemas import LANGUAGE_HEADER

_STRING: Json = {"type": "string"}
_PART: Json = nullable({"type": "number", "minimum": 0, "maximum": 1})
_SHARE = record(
    {"value": _PART, "low": _PART, "high": _PART, "rows": {"type": "integer", "minimum": 0}},
    description="A share with its 95 % interval; null where nobody decided such a comment.",
)
_RATE = record({"precision": _SHARE, "recall": _SHARE})
_HEALTH = record(
    {
        "site": _STRING,
        "model": _STRING | {"description": "In force now."},
        "rates": {
            "type": "object",
            "description": "By language, and `all`; then by automatic verdict. Estimated from audits of the last 90 days.",
            "additionalProperties": record({"approve": _RATE, "reject": _RATE}),
        },
        "open_audits": {"type": "integer", "minimum": 0},
        "drift": {
            "type": "object",
            "description": "Population stability index of the last week's scores by output; above 0.25 is an alarm.",
            "additionalProperties": {"type": "number"},
        },
        "is_drifted": {"type": "boolean"},
        "drift_against": _STRING,
        "outliers": array(
            {"type": "object", "additionalProperties": True},
            description="Who labels unlike the others, as of the newest retraining; ids, never names.",
        ),
        "erasures_since": {
            "type": "integer",
            "minimum": 0,
            "description": "People erased since the model learned: above 0, retraining is due.",
        },
    }
)
_ONE = {"value": 0.98, "low": 0.95, "high": 0.99, "rows": 210}
_EXAMPLE = {
    "site": "akhbar",
    "model": "site-akhbar-1a2b3c4d",
    "rates": {"all": {name: {"precision": _ONE, "recall": _ONE} for name in ("approve", "reject")}},
    "open_audits": 4,
    "drift": {"spam": 0.03},
    "is_drifted": False,
    "drift_against": "training",
    "outliers": [],
    "erasures_since": 0,
}

DIALECT = Dialect(
    name="Learning",
    description="How often automatic verdicts are wrong, estimated from audits; for leads.",
    operations=(
        Operation(
            "GET",
            "/v1/health",
            "readHealth",
            "Read how well a site's comments are judged",
            callers=(PERSON,),
            parameters=(
                parameter("site", "query", _STRING, "The site's name.", required=True),
                LANGUAGE_HEADER,
            ),
            answers={200: Answer("The site's health.", {JSON: shown(_HEALTH, _EXAMPLE)})},
            problems=("malformed-request", *KEYED, "unknown-site"),
        ),
    ),
)
