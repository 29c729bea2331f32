"""Everything that a site holds of one person, found by e-mail, as JSON for that person. Holds private data."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from moderation.domain.clock import Clock, wire_time
from moderation.domain.ports import Vault
from moderation.domain.verdict import Scores
from moderation.privacy.erasure import email_identity
from moderation.storage.administration.changes import audit
from moderation.storage.administration.finding import find_site_id
from moderation.storage.database import Connection, Database

JsonObject = dict[str, Any]

_COMMENTS = """
SELECT c.*, t.url AS thread_url, t.title AS thread_title
  FROM comments c LEFT JOIN threads t ON t.site_id = c.site_id AND t.id = c.thread_id
 WHERE c.site_id = $1 AND c.email_hash = $2 ORDER BY c.id
"""
# What belongs to a comment, by the name it has in the export. Who of the staff decided is somebody else's data.
_PARTS = {
    "revisions": "SELECT comment_id, revision, text, author_name, author_url, replaced_at FROM revisions"
    " WHERE comment_id = ANY($1::uuid[]) ORDER BY comment_id, revision",
    "decisions": "SELECT comment_id, sequence, revision, state, verdict, reasons, scores, model, policy, decided_by, note,"
    " decided_at, origin FROM decisions WHERE comment_id = ANY($1::uuid[]) ORDER BY comment_id, sequence",
    "open_tasks": "SELECT comment_id, kind, revision, reasons FROM tasks WHERE comment_id = ANY($1::uuid[])",
    "recognised_until": "SELECT comment_id, expires_at FROM recognitions WHERE comment_id = ANY($1::uuid[])",
    "deliveries": "SELECT comment_id, sequence, attempted_at, outcome, status FROM delivery_attempts"
    " WHERE comment_id = ANY($1::uuid[]) ORDER BY comment_id, id",
}
_LABELS = """
SELECT source, text, language, spam, abuse, insult, obscene, threat, hate, reject, labelled_at FROM labels
 WHERE site_id = $1 AND (email_hash = $2 OR comment_id = ANY($3::uuid[])) ORDER BY labelled_at
"""
_SCAN_TIMEOUT_S = 600.0
_PLAIN = (
    "id",
    "external_id",
    "thread_id",
    "thread_url",
    "thread_title",
    "parent_id",
    "author_name",
    "author_url",
    "author_external_id",
    "user_agent",
    "text",
    "language",
    "context",
    "revision",
    "state",
    "origin",
    "created_at",
    "received_at",
)


async def export(
    database: Database, vault: Vault, site: str, email: str, *, clock: Clock, actor: str
) -> JsonObject:
    """Return what ``site``, removed or not, holds of the person with that address, as of one moment; the audit tells that it was asked for.

    Raises `UnknownSiteError`, and `InvalidConfigurationError` for what is no address.
    """
    identity = email_identity(vault, site, email)
    async with database.connection() as connection, connection.transaction(isolation="repeatable_read"):
        site_id = await find_site_id(connection, site, or_removed=True)
        rows = await connection.fetch(_COMMENTS, site_id, identity, timeout=_SCAN_TIMEOUT_S)
        ids = [row["id"] for row in rows]
        parts = await _read_parts(connection, ids)
        labels = await connection.fetch(_LABELS, site_id, identity, ids, timeout=_SCAN_TIMEOUT_S)
        author = await connection.fetchrow(
            "SELECT standing, approved, rejected FROM authors WHERE identity = $1", identity
        )
        await audit(connection, "author.exported", actor=actor, site_id=site_id, comments=len(rows))
    return {
        "site": site,
        "email": email,
        "exported_at": wire_time(clock()),
        "author": None if author is None else dict(author),
        "labelled_texts": [jsonable(row.items()) for row in labels],
        "comments": [_comment(vault, row, parts.get(row["id"], {})) for row in rows],
    }


async def _read_parts(connection: Connection, ids: list[UUID]) -> dict[UUID, dict[str, list[JsonObject]]]:
    found: dict[UUID, dict[str, list[JsonObject]]] = {}
    for name, query in _PARTS.items():
        for row in await connection.fetch(query, ids, timeout=_SCAN_TIMEOUT_S):
            values = jsonable(row.items())
            found.setdefault(row["comment_id"], {}).setdefault(name, []).append(values)
    return found


def _comment(vault: Vault, row: Any, parts: Mapping[str, list[JsonObject]]) -> JsonObject:
    opened = {
        name: None if row[f"{name}_sealed"] is None else vault.open(row[f"{name}_sealed"], name)
        for name in ("email", "address")
    }
    plain = jsonable((name, row[name]) for name in _PLAIN)
    return plain | opened | {name: parts.get(name, []) for name in _PARTS}


def jsonable(items: Iterable[tuple[str, Any]]) -> JsonObject:
    """Return a row as JSON takes it, without the comment that it belongs to."""
    return {name: _value(name, value) for name, value in items if name != "comment_id"}


def _value(name: str, value: Any) -> Any:
    if name == "scores" and value is not None:
        scores = Scores.from_list(value)
        return None if scores is None else scores.as_wire()
    if hasattr(value, "isoformat"):
        return wire_time(value)
    return str(value) if isinstance(value, UUID) else value
