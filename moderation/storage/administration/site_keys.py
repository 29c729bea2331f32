"""The keys by which a site's own server calls; several may be live at a time."""

from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from uuid import UUID

from moderation.domain.errors import FieldError, InvalidConfigurationError, NotFoundError
from moderation.domain.ids import SiteId, new_uuid
from moderation.domain.ports import Vault
from moderation.storage.administration.changes import audit, change
from moderation.storage.administration.finding import find_site_id
from moderation.storage.administration.tokens import SITE_PREFIX, new_token, token_hash
from moderation.storage.database import Connection, Database

DIALECTS = ("native", "akismet", "perspective", "coral")
AKISMET = "akismet"
AKISMET_KEY_BYTES = 6
"""12 hexadecimal digits: what the WordPress plugin takes for a key. So few can be tried through; hence the keyed hash."""
SIGNING = frozenset({"coral"})
"""Dialects whose key is a secret that both sides sign with: kept sealed, for we need it again; never good as a token."""
SEALED_AS = "site_key"
MAX_SECRET = 200


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


async def add_key(database: Database, site: str, *, actor: str, dialect: str = DIALECTS[0]) -> NewKey:
    """Give a site one more key, good for one dialect. Raises `UnknownSiteError`."""
    async with change(database) as connection:
        site_id = await find_site_id(connection, site)
        key = await insert_key(connection, site_id, dialect)
        await audit(
            connection, "site_key.added", actor=actor, site_id=site_id, subject=str(key.id), dialect=dialect
        )
    return key


async def add_signing_key(
    database: Database, vault: Vault, site: str, *, actor: str, dialect: str, secret: str | None = None
) -> NewKey:
    """Give a site one more signing secret: ``secret`` where the other side made it, else a fresh one.

    Raises `UnknownSiteError`, and `InvalidConfigurationError` for a secret that nothing could be signed with.
    """
    if secret is not None and not (
        16 <= len(secret) <= MAX_SECRET and secret.isascii() and secret.isprintable()
    ):
        fault = FieldError(
            "/secret", "invalid_value", {"allowed": f"16 to {MAX_SECRET} printable characters"}
        )
        raise InvalidConfigurationError([fault])
    key = NewKey(new_uuid(), secret or new_token(SITE_PREFIX))
    async with change(database) as connection:
        site_id = await find_site_id(connection, site)
        sealed = vault.seal(key.key, SEALED_AS)
        await connection.execute(
            _INSERT, key.id, site_id, dialect, token_hash(f"{key.id} {key.key}"), sealed
        )  # the hash is of no token: a secret that both sides know must not open the API
        await audit(
            connection, "site_key.added", actor=actor, site_id=site_id, subject=str(key.id), dialect=dialect
        )
    return key


async def add_akismet_key(database: Database, vault: Vault, site: str, *, actor: str) -> NewKey:
    """Give a site one more key for Akismet clients; kept sealed too, for calls to them carry it. Raises `UnknownSiteError`."""
    key = NewKey(new_uuid(), token_hex(AKISMET_KEY_BYTES))
    digest, sealed = akismet_key_hash(vault, key.key), vault.seal(key.key, SEALED_AS)
    async with change(database) as connection:
        site_id = await find_site_id(connection, site)
        await connection.execute(_INSERT, key.id, site_id, AKISMET, digest, sealed)
        name = str(key.id)
        await audit(connection, "site_key.added", actor=actor, site_id=site_id, subject=name, dialect=AKISMET)
    return key


def akismet_key_hash(vault: Vault, key: str) -> bytes:
    """Return by what an Akismet key is found; ``key`` in small letters."""
    return vault.fingerprint("site_key", AKISMET, key)


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


async def insert_key(connection: Connection, site_id: SiteId, dialect: str = DIALECTS[0]) -> NewKey:
    """Make a key; only inside of `change`."""
    key = NewKey(new_uuid(), new_token(SITE_PREFIX))
    await connection.execute(_INSERT, key.id, site_id, dialect, token_hash(key.key), None)
    return key


_INSERT = "INSERT INTO site_keys (id, site_id, dialect, token_hash, sealed) VALUES ($1, $2, $3, $4, $5)"
