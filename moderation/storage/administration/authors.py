"""What an admin says of authors: blocked, trusted, or nothing; found by keyed hash alone."""

from dataclasses import dataclass
from typing import Any

from moderation.domain.comment import Author
from moderation.domain.errors import FieldError, InvalidConfigurationError
from moderation.domain.identity import identify
from moderation.domain.ids import SiteId
from moderation.domain.policy import Standing
from moderation.domain.ports import Vault
from moderation.storage.administration.changes import audit, change
from moderation.storage.administration.emails import canonical_email
from moderation.storage.administration.finding import find_site_id
from moderation.storage.database import Connection, Database

_SET = """
INSERT INTO authors (identity, site_id, standing) VALUES ($1, $2, $3)
ON CONFLICT (identity) DO UPDATE SET standing = excluded.standing
"""
_FORGET = """
DELETE FROM authors WHERE identity = $1 AND standing = 'none' AND approved = 0 AND rejected = 0
"""
TRUSTED_BY = ("email", "external_id")
"""Names are easily borrowed and addresses shared: intake counts neither as a reason to trust."""


@dataclass(frozen=True, slots=True)
class AuthorStanding:
    """What a site holds of an author; ``by`` is what they were named by."""

    by: str
    standing: Standing
    approved: int
    rejected: int


async def set_standing(
    database: Database, vault: Vault, site: str, author: Author, standing: Standing, *, actor: str
) -> AuthorStanding:
    """Block, trust or clear whoever has the one thing that ``author`` names: e-mail, external id, name or address.

    The audit tells that it was done and by which kind, not to whom. Raises `UnknownSiteError`, and
    `InvalidConfigurationError` where nothing or something unusable is named.
    """
    by, identity = _only(vault, site, author)
    if standing is Standing.TRUSTED and by not in TRUSTED_BY:
        allowed = "e-mail or external id; a name or an address is no ground for trust"
        raise InvalidConfigurationError([FieldError(f"/{by}", "invalid_value", {"allowed": allowed})])
    async with change(database) as connection:
        site_id = await find_site_id(connection, site)
        row = await write_standing(connection, site_id, identity, standing)
        await audit(connection, action_of(standing), actor=actor, site_id=site_id, by=by)
    return _standing(by, row)


async def write_standing(connection: Connection, site_id: SiteId, identity: bytes, standing: Standing) -> Any:
    """Write the standing of one identity, as part of a change; return its row, None where there is nothing to know any more."""
    await connection.execute(_SET, identity, site_id, standing.value)
    await connection.execute(_FORGET, identity)
    return await connection.fetchrow("SELECT * FROM authors WHERE identity = $1", identity)


def action_of(standing: Standing) -> str:
    """Return what the audit calls it."""
    return f"author.{_ACTIONS[standing]}"


async def show_standing(database: Database, vault: Vault, site: str, author: Author) -> AuthorStanding:
    """Return what is known of an author, named by one thing. Raises like `set_standing`."""
    by, identity = _only(vault, site, author)
    async with database.connection() as connection:
        await find_site_id(connection, site)
        row = await connection.fetchrow("SELECT * FROM authors WHERE identity = $1", identity)
    return _standing(by, row)


_ACTIONS = {Standing.BLOCKED: "blocked", Standing.TRUSTED: "trusted", Standing.NONE: "cleared"}


def _only(vault: Vault, site: str, author: Author) -> tuple[str, bytes]:
    if author.email is not None:
        author = author.changed(email=canonical_email(author.email))
    identities = identify(vault, site, author)
    found = {by: getattr(identities, by) for by in ("email", "external_id", "name", "address")}
    named = [(by, identity) for by, identity in found.items() if identity is not None]
    if len(named) == 1:
        return named[0]
    if author.address is not None and not named:
        raise InvalidConfigurationError([FieldError("/address", "invalid_address")])
    allowed = "exactly one of e-mail, external id, name and address"
    raise InvalidConfigurationError([FieldError("/author", "invalid_value", {"allowed": allowed})])


def _standing(by: str, row: Any) -> AuthorStanding:
    if row is None:
        return AuthorStanding(by, Standing.NONE, 0, 0)
    return AuthorStanding(by, Standing(row["standing"]), row["approved"], row["rejected"])
