"""Adding, listing, changing and removing sites."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moderation.domain.errors import ConflictError, FieldError, InvalidConfigurationError
from moderation.domain.ids import SiteId
from moderation.domain.nesting import merged
from moderation.domain.ports import Vault
from moderation.domain.signatures import new_secret
from moderation.domain.site import SiteSettings
from moderation.storage.administration.changes import audit, change
from moderation.storage.administration.finding import find_site, find_site_id
from moderation.storage.administration.policies import PolicyVersion, latest_policy, write_policy
from moderation.storage.administration.site_fields import check_name, read_columns
from moderation.storage.administration.site_keys import insert_key
from moderation.storage.database import Connection, Database

_ADD = """
INSERT INTO sites (name, title, url, language, webhook_url, webhook_secrets, inbound_secrets, settings)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id
"""
_LIST = """
SELECT s.name, s.title, s.url, s.language, s.created_at,
       (SELECT policy->>'mode' FROM policies WHERE site_id = s.id ORDER BY version DESC LIMIT 1) AS mode,
       (SELECT count(*) FROM tasks WHERE site_id = s.id) AS open_tasks
  FROM sites s WHERE removed_at IS NULL ORDER BY name
"""
SECRET_COLUMNS = {"webhook": "webhook_secrets", "inbound": "inbound_secrets"}
SECRET_PURPOSES = {"webhook": "webhook_secret", "inbound": "inbound_secret"}


@dataclass(frozen=True, slots=True)
class NewSite:
    """What an admin says of a new site; ``mode`` goes into version 1 of its policy."""

    name: str
    url: str
    title: str | None = None
    language: str = "ar"
    mode: str = "pre"
    webhook_url: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SiteCredentials:
    """What a new site needs to talk to us; shown once."""

    site: str
    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    inbound_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """A site as an admin may see it; ``settings`` are those in force, the defaults filled in."""

    id: SiteId
    name: str
    title: str
    url: str
    language: str
    webhook_url: str | None
    settings: SiteSettings
    policy: PolicyVersion
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SiteLine:
    """A site in a list."""

    name: str
    title: str
    url: str
    language: str
    created_at: datetime
    mode: str
    open_tasks: int


async def add_site(database: Database, vault: Vault, new: NewSite, *, actor: str) -> SiteCredentials:
    """Add a site with one key, both secrets and version 1 of its policy.

    Raises `InvalidConfigurationError` naming every fault, and `ConflictError` for a name that is or was in use.
    """
    columns = _checked_columns(new)
    secrets = {kind: new_secret() for kind in SECRET_PURPOSES}
    async with change(database) as connection:
        await _refuse_used_name(connection, new.name)
        site_id = SiteId(
            await connection.fetchval(
                _ADD,
                new.name,
                columns["title"],
                columns["url"],
                columns["language"],
                columns["webhook_url"],
                [vault.seal(secrets["webhook"], SECRET_PURPOSES["webhook"])],
                [vault.seal(secrets["inbound"], SECRET_PURPOSES["inbound"])],
                dict(new.settings),
            )
        )
        await write_policy(connection, site_id, {"mode": new.mode}, actor=actor)
        key = await insert_key(connection, site_id)
        await audit(connection, "site.added", actor=actor, site_id=site_id, subject=new.name)
    return SiteCredentials(new.name, key.key, secrets["webhook"], secrets["inbound"])


async def list_sites(database: Database) -> list[SiteLine]:
    """Return all sites that are not removed, by name."""
    async with database.connection() as connection:
        return [SiteLine(*row.values()) for row in await connection.fetch(_LIST)]


async def show_site(database: Database, name: str) -> SiteRecord:
    """Return one site. Raises `UnknownSiteError`, which names those with a similar name."""
    async with database.connection() as connection:
        row = await find_site(connection, name)
        policy = await latest_policy(connection, SiteId(row["id"]))
    return _record(row, policy)


async def set_site(database: Database, name: str, changes: Mapping[str, Any], *, actor: str) -> SiteRecord:
    """Change columns (title, url, language, webhook_url), the mode, and settings; `UNSET` brings a default back.

    ``changes`` is nested as the settings are. A changed mode is a new version of the policy. All or nothing.
    Raises `UnknownSiteError`, and `InvalidConfigurationError` naming every fault.
    """
    columns, faults = read_columns(changes)
    asked = {key: value for key, value in changes.items() if key not in columns and key != "mode"}
    async with change(database) as connection:
        row = await find_site(connection, name)
        settings = merged(row["settings"], asked)
        faults += _settings_faults(settings) + await _set_mode(connection, row, changes, actor=actor)
        if faults:
            raise InvalidConfigurationError(faults)
        await _update(connection, row, columns, settings)
        keys = sorted(changes)
        await audit(connection, "site.set", actor=actor, site_id=SiteId(row["id"]), subject=name, keys=keys)
        row = await find_site(connection, name)
        policy = await latest_policy(connection, SiteId(row["id"]))
    return _record(row, policy)


async def remove_site(database: Database, name: str, *, actor: str) -> None:
    """Close a site: its keys end and nobody reaches it any more; what it holds stays stored. Raises `UnknownSiteError`."""
    async with change(database) as connection:
        site_id = await find_site_id(connection, name)
        await connection.execute("UPDATE sites SET removed_at = now() WHERE id = $1", site_id)
        await connection.execute(
            "UPDATE site_keys SET revoked_at = now() WHERE site_id = $1 AND revoked_at IS NULL", site_id
        )
        await audit(connection, "site.removed", actor=actor, site_id=site_id, subject=name)


async def renew_secret(
    database: Database, vault: Vault, name: str, kind: str, *, actor: str, keep_old: bool
) -> str:
    """Give a site a fresh signing secret, ``kind`` webhook or inbound; the one before stays good if it is to be kept.

    Raises `UnknownSiteError`.
    """
    secret = new_secret()
    column = SECRET_COLUMNS[kind]
    async with change(database) as connection:
        row = await find_site(connection, name, for_change=True)
        kept = row[column][:1] if keep_old else []
        sealed = [vault.seal(secret, SECRET_PURPOSES[kind]), *kept]
        await connection.execute(
            f"UPDATE sites SET {column} = $2 WHERE id = $1",  # noqa: S608 - one of two names of our own
            row["id"],
            sealed,
        )
        site_id = SiteId(row["id"])
        await audit(connection, "site.secret_renewed", actor=actor, site_id=site_id, subject=name, kind=kind)
    return secret


async def _refuse_used_name(connection: Connection, name: str) -> None:
    row = await connection.fetchrow("SELECT removed_at FROM sites WHERE name = $1", name)
    if row is not None:
        fate = "exists already" if row["removed_at"] is None else "was removed, and names are not used again"
        raise ConflictError(f"The site {name!r} {fate}.")


def _checked_columns(new: NewSite) -> dict[str, str | None]:
    check_name(new.name)
    given = {
        "title": new.title or new.name,
        "url": new.url,
        "language": new.language,
        "webhook_url": new.webhook_url,
    }
    columns, faults = read_columns(given)
    faults += _settings_faults(new.settings)
    if faults:
        raise InvalidConfigurationError(faults)
    return columns


def _settings_faults(settings: Any) -> list[FieldError]:
    try:
        SiteSettings.from_json(settings)
    except InvalidConfigurationError as error:
        return error.errors
    return []


async def _set_mode(
    connection: Connection, row: Any, changes: Mapping[str, Any], *, actor: str
) -> list[FieldError]:
    if "mode" not in changes:
        return []
    try:
        await write_policy(connection, SiteId(row["id"]), {"mode": changes["mode"]}, actor=actor)
    except InvalidConfigurationError as error:
        return error.errors
    return []


async def _update(
    connection: Connection, row: Any, columns: Mapping[str, str | None], settings: dict[str, Any]
) -> None:
    kept = {name: columns.get(name, row[name]) for name in ("title", "url", "language", "webhook_url")}
    await connection.execute(
        "UPDATE sites SET title = $2, url = $3, language = $4, webhook_url = $5, settings = $6 WHERE id = $1",
        row["id"],
        *kept.values(),
        settings,
    )


def _record(row: Any, policy: PolicyVersion) -> SiteRecord:
    return SiteRecord(
        id=SiteId(row["id"]),
        name=row["name"],
        title=row["title"],
        url=row["url"],
        language=row["language"],
        webhook_url=row["webhook_url"],
        settings=SiteSettings.from_json(row["settings"]),
        policy=policy,
        created_at=row["created_at"],
    )
