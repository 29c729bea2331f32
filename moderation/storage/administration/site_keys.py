"""The keys by which a site's own server calls; several may be live at a time."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from moderation.domain.errors import NotFoundError
from moderation.domain.ids import SiteId, new_uuid
from moderation.storage.administration.changes import audit, change
from moderation.storage.administration.finding import find_site_id
from moderation.storage.administration.tokens import SITE_PREFIX, new_token, token_hash
from moderation.storage.database import Connection, Database

DIALECTS = ("native",)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key, shown once."""

    id: UUID
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key in a list."""

    id: UUID
    dialect: str
    created_at: datetime
    revoked_at: datetime | None


async def add_key(database: Database, site: str, *, actor: str) -> NewKey:
    """Give a site one more key. Raises `UnknownSiteError`."""
    async with change(database) as connection:
        site_id = await find_site_id(connection, site)
        key = await insert_key(connection, site_id)
        await audit(connection, "site_key.added", actor=actor, site_id=site_id, subject=str(key.id))
    return key


async def list_keys(database: Database, site: str) -> list[KeyLine]:
    """Return a site's keys, live and revoked, oldest first. Raises `UnknownSiteError`."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT id, dialect, created_at, revoked_at FROM site_keys WHERE site_id = $1 ORDER BY id",
            await find_site_id(connection, site),
        )
    return [KeyLine(*row.values()) for row in rows]


async def revoke_key(database: Database, site: str, key_id: UUID, *, actor: str) -> None:
    """End a key; once more is harmless. Raises `UnknownSiteError`, and `NotFoundError` for another site's key or none."""
    async with change(database) as connection:
        site_id = await find_site_id(connection, site)
        done = await connection.execute(
            "UPDATE site_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 AND site_id = $2",
            key_id,
            site_id,
        )
        if done != "UPDATE 1":
            raise NotFoundError(f"The site {site!r} has no key {key_id}.")
        await audit(connection, "site_key.revoked", actor=actor, site_id=site_id, subject=str(key_id))


async def insert_key(connection: Connection, site_id: SiteId) -> NewKey:
    """Make a key; only inside of `change`."""
    key = NewKey(new_uuid(), new_token(SITE_PREFIX))
    await connection.execute(
        "INSERT INTO site_keys (id, site_id, dialect, token_hash) VALUES ($1, $2, $3, $4)",
        key.id,
        site_id,
        DIALECTS[0],
        token_hash(key.key),
    )
    return key
