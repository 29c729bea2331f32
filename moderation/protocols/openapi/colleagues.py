"""Whose ids stand in claims, decisions and history."""

from moderation.protocols.openapi.parts import (
    JSON,
    KEYED,
    PERSON,
    Answer,
    Dialect,
    Operation,
    array,
    nullable,
    parameter,
    record,
    shown,
)

_ROLES = {"type": "string", "enum": ["moderator", "lead", "admin"]}
_COLLEAGUES = record(
    {
        "items": array(
            record(
                {
                    "id": {"type": "string", "format": "uuid"},
                    "name": nullable(
                        {"type": "string", "description": "As an admin gave it; never an e-mail address."}
                    ),
                    "role": nullable(_ROLES | {"description": "Null for somebody who left."}),
                }
            )
        )
    }
)
_EXAMPLE = {"items": [{"id": "01950000-0000-7000-8000-00000000000c", "name": "ليلى", "role": "lead"}]}

DIALECT = Dialect(
    name="Colleagues",
    description="Claims, decisions and history name people by id; this says who they are, to their colleagues alone.",
    operations=(
        Operation(
            "GET",
            "/v1/colleagues",
            "listColleagues",
            "List who moderates a site",
            callers=(PERSON,),
            parameters=(parameter("site", "query", {"type": "string"}, "The site.", required=True),),
            answers={200: Answer("By name.", {JSON: shown(_COLLEAGUES, _EXAMPLE)})},
            problems=("malformed-request", *KEYED, "unknown-site"),
        ),
    ),
)
