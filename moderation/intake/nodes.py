"""Which node of a Redis Cluster has a site's keys; with a single server, that one.

A cluster answers a call for keys that are elsewhere with the address of the node that has them (MOVED). That is remembered by
site, and forgotten as soon as anything fails, so that a failover is found out by asking the configured address again.
"""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.exceptions import MovedError


class Nodes:
    """Pools of connections, by node; opened when a site's keys are first found there."""

    def __init__(self, first: BlockingConnectionPool) -> None:
        self._first: Any = first  # redis-py leaves half of its methods untyped
        self._pools: dict[tuple[str, int], Any] = {}
        self._homes: dict[bytes, Any] = {}

    def by_node(self, stems: Sequence[bytes]) -> list[tuple[Any, list[int]]]:
        """Return each pool with the places of those ``stems`` (what the keys of a site begin with) that it has."""
        if not self._homes:
            return [(self._first, list(range(len(stems))))]
        found: dict[int, tuple[Any, list[int]]] = {}
        for place, stem in enumerate(stems):
            pool = self._homes.get(stem, self._first)
            found.setdefault(id(pool), (pool, []))[1].append(place)
        return list(found.values())

    def moved(self, stem: bytes, error: MovedError) -> None:
        """Remember where the keys are; a node that names no host means its own."""
        options = self._first.connection_kwargs
        address = (error.host or options.get("host", "127.0.0.1"), int(error.port))
        if address not in self._pools:
            self._pools[address] = BlockingConnectionPool(
                connection_class=self._first.connection_class,
                max_connections=self._first.max_connections,
                timeout=self._first.timeout,
                **options | {"host": address[0], "port": address[1]},
            )
        self._homes[stem] = self._pools[address]

    def forget(self) -> None:
        """Ask the configured address about every site again."""
        self._homes.clear()

    async def close(self) -> None:
        """Close the connections; they are opened again when they are needed."""
        for pool in (self._first, *self._pools.values()):
            await pool.aclose()
