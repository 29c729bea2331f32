"""Finding what an admin names."""

import difflib
from typing import Any

from moderation.domain.errors import NotFoundError, UnknownSiteError
from moderation.domain.identity import fold_email
from moderation.domain.ids import ModeratorId, SiteId
from moderation.domain.ports import Vault
from moderation.storage.administration.addresses import FIND, wanted
from moderation.storage.administration.emails import canonical_email
from moderation.storage.database import Connection


async def find_site(
    connection: Connection, name: str, *, for_change: bool = False, or_removed: bool = False
) -> Any:
    """Return the row of a site that is not removed, or may be with ``or_removed``; locked if it is to be changed by what was read.

    Raises `UnknownSiteError`, which names those with a similar name.
    """
    query = "SELECT * FROM sites WHERE name = $1 AND ($2 OR removed_at IS NULL)"
    row = await connection.fetchrow(query + (" FOR UPDATE" if for_change else ""), name, or_removed)
    if row is not None:
        return row
    rows = await connection.fetch("SELECT name FROM sites WHERE removed_at IS NULL ORDER BY name")
    near = difflib.get_close_matches(name, [row["name"] for row in rows], n=3)
    hint = f"; there is {', '.join(near)}." if near else "."
    raise UnknownSiteError(f"There is no site {name!r}{hint}", near=near)


async def find_site_id(connection: Connection, name: str, *, or_removed: bool = False) -> SiteId:
    """Return the number of a site that is not removed, or may be with ``or_removed``. Raises `UnknownSiteError`."""
    return SiteId((await find_site(connection, name, or_removed=or_removed))["id"])


async def find_moderator_id(connection: Connection, vault: Vault, email: str) -> ModeratorId:
    """Return the id of a moderator, disabled or not. Raises `NotFoundError`, and `InvalidConfigurationError` for no address."""
    return (await find_moderator_ids(connection, vault, email))[0]


async def find_moderator_ids(connection: Connection, vault: Vault, email: str) -> list[ModeratorId]:
    """Return everybody known by that address, the one that counts first: nobody may be left when they are shut out. Raises likewise."""
    found = await connection.fetch(FIND, *wanted(vault, fold_email(canonical_email(email))))
    if not found:
        raise NotFoundError(f"There is no moderator {email!r}.")
    return [ModeratorId(row["id"]) for row in found]
