"""One change by an admin: a transaction that raises the configuration's version and leaves a line in the audit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from moderation.domain.ids import SiteId
from moderation.storage.database import Connection, Database


@asynccontextmanager
async def change(database: Database) -> AsyncIterator[Connection]:
    """Lend a connection inside a transaction that running processes will notice; admins' changes wait for each other."""
    async with database.transaction() as connection:
        await connection.execute("UPDATE instance SET config_version = config_version + 1")
        yield connection


async def audit(
    connection: Connection,
    action: str,
    *,
    actor: str,
    site_id: SiteId | None = None,
    subject: str | None = None,
    **details: Any,
) -> None:
    """Write down who did what: ids, codes and times, never private content."""
    await connection.execute(
        "INSERT INTO audit (site_id, actor, action, subject, details) VALUES ($1, $2, $3, $4, $5)",
        site_id,
        actor,
        action,
        subject,
        details,
    )
