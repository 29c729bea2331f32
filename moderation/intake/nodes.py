"""Which node of a Redis Cluster has a site's keys; with a single server, that one.

A cluster answers a call for keys that are elsewhere with the address of the node that has them (MOVED). That is remembered by
site, and forgotten as soon as anything fails, so that a failover is found out by asking the configured address again.
"""

from collections.abc import Sequence

from redis.exceptions import MovedError

from moderation.intake.connections import Connections


class Nodes:
    """Pools of connections, by node; opened when a site's keys are first found there."""

    def __init__(self, first: Connections) -> None:
        self._first = first
        self._pools: dict[tuple[str, int], Connections] = {}
        self._homes: dict[bytes, Connections] = {}

    def by_node(self, stems: Sequence[bytes]) -> list[tuple[Connections, list[int]]]:
        """Return each pool with the places of those ``stems`` (what the keys of a site begin with) that it has."""
        if not self._homes:
            return [(self._first, list(range(len(stems))))]
        found: dict[int, tuple[Connections, list[int]]] = {}
        for place, stem in enumerate(stems):
            pool = self._homes.get(stem, self._first)
            found.setdefault(id(pool), (pool, []))[1].append(place)
        return list(found.values())

    def moved(self, stem: bytes, error: MovedError) -> None:
        """Remember where the keys are; a node that names no host means its own."""
        address = (error.host or self._first.host, int(error.port))
        if address not in self._pools:
            self._pools[address] = self._first.elsewhere(*address)
        self._homes[stem] = self._pools[address]

    def forget(self) -> None:
        """Ask the configured address about every site again."""
        self._homes.clear()

    async def close(self) -> None:
        """Close the connections; they are opened again when they are needed."""
        for pool in (self._first, *self._pools.values()):
            await pool.close()
