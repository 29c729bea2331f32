"""Moderators: who they are, what they may do on which site, and the tokens by which they call."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from moderation.domain.errors import ConflictError, FieldError, InvalidConfigurationError, NotFoundError
from moderation.domain.identity import fold_email
from moderation.domain.ids import ModeratorId, new_uuid
from moderation.domain.ports import Vault
from moderation.domain.site import Role
from moderation.storage.administration.addresses import FIND, address_of, insert_moderator, wanted
from moderation.storage.administration.changes import audit, change
from moderation.storage.administration.emails import canonical_email
from moderation.storage.administration.finding import find_moderator_id, find_moderator_ids, find_site_id
from moderation.storage.administration.shutting_out import shut_out
from moderation.storage.administration.tokens import PERSON_PREFIX, new_token, token_hash
from moderation.storage.database import Connection, Database

MAX_NAME = 80

_ENABLE = f"UPDATE moderators SET disabled_at = NULL, name = coalesce($3, name) WHERE id = ({FIND} LIMIT 1) RETURNING id"  # noqa: S608 - our own words
_SET_ROLE = """
INSERT INTO moderator_roles (moderator_id, site_id, role) VALUES ($1, $2, $3)
ON CONFLICT (moderator_id, site_id) DO UPDATE SET role = excluded.role
"""
_LIST = """
SELECT m.id, m.email, m.email_sealed, m.name, m.created_at, m.disabled_at, m.second_factor_sealed IS NOT NULL AS second_factor,
       coalesce((SELECT jsonb_object_agg(s.name, r.role) FROM moderator_roles r JOIN sites s ON s.id = r.site_id
                  WHERE r.moderator_id = m.id AND s.removed_at IS NULL), '{}') AS roles,
       (SELECT count(*) FROM moderator_tokens t WHERE t.moderator_id = m.id AND t.revoked_at IS NULL) AS tokens
  FROM moderators m
 WHERE (m.disabled_at IS NULL OR m.email_sealed IS NOT NULL OR m.email IS NOT NULL) -- who was erased is nobody any more
   AND ($1::int IS NULL OR EXISTS (SELECT FROM moderator_roles r WHERE r.moderator_id = m.id AND r.site_id = $1))
"""


@dataclass(frozen=True, slots=True)
class ModeratorLine:
    """A moderator in a list: roles by site, and how many tokens are live."""

    id: UUID
    email: str | None = field(repr=False)
    """None where the keys that it was sealed with are lost."""
    name: str | None
    created_at: datetime
    disabled_at: datetime | None
    roles: dict[str, str]
    tokens: int
    second_factor: bool
    """Whether they have one."""


async def add_moderator(
    database: Database,
    vault: Vault,
    email: str,
    *,
    site: str,
    role: Role,
    actor: str,
    name: str | None = None,
) -> ModeratorId:
    """Give a person a role on a site, in place of the one they had there; a disabled person is enabled again.

    ``name`` is what colleagues see; without one, a name given before stays. Raises `UnknownSiteError`, and
    `InvalidConfigurationError` for what is no e-mail address, or a name that is one, blank or too long.
    """
    address, shown = fold_email(canonical_email(email)) or "", None if name is None else _name(name)
    async with change(database) as connection:
        site_id = await find_site_id(connection, site)
        found = await connection.fetchval(_ENABLE, *wanted(vault, address), shown)
        if found is None:
            found = new_uuid()
            await insert_moderator(connection, vault, found, address, shown)
        await connection.execute(_SET_ROLE, found, site_id, role.value)
        await audit(
            connection,
            "moderator.role_set",
            actor=actor,
            site_id=site_id,
            subject=str(found),
            role=role.value,
        )
    return ModeratorId(found)


def _name(written: str) -> str:
    name = " ".join(written.split())
    if not 0 < len(name) <= MAX_NAME or "@" in name or not name.isprintable():
        allowed = f"1 to {MAX_NAME} characters, and no e-mail address"
        raise InvalidConfigurationError([FieldError("/name", "invalid_value", {"allowed": allowed})])
    return name


async def add_token(database: Database, vault: Vault, email: str, *, actor: str) -> str:
    """Give a moderator one more token, shown once. Raises `NotFoundError`, and `ConflictError` for a disabled one."""
    token = new_token(PERSON_PREFIX)
    async with change(database) as connection:
        moderator_id = await find_moderator_id(connection, vault, email)
        await refuse_disabled(connection, moderator_id, email)
        await connection.execute(
            "INSERT INTO moderator_tokens (id, moderator_id, token_hash) VALUES ($1, $2, $3)",
            new_uuid(),
            moderator_id,
            token_hash(token),
        )
        await audit(connection, "moderator.token_added", actor=actor, subject=str(moderator_id))
    return token


async def list_moderators(database: Database, vault: Vault, site: str | None = None) -> list[ModeratorLine]:
    """Return everybody, or those with a role on ``site``, by e-mail. Raises `UnknownSiteError`."""
    async with database.connection() as connection:
        site_id = None if site is None else await find_site_id(connection, site)
        rows = await connection.fetch(_LIST, site_id)
    return sorted((_line(vault, row) for row in rows), key=lambda line: line.email or "")


def _line(vault: Vault, row: Any) -> ModeratorLine:
    shown = ("id", "name", "created_at", "disabled_at", "roles", "tokens", "second_factor")
    return ModeratorLine(email=address_of(vault, row), **{name: row[name] for name in shown})


async def disable_moderator(database: Database, vault: Vault, email: str, *, actor: str) -> None:
    """Shut a person out everywhere: their roles, tokens, sessions and password end; what they decided stays.

    Once more is harmless. Raises `NotFoundError`.
    """
    async with change(database) as connection:
        for moderator_id in await find_moderator_ids(connection, vault, email):
            await shut_out(connection, moderator_id)
            await audit(connection, "moderator.disabled", actor=actor, subject=str(moderator_id))


async def remove_role(database: Database, vault: Vault, email: str, *, site: str, actor: str) -> None:
    """Take a person's role on one site away. Raises `UnknownSiteError`, and `NotFoundError` where they have none."""
    async with change(database) as connection:
        site_id = await find_site_id(connection, site)
        ids = await find_moderator_ids(connection, vault, email)
        done = await connection.fetch(
            "DELETE FROM moderator_roles WHERE moderator_id = ANY($1::uuid[]) AND site_id = $2 RETURNING moderator_id",
            ids,
            site_id,
        )
        if not done:
            raise NotFoundError(f"{email!r} has no role on the site {site!r}.")
        for (found,) in done:
            await audit(
                connection, "moderator.role_removed", actor=actor, site_id=site_id, subject=str(found)
            )


async def refuse_disabled(connection: Connection, moderator_id: ModeratorId, email: str) -> None:
    """Raise `ConflictError` for somebody who is shut out."""
    if await connection.fetchval("SELECT disabled_at FROM moderators WHERE id = $1", moderator_id):
        raise ConflictError(f"{email!r} is disabled; give them a role again to enable them.")
