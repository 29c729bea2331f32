"""Second factors of people at the console: sealed secrets and hashed recovery codes. Making and checking them is the caller's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from moderation.domain.ids import ModeratorId
from moderation.domain.ports import Vault
from moderation.storage.administration.changes import audit
from moderation.storage.administration.finding import find_moderator_ids
from moderation.storage.administration.shutting_out import drop_second_factor
from moderation.storage.administration.tokens import token_hash
from moderation.storage.database import Connection, Database
from moderation.storage.sessions import end_sessions

_KEEP = """
UPDATE moderators SET second_factor_sealed = $3, second_factor_step = $4, second_factor_since = $5
 WHERE id = $1 AND password = $2 AND disabled_at IS NULL AND second_factor_sealed IS NULL
"""
_USE = """
UPDATE moderators SET second_factor_step = $3
 WHERE id = $1 AND second_factor_sealed = $2 AND coalesce(second_factor_step, -1) < $3
"""
_LAST = "SELECT second_factor_since AS since FROM moderators WHERE id = $1"
_LEFT = "SELECT count(*) FROM recovery_codes WHERE moderator_id = $1"


@dataclass(frozen=True, slots=True)
class NewFactor:
    """What is kept once somebody has shown that their authenticator works."""

    sealed: bytes = field(repr=False)
    step: int
    """Of the code by which they showed it."""
    recovery: Sequence[bytes] = field(repr=False)
    """Hashes."""
    at: datetime


async def keep_factor(
    database: Database, moderator_id: ModeratorId, factor: NewFactor, *, password: str, session: str | None
) -> bool:
    """Set a person's second factor, and end their sessions but the one it was set in; False where they have one, or another password."""
    async with database.transaction() as connection:
        done = await connection.execute(_KEEP, moderator_id, password, factor.sealed, factor.step, factor.at)
        if done != "UPDATE 1":
            return False
        await _replace_recovery(connection, moderator_id, factor.recovery)
        await connection.execute(
            "DELETE FROM sessions WHERE moderator_id = $1 AND token_hash IS DISTINCT FROM $2",
            moderator_id,
            None if session is None else token_hash(session),
        )
        await audit(
            connection, "moderator.second_factor_set", actor=str(moderator_id), subject=str(moderator_id)
        )
    return True


async def since_and_left(database: Database, moderator_id: ModeratorId) -> tuple[datetime | None, int]:
    """Return since when the factor is set, None without one, and how many recovery codes are left."""
    async with database.connection() as connection:
        row = await connection.fetchrow(_LAST, moderator_id)
        left: int = await connection.fetchval(_LEFT, moderator_id)
    return (None if row is None else row["since"]), left


async def use_step(database: Database, moderator_id: ModeratorId, sealed: bytes, step: int) -> bool:
    """Take the code of a step, once; False where it, or a later one, was taken already, or the factor is another."""
    async with database.connection() as connection:
        return await connection.execute(_USE, moderator_id, sealed, step) == "UPDATE 1"


async def use_recovery_code(database: Database, moderator_id: ModeratorId, code_hash: bytes) -> bool:
    """Take a recovery code, once; False for one that is none."""
    async with database.transaction() as connection:
        done = await connection.execute(
            "DELETE FROM recovery_codes WHERE moderator_id = $1 AND code_hash = $2", moderator_id, code_hash
        )
        if done != "DELETE 1":
            return False
        person = str(moderator_id)
        await audit(connection, "moderator.recovery_code_used", actor=person, subject=person)
    return True


async def renew_recovery_codes(
    database: Database, moderator_id: ModeratorId, hashes: Sequence[bytes]
) -> None:
    """Replace all recovery codes of a person."""
    async with database.transaction() as connection:
        await _replace_recovery(connection, moderator_id, hashes)
        person = str(moderator_id)
        await audit(connection, "moderator.recovery_codes_renewed", actor=person, subject=person)


async def remove_factor(database: Database, moderator_id: ModeratorId) -> None:
    """Let a person do without again, as they wish."""
    async with database.transaction() as connection:
        await drop_second_factor(connection, moderator_id)
        person = str(moderator_id)
        await audit(connection, "moderator.second_factor_removed", actor=person, subject=person)


async def reset_factor(database: Database, vault: Vault, email: str, *, actor: str) -> bool:
    """Take the second factor of somebody who lost it away, and sign them out everywhere; False where they had none.

    Raises `NotFoundError`, and `InvalidConfigurationError` for what is no address.
    """
    async with database.transaction() as connection:
        had_one = False
        for moderator_id in await find_moderator_ids(connection, vault, email):
            had_one |= await drop_second_factor(connection, moderator_id)
            await end_sessions(connection, moderator_id)
            await audit(connection, "moderator.second_factor_reset", actor=actor, subject=str(moderator_id))
    return had_one


async def _replace_recovery(
    connection: Connection, moderator_id: ModeratorId, hashes: Sequence[bytes]
) -> None:
    await connection.execute("DELETE FROM recovery_codes WHERE moderator_id = $1", moderator_id)
    await connection.execute(
        "INSERT INTO recovery_codes (moderator_id, code_hash) SELECT $1, unnest($2::bytea[])",
        moderator_id,
        list(hashes),
    )
