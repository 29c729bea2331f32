"""What a command works with: the database, beside a running service or with engines of its own, and the keys."""

import os
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import click

from moderation.cli.failures import Failure
from moderation.domain.errors import DependencyUnavailableError
from moderation.engines import engines_for
from moderation.privacy.keys import Keyring, prepare_keyring
from moderation.privacy.vault import KeyedVault
from moderation.settings import Settings
from moderation.storage.database import AWAY, Connection, Database, connect
from moderation.storage.migrate import LATEST, migrate, missing_versions, schema_version

CONNECTIONS = 3


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a command of an admin needs."""

    settings: Settings
    url: str = field(repr=False)
    database: Database
    vault: KeyedVault
    actor: str
    """Who does it, for the audit: the account at this machine."""


@asynccontextmanager
async def open_desk(settings: Settings, *, creates: bool = False) -> AsyncIterator[Desk]:
    """Open the database with its schema up to date and its keys checked.

    An embedded database is brought up to date; one outside is only looked at, unless it is empty. Only a command that
    ``creates`` makes a data directory or an empty database's schema; keys are made for a database that has known none.
    """
    async with database_url(settings, creates=creates) as url:
        keyring = await _prepare(url, settings, creates=creates)
        database = Database(url, size=CONNECTIONS)
        try:
            yield Desk(settings, url, database, KeyedVault(keyring), actor())
        finally:
            await database.close()


@asynccontextmanager
async def database_url(settings: Settings, *, creates: bool) -> AsyncIterator[str]:
    """Yield the address of the database, whose engine runs for as long as the block does."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    if not creates and not (settings.data_dir / "postgres").is_dir():
        raise Failure(
            f"there is no data in {settings.data_dir} yet: is it the right data directory? "
            "`moderation serve` or `moderation site add` begins a new one"
        )
    async with engines_for(
        settings.data_dir, valkey=False, user=settings.engine_user, on_silence=_say_silent
    ) as addresses:
        if not addresses.database_url:
            raise Failure(
                f"the service running in {settings.data_dir} uses a database of its own: set MODERATION_DATABASE_URL"
            )
        yield addresses.database_url


def _say_silent(owner: int) -> None:
    click.echo(
        f"moderation: the engines of process {owner} do not answer; still waiting. They may hang or not come up again: "
        "look at postgres.log and valkey.log in the data directory, and at the disk",
        err=True,
    )


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """Lend one connection. Raises `DependencyUnavailableError` when there is none to be had."""
    try:
        connection = await connect(url)
    except AWAY as error:
        raise DependencyUnavailableError("postgresql") from error
    try:
        yield connection
    finally:
        await connection.close()


def actor() -> str:
    """Return who runs the command."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"cli:{os.getuid()}"


async def _prepare(url: str, settings: Settings, *, creates: bool) -> Keyring:
    async with connected(url) as connection:
        found = await current_schema(connection)
        if settings.database_url is None or (found == 0 and creates):
            await migrate(connection)
        elif found > LATEST:
            raise Failure(
                f"the database has schema {found}, this program needs {LATEST}: use a newer program"
            )
        elif found == 0 or await missing_versions(connection):
            raise Failure(
                f"the database has schema {found} and lacks steps up to {LATEST}: run `moderation migrate`"
            )
        return await prepare_keyring(connection, settings)


async def current_schema(connection: Connection) -> int:
    """Return the version of the schema; 0 for an empty database."""
    if await connection.fetchval("SELECT to_regclass('schema_versions')") is None:
        return 0
    return await schema_version(connection)
