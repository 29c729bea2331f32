"""Connections at hand: those of a busy process go from use to use without the driver's pool.

The pool makes a task, a shield and three timers for each use. It stays the one that opens, bounds, waits and closes.
"""

import time
from typing import Any, NamedTuple

import asyncpg

KEPT = 3
"""As many as groups of comments are under way in a process."""
KEPT_S = 60.0
"""Since it was asked of the pool; the lowest of them then goes back there, which closes what was idle or was used for too long."""
RELEASE_TIMEOUT_S = 5.0


class Lent(NamedTuple):
    """A connection in somebody's hands, and the moment (monotonic) from which on it is not kept."""

    connection: Any
    until_s: float


class Lending:
    """Lends connections of an open pool; at most `KEPT` that nobody uses are kept from it."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._kept: list[Lent] = []
        self._asking = 0
        """Who waits for the pool; while anybody does, everything goes back there."""
        self._is_closing = False

    async def take(self, wait_s: float) -> Lent:
        """Return a connection; raises `TimeoutError` when none becomes free within ``wait_s``, and the driver's errors."""
        while self._kept:
            lent = self._kept.pop()
            if _is_whole(lent.connection):
                return lent
            await self._pool.release(lent.connection, timeout=RELEASE_TIMEOUT_S)
        self._asking += 1
        try:
            # Watching the clock costs more than taking a connection that is there; one that must be made has its own limit.
            limit_s = None if self._pool.get_idle_size() else wait_s
            connection = await self._pool.acquire(timeout=limit_s)
        finally:
            self._asking -= 1
        return Lent(connection, time.monotonic() + KEPT_S)

    async def give_back(self, lent: Lent, *, has_failed: bool) -> None:
        """Keep the connection for the next use, or let the pool see to it: always after an error."""
        is_kept = (
            not (has_failed or self._asking or self._is_closing)
            and len(self._kept) < KEPT
            and _is_whole(lent.connection)
        )
        if not is_kept:
            await self._pool.release(lent.connection, timeout=RELEASE_TIMEOUT_S)
            return
        self._kept.append(lent)
        if self._kept[0].until_s <= time.monotonic():  # the lowest may lie idle while those above are used
            await self._pool.release(self._kept.pop(0).connection, timeout=RELEASE_TIMEOUT_S)

    async def close(self) -> None:
        """Close the pool, waiting for connections in use."""
        self._is_closing = True
        while self._kept:
            await self._pool.release(self._kept.pop().connection, timeout=RELEASE_TIMEOUT_S)
        await self._pool.close()

    def terminate(self) -> None:
        """Close the pool, and end every connection at once."""
        self._pool.terminate()


def _is_whole(connection: Any) -> bool:
    """Tell whether a connection is open and inside no transaction."""
    try:
        return not (connection.is_closed() or connection.is_in_transaction())
    except asyncpg.InterfaceError:  # it broke off, and the pool has it back already
        return False
