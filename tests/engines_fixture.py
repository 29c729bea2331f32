"""The real engines for tests: one pair per test process, and what tests of the engines themselves need."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import asyncpg
import psutil
import pytest
import pytest_asyncio

from moderation.engines import EmbeddedEngines, EngineAddresses

OWNER_PROGRAM = Path(__file__).with_name("engine_owner.py")
ENGINE_PROGRAMS = frozenset({"postgres", "initdb", "valkey-server"})

Answer = TypeVar("Answer")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_engines(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EngineAddresses]:
    """PostgreSQL and Valkey for the whole session; with pytest-xdist each worker has its own.

    Shared: use a schema or database, and a key prefix, of your own; kill engines of your own, not these.
    """
    engines = EmbeddedEngines(tmp_path_factory.mktemp("engines"))
    addresses = await engines.start()
    await _prepare_for_tests(addresses)
    try:
        yield addresses
    finally:
        await engines.stop()


async def _prepare_for_tests(addresses: EngineAddresses) -> None:
    """Wait for no disk, for nobody kills these engines: a test that needs what `fsync` gives has engines of its own.

    And count no rows unasked: plans would depend on when the server last came by, and with it on what ran before.
    """
    url = addresses.database_url.replace("//moderation@", "//postgres@").replace("/moderation?", "/postgres?")
    superuser = await asyncpg.connect(url)
    await superuser.execute("ALTER SYSTEM SET fsync = off")
    await superuser.execute("ALTER SYSTEM SET full_page_writes = off")
    await superuser.execute("ALTER SYSTEM SET autovacuum = off")
    await superuser.execute("SELECT pg_reload_conf()")
    await superuser.close()


@pytest.fixture(scope="session")
def engine_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a stopped, empty cluster, to be copied: initdb costs a second or two."""

    async def make(data_dir: Path) -> None:
        engines = EmbeddedEngines(data_dir, valkey=False)
        await engines.start()
        await engines.stop()

    template = tmp_path_factory.mktemp("template") / "data"
    asyncio.run(make(template))
    return template


@pytest.fixture
def engine_data(engine_template: Path, tmp_path: Path) -> Iterator[Path]:
    """A data directory of the test's own, with a cluster in it; what a failed test left running is ended."""
    data_dir = tmp_path / "data"
    shutil.copytree(engine_template, data_dir)
    yield data_dir
    for process in engine_processes(data_dir):
        with suppress(psutil.NoSuchProcess):
            process.kill()


@contextmanager
def engine_owner(
    data_dir: Path, *, python: str = sys.executable, prefix: tuple[str, ...] = (), **options: object
) -> Iterator[subprocess.Popen[str]]:
    """Run an owner of its own process; killed at the end of the block, so stop it in the block to see it stop."""
    command = [*prefix, python, str(OWNER_PROGRAM), str(data_dir)]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]
    try:
        yield owner
    finally:
        owner.kill()
        owner.communicate()


def read_addresses(owner: subprocess.Popen[str]) -> EngineAddresses:
    """Wait until the owner's engines answer."""
    assert owner.stdout is not None
    assert owner.stderr is not None
    line = owner.stdout.readline()
    assert line, owner.stderr.read()
    return EngineAddresses(**json.loads(line))


def engine_processes(data_dir: Path) -> list[psutil.Process]:
    """List the living engine processes of a data directory, found without the code under test."""
    return [process for process in psutil.process_iter() if _is_engine_of(process, str(data_dir.resolve()))]


def _is_engine_of(process: psutil.Process, data_dir: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        words = process.cmdline()
        is_engine = process.name() in ENGINE_PROGRAMS or any(word.endswith("launch.py") for word in words)
        return is_engine and (process.cwd().startswith(data_dir) or any(data_dir in word for word in words))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def wait_until(ask: Callable[[], Answer], *, timeout_s: float = 60.0) -> Answer:
    """Ask until the answer is true, and return it; fails after the deadline."""
    until_s = time.monotonic() + timeout_s
    while not (answer := ask()):
        assert time.monotonic() < until_s, f"still {answer!r} after {timeout_s} s"
        time.sleep(0.01)
    return answer


def are_gone(data_dir: Path) -> bool:
    """Whether no engine process of the data directory is left."""
    return not engine_processes(data_dir)
