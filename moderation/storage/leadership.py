"""One process at a time: a job that must not run twice holds an advisory lock on a connection of its own.

The lock lives exactly as long as the connection. Work that goes through that connection therefore cannot overlap with the
next leader's; work that goes another way is cancelled as soon as the loss is seen.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

import asyncpg
import structlog

from moderation.domain.errors import DependencyUnavailableError
from moderation.storage.database import ACQUIRE_TIMEOUT_S, AWAY, COMMAND_TIMEOUT_S, prepare

RETRY_S = 1.0
MAX_BACKOFF_S = 5.0

# Lets the server notice within a minute that a leader's machine is gone, and give the lock to another.
_KEEP_ALIVE = {
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "50000",
}

log = structlog.get_logger()

LeadConnection: TypeAlias = "asyncpg.Connection[Any]"
Job: TypeAlias = "Callable[[LeadConnection], Awaitable[None]]"


@asynccontextmanager
async def leadership(url: str, key: int) -> AsyncIterator[LeadConnection]:
    """Wait until we lead, then lend the connection that holds the lock; raises what the driver raises when it is lost.

    The lock is asked for again and again rather than waited for in the server: a waiting statement would hold back cleaning up
    in the whole database.
    """
    connection: LeadConnection = await asyncpg.connect(
        url, timeout=ACQUIRE_TIMEOUT_S, command_timeout=COMMAND_TIMEOUT_S, server_settings=_KEEP_ALIVE
    )
    try:
        await prepare(connection)
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
            await asyncio.sleep(RETRY_S)
        yield connection
    finally:
        await _close(connection)


async def lead(url: str, key: int, job: Job) -> None:
    """Run ``job`` while we lead, again after every loss, until cancelled; PostgreSQL away means growing pauses.

    The job is cancelled when the connection is seen to be lost; it should use the connection now and then, for a peer that
    fell silent is noticed only so. It may raise: that is logged, leadership given up, and tried again. A loss is said once,
    and that the job runs again.
    """
    name = getattr(job, "__qualname__", type(job).__qualname__).partition(".")[0]
    backoff_s, is_lost = RETRY_S, False
    while True:
        try:
            async with leadership(url, key) as connection:
                if is_lost:
                    log.info("leadership_back", job=name)
                backoff_s, is_lost = RETRY_S, False
                await _run_while_connected(connection, job)
        except (*AWAY, DependencyUnavailableError) as error:
            if not is_lost:
                log.warning("leadership_lost", job=name, error=type(error).__name__)
            is_lost = True
        except Exception:  # a background job must come back after any fault
            log.exception("job_failed", job=name)
        await asyncio.sleep(backoff_s)
        backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)


async def _run_while_connected(connection: LeadConnection, job: Job) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    running = asyncio.ensure_future(job(connection))
    watching = asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait((running, watching), return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            raise ConnectionResetError("the connection that held the lock is gone")
        running.result()
    finally:
        for task in (running, watching):
            task.cancel()
        await asyncio.gather(running, watching, return_exceptions=True)


async def _close(connection: LeadConnection) -> None:
    with suppress(*AWAY):
        await connection.close(timeout=ACQUIRE_TIMEOUT_S)
