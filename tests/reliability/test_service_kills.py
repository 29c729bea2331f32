"""`kill -9` of any part under load: every acknowledged comment is there once, its event is heard, nothing is left behind."""

import asyncio
import os
import random
import signal
import time
from pathlib import Path
from statistics import median

import aiohttp
import asyncpg
import psutil
import pytest

from moderation.engines import EmbeddedEngines
from tests.chaos import report
from tests.engines_fixture import are_gone, engine_processes, wait_until
from tests.program import PATIENCE, Service, free_port, run_json, serving, started, until_ready
from tests.receiver import Receiver
from tests.reliability.test_two_of_everything import in_usable_order
from tests.service import comment

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "4"))
CLIENTS = 8
VICTIMS = tuple(os.environ.get("CHAOS_VICTIMS", "worker,supervisor,postgres,valkey").split(","))


class Reader:
    """Posts comments one after another, each until it is acknowledged, as a careful site does."""

    def __init__(self, url: str, key: str, name: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._name = name
        self.acknowledged: dict[str, str] = {}
        self.decided: set[str] = set()

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
                if number % 3 == 0:
                    await self._decide(session, body["external_id"], stop)
                number += 1

    async def _decide(self, session: aiohttp.ClientSession, external_id: str, stop: asyncio.Event) -> None:
        """Approve it as the site's own desk, asking again until that is acknowledged."""
        comment_id = self.acknowledged.get(external_id)
        ruling = {"verdict": "approve", "revision": 1, "moderator": "desk"}
        while comment_id is not None and not stop.is_set():
            try:
                url = f"{self._url}/v1/comments/{comment_id}/decision"
                async with session.post(url, json=ruling) as answer:
                    assert answer.status in {200, 503}, await answer.text()
                    if answer.status == 200:
                        self.decided.add(comment_id)
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)

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
@pytest.mark.timeout((120 + 60 * ROUNDS) * PATIENCE)
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
        figures: dict[str, list[float]] = {}
        running = [asyncio.create_task(reader.run(stop)) for reader in readers]
        try:
            await survive(data_dir, port, chance, readers, figures)
        except BaseException:
            for victim, seconds in figures.items():
                report(
                    f"kill -9 {victim}, broken off", len(seconds), f"came back after {median(seconds):.1f} s"
                )
            raise
        finally:
            stop.set()
            await asyncio.gather(*running)
        acknowledged = {key: value for reader in readers for key, value in reader.acknowledged.items()}
        assert len(acknowledged) > 20 * ROUNDS
        async with started(data_dir, port=port, allow_private_endpoints="true") as service:
            events = await every_event(data_dir)
            await receiver.wait_for(lambda: events <= set(receiver.keys), timeout_s=60 * PATIENCE)
            assert service.stop() == 0
        in_usable_order(receiver)
        assert len({key[0] for key in events}) >= len(acknowledged)
    await everything_is_there(data_dir, acknowledged)
    await every_decision_is_there_once(data_dir, {one for reader in readers for one in reader.decided})
    assert engine_processes(data_dir) == []
    for victim, seconds in figures.items():
        report(
            f"kill -9 {victim}",
            len(seconds),
            f"{len(acknowledged)} acknowledged, none lost, none twice; {len(events)} events heard in usable order, "
            f"{len(receiver.keys) - len(set(receiver.keys))} repeated; back after {median(seconds):.1f} s, at most "
            f"{max(seconds):.1f} s",
        )


async def every_event(data_dir: Path) -> set[tuple[str, int]]:
    addresses = await EmbeddedEngines.attach(data_dir, deadline_s=60)
    assert addresses is not None
    connection = await asyncpg.connect(addresses.database_url)
    rows = await connection.fetch("SELECT comment_id::text AS id, sequence FROM decisions")
    await connection.close()
    return {(row["id"], row["sequence"]) for row in rows}


async def every_decision_is_there_once(data_dir: Path, decided: set[str]) -> None:
    engines = EmbeddedEngines(data_dir, valkey=False)
    addresses = await engines.start()
    try:
        connection = await asyncpg.connect(addresses.database_url)
        rows = await connection.fetch(
            "SELECT comment_id::text AS id, count(*) AS times FROM decisions WHERE decided_by = 'site' GROUP BY comment_id"
        )
        await connection.close()
    finally:
        await engines.stop()
    assert {row["times"] for row in rows} <= {1}
    assert decided <= {row["id"] for row in rows}


async def survive(
    data_dir: Path,
    port: int,
    chance: random.Random,
    readers: list[Reader],
    figures: dict[str, list[float]],
) -> None:
    """Kill one part after another, each time under load, and each time see the service come back by itself."""
    victims = [VICTIMS[n % len(VICTIMS)] for n in range(ROUNDS)]
    chance.shuffle(victims)
    while victims:
        with serving(data_dir, port=port, allow_private_endpoints="true") as service:
            await until_ready(service)
            while victims:
                await progress(readers, chance.randrange(5, 60))
                victim, struck_s = victims.pop(), time.monotonic()
                is_over = kill(service, data_dir, victim)
                if is_over:
                    await asyncio.to_thread(wait_until, lambda: are_gone(data_dir))
                    figures.setdefault(victim, []).append(time.monotonic() - struck_s)
                    break
                await progress(readers, 1)
                await until_ready(service)
                figures.setdefault(victim, []).append(time.monotonic() - struck_s)


async def progress(readers: list[Reader], count: int) -> None:
    """Wait until ``count`` more comments were acknowledged."""
    target = sum(len(reader.acknowledged) for reader in readers) + count
    until_s = time.monotonic() + 40 * PATIENCE
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
