"""The versions of a site's policy: each change is a new one, whole, so that a later default changes no old decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moderation.domain.ids import SiteId
from moderation.domain.nesting import merged
from moderation.domain.policy import Policy
from moderation.storage.administration.changes import audit, change
from moderation.storage.administration.finding import find_site_id
from moderation.storage.database import Connection, Database

_LATEST = """
SELECT version, policy, created_at, created_by FROM policies WHERE site_id = $1 ORDER BY version DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a policy, with every key that there is."""

    version: int
    policy: dict[str, Any]
    created_at: datetime
    created_by: str


async def show_policy(database: Database, site: str) -> PolicyVersion:
    """Return the policy in force. Raises `UnknownSiteError`."""
    async with database.connection() as connection:
        return await latest_policy(connection, await find_site_id(connection, site))


async def set_policy(
    database: Database, site: str, changes: Mapping[str, Any], *, actor: str
) -> PolicyVersion:
    """Make a new version with ``changes``, nested as the policy is; `UNSET` brings a default back.

    Raises `UnknownSiteError`, and `InvalidConfigurationError` naming every fault.
    """
    async with change(database) as connection:
        site_id = await find_site_id(connection, site)
        version = await write_policy(connection, site_id, changes, actor=actor)
        keys = sorted(changes)
        await audit(
            connection, "policy.set", actor=actor, site_id=site_id, subject=site, version=version, keys=keys
        )
        return await latest_policy(connection, site_id)


async def latest_policy(connection: Connection, site_id: SiteId) -> PolicyVersion:
    """Return the policy in force; a site never lacks one."""
    row = await connection.fetchrow(_LATEST, site_id)
    assert row is not None, "version 1 is made with the site"
    rules = Policy.from_json(row["policy"], row["version"]).as_json()
    return PolicyVersion(row["version"], rules, row["created_at"], row["created_by"])


async def write_policy(
    connection: Connection, site_id: SiteId, changes: Mapping[str, Any], *, actor: str
) -> int:
    """Write the next version; only inside of `change`. Raises `InvalidConfigurationError`, having written nothing."""
    before = await connection.fetchrow(_LATEST, site_id)
    version = 1 if before is None else before["version"] + 1
    policy = Policy.from_json(merged({} if before is None else before["policy"], changes), version)
    await connection.execute(
        "INSERT INTO policies (site_id, version, policy, created_by) VALUES ($1, $2, $3, $4)",
        site_id,
        version,
        policy.as_json(),
        actor,
    )
    return version
