"""Connections to one Redis, kept open. Redis-py's own pool costs more for each use than what they are used for here."""

from asyncio import Semaphore
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import redis.exceptions
from redis.asyncio import ConnectionPool


class Connections:
    """At most ``most`` connections as ``factory`` makes them; who finds none free waits, for as long as their own deadline lets."""

    def __init__(self, factory: ConnectionPool, *, most: int) -> None:
        self._factory: Any = factory  # redis-py leaves half of its methods untyped
        self._most = most
        self._idle: list[Any] = []
        self._places = Semaphore(most)

    def elsewhere(self, host: str, port: int) -> "Connections":
        """Return connections of the same kind to another server."""
        made = ConnectionPool(
            connection_class=self._factory.connection_class,
            **self._factory.connection_kwargs | {"host": host, "port": port},
        )
        return Connections(made, most=self._most)

    @property
    def host(self) -> str:
        """The server's name or address."""
        return str(self._factory.connection_kwargs.get("host", "127.0.0.1"))

    async def use(self, ask: Callable[[Any], Awaitable[list[Any]]]) -> list[Any]:
        """Return what ``ask`` makes of a connection; ask a new one where Redis closed an idle one meanwhile.

        Then the first may have been heard as well, which must be harmless. A connection that failed or was cancelled halfway is
        closed, so that no later call reads this one's answers.
        """
        async with self._places:
            while self._idle:
                with suppress(redis.exceptions.ConnectionError, OSError):
                    return await self._ask(self._idle.pop(), ask)
            return await self._ask(self._factory.make_connection(), ask)

    async def close(self) -> None:
        """Close those that are idle; new ones are opened when they are needed."""
        while self._idle:
            await self._idle.pop().disconnect()

    async def _ask(self, connection: Any, ask: Callable[[Any], Awaitable[list[Any]]]) -> list[Any]:
        try:
            answers = await ask(connection)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._idle.append(connection)
        return answers
