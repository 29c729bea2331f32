"""A real `moderation serve` with one site and no rate limits, whose parts can be stopped, starved and killed."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil

from moderation.engines import EmbeddedEngines
from tests.engines_fixture import engine_processes
from tests.program import Service, free_port, run_json, started
from tests.service import comment

ANSWERED_WITHIN_S = 40.0
BACK_WITHIN_S = 45.0
NO_LIMITS = {
    rule: {"count": 0, "period_s": 1, "burst": 1} for rule in ("author", "address", "thread", "site")
}


@dataclass
class Desk:
    """The running service, its site, and everything that it acknowledged."""

    data_dir: Path
    service: Service
    site: dict[str, str]
    session: aiohttp.ClientSession
    database_url: str
    acknowledged: dict[str, str] = field(default_factory=dict)

    async def post(self, external_id: str, text: str = "تعليق هادئ") -> int:
        """Send one comment; return the status, 0 where the connection broke. Remembers what was accepted."""
        headers = {"Authorization": f"Bearer {self.site['key']}"}
        body = comment(text, external_id=external_id)
        try:
            async with self.session.post(
                f"{self.service.url}/v1/comments", json=body, headers=headers
            ) as answer:
                if answer.status < 300:
                    self.acknowledged[external_id] = (await answer.json())["id"]
                elif answer.status == 503:
                    assert int(answer.headers["Retry-After"]) > 0
                return answer.status
        except aiohttp.ClientConnectionError:
            return 0

    async def post_until_accepted(self, external_id: str) -> None:
        async with asyncio.timeout(BACK_WITHIN_S):
            while await self.post(external_id) not in {200, 201}:
                await asyncio.sleep(0.1)

    async def ready(self) -> tuple[int, list[str]]:
        """Return what `/readyz` says."""
        async with self.session.get(f"{self.service.url}/readyz") as answer:
            return answer.status, (await answer.json())["missing"]

    async def until_ready(self, expected: tuple[int, list[str]]) -> None:
        async with asyncio.timeout(BACK_WITHIN_S):
            while await self.ready() != expected:
                await asyncio.sleep(0.1)

    def engine(self, name: str) -> list[psutil.Process]:
        return [process for process in engine_processes(self.data_dir) if process.name().startswith(name)]

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """Keep every process of an engine from running, as a machine that swaps or a disk that hangs does."""
        processes = self.engine(name)
        assert processes
        _signal(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(processes, signal.SIGCONT)

    async def everything_is_there_once(self) -> None:
        """Fail unless each acknowledged comment with an id of the site is stored once, under the id that was answered, with its decision."""
        connection = await asyncpg.connect(self.database_url)
        try:
            rows = await connection.fetch(
                "SELECT c.external_id, c.id::text AS id, count(d.sequence) FILTER (WHERE d.sequence = 1) AS first"
                " FROM comments c LEFT JOIN decisions d ON d.comment_id = c.id"
                " WHERE c.external_id IS NOT NULL GROUP BY c.id"
            )
        finally:
            await connection.close()
        stored = {row["external_id"]: row["id"] for row in rows}
        assert len(stored) == len(rows)
        assert {row["first"] for row in rows} <= {1}
        assert {key: stored.get(key) for key in self.acknowledged} == self.acknowledged


@asynccontextmanager
async def running_desk(data_dir: Path, **settings: str) -> AsyncIterator[Desk]:
    site = run_json("site", "add", "akhbar", "--url", "https://news.example", data_dir=data_dir)
    timeout = aiohttp.ClientTimeout(total=ANSWERED_WITHIN_S)
    async with (
        started(data_dir, port=free_port(), allow_private_endpoints="true", **settings) as service,
        aiohttp.ClientSession(timeout=timeout) as session,
    ):
        addresses = await EmbeddedEngines.attach(data_dir, deadline_s=60)
        assert addresses is not None
        await lift_limits(addresses.database_url)
        desk = Desk(data_dir, service, site, session, addresses.database_url)
        try:
            yield desk
        finally:
            for process in engine_processes(data_dir):
                _signal([process], signal.SIGCONT)


async def lift_limits(database_url: str, webhook_url: str | None = None) -> None:
    import json

    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "UPDATE sites SET settings = jsonb_set(settings, '{limits}', $1::jsonb), webhook_url = $2",
        json.dumps(NO_LIMITS),
        webhook_url,
    )
    await connection.execute("UPDATE instance SET config_version = config_version + 1")
    await connection.close()
    await asyncio.sleep(1.5)  # processes look for a new version once a second


def _signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            os.kill(process.pid, number)


async def timed(work: Any) -> float:
    started_s = time.monotonic()
    await work
    return time.monotonic() - started_s
