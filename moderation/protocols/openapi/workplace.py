"""What a desk asks first, and again and again: who is here, and how much waits."""

from moderation.domain.site import Role
from moderation.domain.task import TaskKind
from moderation.protocols.openapi.examples import PERSON_ID
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
from moderation.protocols.openapi.schemas import ID, LANGUAGE_HEADER, TIME, words
from moderation.review.queue import MAX_COUNTED

_TEXT: Json = {"type": "string"}
_LANGUAGE: Json = {"type": "string", "enum": ["ar", "en"]}
_SITE = record({"name": _TEXT, "title": _TEXT, "language": _TEXT, "role": words(Role)})
_ME = record(
    {
        "id": ID,
        "name": nullable(_TEXT | {"description": "What colleagues see."}),
        "language": _LANGUAGE | {"description": "In which this caller is answered."},
        "sites": array(_SITE),
    }
)
_ME_EXAMPLE = {
    "id": PERSON_ID,
    "name": "ليلى",
    "language": "ar",
    "sites": [{"name": "demo", "title": "يوميات النورس", "language": "ar", "role": "lead"}],
}
_COUNT = record(
    {
        "open": {"type": "integer", "minimum": 0, "maximum": MAX_COUNTED},
        "is_more": {"type": "boolean", "description": f"Counted up to {MAX_COUNTED}; there are more."},
        "oldest_at": nullable(TIME | {"description": "When the longest waiting comment was received."}),
    }
)
_COUNTS = record(
    {
        "site": _TEXT,
        "kinds": {
            "type": "object",
            "description": "The kinds that the caller may work on.",
            "properties": {kind.value: _COUNT for kind in TaskKind},
        },
    }
)
_COUNTS_EXAMPLE = {
    "site": "demo",
    "kinds": {"held": {"open": 12, "is_more": False, "oldest_at": "2026-03-01T12:00:00.000Z"}},
}

DIALECT = Dialect(
    name="Workplace",
    description="What a desk asks first, and again and again.",
    operations=(
        Operation(
            "GET",
            "/v1/me",
            "showMe",
            "Who calls, and what they may do",
            callers=(PERSON,),
            parameters=(LANGUAGE_HEADER,),
            answers={200: Answer("You; never your e-mail address.", {JSON: shown(_ME, _ME_EXAMPLE)})},
            problems=KEYED,
        ),
        Operation(
            "GET",
            "/v1/queue/counts",
            "countTasks",
            "How much waits",
            callers=(PERSON,),
            parameters=(parameter("site", "query", _TEXT, "The site.", required=True),),
            answers={200: Answer("By kind.", {JSON: shown(_COUNTS, _COUNTS_EXAMPLE)})},
            problems=("malformed-request", *KEYED, "unknown-site"),
        ),
    ),
)
