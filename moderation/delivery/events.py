"""One decision as its site hears it: codes, ids and times; never text, name, e-mail or address."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from moderation.domain import messages
from moderation.domain.clock import wire_time
from moderation.domain.verdict import State

JsonObject = dict[str, Any]

EVENT_COLUMNS = """d.comment_id, d.sequence, d.revision, d.state, d.verdict, d.reasons, d.decided_by, d.decided_at,
       d.origin, c.external_id"""
"""What `event` needs of ``decisions d`` and ``comments c``."""


def event(row: Mapping[str, Any], language: str) -> JsonObject:
    """Return the event of a row with `EVENT_COLUMNS`; the reasons are worded in ``language``.

    The same row and language give the same event, so a retry repeats what was sent before.
    """
    decided_at = wire_time(row["decided_at"])
    return {
        "type": "comment.deleted" if row["state"] == State.DELETED else "comment.decided",
        "timestamp": decided_at,
        "data": {
            "id": str(row["comment_id"]),
            "external_id": row["external_id"],
            "sequence": row["sequence"],
            "revision": row["revision"],
            "state": row["state"],
            "verdict": row["verdict"],
            "reasons": [_reason(stored["code"], language) for stored in row["reasons"]],
            "decided_by": row["decided_by"],
            "decided_at": decided_at,
            "origin": row["origin"],
        },
    }


def event_id(comment_id: UUID, sequence: int) -> str:
    """Return the ``webhook-id``: the same for every attempt at one event, and for no other event."""
    return f"evt_{comment_id}_{sequence}"


def encode(value: JsonObject) -> bytes:
    """Return the bytes that are signed and sent."""
    return orjson.dumps(value)


def _reason(code: str, language: str) -> JsonObject:
    # A code written by a newer program has no words here; it must not keep the event from leaving.
    if code not in messages.codes():
        return {"code": code}
    return {"code": code, "message": messages.message(code, language)}
