"""Passwords of moderators, and the one-time links by which they set them. Hashing is the caller's, above this layer."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moderation.domain.ids import ModeratorId
from moderation.domain.ports import Vault
from moderation.storage.administration.addresses import FIND, address_of, wanted
from moderation.storage.administration.changes import audit
from moderation.storage.administration.finding import find_moderator_id
from moderation.storage.administration.moderators import refuse_disabled
from moderation.storage.administration.tokens import new_token, token_hash
from moderation.storage.database import Connection, Database
from moderation.storage.sessions import end_sessions

INVITED_FOR = timedelta(days=7)
INVITATION_PREFIX = "mdi_"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in; ``password`` is the encoded hash, None where none was set."""

    id: ModeratorId
    email: str | None = field(repr=False)
    """None where the keys that it was sealed with are lost."""
    password: str | None = field(repr=False)
    second_factor: bytes | None = field(repr=False)
    """The sealed secret of it; None where none is set."""


async def find_account(database: Database, vault: Vault, folded_email: str) -> Account | None:
    """Return the account of an address as `fold_email` writes it; None for nobody, and for somebody who is disabled."""
    return await _account(database, vault, f"id = ({FIND} LIMIT 1)", *wanted(vault, folded_email))


async def account_of(database: Database, vault: Vault, moderator_id: ModeratorId) -> Account | None:
    """Return the account of somebody; None for nobody, and for somebody who is disabled."""
    return await _account(database, vault, "id = $1", moderator_id)


async def invited_account(database: Database, vault: Vault, token: str, *, now: datetime) -> Account | None:
    """Return whose link that is, if it is still good."""
    where = "invitation_hash = $1 AND invited_until > $2"
    return await _account(database, vault, where, token_hash(token), now)


async def invite(database: Database, vault: Vault, email: str, *, actor: str, now: datetime) -> str:
    """Return the token of a link that sets a password once, within `INVITED_FOR`; the link before it ends.

    Raises `NotFoundError`, and `ConflictError` for somebody who is disabled.
    """
    token = new_token(INVITATION_PREFIX)
    async with database.transaction() as connection:
        moderator_id = await find_moderator_id(connection, vault, email)
        await refuse_disabled(connection, moderator_id, email)
        await connection.execute(
            "UPDATE moderators SET invitation_hash = $2, invited_until = $3 WHERE id = $1",
            moderator_id,
            token_hash(token),
            now + INVITED_FOR,
        )
        await audit(connection, "moderator.invited", actor=actor, subject=str(moderator_id))
    return token


async def invite_newcomer(
    database: Database, vault: Vault, email: str, *, actor: str, now: datetime
) -> str | None:
    """Return a link's token as `invite` does, or None for somebody who has a password."""
    async with database.connection() as connection:
        moderator_id = await find_moderator_id(connection, vault, email)
        is_set = await connection.fetchval("SELECT password FROM moderators WHERE id = $1", moderator_id)
    return None if is_set else await invite(database, vault, email, actor=actor, now=now)


async def set_password(database: Database, vault: Vault, email: str, encoded: str, *, actor: str) -> None:
    """Set the password of somebody who is signed in nowhere from then on. Raises like `invite`."""
    async with database.transaction() as connection:
        moderator_id = await find_moderator_id(connection, vault, email)
        await refuse_disabled(connection, moderator_id, email)
        await _set(connection, moderator_id, encoded, actor=actor)


async def accept_invitation(
    database: Database, token: str, encoded: str, *, now: datetime
) -> ModeratorId | None:
    """Set the password of whoever was sent the link; None, and nothing set, where the link is good no more."""
    async with database.transaction() as connection:
        found = await connection.fetchval(
            "SELECT id FROM moderators WHERE invitation_hash = $1 AND invited_until > $2 AND disabled_at IS NULL FOR UPDATE",
            token_hash(token),
            now,
        )
        if found is not None:
            await _set(connection, ModeratorId(found), encoded, actor=str(found))
    return None if found is None else ModeratorId(found)


async def renew_hash(database: Database, account: Account, encoded: str) -> None:
    """Keep the same password by a hash with today's parameters; one that was changed meanwhile stays."""
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE moderators SET password = $3 WHERE id = $1 AND password = $2",
            account.id,
            account.password,
            encoded,
        )


async def _account(database: Database, vault: Vault, where: str, *values: Any) -> Account | None:
    async with database.connection() as connection:
        row = await connection.fetchrow(
            f"SELECT id, email, email_sealed, password, second_factor_sealed FROM moderators WHERE {where} AND disabled_at IS NULL",  # noqa: S608 - our own words
            *values,
        )
    if row is None:
        return None
    return Account(
        ModeratorId(row["id"]), address_of(vault, row), row["password"], row["second_factor_sealed"]
    )


async def _set(connection: Connection, moderator_id: ModeratorId, encoded: str, *, actor: str) -> None:
    await connection.execute(
        "UPDATE moderators SET password = $2, invitation_hash = NULL, invited_until = NULL WHERE id = $1",
        moderator_id,
        encoded,
    )
    await end_sessions(connection, moderator_id)
    await audit(connection, "moderator.password_set", actor=actor, subject=str(moderator_id))
