"""Kill a random part of the engines at a random moment while rows are inserted, again and again.

After each kill: every row whose commit was acknowledged is there, the service is back, no process of the data directory
is without its owner. CHAOS_ROUNDS sets the rounds, CHAOS_SEED repeats a run.
"""

import asyncio
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis.asyncio

from moderation.engines import EmbeddedEngines, EngineError
from tests.engines_fixture import (
    are_gone,
    engine_owner,
    engine_processes,
    read_addresses,
    wait_until,
)

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "12"))
SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(2**32)))
VICTIMS = ("owner", "owner_at_once", "owner_while_starting", "postmaster", "backend", "valkey", "everything")
WRITERS = 3
BACK_WITHIN_S = 30.0
# asyncpg says InternalClientError where a server vanishes between the two halves of a statement.
LOST = (
    OSError,
    TimeoutError,
    EngineError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class Writers:
    """Insert rows over several connections, come what may, and remember which commits were acknowledged."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._next = 0
        self.acknowledged: list[int] = []
        self.failures = 0

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._write_on()) for _ in range(WRITERS)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(result) for result in results} == {asyncio.CancelledError}, results

    async def _write_on(self) -> None:
        while True:
            try:
                await self._write_until_it_breaks()
            except LOST:
                self.failures += 1
            await asyncio.sleep(0.01)

    async def _write_until_it_breaks(self) -> None:
        addresses = await EmbeddedEngines.attach(self._data_dir, deadline_s=BACK_WITHIN_S)
        if addresses is None:
            return
        connection = await asyncpg.connect(addresses.database_url, timeout=5)
        try:
            while True:
                number, self._next = self._next, self._next + 1
                await connection.execute("INSERT INTO rows VALUES ($1, $2)", number, "x" * 200, timeout=10)
                self.acknowledged.append(number)
        finally:
            connection.terminate()

    async def are_back(self) -> None:
        """Wait until new rows are acknowledged."""
        before, until_s = len(self.acknowledged), time.monotonic() + BACK_WITHIN_S
        while len(self.acknowledged) < before + WRITERS:
            assert time.monotonic() < until_s, "no row was written any more"
            await asyncio.sleep(0.005)


class Desk:
    """The killed and restarted owner, and its processes."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._stack = AsyncExitStack()
        self.owner: subprocess.Popen[str] | None = None

    async def start_owner(self) -> None:
        await self._stack.aclose()
        self.owner = self._stack.enter_context(engine_owner(self.data_dir))
        await asyncio.to_thread(read_addresses, self.owner)

    async def close(self) -> None:
        await self._stack.aclose()

    def postmasters(self) -> list[psutil.Process]:
        return [process for process in self.children() if process.name() == "postgres"]

    def valkeys(self) -> list[psutil.Process]:
        return [process for process in self.children() if process.name() == "valkey-server"]

    def children(self) -> list[psutil.Process]:
        return [
            process for process in psutil.Process(self.owner.pid).children() if process.name() != "python"
        ]

    def backends(self) -> list[psutil.Process]:
        return [
            child for master in self.postmasters() for child in master.children() if "[local]" in name(child)
        ]

    def strays(self) -> list[psutil.Process]:
        """Engine processes that are neither the owner's children nor children of its postmaster."""
        known = {child.pid for child in self.children()}
        known |= {child.pid for master in self.postmasters() for child in master.children()}
        return [process for process in engine_processes(self.data_dir) if process.pid not in known]

    async def strike(self, victim: str, chance: random.Random) -> None:
        """Kill the victim, and start an owner where it was the owner."""
        if victim == "backend":
            await self._strike_a_backend(chance)
            return
        chosen = {"postmaster": self.postmasters, "valkey": self.valkeys}.get(victim)
        if chosen is not None:
            for process in chance.sample(found := chosen(), k=min(1, len(found))):
                kill(process)
            return
        targets = [psutil.Process(self.owner.pid)]
        if victim == "everything":
            targets += chance.sample(every := engine_processes(self.data_dir), k=len(every))
        for process in targets:
            kill(process)
        await asyncio.to_thread(self.owner.wait)
        if victim in {"owner", "everything"}:  # else the next owner meets what is left
            await asyncio.to_thread(wait_until, lambda: are_gone(self.data_dir), timeout_s=BACK_WITHIN_S)
        if victim == "owner_while_starting":
            with engine_owner(self.data_dir):
                await asyncio.sleep(chance.uniform(0.2, 1.0))
        await self.start_owner()

    async def _strike_a_backend(self, chance: random.Random) -> None:
        """Kill backends until one was not about to end anyway, and PostgreSQL has noticed: until then it goes on as before."""
        before, until_s = self.crashes(), time.monotonic() + BACK_WITHIN_S
        while self.crashes() == before:
            assert time.monotonic() < until_s, "no killed backend was noticed"
            if found := self.backends():
                kill(chance.choice(found))
            with suppress(AssertionError):
                await asyncio.to_thread(wait_until, lambda: self.crashes() > before, timeout_s=2.0)

    def crashes(self) -> int:
        """How often PostgreSQL began anew after the crash of a backend."""
        return (self.data_dir / "postgres.log").read_text().count("reinitializing")


def name(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()


@contextmanager
def reported(figures: dict[str, list[float]], writers: Writers) -> Iterator[None]:
    """Print what was done, also when it failed."""
    print(f"\nCHAOS_SEED={SEED} CHAOS_ROUNDS={ROUNDS}")
    try:
        yield
    finally:
        for victim, seconds in sorted(figures.items()):
            middle = sorted(seconds)[len(seconds) // 2]
            print(
                f"{victim}: {len(seconds)} kills, back after {middle:.2f} s (median), {max(seconds):.2f} s (longest)"
            )
        print(f"{len(writers.acknowledged)} rows acknowledged, {writers.failures} connections lost")


async def missing_rows(data_dir: Path, acknowledged: list[int]) -> set[int]:
    addresses = await EmbeddedEngines.attach(data_dir, deadline_s=BACK_WITHIN_S)
    assert addresses is not None
    connection = await asyncpg.connect(addresses.database_url, timeout=10)
    try:
        stored = {number for (number,) in await connection.fetch("SELECT number FROM rows")}
    finally:
        await connection.close()
    return set(acknowledged) - stored


async def make_table(data_dir: Path) -> None:
    addresses = await EmbeddedEngines.attach(data_dir, deadline_s=BACK_WITHIN_S)
    connection = await asyncpg.connect(addresses.database_url, timeout=10)
    await connection.execute("CREATE TABLE rows (number bigint PRIMARY KEY, word text)")
    await connection.close()


async def valkey_is_back(data_dir: Path) -> None:
    addresses = await EmbeddedEngines.attach(data_dir, deadline_s=BACK_WITHIN_S)
    client = redis.asyncio.from_url(addresses.redis_url)
    try:
        assert await client.set("cell", "1", ex=60)
    finally:
        await client.aclose()


@pytest.mark.slow
@pytest.mark.timeout(60 + 10 * ROUNDS)
async def test_killed_engines_lose_no_acknowledged_row_and_leave_no_orphan(engine_data):
    chance, figures, desk, writers = random.Random(SEED), {}, Desk(engine_data), Writers(engine_data)
    order = [victim for _ in range(ROUNDS) for victim in chance.sample(VICTIMS, k=len(VICTIMS))][:ROUNDS]
    await desk.start_owner()
    try:
        await make_table(engine_data)
        with reported(figures, writers):
            async with writers.writing():
                for victim in order:
                    await writers.are_back()
                    await asyncio.sleep(chance.uniform(0.0, 0.3))
                    struck_s = time.monotonic()
                    await desk.strike(victim, chance)
                    await writers.are_back()
                    await valkey_is_back(engine_data)
                    figures.setdefault(victim, []).append(time.monotonic() - struck_s)
                    await asyncio.to_thread(wait_until, lambda: not desk.strays(), timeout_s=BACK_WITHIN_S)
                    assert not await missing_rows(engine_data, list(writers.acknowledged))
        desk.owner.terminate()
        assert await asyncio.to_thread(desk.owner.wait, 30) == 0
        assert are_gone(engine_data)
    finally:
        await desk.close()
    assert Counter(order).total() == ROUNDS
