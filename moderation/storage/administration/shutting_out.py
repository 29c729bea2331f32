"""Shutting a person out everywhere, as part of a change."""

from moderation.domain.ids import ModeratorId
from moderation.storage.database import Connection
from moderation.storage.sessions import end_sessions

_DISABLE = """
UPDATE moderators SET disabled_at = coalesce(disabled_at, now()), password = NULL, invitation_hash = NULL, invited_until = NULL
 WHERE id = $1
"""
_REVOKE = "UPDATE moderator_tokens SET revoked_at = now() WHERE moderator_id = $1 AND revoked_at IS NULL"


async def shut_out(connection: Connection, moderator_id: ModeratorId) -> None:
    """End a person's roles, tokens, sessions and password. Roles too: whoever enables them again says anew what they may do."""
    await connection.execute(_DISABLE, moderator_id)
    await end_sessions(connection, moderator_id)
    await connection.execute("DELETE FROM moderator_roles WHERE moderator_id = $1", moderator_id)
    await connection.execute(_REVOKE, moderator_id)
