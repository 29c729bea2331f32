"""Bring a database to the schema this program knows."""

from importlib import resources

from moderation.storage.database import Connection

_LOCK = 0x6D64_7301
"""Advisory lock so that two starting programs migrate one after the other."""


class UnknownSchemaError(RuntimeError):
    """The database is newer than this program; an older program must not touch it."""


async def migrate(connection: Connection) -> list[int]:
    """Apply what is missing, each step in a transaction of its own; return the versions applied.

    Safe to run from several processes at once. Raises `UnknownSchemaError` for a schema from the future.
    """
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        return await _apply(connection)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _apply(connection: Connection) -> list[int]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_versions"
        " (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    current = await schema_version(connection)
    if current > LATEST:
        raise UnknownSchemaError(
            f"the database has schema {current}, this program knows up to {LATEST}: use a newer program, or restore the "
            "backup from before the upgrade"
        )
    absent = set(await missing_versions(connection))
    missing = [(version, sql) for version, sql in _steps() if version in absent]
    for version, sql in missing:
        async with connection.transaction():
            await connection.execute(sql)
            await connection.execute("INSERT INTO schema_versions (version) VALUES ($1)", version)
    return [version for version, _ in missing]


async def schema_version(connection: Connection) -> int:
    """Return the newest version applied; 0 for an empty one."""
    return int(await connection.fetchval("SELECT coalesce(max(version), 0) FROM schema_versions"))


async def missing_versions(connection: Connection) -> list[int]:
    """Return what this program knows and the database lacks; steps may have landed out of order, so not only the newest."""
    rows = await connection.fetch("SELECT version FROM schema_versions")
    return sorted({version for version, _ in _steps()} - {row["version"] for row in rows})


def _steps() -> list[tuple[int, str]]:
    folder = resources.files("moderation.storage") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name[:4]), f.read_text("utf-8")) for f in files]


LATEST = _steps()[-1][0]
"""The schema this program knows."""
