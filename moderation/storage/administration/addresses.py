"""E-mail addresses of moderators: sealed at rest, and found by a keyed hash, as readers' are.

The release before knew plain text alone, and its processes may go on for a while after the schema was brought up to date. Until
``instance.plain_addresses_until``, a day after that, an address stands in the column ``email`` as well; what they add is sealed by
the next round of the retention job, which empties the column when the day is over. A fresh installation never has plain text.
"""

from typing import Any
from uuid import UUID

import structlog

from moderation.domain.ids import ModeratorId
from moderation.domain.ports import SealedValueError, Vault
from moderation.storage.administration.changes import audit
from moderation.storage.administration.shutting_out import shut_out
from moderation.storage.database import Connection, row_count

PURPOSE = "moderator_email"

log = structlog.get_logger()

FIND = "SELECT id FROM moderators WHERE email_hash = $1 OR email = $2 ORDER BY email_hash NULLS LAST"
"""Finds somebody by the values of `wanted`; more than one where an older program went on for too long, the one that counts first."""
_ADD = """
INSERT INTO moderators (id, name, email_hash, email_sealed, email)
SELECT $1, $2, $3, $4, CASE WHEN plain_addresses_until > now() THEN $5 END FROM instance
"""
_UNSEALED = "SELECT id, email FROM moderators WHERE email_hash IS NULL AND email IS NOT NULL ORDER BY id"
_SEAL = """
UPDATE moderators SET email_hash = $2, email_sealed = $3
 WHERE id = $1 AND email_hash IS NULL AND NOT EXISTS (SELECT FROM moderators WHERE email_hash = $2)
"""
_EMPTY = """
UPDATE moderators SET email = NULL
 WHERE email IS NOT NULL AND email_hash IS NOT NULL
   AND (SELECT plain_addresses_until > now() FROM instance) IS NOT TRUE
"""


def wanted(vault: Vault, folded_email: str | None) -> tuple[bytes, str | None]:
    """Return what `FIND` looks for, of an address as `fold_email` writes it."""
    return vault.fingerprint(PURPOSE, folded_email), folded_email


async def insert_moderator(
    connection: Connection, vault: Vault, moderator_id: UUID, folded_email: str, name: str | None
) -> None:
    """Add a person whom nobody added yet; to be called inside `change`, where admins wait for each other."""
    hashed, _ = wanted(vault, folded_email)
    sealed = vault.seal(folded_email, PURPOSE)
    await connection.execute(_ADD, moderator_id, name, hashed, sealed, folded_email)


def address_of(vault: Vault, row: Any) -> str | None:
    """Return the address in a row with ``email_sealed`` and ``email``; None where the keys of it are lost."""
    if row["email_sealed"] is None:
        plain: str | None = row["email"]
        return plain
    try:
        return vault.open(row["email_sealed"], PURPOSE)
    except SealedValueError:
        return None


async def seal_addresses(connection: Connection, vault: Vault, *, at_once: bool = False) -> int:
    """Seal addresses that stand in plain text alone, and empty the plain ones when their day is over; return how many were emptied.

    ``at_once``: no process of the release before is there, so the day is over. Harmless when run again.
    """
    if at_once:
        await connection.execute("UPDATE instance SET plain_addresses_until = NULL")
    for row in await connection.fetch(_UNSEALED):
        hashed, _ = wanted(vault, row["email"])
        done = await connection.execute(_SEAL, row["id"], hashed, vault.seal(row["email"], PURPOSE))
        if row_count(done) == 0:
            await _drop_twin(connection, ModeratorId(row["id"]))
    return row_count(await connection.execute(_EMPTY))


async def _drop_twin(connection: Connection, moderator_id: ModeratorId) -> None:
    """Shut out whom a process of the release before added, beyond its day, under an address that somebody has already."""
    await shut_out(connection, moderator_id)
    await connection.execute("UPDATE moderators SET email = NULL WHERE id = $1", moderator_id)
    await audit(connection, "moderator.disabled", actor="service", subject=str(moderator_id))
    log.warning("moderator_twice", moderator=str(moderator_id))
