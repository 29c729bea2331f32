"""Who is who: sites, keys and moderators, cached in each process and fresh within two seconds.

Every change by an admin raises ``instance.config_version``; a process that sees a new version forgets what it cached.
Unknown tokens are never cached, so a new key works at once.
"""

import hashlib
from collections import OrderedDict
from typing import Any

import asyncpg

from moderation.domain.errors import UnknownSiteError
from moderation.domain.ids import SITE_NAME, ModeratorId, SiteId
from moderation.domain.policy import Policy
from moderation.domain.rates import Limits
from moderation.domain.site import (
    AkismetDoubt,
    Caller,
    CoralClean,
    Person,
    Role,
    Site,
    SiteCaller,
    SiteSettings,
)
from moderation.storage.database import Connection, Database
from moderation.storage.repetition import repeat

REFRESH_S = 1.0
MAX_CACHED = 50_000

_SITE = """
SELECT s.id, s.name, s.title, s.url, s.language, s.webhook_url, s.webhook_secrets, s.inbound_secrets, s.settings,
       p.version AS policy_version, p.policy
  FROM sites s JOIN LATERAL (SELECT version, policy FROM policies WHERE site_id = s.id ORDER BY version DESC LIMIT 1) p ON true
 WHERE s.removed_at IS NULL AND {where}
"""
_SECRETS = """
SELECT sealed FROM site_keys
 WHERE site_id = $1 AND dialect = $2 AND sealed IS NOT NULL AND revoked_at IS NULL ORDER BY id DESC
"""


class Directory:
    """Looks up sites by name, and callers by key or token. Raises `DependencyUnavailableError` when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._callers: OrderedDict[bytes, Caller] = OrderedDict()
        self._sites: dict[str, Site] = {}
        self._secrets: dict[tuple[SiteId, str], tuple[bytes, ...]] = {}
        self._version: int | None = None

    async def caller(self, token: str) -> Caller | None:
        """Return who a live key or token belongs to, or None."""
        digest = hashlib.sha256(token.encode()).digest()
        cached = self._callers.get(digest)
        if cached is not None:
            return cached
        version = self._version
        found = await self._find_caller(token, digest)
        if (
            found is not None and version == self._version
        ):  # else it may be older than what an admin just changed
            self._remember(digest, found)
        return found

    def known_caller(self, token: str) -> Caller | None:
        """Return who a token belongs to where that is known already; None tells nothing of the token."""
        return self._callers.get(hashlib.sha256(token.encode()).digest())

    async def site_caller(self, dialect: str, digest: bytes) -> SiteCaller | None:
        """Return whose live key of ``dialect`` has that hash, or None; for dialects whose keys are found by a hash of their own."""
        cached = self._callers.get(digest)
        if cached is not None:
            return cached if isinstance(cached, SiteCaller) and cached.dialect == dialect else None
        version = self._version
        async with self._database.connection() as connection:
            found = await _find_site_caller(connection, digest)
        if found is None or found.dialect != dialect:
            return None
        if version == self._version:
            self._remember(digest, found)
        return found

    def _remember(self, digest: bytes, caller: Caller) -> None:
        self._callers[digest] = caller
        if len(self._callers) > MAX_CACHED:
            self._callers.popitem(last=False)

    async def site(self, name: str) -> Site:
        """Return the site of that name. Raises `UnknownSiteError`."""
        if not SITE_NAME.fullmatch(name):
            raise UnknownSiteError
        return self._sites.get(name) or await self._find_site("s.name = $1", name)

    async def site_by_id(self, site_id: SiteId) -> Site:
        """Return the site with that number. Raises `UnknownSiteError`."""
        for site in self._sites.values():
            if site.id == site_id:
                return site
        return await self._find_site("s.id = $1", site_id)

    async def signing_secrets(self, site_id: SiteId, dialect: str) -> tuple[bytes, ...]:
        """Return the site's live signing secrets of a dialect, sealed, newest first."""
        cached = self._secrets.get((site_id, dialect))
        if cached is not None:
            return cached
        version = self._version
        async with self._database.connection() as connection:
            rows = await connection.fetch(_SECRETS, site_id, dialect)
        found = tuple(row["sealed"] for row in rows)
        if found and version == self._version:
            self._secrets[site_id, dialect] = found
        return found

    async def watch(self) -> None:
        """Forget what was cached whenever an admin changed something; runs until cancelled, survives an absent PostgreSQL."""
        await repeat(self.refresh, job="directory", every_s=REFRESH_S)

    async def refresh(self) -> None:
        """Compare the version once, and forget what was cached if it moved."""
        async with self._database.connection() as connection:
            version = await connection.fetchval("SELECT config_version FROM instance")
        if version != self._version:
            self._callers.clear()
            self._sites.clear()
            self._secrets.clear()
            self._version = version

    async def _find_site(self, where: str, value: str | int) -> Site:
        version = self._version
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_SITE.format(where=where), value)
        if row is None:
            raise UnknownSiteError
        site = site_from_row(row)
        if version == self._version:
            self._sites[site.name] = site
        return site

    async def _find_caller(self, token: str, digest: bytes) -> Caller | None:
        async with self._database.connection() as connection:
            if token.startswith("mds_"):
                return await _find_site_caller(connection, digest)
            if token.startswith("mdu_"):
                return await _find_person(connection, digest)
        return None


async def _find_site_caller(connection: Any, digest: bytes) -> SiteCaller | None:
    key = await connection.fetchrow(
        "SELECT id, site_id, dialect FROM site_keys WHERE token_hash = $1 AND revoked_at IS NULL", digest
    )
    if key is None:
        return None
    row = await connection.fetchrow(_SITE.format(where="s.id = $1"), key["site_id"])
    return None if row is None else SiteCaller(site_from_row(row), str(key["id"]), key["dialect"])


async def _find_person(connection: Any, digest: bytes) -> Person | None:
    row = await connection.fetchrow(
        "SELECT m.id FROM moderator_tokens t JOIN moderators m ON m.id = t.moderator_id"
        " WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND m.disabled_at IS NULL",
        digest,
    )
    if row is None:
        return None
    roles = await connection.fetch(
        "SELECT r.site_id, r.role FROM moderator_roles r JOIN sites s ON s.id = r.site_id"
        " WHERE r.moderator_id = $1 AND s.removed_at IS NULL",
        row["id"],
    )
    return Person(ModeratorId(row["id"]), {SiteId(role["site_id"]): Role(role["role"]) for role in roles})


async def load_site(connection: Connection, site_id: SiteId) -> Site:
    """Read a site as it is now, past the cache. Raises `UnknownSiteError`."""
    row = await connection.fetchrow(_SITE.format(where="s.id = $1"), site_id)
    if row is None:
        raise UnknownSiteError
    return site_from_row(row)


def site_from_row(row: asyncpg.Record) -> Site:
    """Build a `Site` from a row of sites joined with its newest policy."""
    return Site(
        id=SiteId(row["id"]),
        name=row["name"],
        title=row["title"],
        url=row["url"],
        language=row["language"],
        webhook_url=row["webhook_url"],
        webhook_secrets=tuple(row["webhook_secrets"]),
        inbound_secrets=tuple(row["inbound_secrets"]),
        settings=settings_from_json(row["settings"]),
        policy=Policy.from_json(row["policy"], row["policy_version"]),
    )


def settings_from_json(value: dict[str, Any]) -> SiteSettings:
    """Build `SiteSettings` from what was stored; keys left out keep their defaults."""
    known = dict(value)
    if "required" in known:
        known["required"] = tuple(known["required"])
    if "limits" in known:
        known["limits"] = Limits.from_json(known["limits"])
    if "coral_clean" in known:
        known["coral_clean"] = CoralClean(known["coral_clean"])
    if "akismet_doubt" in known:
        known["akismet_doubt"] = AkismetDoubt(known["akismet_doubt"])
    return SiteSettings(**known)
