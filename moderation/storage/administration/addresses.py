"""E-mail addresses of moderators: sealed at rest, and found by a keyed hash, as readers' are.

The release before knew plain text alone, and its processes may go on for a while after the schema was brought up to date. Until
``instance.plain_addresses_until``, a day after that, an address stands in the column ``email`` as well; what they add is sealed by
the next round of the retention job, which empties the column when the day is over. A fresh installation never has plain text.
"""

from typing import Any
from uuid import UUID

from moderation.domain.ports import SealedValueError, Vault
from moderation.storage.database import Connection, row_count

PURPOSE = "moderator_email"

WHERE = "(email_hash = $1 OR email = $2)"
"""Finds somebody by the values of `wanted`."""
_ADD = """
INSERT INTO moderators (id, name, email_hash, email_sealed, email)
SELECT $1, $2, $3, $4, CASE WHEN plain_addresses_until > now() THEN $5 END FROM instance
"""
_UNSEALED = "SELECT id, email FROM moderators WHERE email_hash IS NULL AND email IS NOT NULL ORDER BY id"
# Two people with one address there are only where a process of the release before went on beyond the day: left to an admin.
_SEAL = """
UPDATE moderators SET email_hash = $2, email_sealed = $3
 WHERE id = $1 AND email_hash IS NULL AND NOT EXISTS (SELECT FROM moderators WHERE email_hash = $2)
"""
_EMPTY = """
UPDATE moderators SET email = NULL
 WHERE email IS NOT NULL AND email_hash IS NOT NULL
   AND ($1 OR (SELECT plain_addresses_until > now() FROM instance) IS NOT TRUE)
"""


def wanted(vault: Vault, folded_email: str | None) -> tuple[bytes, str | None]:
    """Return what `WHERE` looks for, of an address as `fold_email` writes it."""
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
    for row in await connection.fetch(_UNSEALED):
        hashed, _ = wanted(vault, row["email"])
        await connection.execute(_SEAL, row["id"], hashed, vault.seal(row["email"], PURPOSE))
    return row_count(await connection.execute(_EMPTY, at_once))
