"""The pool of connections, and what driver errors mean for the service."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeAlias

import asyncpg
import orjson
import structlog

from moderation.domain.errors import DependencyUnavailableError
from moderation.storage.lending import Lending
from moderation.telemetry import DATABASE_AWAY, DATABASE_SLOW

Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"

ACQUIRE_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 15.0
ANSWERED_WITHIN_S = 4.0
"""What a request other than intake gives each use of the database: one that hangs must not make callers hang."""

BACK_AFTER_S = 3.0
"""Without a failure; the directory's look for changes, every second, is the next use at the latest."""

SLOW_AGAIN_AFTER_S = 60.0
"""Without a slow use, before one is worth a line in the log again."""

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke off in the middle of a protocol exchange
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.InternalServerError,
    asyncpg.exceptions.ReadOnlySQLTransactionError,
    asyncpg.exceptions.PostgresIOError,
    asyncpg.exceptions.InvalidAuthorizationSpecificationError,
    asyncpg.exceptions.InvalidCatalogNameError,
    asyncpg.exceptions.TransactionRollbackError,  # deadlocks and serialisation failures among them
    asyncpg.exceptions.ObjectNotInPrerequisiteStateError,  # lock timeouts among them
)
"""What the driver raises when PostgreSQL is gone, stopping, starting, full or overloaded."""


_CROSSED = (
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.exceptions.ObjectNotInPrerequisiteStateError,
)

log = structlog.get_logger()


async def connect(url: str, *, command_timeout_s: float | None = COMMAND_TIMEOUT_S) -> Connection:
    """Open one connection with the service's codecs."""
    connection = await asyncpg.connect(url, timeout=ACQUIRE_TIMEOUT_S, command_timeout=command_timeout_s)
    await prepare(connection)
    return connection


async def _prepare_shared(connection: Connection) -> None:
    """Prepare a connection of the pool; one that is cut off must not wait on in the server, where it counts as one still."""
    await prepare(connection)
    if connection.get_server_version() >= (14,):
        with suppress(
            asyncpg.InvalidParameterValueError
        ):  # a server on a system that cannot watch its clients
            await connection.execute("SET client_connection_check_interval = 1000")


async def prepare(connection: Connection) -> None:
    """Make ``jsonb`` and ``json`` travel as Python values; the latter as the bytes they are written in."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json_text, decoder=orjson.loads, format="text"
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=orjson.dumps, decoder=orjson.loads, format="binary"
    )


async def _keep(_connection: Connection) -> None:
    """Ask nothing of a connection that comes back.

    The driver's own reset ends an open transaction before this; its query on top is a round trip at every use, for session
    state that nothing here sets (settings are `SET LOCAL`, advisory locks live on connections of their own).
    """


def json_text(value: Any) -> str:
    """Write a value as JSON text."""
    return orjson.dumps(value).decode()


def row_count(status: str) -> int:
    """Return how many rows a statement touched, by the status that `execute` returned, as `DELETE 3`."""
    return int(status.rsplit(maxsplit=1)[-1])


class _Pool:
    """The driver's pool, opened by the first use that finds PostgreSQL, and whether it is away."""

    def __init__(self, url: str, size: int) -> None:
        self.url = url
        self._size = size
        self.opened: Lending | None = None
        self._opening = asyncio.Lock()
        self._away_since_s: float | None = None
        self._failed_s = 0.0
        self._back_s: float | None = None
        """Of the first answer after the latest failure."""
        self._answered_s = -math.inf
        self._slow_s = -math.inf

    async def open(self, within_s: float) -> Lending:
        async with asyncio.timeout(within_s), self._opening:  # two first users must not open two pools
            if self.opened is None:
                pool = await asyncpg.create_pool(
                    self.url,
                    min_size=1,
                    max_size=self._size,
                    init=_prepare_shared,
                    reset=_keep,
                    timeout=ACQUIRE_TIMEOUT_S,
                    command_timeout=COMMAND_TIMEOUT_S,
                    max_inactive_connection_lifetime=300,
                )
                self.opened = Lending(pool)
            return self.opened

    async def close(self) -> None:
        async with self._opening:  # a pool that is being opened must not be left behind
            pool, self.opened = self.opened, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), timeout=ACQUIRE_TIMEOUT_S)
            except TimeoutError:
                pool.terminate()

    def note_failure(self, error: BaseException, *, began_s: float, is_cut_off: bool) -> None:
        """Say once that PostgreSQL is away, or slow, not at every request; a deadlock or a lock that was waited for is neither.

        It is slow where our own patience or its own ended a use that began at ``began_s``, and others were answered meanwhile.
        """
        if isinstance(error, _CROSSED):
            return
        is_impatience = is_cut_off or isinstance(error, TimeoutError)
        if isinstance(error, asyncpg.QueryCanceledError) or (is_impatience and self._answered_s > began_s):
            self._note_slow(error)
            return
        self._failed_s = time.monotonic()
        self._back_s = None
        if self._away_since_s is None:
            self._away_since_s = began_s
            DATABASE_AWAY.set(1)
            log.error("postgresql_away", error=type(error).__name__)

    def _note_slow(self, error: BaseException) -> None:
        DATABASE_SLOW.inc()
        now_s = time.monotonic()
        if now_s - self._slow_s > SLOW_AGAIN_AFTER_S:
            log.warning("postgresql_slow", error=type(error).__name__)
        self._slow_s = now_s

    def note_answer(self) -> None:
        """Say that it is back once nothing has failed for a while: on a full disk every other use succeeds, and none that stores."""
        self._answered_s = time.monotonic()
        if self._away_since_s is None:
            return
        self._back_s = self._back_s or self._answered_s
        if self._answered_s - self._failed_s > BACK_AFTER_S:
            log.info("postgresql_back", away_s=round(self._back_s - self._away_since_s, 1))
            self._away_since_s = None
            DATABASE_AWAY.set(0)


class Database:
    """A bounded pool; turns "PostgreSQL is away" into `DependencyUnavailableError`.

    A pool that could not be opened is opened by the first use that finds PostgreSQL back.
    """

    def __init__(self, url: str, *, size: int = 8) -> None:
        self._pool = _Pool(url, size)
        self._within_s: float | None = None

    def within(self, seconds: float) -> "Database":
        """Return the same pool for uses that somebody waits for: each ends after ``seconds``, waiting for a connection included.

        A use that takes longer loses its connection in the middle: an open transaction is rolled back, but of a commit, or of a
        single statement outside of a transaction, that was under way nothing is known.
        """
        return _Bounded(self._pool, seconds)

    @property
    def url(self) -> str:
        """The address, for what needs a connection of its own; holds a password, so not for logs."""
        return self._pool.url

    async def open(self) -> None:
        """Open the pool; raises what the driver raises when PostgreSQL is away, after `ACQUIRE_TIMEOUT_S` at most."""
        await self._pool.open(self._within_s or ACQUIRE_TIMEOUT_S)

    async def close(self) -> None:
        """Close every connection, waiting a bounded time for those in use."""
        await self._pool.close()

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection; raises `DependencyUnavailableError` when PostgreSQL is away, also from inside the block."""
        return _Use(self._pool, self._within_s)

    async def check(self) -> None:
        """Raise `DependencyUnavailableError` unless PostgreSQL answers."""
        async with self.connection() as connection:
            await connection.fetchval("SELECT 1")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction."""
        async with self.connection() as connection, connection.transaction():
            yield connection


class _Use(AbstractAsyncContextManager[Connection]):
    """One use of the database; a class, for a generator costs twice as much and every group of comments makes two."""

    def __init__(self, pool: _Pool, within_s: float | None) -> None:
        self._pool = pool
        self._within_s = within_s
        self._limit: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Connection:
        self._began_s = time.monotonic()
        wait_s = self._within_s or ACQUIRE_TIMEOUT_S
        try:
            self._lending = self._pool.opened or await self._pool.open(wait_s)
            self._lent = await self._lending.take(wait_s)
        except AWAY as error:
            self._tell_away(error)
            raise
        if self._within_s is not None:
            self._limit = _cut_off(self._lent.connection, self._began_s + self._within_s)
        connection: Connection = self._lent.connection
        return connection

    async def __aexit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if self._limit is not None:
            self._limit.cancel()
        try:
            await self._lending.give_back(self._lent, has_failed=error is not None)
        except AWAY as failed:
            self._tell_away(failed)
            raise
        if error is None:
            self._pool.note_answer()
        elif isinstance(error, AWAY):
            self._tell_away(error)

    def _tell_away(self, error: BaseException) -> None:
        """Raise `DependencyUnavailableError` where PostgreSQL is away; return where an argument, or the address itself, is wrong."""
        if isinstance(error, ValueError):  # no retry will help
            return
        is_cut_off = self._within_s is not None and time.monotonic() >= self._began_s + self._within_s
        self._pool.note_failure(error, began_s=self._began_s, is_cut_off=is_cut_off)
        raise DependencyUnavailableError("postgresql") from error


class _Bounded(Database):
    """`Database.within`."""

    def __init__(self, pool: _Pool, within_s: float) -> None:
        self._pool = pool
        self._within_s = within_s


def _cut_off(connection: Connection, until_s: float) -> asyncio.TimerHandle:
    """End a connection at a moment of the monotonic clock, whatever it waits for: to cancel a statement takes an answer, too."""
    return asyncio.get_running_loop().call_later(max(until_s - time.monotonic(), 0.0), connection.terminate)
