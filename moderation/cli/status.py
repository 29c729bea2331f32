"""`moderation status`: what is well and what is not, said within seconds whatever hangs."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import click

from moderation.cli.desk import connected, current_schema
from moderation.cli.failures import failure
from moderation.cli.output import table
from moderation.cli.terminal import Terminal, with_terminal
from moderation.delivery.backlog import Backlog
from moderation.domain.clock import utc_now
from moderation.domain.errors import DependencyUnavailableError, ModerationError
from moderation.engines.ownership import EngineAddresses, current_owner
from moderation.engines.postgres import postgres_answers
from moderation.engines.valkey import valkey_answers
from moderation.privacy.keys import KeysError, find_keyring, secrets_path
from moderation.settings import Settings, SettingsError
from moderation.storage.administration.finding import find_site_id
from moderation.storage.administration.queue import count_queue
from moderation.storage.administration.sites import list_sites
from moderation.storage.database import AWAY, Database
from moderation.storage.migrate import LATEST, missing_versions
from moderation.storage.models import active_versions

PART_S = 6.0
"""How long one part is given; a part that needs longer is not well."""
LITTLE_BYTES = 1 << 30
MOST_MODELS = 10
"""As many are loaded, to see whether they are refused; each takes some tenths of a second."""
FAILED = 1
_WIDEST = 300
"""Paths stand in what is said, and somebody has to open them."""
_FINGERPRINT = "SELECT key_fingerprint FROM instance"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the service, and what is to be said of it."""

    part: str
    is_well: bool
    said: str


@click.command()
@click.pass_context
@with_terminal
def status(terminal: Terminal, context: click.Context) -> None:
    """Say what is well and what is not, within seconds; exit code 1 where something is not. Changes nothing."""
    found = asyncio.run(_look(terminal.settings()))
    rows = [{"part": one.part, "well": one.is_well, "said": one.said} for one in found]
    words = [row | {"well": "yes" if row["well"] else "NO"} for row in rows]
    terminal.show(rows, lambda: table(words, ("part", "well", "said"), empty="", widest=_WIDEST))
    context.exit(0 if all(one.is_well for one in found) else FAILED)


async def _look(settings: Settings) -> list[Part]:
    addresses, said = _addresses(settings)
    # With both engines elsewhere a data directory is no part of the service.
    found = [_disk(settings)] if said is not None or settings.data_dir.exists() else []
    if said is not None:
        found.append(said)
    if addresses.redis_url:
        found.append(await _redis(addresses.redis_url))
    if not addresses.database_url:
        return found + _keys_at_rest(settings)
    if not await _within(postgres_answers(addresses.database_url)):
        return [
            *found,
            Part("postgresql", is_well=False, said=await _silence(settings, addresses.database_url)),
        ]
    found.append(Part("postgresql", is_well=True, said="answers"))
    late = await _add(found, _stored(settings, addresses.database_url))
    if late is not None:
        return [*found, Part("postgresql", is_well=False, said=f"answers, but not in time ({late})")]
    if any(part.part == "schema" and part.is_well for part in found):
        late = await _add(found, _in_force(addresses.database_url))
        if late is not None:
            found.append(Part("models", is_well=False, said=f"not looked at in time ({late})"))
    return found


async def _silence(settings: Settings, url: str) -> str:
    """Say why PostgreSQL is of no use, where it says so: a database or a role that is not there, say."""
    if settings.database_url is None:
        return f"does not answer; its log is {settings.data_dir / 'postgres.log'}"
    try:
        async with asyncio.timeout(PART_S), connected(url):
            return "answers now and then"
    except (TimeoutError, DependencyUnavailableError) as error:
        return failure(error).message.removeprefix("PostgreSQL ")


async def _add(found: list[Part], parts: AsyncIterator[Part]) -> str | None:
    """Add what is said within `PART_S`; return the error that ended it before the last."""
    try:
        async with asyncio.timeout(PART_S):
            async for part in parts:
                found.append(part)  # noqa: PERF401 - one at a time: what was said before an error counts
    except (*AWAY, ModerationError) as error:
        return type(error).__name__
    return None


def _addresses(settings: Settings) -> tuple[EngineAddresses, Part | None]:
    """Return where the engines are, and who runs the embedded ones."""
    database, redis = settings.database_url or "", settings.redis_url or ""
    if database and redis:
        return EngineAddresses(database_url=database, redis_url=redis), None
    owner = current_owner(settings.data_dir)
    if owner is None:
        part = Part(
            "engines", is_well=False, said=f"nobody runs those in {settings.data_dir}: start the service"
        )
    elif owner.addresses is None:
        part = Part("engines", is_well=False, said=f"process {owner.pid} is starting them")
    else:
        database, redis = database or owner.addresses.database_url, redis or owner.addresses.redis_url
        part = Part("engines", is_well=True, said=f"run by process {owner.pid}")
    return EngineAddresses(database_url=database, redis_url=redis), part


def _keys_at_rest(settings: Settings) -> list[Part]:
    """Say it where a service that does not run could not be started for want of its keys; else nothing."""
    try:
        if find_keyring(settings) is not None or not (settings.data_dir / "postgres").exists():
            return []
    except (KeysError, SettingsError) as error:
        return [Part("keys", is_well=False, said=str(error))]
    said = f"{secrets_path(settings)} is missing: a database that was in use is not opened without it"
    return [Part("keys", is_well=False, said=said)]


def _disk(settings: Settings) -> Part:
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError as error:
        return Part("disk", is_well=False, said=f"{settings.data_dir}: {error.strerror}")
    said = f"{free / (1 << 30):.1f} GiB free in {settings.data_dir}"
    is_well = free > LITTLE_BYTES
    return Part("disk", is_well=is_well, said=said if is_well else f"{said}: make room, 1 GiB at least")


async def _redis(url: str) -> Part:
    answers = await _within(valkey_answers(url) if url.startswith("unix:") else _answers_ping(url))
    return Part(
        "valkey", is_well=answers, said="answers" if answers else "does not answer: limits are coarse"
    )


async def _answers_ping(url: str) -> bool:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(url, socket_timeout=PART_S, socket_connect_timeout=PART_S)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()


async def _within(asking: Any) -> bool:
    try:
        async with asyncio.timeout(PART_S):
            return bool(await asking)
    except TimeoutError:
        return False


async def _stored(settings: Settings, url: str) -> AsyncIterator[Part]:
    async with connected(url) as connection:
        schema = await current_schema(connection)
        is_current = schema == LATEST and not await missing_versions(connection)
        step = (
            ""
            if is_current
            else ": run `moderation migrate`"
            if schema <= LATEST
            else ": use a newer program"
        )
        yield Part("schema", is_well=is_current, said=f"version {schema}, this program needs {LATEST}{step}")
        if not is_current:
            return
        keyring, written_with = find_keyring(settings), await connection.fetchval(_FINGERPRINT)
        try:
            if keyring is not None and written_with is not None:
                keyring.check(written_with)
            yield Part(
                "keys", is_well=keyring is not None, said="fit the data" if keyring else "are not there"
            )
        except KeysError as error:
            yield Part("keys", is_well=False, said=str(error))
    database = Database(url, size=2)
    try:
        yield await _queue(database)
        yield await _deliveries(database)
    finally:
        await database.close()


async def _in_force(url: str) -> AsyncIterator[Part]:
    database = Database(url, size=1)
    try:
        yield await _models(database)
    finally:
        await database.close()


async def _models(database: Database) -> Part:
    """Load what is in force, as every process does: one that is refused leaves its site to the model before."""
    from moderation.learning.switch import (
        is_refused,  # takes a second, which a service that is down need not wait for
    )

    async with database.connection() as connection:
        wanted = {version for version in (await active_versions(connection)).values() if version is not None}
        some = sorted(wanted)[:MOST_MODELS]
        refused = [version for version in some if await is_refused(connection, version)]
    if refused:
        said = f"refused by this program: {', '.join(refused)}; train them again (moderation models retrain) or roll back"
        return Part("models", is_well=False, said=said)
    looked = "" if len(some) == len(wanted) else f", {len(some)} of them looked at"
    return Part("models", is_well=True, said=f"the shipped one, and {len(wanted)} more in force{looked}")


async def _queue(database: Database) -> Part:
    lines = await count_queue(database, None)
    oldest = min((line.oldest_at for line in lines), default=None)
    age = "" if oldest is None else f", the oldest for {(utc_now() - oldest).total_seconds() / 60:.0f} min"
    return Part("queue", is_well=True, said=f"{sum(line.open for line in lines)} wait for a person{age}")


async def _deliveries(database: Database) -> Part:
    backlog, sites = Backlog(database, utc_now), await list_sites(database)
    async with database.connection() as connection:
        ids = [await find_site_id(connection, site.name) for site in sites]
    found = [await backlog.summary(site_id) for site_id in ids]
    failing, dead = sum(one.failing for one in found), sum(one.dead for one in found)
    said = f"{sum(one.pending for one in found)} pending, {failing} failing, {dead} given up"
    return Part("deliveries", is_well=failing == dead == 0, said=said)
