"""What an operator sees in `/metrics` when parts die: counted by the supervisor, told by the workers."""

import asyncio
import time
from pathlib import Path

import aiohttp
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.engines_fixture import engine_processes
from tests.program import Service, free_port, run_json, started
from tests.service import comment

DEADLINE_S = 90.0


async def measured(service: Service, session: aiohttp.ClientSession) -> dict[tuple[str, str], float]:
    """Every sample by its name and its only label's value."""
    try:
        async with session.get(service.url + "/metrics") as answer:
            families = text_string_to_metric_families(await answer.text())
            return {(s.name, "/".join(s.labels.values())): s.value for f in families for s in f.samples}
    except (aiohttp.ClientError, TimeoutError):
        return {}


async def until(service: Service, name: str, label: str, least: float) -> float:
    until_s = time.monotonic() + DEADLINE_S
    seen: dict[tuple[str, str], float] = {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session:
        while time.monotonic() < until_s:
            seen = await measured(service, session) or seen
            if seen.get((name, label), -1) >= least:
                return seen[name, label]
            await asyncio.sleep(0.2)
    raise AssertionError(f"{name} {label} stayed at {seen.get((name, label))}")


@pytest.mark.timeout(400)
async def test_restarts_and_what_waits_are_told_by_every_worker_alike(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    key = run_json("site", "add", "akhbar", "--url", "https://news.example", data_dir=data_dir)["key"]
    async with started(data_dir, "--workers", "2", port=port) as service:
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session,
            session.post(service.url + "/v1/comments", json=comment("تعليق ينتظر")) as answer,
        ):
            assert answer.status == 201
        workers = [p for p in service.family() if "moderation.worker" in p.cmdline()]
        valkey = next(p for p in engine_processes(data_dir) if p.name().startswith("valkey"))
        valkey.kill()
        workers[0].kill()
        psutil.wait_procs([valkey, workers[0]], timeout=60)

        assert await until(service, "moderation_restarts", "valkey", 1) == 1
        assert await until(service, "moderation_restarts", "workers", 1) == 1
        assert await until(service, "moderation_open_tasks", "held", 1) == 1
        assert await until(service, "moderation_model_loaded", "", 1) == 1
