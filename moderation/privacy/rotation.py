"""Re-encrypting everything sealed under the current key; may be stopped at any time, and goes on when run again.

The database's fingerprint moves to the new key last. Until then, and after, both keys open what they sealed: a service that
runs meanwhile and has not noticed the new key yet goes on sealing with the old one, and nothing is lost by it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from moderation.domain.errors import ConflictError
from moderation.domain.ports import SealedValueError, Vault
from moderation.privacy import second_factor, secrets_file
from moderation.privacy.keyring import Keyring
from moderation.privacy.vault import WATCH_EVERY_S, KeyedVault
from moderation.storage.administration import addresses
from moderation.storage.administration.changes import audit, change
from moderation.storage.administration.sites import SECRET_COLUMNS, SECRET_PURPOSES
from moderation.storage.database import Connection, Database

WINDOW = 1000
"""Rows looked at by one statement."""
MAX_PASSES = 5
_LOCK = 0x6D64_7309
"""Advisory lock so that two rotations do not undo each other's keys."""
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: dict[str, str]
    """Sealed columns, each with its purpose."""


_TABLES = (
    _Table("comments", {"email_sealed": "email", "address_sealed": "address"}),
    _Table("site_keys", {"sealed": "site_key"}),
    _Table("moderators", {"email_sealed": addresses.PURPOSE, "second_factor_sealed": second_factor.PURPOSE}),
)


@dataclass(slots=True)
class Progress:
    """How many values were sealed anew, and how many could not be opened and stay as they are.

    ``is_complete`` is False while values under older keys go on appearing.
    """

    resealed: int = 0
    unreadable: int = 0
    is_complete: bool = False

    @property
    def frees_keys(self) -> bool:
        """Whether nothing needs the older keys any more."""
        return self.is_complete and not self.unreadable


class Outcome(StrEnum):
    """What became of asking for new keys."""

    ROTATED = "rotated"
    FINISHED = "finished"
    """A rotation that had been begun before is complete now; no key was made."""
    SET_ENVIRONMENT = "set_environment"
    """The keys are not ours to change: the operator sets ``environment``, restarts the service, and asks again."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did; ``environment`` is the value of `MODERATION_SECRET_KEYS` to set next, if there is one."""

    outcome: Outcome
    current: str
    kept: tuple[str, ...] = ()
    """Older keys that still open what they sealed."""
    progress: Progress = field(default_factory=Progress)
    environment: str | None = field(default=None, repr=False)


NOTICED_AFTER_S = 2 * WATCH_EVERY_S
"""Until then a running service may still seal with the key before, whose values must be found by the resealing."""


async def rotate(database: Database, vault: KeyedVault, *, actor: str) -> Rotation:
    """Make a new current key and bring every sealed value to it; finish a rotation that was begun, if there is one.

    Keyed hashes keep their key. Of the older keys the last one stays in ``secrets.json``, for services that have not
    noticed yet; those before it go, unless something could not be opened. Raises `ConflictError` during another rotation.
    """
    async with _only_rotation(database):
        is_unfinished = await _is_unfinished(database, vault)
        source = vault.keyring.source
        if source is None and not is_unfinished:
            after = vault.keyring.with_new_key()
            return Rotation(
                Outcome.SET_ENVIRONMENT, after.current.id, _older(after), environment=after.as_text()
            )
        if source is not None and not is_unfinished:
            await asyncio.to_thread(secrets_file.replace, source, vault.keyring.with_new_key())
            await asyncio.to_thread(vault.reload)
            await asyncio.sleep(NOTICED_AFTER_S)
        progress = await _reseal(database, vault, actor=actor)
        await _drop_keys(vault, progress)
        outcome = Outcome.FINISHED if is_unfinished else Outcome.ROTATED
        return Rotation(
            outcome, vault.keyring.current.id, _older(vault.keyring), progress, _shorter(vault, progress)
        )


async def _drop_keys(vault: KeyedVault, progress: Progress) -> None:
    keyring = vault.keyring
    gone = _older(keyring)[1:]
    if keyring.source is not None and gone and progress.frees_keys:
        await asyncio.to_thread(secrets_file.replace, keyring.source, keyring.without(gone))
        await asyncio.to_thread(vault.reload)


def _shorter(vault: KeyedVault, progress: Progress) -> str | None:
    """Return what the environment may say from now on: nothing is sealed with the older keys any more."""
    keyring = vault.keyring
    if keyring.source is not None or not progress.frees_keys or not _older(keyring):
        return None
    return keyring.without(_older(keyring)).as_text()


def _older(keyring: Keyring) -> tuple[str, ...]:
    return tuple(key.id for key in keyring.keys[1:])


@asynccontextmanager
async def _only_rotation(database: Database) -> AsyncIterator[None]:
    """Hold the lock of rotations. Raises `ConflictError` where another one is under way."""
    async with database.connection() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            raise ConflictError("Another rotation is under way.")
        try:
            yield
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _is_unfinished(database: Database, vault: KeyedVault) -> bool:
    """Tell whether the current key is not the one that the database was last brought to."""
    async with database.connection() as connection:
        fingerprint = await connection.fetchval("SELECT key_fingerprint FROM instance")
    return bool(fingerprint != vault.keyring.fingerprint)


async def _reseal(database: Database, vault: KeyedVault, *, actor: str) -> Progress:
    """Bring every sealed value to the current key, in passes until one finds nothing left, then the fingerprint."""
    progress = Progress()
    for _ in range(MAX_PASSES):
        before = progress.resealed
        progress.unreadable = 0
        for table in _TABLES:
            await _reseal_table(database, vault, table, progress)
        await _reseal_sites(database, vault, progress)
        progress.is_complete = progress.resealed == before
        if progress.is_complete:
            break
    async with change(database) as connection:
        await connection.execute("UPDATE instance SET key_fingerprint = $1", vault.keyring.fingerprint)
        await audit(
            connection,
            "keys.rotated",
            actor=actor,
            subject=vault.keyring.current.id,
            values=progress.resealed,
            unreadable=progress.unreadable,
        )
    return progress


async def _reseal_table(database: Database, vault: KeyedVault, table: _Table, progress: Progress) -> None:
    after = _FIRST
    while True:
        async with database.connection() as connection:
            rows = await _read(connection, table, "id > $1 ORDER BY id LIMIT $2", after, WINDOW)
        old = [row["id"] for row in rows if not _is_current(vault, table, row)]
        if old:
            async with database.transaction() as connection:
                await _reseal_rows(connection, vault, table, old, progress)
        if len(rows) < WINDOW:
            return
        after = rows[-1]["id"]


async def _reseal_rows(
    connection: Connection, vault: KeyedVault, table: _Table, ids: Sequence[UUID], progress: Progress
) -> None:
    # Read again under lock, in the order in which everybody locks comments: an erasure may have emptied them meanwhile.
    rows = await _read(connection, table, "id = ANY($1::uuid[]) ORDER BY id FOR UPDATE", ids)
    columns = [
        [_fresh(vault, row[c], purpose, progress) for row in rows] for c, purpose in table.columns.items()
    ]
    assignments = ", ".join(f"{name} = new.{name}" for name in table.columns)
    parameters = ", ".join(f"${number}::bytea[]" for number, _ in enumerate(table.columns, 2))
    await connection.execute(
        f"UPDATE {table.name} t SET {assignments}"  # noqa: S608 - names of our own
        f" FROM unnest($1::uuid[], {parameters}) AS new (id, {', '.join(table.columns)}) WHERE t.id = new.id",
        [row["id"] for row in rows],
        *columns,
    )


async def _reseal_sites(database: Database, vault: KeyedVault, progress: Progress) -> None:
    async with database.transaction() as connection:
        for row in await connection.fetch("SELECT * FROM sites ORDER BY id FOR UPDATE"):
            for kind, column in SECRET_COLUMNS.items():
                sealed = row[column]
                if all(vault.is_current(value) for value in sealed):
                    continue
                fresh = [_fresh(vault, value, SECRET_PURPOSES[kind], progress) for value in sealed]
                await connection.execute(
                    f"UPDATE sites SET {column} = $2 WHERE id = $1",  # noqa: S608 - one of two names of our own
                    row["id"],
                    fresh,
                )


async def _read(connection: Connection, table: _Table, where: str, *arguments: Any) -> list[Any]:
    names = ", ".join(table.columns)
    return await connection.fetch(f"SELECT id, {names} FROM {table.name} WHERE {where}", *arguments)  # noqa: S608 - names of our own


def _is_current(vault: KeyedVault, table: _Table, row: Any) -> bool:
    values = [row[name] for name in table.columns if row[name] is not None]
    return all(vault.is_current(value) for value in values)


def _fresh(vault: KeyedVault, sealed: bytes | None, purpose: str, progress: Progress) -> bytes | None:
    if sealed is None or vault.is_current(sealed):
        return sealed
    try:
        fresh = _sealed_anew(vault, sealed, purpose)
    except SealedValueError:
        progress.unreadable += 1
        return sealed
    progress.resealed += 1
    return fresh


def _sealed_anew(vault: Vault, sealed: bytes, purpose: str) -> bytes:
    return vault.seal(vault.open(sealed, purpose), purpose)
