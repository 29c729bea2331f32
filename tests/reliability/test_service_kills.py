"""`kill -9` of any part under load: every acknowledged comment is there once, its event is heard, nothing is left behind."""

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import aiohttp
import asyncpg
import psutil
import pytest

from moderation.engines import EmbeddedEngines
from tests.engines_fixture import engine_processes
from tests.program import Service, free_port, run_json, serving, started, until_ready
from tests.receiver import Receiver
from tests.service import comment

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "4"))
CLIENTS = 8
VICTIMS = ("worker", "supervisor", "postgres", "valkey")


class Reader:
    """Posts comments one after another, each until it is acknowledged, as a careful site does."""

    def __init__(self, url: str, key: str, name: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._name = name
        self.acknowledged: dict[str, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        number = 0
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session:
            while not stop.is_set():
                body = comment(f"تعليق {number}", external_id=f"{self._name}-{number}")
                while not stop.is_set():
                    answer = await self._post(session, body)
                    if answer is not None:
                        self.acknowledged[body["external_id"]] = answer
                        break
                    await asyncio.sleep(0.05)
                number += 1

    async def _post(self, session: aiohttp.ClientSession, body: dict) -> str | None:
        try:
            async with session.post(f"{self._url}/v1/comments", json=body) as answer:
                assert answer.status in {200, 201, 503}, await answer.text()
                return (await answer.json())["id"] if answer.status < 300 else None
        except (aiohttp.ClientError, TimeoutError):
            return None


def kill(service: Service, data_dir: Path, victim: str) -> bool:
    """Kill one part; tell whether the supervisor is gone."""
    if victim == "supervisor":
        service.process.kill()
        service.process.wait()
        return True
    if victim == "worker":
        found = [p for p in service.family() if "moderation.worker" in p.cmdline()]
    else:
        found = [p for p in engine_processes(data_dir) if p.name().startswith(victim) and is_main(p)]
    for process in found[:1]:
        os.kill(process.pid, signal.SIGKILL)
    return False


def is_main(process: psutil.Process) -> bool:
    """Whether it is the engine itself, and none of its children."""
    parent = process.parent()
    return parent is None or parent.name() != process.name()


@pytest.mark.slow
@pytest.mark.timeout(120 + 60 * ROUNDS)
async def test_nothing_acknowledged_is_lost_whatever_is_killed(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    data_dir, port = tmp_path / "data", free_port()
    async with Receiver() as receiver:
        options = ("--url", "https://news.example", "--webhook-url", receiver.url)
        site = run_json("site", "add", "akhbar", *options, data_dir=data_dir)
        run_json(
            "site",
            "set",
            "akhbar",
            *(f"limits.{rule}=0" for rule in ("author", "address", "thread", "site")),
            data_dir=data_dir,
        )
        readers = [Reader(f"http://127.0.0.1:{port}", site["key"], f"r{n}") for n in range(CLIENTS)]
        stop = asyncio.Event()
        running = [asyncio.create_task(reader.run(stop)) for reader in readers]
        try:
            await survive(data_dir, port, chance, readers)
        finally:
            stop.set()
            await asyncio.gather(*running)
        acknowledged = {key: value for reader in readers for key, value in reader.acknowledged.items()}
        assert len(acknowledged) > 20 * ROUNDS
        async with started(data_dir, port=port, allow_private_endpoints="true") as service:
            await receiver.wait_for(
                lambda: set(acknowledged.values()) <= {key[0] for key in receiver.keys}, timeout_s=60
            )
            assert service.stop() == 0
    await everything_is_there(data_dir, acknowledged)
    assert engine_processes(data_dir) == []


async def survive(data_dir: Path, port: int, chance: random.Random, readers: list[Reader]) -> None:
    """Kill one part after another, each time under load, and each time see the service come back by itself."""
    victims = [VICTIMS[n % len(VICTIMS)] for n in range(ROUNDS)]
    chance.shuffle(victims)
    while victims:
        with serving(data_dir, port=port, allow_private_endpoints="true") as service:
            await until_ready(service)
            while victims:
                await progress(readers, chance.randrange(5, 60))
                if kill(service, data_dir, victims.pop()):
                    break
                await until_ready(service)


async def progress(readers: list[Reader], count: int) -> None:
    """Wait until ``count`` more comments were acknowledged."""
    target = sum(len(reader.acknowledged) for reader in readers) + count
    until_s = time.monotonic() + 40
    while sum(len(reader.acknowledged) for reader in readers) < target:
        assert time.monotonic() < until_s, "no comment is taken any more"
        await asyncio.sleep(0.005)


async def everything_is_there(data_dir: Path, acknowledged: dict[str, str]) -> None:
    """Read the tables after an orderly stop."""
    engines = EmbeddedEngines(data_dir, valkey=False)
    addresses = await engines.start()
    try:
        connection = await asyncpg.connect(addresses.database_url)
        rows = await connection.fetch("SELECT external_id, id::text AS id FROM comments")
        stored = {row["external_id"]: row["id"] for row in rows}
        assert len(stored) == len(rows)
        assert {key: stored.get(key) for key in acknowledged} == acknowledged
        assert (
            await connection.fetchval(
                "SELECT count(*) FROM comments c LEFT JOIN decisions d ON d.comment_id = c.id WHERE d.sequence IS NULL"
            )
            == 0
        )
        assert (
            await connection.fetchval(
                "SELECT count(*) FROM comments c LEFT JOIN tasks t ON t.comment_id = c.id WHERE t IS NULL AND c.state = 'held'"
            )
            == 0
        )
        await connection.close()
    finally:
        await engines.stop()
