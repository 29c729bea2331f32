"""`moderation backup` and `moderation restore`."""

import asyncio
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import click

from moderation.cli import dumps
from moderation.cli.archive import Archive, ArchiveWriter, Manifest, new_archive, open_archive
from moderation.cli.desk import Desk, actor, connected, current_schema, database_url, open_desk
from moderation.cli.failures import Failure
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.clock import utc_now, wire_time
from moderation.privacy import secrets_file
from moderation.privacy.keyring import Keyring, KeysError
from moderation.privacy.keys import check_keyring, find_keyring, secrets_path
from moderation.settings import Settings
from moderation.storage.administration.addresses import seal_addresses
from moderation.storage.administration.changes import audit, change
from moderation.storage.database import Connection
from moderation.storage.migrate import LATEST, migrate

_FILE = click.Path(path_type=Path, dir_okay=False)
_IS_USED = (
    "SELECT EXISTS (SELECT FROM sites) OR EXISTS (SELECT FROM comments) OR EXISTS (SELECT FROM moderators)"
)
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--with-keys", is_flag=True, help="Put the secret keys into the same file: then guard it like them."
)
@with_terminal
def backup(terminal: Terminal, file: Path, with_keys: bool) -> None:
    """Write everything in the database to FILE, as of one moment, beside the running service.

    Without the secret keys nobody can read e-mail addresses in it, and it cannot be restored: keep a copy of them elsewhere.
    """
    made = terminal.run(lambda desk: _backup(desk, file, with_keys=with_keys))
    if not with_keys:
        terminal.warn(
            "the backup holds no secret keys: without them it cannot be restored; keep a copy of them elsewhere"
        )
    result = {
        "file": file.resolve(),
        "bytes": file.stat().st_size,
        "with_keys": with_keys,
        "schema": made.schema,
    }
    terminal.show(result, f"wrote {file}, {result['bytes']} bytes")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--force", is_flag=True, help="Replace what is in the database, and keys that do not fit.")
@with_terminal
def restore(terminal: Terminal, file: Path, force: bool) -> None:
    """Bring the database, and keys in the file, to what FILE holds: all of it or nothing. Stop the service first.

    What happened after the backup was made is gone then.
    """
    settings = terminal.settings()
    with open_archive(file) as archive:
        archive.check()
        asyncio.run(_restore(settings, archive, force=force))
        result = {"file": file.resolve(), **asdict(archive.manifest)}
    terminal.show(result, f"restored {file}, made {archive.manifest.made_at}")


async def _backup(desk: Desk, file: Path, *, with_keys: bool) -> Manifest:
    async with desk.database.connection() as connection:
        fingerprint = await connection.fetchval("SELECT key_fingerprint FROM instance")
    return await asyncio.to_thread(_write, desk, file, fingerprint, with_keys=with_keys)


def _write(desk: Desk, file: Path, fingerprint: str, *, with_keys: bool) -> Manifest:
    with new_archive(file) as writer:
        dumps.dump(desk.url, is_embedded=desk.settings.database_url is None, write=writer.add_dump)
        desk.vault.reload()  # a rotation may have made a key while the dump was written
        if with_keys:
            writer.add_keys(desk.vault.keyring)
        manifest = _manifest(fingerprint, writer)
        writer.finish(manifest)
    return manifest


def _manifest(fingerprint: str, writer: ArchiveWriter) -> Manifest:
    return Manifest(
        made_at=wire_time(utc_now()),
        program=version("comment-moderation"),
        schema=LATEST,
        key_fingerprint=fingerprint,
        sha256=writer.sha256,
        dump_bytes=writer.dump_bytes,
    )


POSITIONS_AHEAD = 10**9
"""How far the feed jumps after a restore: a site may have read positions that came after the backup."""
_JUMP_AHEAD = "SELECT setval('feed_positions', (SELECT last_value FROM feed_positions) + $1::bigint)"


async def _restore(settings: Settings, archive: Archive, *, force: bool) -> None:
    if archive.manifest.schema > LATEST:
        raise Failure(
            f"the backup has schema {archive.manifest.schema}, this program knows {LATEST}: use a newer one"
        )
    keyring = _choose_keys(settings, archive, force=force)
    async with database_url(settings, creates=True) as url:
        async with connected(url) as connection:
            await _refuse_to_harm(connection, force=force)
        with archive.dump() as source:
            is_embedded = settings.database_url is None
            await asyncio.to_thread(dumps.restore, url, source, is_embedded=is_embedded)
        if keyring is not None:
            await asyncio.to_thread(_put_keys, secrets_path(settings), keyring)
        async with connected(url) as connection:
            await migrate(connection)
    async with open_desk(settings) as desk, change(desk.database) as connection:
        await check_keyring(connection, desk.vault.keyring)
        await seal_addresses(connection, desk.vault, at_once=True)  # of a backup from before they were
        await connection.execute(_JUMP_AHEAD, POSITIONS_AHEAD)
        await audit(connection, "backup.restored", actor=actor(), made_at=archive.manifest.made_at)


def _choose_keys(settings: Settings, archive: Archive, *, force: bool) -> Keyring | None:
    """Return the keys to put in place, None where those here will do. Raises `Failure` or `KeysError` where none fit."""
    here, inside, fingerprint = find_keyring(settings), archive.keyring(), archive.manifest.key_fingerprint
    if here is not None and _fits(here, fingerprint):
        return None
    if inside is None:
        if here is None:
            raise Failure(
                f"the backup holds no secret keys: put yours into {secrets_path(settings)} or MODERATION_SECRET_KEYS"
            )
        here.check(fingerprint)  # raises, and says what is missing
    if settings.secret_keys is not None:
        raise Failure(
            "MODERATION_SECRET_KEYS has other keys than the backup: unset it, or set those of the backup"
        )
    if here is not None and not force:
        raise Failure(f"{secrets_path(settings)} has other keys than the backup; --force puts them aside")
    return inside


def _fits(keyring: Keyring, fingerprint: str) -> bool:
    try:
        keyring.check(fingerprint)
    except KeysError:
        return False
    return True


def _put_keys(path: Path, keyring: Keyring) -> None:
    old = secrets_file.read(path)
    if old is not None:
        path.rename(path.with_name(f"{path.name}.{old.current.id}"))
    secrets_file.replace(path, keyring)


async def _refuse_to_harm(connection: Connection, *, force: bool) -> None:
    if await connection.fetchval(_OTHERS):
        raise Failure("somebody else is connected to the database: stop the service first")
    is_used = await current_schema(connection) > 0 and await connection.fetchval(_IS_USED)
    if is_used and not force:
        raise Failure("the database is not empty; --force replaces everything in it")
