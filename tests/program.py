"""Run the real program as an operator does: `moderation serve` and the commands beside it, in processes of their own."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from tests.forked import FORKS

PROGRAM = [sys.executable, "-m", "moderation"]
PATIENCE = float(os.environ.get("CHAOS_PATIENCE", "1"))
"""The long form of the reliability tests, which yields to everything else, waits so many times as long."""
START_TIMEOUT_S = 100.0 * PATIENCE


def environment(**extra: str) -> dict[str, str]:
    """The environment without any setting of ours, plus ``extra`` settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
    return kept | {f"MODERATION_{name.upper()}": value for name, value in extra.items()}


def run(*arguments: str, data_dir: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    done = FORKS.run([*arguments], environment(data_dir=str(data_dir)), timeout_s=START_TIMEOUT_S)
    assert not check or done.returncode == 0, done.stderr
    return done


def run_json(*arguments: str, data_dir: Path) -> Any:
    """Run one command with ``--json`` and read its result."""
    return json.loads(run(*arguments, "--json", data_dir=data_dir).stdout)


class Service:
    """A running `moderation serve`."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url

    def family(self) -> list[psutil.Process]:
        """The supervisor and everything it started that is alive."""
        try:
            supervisor = psutil.Process(self.process.pid)
            return [supervisor, *supervisor.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill_all(self) -> None:
        """`kill -9` of the supervisor, its workers and its engines, at one moment."""
        for member in self.family():
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait(timeout=60)

    def stop(self) -> int:
        """Stop it as an operator does."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=90)


@contextmanager
def serving(data_dir: Path, *options: str, port: int, **settings: str) -> Iterator[Service]:
    """Run `moderation serve` until the block ends; kills what is left of it."""
    log = data_dir.parent / f"{data_dir.name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", str(port), *options],
            env=environment(data_dir=str(data_dir), log_format="json", **settings),
            stdout=output,
            stderr=output,
        )
    service = Service(process, f"http://127.0.0.1:{port}")
    family = []
    try:
        yield service
        family = service.family()
    finally:
        if process.poll() is None:
            family = service.family()
            process.terminate()
            try:
                process.wait(timeout=90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for member in family:
            if member.is_running() and member.pid != process.pid:
                member.kill()


async def until_ready(service: Service, *, log: Path | None = None) -> None:
    """Wait until the service answers that it is ready."""
    until_s = time.monotonic() + START_TIMEOUT_S
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < until_s:
            assert service.process.poll() is None, f"ended with {service.process.returncode}"
            try:
                async with session.get(service.url + "/readyz", timeout=aiohttp.ClientTimeout(10)) as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)
    raise AssertionError("not ready in time")


_GIVEN_OUT: set[int] = set()


def free_port() -> int:
    """A port that is free now, and that the system gives to nobody by itself before it is used (it does so from 32768 on)."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        if port not in _GIVEN_OUT and _is_free(port):
            _GIVEN_OUT.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@asynccontextmanager
async def started(data_dir: Path, *options: str, port: int, **settings: str) -> AsyncIterator[Service]:
    """Run the service and wait until it is ready."""
    with serving(data_dir, *options, port=port, **settings) as service:
        await until_ready(service)
        yield service
