"""Shutting a person out everywhere, as part of a change."""

from moderation.domain.ids import ModeratorId
from moderation.storage.database import Connection
from moderation.storage.sessions import end_sessions

_DISABLE = """
UPDATE moderators SET disabled_at = coalesce(disabled_at, now()), password = NULL, invitation_hash = NULL, invited_until = NULL
 WHERE id = $1
"""
_REVOKE = "UPDATE moderator_tokens SET revoked_at = now() WHERE moderator_id = $1 AND revoked_at IS NULL"
_DROP_FACTOR = """
UPDATE moderators SET second_factor_sealed = NULL, second_factor_since = NULL, second_factor_step = NULL
 WHERE id = $1 AND second_factor_sealed IS NOT NULL
"""


async def shut_out(connection: Connection, moderator_id: ModeratorId) -> None:
    """End a person's roles, tokens, sessions, password and second factor.

    Roles too: whoever enables them again says anew what they may do.
    """
    await connection.execute(_DISABLE, moderator_id)
    await end_sessions(connection, moderator_id)
    await connection.execute("DELETE FROM moderator_roles WHERE moderator_id = $1", moderator_id)
    await connection.execute(_REVOKE, moderator_id)
    await drop_second_factor(connection, moderator_id)


async def drop_second_factor(connection: Connection, moderator_id: ModeratorId) -> bool:
    """Forget a person's second factor and recovery codes, as part of a change; return whether there was one."""
    await connection.execute("DELETE FROM recovery_codes WHERE moderator_id = $1", moderator_id)
    return await connection.execute(_DROP_FACTOR, moderator_id) == "UPDATE 1"
