"""What is held of somebody who moderates: all of it as JSON for them, and erasing whatever names them. Holds private data."""

from typing import Any

from moderation.domain.clock import Clock, wire_time
from moderation.domain.ids import ModeratorId
from moderation.domain.ports import Vault
from moderation.privacy.export import JsonObject, jsonable
from moderation.storage.administration.changes import audit, change
from moderation.storage.administration.finding import find_moderator_ids
from moderation.storage.administration.shutting_out import shut_out
from moderation.storage.database import Database

_PERSON = """
SELECT id, name, created_at, disabled_at, password IS NOT NULL AS has_password, invited_until, second_factor_since FROM moderators
 WHERE id = ANY($1::uuid[]) ORDER BY created_at
"""
# By the name that each part has in the export. Secrets are left out: tokens and passwords are kept as hashes alone.
_PARTS = {
    "roles": "SELECT s.name AS site, r.role FROM moderator_roles r JOIN sites s ON s.id = r.site_id"
    " WHERE r.moderator_id = ANY($1::uuid[]) ORDER BY s.name",
    "tokens": "SELECT id, created_at, revoked_at FROM moderator_tokens WHERE moderator_id = ANY($1::uuid[]) ORDER BY created_at",
    "sessions": "SELECT device, began_at, seen_at FROM sessions WHERE moderator_id = ANY($1::uuid[]) ORDER BY began_at",
    "claims": "SELECT comment_id AS comment, kind, claim_expires_at FROM tasks WHERE claimed_by = ANY($1::uuid[])"
    " ORDER BY comment_id",
    "decisions": "SELECT s.name AS site, d.comment_id AS comment, d.sequence, d.revision, d.verdict, d.reasons, d.note, d.undoes,"
    " d.decided_at FROM decisions d JOIN sites s ON s.id = d.site_id WHERE d.decided_by = 'moderator' AND d.actor = ANY($1::text[])"
    " ORDER BY d.decided_at, d.comment_id, d.sequence",
    "labels": "SELECT s.name AS site, l.comment_id AS comment, l.source, l.labelled_at FROM labels l JOIN sites s ON s.id = l.site_id"
    " WHERE l.actor = ANY($1::text[]) ORDER BY l.labelled_at, l.comment_id",
    "audit": "SELECT s.name AS site, a.at, a.action, a.subject, a.details, a.actor = ANY($1::text[]) AS is_by_them FROM audit a"
    " LEFT JOIN sites s ON s.id = a.site_id WHERE a.actor = ANY($1::text[]) OR a.subject = ANY($1::text[]) ORDER BY a.id",
}
_SCAN_TIMEOUT_S = 600.0
_FORGET = """
UPDATE moderators SET email = NULL, email_hash = NULL, email_sealed = NULL, name = NULL WHERE id = $1
"""
_RELEASE = (
    "UPDATE tasks SET claim_id = NULL, claimed_by = NULL, claim_expires_at = NULL WHERE claimed_by = $1"
)


async def export_moderator(
    database: Database, vault: Vault, email: str, *, clock: Clock, actor: str
) -> JsonObject:
    """Return what is held of the person with that address, as of one moment; the audit tells that it was asked for.

    Raises `NotFoundError`, and `InvalidConfigurationError` for what is no address.
    """
    async with database.connection() as connection, connection.transaction(isolation="repeatable_read"):
        ids = await find_moderator_ids(connection, vault, email)
        written = [str(one) for one in ids]
        people = [jsonable(row.items()) for row in await connection.fetch(_PERSON, ids)]
        parts: dict[str, list[Any]] = {}
        for name, query in _PARTS.items():
            rows = await connection.fetch(
                query, ids if "uuid[]" in query else written, timeout=_SCAN_TIMEOUT_S
            )
            parts[name] = [jsonable(row.items()) for row in rows]
        for one in written:
            await audit(connection, "moderator.exported", actor=actor, subject=one)
    return {"email": email, "exported_at": wire_time(clock()), "known_as": people, **parts}


async def erase_moderator(database: Database, vault: Vault, email: str, *, actor: str) -> list[ModeratorId]:
    """Shut the person with that address out, and forget who they are. Returns the ids that are left of them.

    Gone are address, name, password, link, tokens, sessions, roles and claims. What they decided stays, with their notes, under an id
    that names nobody: it belongs to the comments, and goes with those. Raises as `export_moderator` does.
    """
    async with change(database) as connection:
        ids = await find_moderator_ids(connection, vault, email)
        for moderator_id in ids:
            await shut_out(connection, moderator_id)
            await connection.execute("DELETE FROM moderator_tokens WHERE moderator_id = $1", moderator_id)
            await connection.execute(_RELEASE, moderator_id)
            await connection.execute(_FORGET, moderator_id)
            await audit(connection, "moderator.erased", actor=actor, subject=str(moderator_id))
    return ids
