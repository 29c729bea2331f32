"""Model versions in the database: kept once, whole and hashed; and which of them is in force where."""

import hashlib
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from moderation.domain.clock import Clock
from moderation.domain.errors import ConflictError, NotFoundError
from moderation.domain.ids import SiteId
from moderation.storage.administration.changes import audit
from moderation.storage.database import Connection

EVERYWHERE = SiteId(0)
"""The scope of sites that have no model of their own."""
_SWITCH = 0x6D64_7304
"""Advisory lock: changes of what is in force wait for each other."""

_KEEP = """
INSERT INTO models (version, site_id, kind, manifest, report, refusals, snapshot, learned_from, seen_until, baseline, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (version) DO NOTHING RETURNING version
"""
_LIST = """
SELECT m.version, m.site_id, s.name AS site, m.kind, m.refusals, m.snapshot, m.learned_from, m.seen_until, m.created_at,
       m.created_by, (SELECT coalesce(array_agg(a.site_id), '{}') FROM active_models a WHERE a.version = m.version) AS in_force,
       EXISTS (SELECT FROM model_changes c WHERE c.previous = m.version) AS was_in_force,
       (SELECT count(*) FROM audit e WHERE e.action = 'author.erased' AND e.at > m.seen_until
           AND e.site_id = ANY (m.learned_from)
           AND ((e.details->>'comments')::int > 0 OR coalesce((e.details->>'labels')::int, 0) > 0)) AS erasures_since
  FROM models m LEFT JOIN sites s ON s.id = m.site_id
"""
_SWITCHED = """
INSERT INTO active_models (site_id, version, since) VALUES ($1, $2, $3)
ON CONFLICT (site_id) DO UPDATE SET version = excluded.version, since = excluded.since
"""
_CHANGED = """
INSERT INTO model_changes (at, site_id, action, version, previous, actor, reason, had_own)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_HISTORY = """
SELECT action, version, previous, had_own FROM model_changes WHERE site_id = $1 ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class NewModel:
    """A version about to be kept; ``files`` by path relative to the artefact's folder."""

    version: str
    site_id: SiteId | None
    kind: str
    manifest: Mapping[str, Any]
    files: Mapping[str, bytes] = field(repr=False)
    seen_until: datetime
    report: Mapping[str, Any] | None = None
    refusals: Sequence[Any] = ()
    snapshot: str | None = None
    learned_from: Sequence[int] = ()
    baseline: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A version as lists show it. ``in_force`` names the scopes; ``erasures_since`` counts people erased after it learned."""

    version: str
    site_id: SiteId | None
    site: str | None
    kind: str
    refusals: Sequence[Any]
    snapshot: str | None
    learned_from: Sequence[int]
    seen_until: datetime
    created_at: datetime
    created_by: str
    in_force: Sequence[int]
    was_in_force: bool
    erasures_since: int

    @property
    def status(self) -> str:
        """``active``, ``retired`` after it was, else ``candidate``."""
        if self.in_force:
            return "active"
        return "retired" if self.was_in_force else "candidate"


async def keep_model(connection: Connection, new: NewModel, *, actor: str) -> bool:
    """Keep a version with its files; tell whether it was new. Call in a transaction."""
    kept = await connection.fetchval(
        _KEEP,
        new.version,
        new.site_id,
        new.kind,
        new.manifest,
        new.report,
        list(new.refusals),
        new.snapshot,
        list(new.learned_from),
        new.seen_until,
        new.baseline,
        actor,
    )
    if kept is None:  # made again from what is there now, and the same: nobody erased since is in it
        await connection.execute(
            "UPDATE models SET seen_until = greatest(seen_until, $2) WHERE version = $1",
            new.version,
            new.seen_until,
        )
        return False
    await connection.executemany(
        "INSERT INTO model_files (version, path, sha256, content) VALUES ($1, $2, $3, $4)",
        [
            (new.version, path, hashlib.sha256(content).digest(), content)
            for path, content in sorted(new.files.items())
        ],
    )
    await audit(
        connection, "model.kept", actor=actor, site_id=new.site_id, subject=new.version, kind=new.kind
    )
    return True


async def list_models(connection: Connection) -> list[ModelLine]:
    """Return every version, the newest first."""
    return [_line(row) for row in await connection.fetch(_LIST + " ORDER BY m.created_at DESC, m.version")]


async def find_model(connection: Connection, version: str) -> ModelLine:
    """Return one version. Raises `NotFoundError`."""
    row = await connection.fetchrow(_LIST + " WHERE m.version = $1", version)
    if row is None:
        raise NotFoundError(f"There is no model {version!r}.")
    return _line(row)


async def read_details(connection: Connection, version: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return a version's manifest and report."""
    row = await connection.fetchrow("SELECT manifest, report FROM models WHERE version = $1", version)
    if row is None:
        raise NotFoundError(f"There is no model {version!r}.")
    return row["manifest"], row["report"]


async def read_baseline(connection: Connection, version: str) -> dict[str, Any] | None:
    """Return how a version's scores lay over what it learned from; None where that is not known."""
    found: dict[str, Any] | None = await connection.fetchval(
        "SELECT baseline FROM models WHERE version = $1", version
    )
    return found


async def read_files(connection: Connection, version: str) -> dict[str, bytes]:
    """Return a version's files by path; a file that is not what was kept is left out, so that the audit misses it."""
    rows = await connection.fetch(
        "SELECT path, sha256, content FROM model_files WHERE version = $1 ORDER BY path", version, timeout=60
    )
    return {
        row["path"]: row["content"]
        for row in rows
        if hashlib.sha256(row["content"]).digest() == row["sha256"]
    }


async def active_versions(connection: Connection) -> dict[SiteId, str | None]:
    """Return what is in force by scope; None is the shipped model."""
    rows = await connection.fetch("SELECT site_id, version FROM active_models")
    return {SiteId(row["site_id"]): row["version"] for row in rows}


async def active_version(connection: Connection, site_id: SiteId) -> str | None:
    """Return what is in force for one site: its own model, else that of all, else None: the shipped one."""
    active = await active_versions(connection)
    return active[site_id] if site_id in active else active.get(EVERYWHERE)


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of what is in force in one scope: by whom and why."""

    site_id: SiteId
    version: str | None
    actor: str
    reason: str | None = None
    action: str = "promote"


async def switch(connection: Connection, change: Switch, *, clock: Clock) -> str | None:
    """Put a version in force and return the one before. Call in a transaction. Raises `NotFoundError`."""
    row = await _lock_scope(connection, change.site_id)
    previous: str | None = row["version"] if row else None
    if row is not None and previous == change.version:
        raise ConflictError(f"{change.version or 'The shipped model'} is in force there already.")
    now = clock()
    try:
        await connection.execute(_SWITCHED, change.site_id, change.version, now)
    except asyncpg.ForeignKeyViolationError as error:
        raise NotFoundError(f"There is no model {change.version!r}.") from error
    await _record(connection, change, previous, had_own=row is not None, now=now)
    return previous


async def rollback(
    connection: Connection,
    site_id: SiteId,
    *,
    actor: str,
    reason: str | None,
    clock: Clock,
    is_refused: Callable[[str], Awaitable[bool]],
) -> tuple[str | None, str | None]:
    """Put back what was in force before; return it and the one it replaced. Again: the one before that, and so on.

    What was gone back from does not come again, also where it had been in force twice, and versions that were deleted are passed
    over, as are those of which ``is_refused`` says that no process could load them. Behind a site's first model is the model of
    all other sites, behind everything the shipped one. Call in a transaction. Raises `ConflictError` where there is none before.
    """
    row = await _lock_scope(connection, site_id)
    if row is None or row["version"] is None:
        raise ConflictError("The shipped model is in force there; there is nothing to go back to.")
    kept = {found["version"] for found in await connection.fetch("SELECT version FROM models")}
    history = await connection.fetch(_HISTORY, site_id)
    before, has_own = _before(history, row["version"], kept)
    while before is not None and await is_refused(before):
        kept.remove(before)
        before, has_own = _before(history, row["version"], kept)
    change = Switch(site_id, before, actor, reason, "rollback")
    if has_own:
        return before, await switch(connection, change, clock=clock)
    await connection.execute("DELETE FROM active_models WHERE site_id = $1", site_id)
    await _record(connection, change, row["version"], had_own=True, now=clock())
    return await active_version(connection, site_id), row["version"]


def _before(history: Sequence[Any], present: str, kept: Container[str]) -> tuple[str | None, bool]:
    """Return what to go back to, and whether it is the scope's own, by all changes of the scope in their order."""
    replaced: list[tuple[str | None, bool]] = []  # by promotions that nobody took back
    left = {present}
    for change in history:
        if change["action"] == "promote":
            replaced.append((change["previous"], change["had_own"]))
            left = {present}
        else:
            left.add(change["previous"])
            while replaced and replaced.pop()[0] != change["version"]:
                pass
    while replaced:
        version, has_own = replaced.pop()
        if version is None or (version in kept and version not in left):
            return version, has_own
    return None, True


async def _lock_scope(connection: Connection, site_id: SiteId) -> Any:
    """Return the scope's row, if it has one, which nobody else changes until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _SWITCH)
    return await connection.fetchrow("SELECT version FROM active_models WHERE site_id = $1", site_id)


async def _record(
    connection: Connection, change: Switch, previous: str | None, *, had_own: bool, now: datetime
) -> None:
    values = (change.action, change.version, previous, change.actor, change.reason, had_own)
    await connection.execute(_CHANGED, now, change.site_id, *values)
    await audit(
        connection,
        f"model.{change.action}",
        actor=change.actor,
        site_id=None if change.site_id == EVERYWHERE else change.site_id,
        subject=change.version or "shipped",
        previous=previous,
    )


async def delete_model(connection: Connection, version: str, *, actor: str) -> None:
    """Delete a version that is not in force; what it did stays recorded. Raises `ConflictError` and `NotFoundError`."""
    found = await find_model(connection, version)
    try:
        await connection.execute("DELETE FROM models WHERE version = $1", version)
    except asyncpg.ForeignKeyViolationError as error:
        raise ConflictError(f"{version} is in force; promote another or roll back first.") from error
    await audit(connection, "model.deleted", actor=actor, site_id=found.site_id, subject=version)


def _line(row: Any) -> ModelLine:
    return ModelLine(**dict(row))
