"""`moderation serve`: owns the engines, brings the schema up to date, keeps N workers running on one port."""

import asyncio
import errno
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import structlog
from prometheus_client.multiprocess import mark_process_dead

from moderation.demo import Demonstration, refuse_outside_database
from moderation.engines import EmbeddedEngines, EngineAddresses
from moderation.privacy.keys import find_keyring, prepare_keyring
from moderation.settings import Secret, Settings
from moderation.storage.database import AWAY, connect
from moderation.storage.migrate import migrate
from moderation.telemetry import MULTIPROCESS_VARIABLE, configure_logging
from moderation.worker import SHUTDOWN_TIMEOUT_S, listening_socket

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STEADY_S = 60.0
FIRST_TRIES = 5
"""How often a worker that was never ready is started."""
TELL_EVERY_S = 5.0
COMMAND_WAIT_S = 30.0
"""How long the start waits for a command that has the engines for itself, such as a backup, or for a service that is stopping."""

log = structlog.get_logger()


class StoppedError(Exception):
    """Told to stop while starting."""


def serve(settings: Settings, *, demo: bool) -> int:
    """Run the service until SIGTERM or SIGINT; return the exit code. Raises `DemonstrationError` where it may not be."""
    configure_logging(settings.log_format, settings.log_level)
    if demo:
        refuse_outside_database(settings)
    try:
        return asyncio.run(_serve(settings, demo=demo))
    except StoppedError:
        return 0


async def _serve(settings: Settings, *, demo: bool) -> int:
    if settings.secret_keys is not None:
        find_keyring(settings)  # what is wrong with them is said before a database is made or changed
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with _reserve(settings) as reserved:
        settings = replace(settings, port=reserved.getsockname()[1])
        async with _engines(settings, stop) as (settings, restarts):
            if not await _until_prepared(settings, stop):
                return 0
            async with (
                Demonstration(settings) if demo else _nothing() as demonstration,
                Workers(settings, restarts) as workers,
            ):
                if await workers.until_ready(stop):
                    _announce(settings, demonstration)
                    await stop.wait()
                log.info("stopping")
                return int(workers.gave_up.is_set())


def _reserve(settings: Settings) -> socket.socket:
    """Bind the port for the workers to share. Raises `OSError` when anybody has it, also another service of ours."""
    try:
        if settings.port:
            with socket.create_server((settings.host, settings.port), family=_family(settings)):
                pass  # without SO_REUSEPORT: two services on one port would split the comments between their databases
        return listening_socket(settings.host, settings.port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        words = f"{settings.url} is taken by another program: stop it, or choose another port (--port, MODERATION_PORT)"
        raise OSError(errno.EADDRINUSE, words) from error


def _family(settings: Settings) -> socket.AddressFamily:
    return socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
        0
    ][0]


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield None


@asynccontextmanager
async def _engines(
    settings: Settings, stop: asyncio.Event
) -> AsyncIterator[tuple[Settings, Mapping[str, int]]]:
    """Own the embedded engines for as long as the block runs; yield the settings with their addresses.

    And the counts of their restarts, which go on counting.
    """
    engines = EmbeddedEngines(
        settings.data_dir,
        postgres=settings.database_url is None,
        valkey=settings.redis_url is None,
        user=settings.engine_user,
        lock_wait_s=COMMAND_WAIT_S,
        is_lasting=True,
    )
    addresses = await _unless_stopped(engines.start(), stop)
    supervision = asyncio.create_task(engines.supervise())
    supervision.add_done_callback(_report_end)
    farewell = asyncio.create_task(_say_farewell(engines, stop))
    try:
        found = replace(
            settings,
            database_url=settings.database_url or Secret(addresses.database_url),
            redis_url=settings.redis_url or Secret(addresses.redis_url),
        )
        yield found, engines.restarts
    finally:
        for task in (supervision, farewell):
            task.cancel()
        await asyncio.wait((supervision, farewell))
        await engines.stop()


async def _say_farewell(engines: EmbeddedEngines, stop: asyncio.Event) -> None:
    await stop.wait()
    engines.say_farewell()


async def _unless_stopped(
    starting: Coroutine[Any, Any, EngineAddresses], stop: asyncio.Event
) -> EngineAddresses:
    """Start the engines, or raise `StoppedError` when told to stop before they run; recovery may take minutes."""
    start, stopped = asyncio.create_task(starting), asyncio.create_task(stop.wait())
    await asyncio.wait((start, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not start.done():
        start.cancel()
        await asyncio.wait((start,))
        raise StoppedError
    return start.result()


def _report_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("engines_unsupervised", exc_info=task.exception())


async def _until_prepared(settings: Settings, stop: asyncio.Event) -> bool:
    """Prepare the database as soon as it answers; tell whether that came before ``stop``."""
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        try:
            await prepare_database(settings)
        except AWAY as error:
            if isinstance(error, ValueError):
                raise  # the address itself is wrong
            log.error("database_away", error=type(error).__name__, pause_s=pause_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        else:
            return True
    return False


async def prepare_database(settings: Settings) -> None:
    """Migrate, and make sure that the secret keys are the ones the data was written with."""
    assert settings.database_url is not None
    connection = await connect(settings.database_url, command_timeout_s=None)  # an index may take its time
    try:
        applied = await migrate(connection)
        if applied:
            log.info("schema_migrated", versions=applied)
        await prepare_keyring(connection, settings)
    finally:
        await connection.close()


class Workers:
    """N API processes; one that dies is started again, with a pause that grows while it keeps dying."""

    def __init__(self, settings: Settings, engine_restarts: Mapping[str, int]) -> None:
        self._settings = settings
        self._engine_restarts = engine_restarts
        self._restarts = 0
        self._keepers: list[asyncio.Task[None]] = []
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._ready = [asyncio.Event() for _ in range(settings.workers)]
        self._stopping = asyncio.Event()
        self.gave_up = asyncio.Event()
        """Set when a worker died at every start: something is wrong that no further try will mend."""

    async def __aenter__(self) -> Self:
        _clear_metrics(self._settings.data_dir)
        self._keepers = [asyncio.create_task(self._keep(number)) for number in range(self._settings.workers)]
        self._keepers.append(asyncio.create_task(self._tell_restarts()))
        return self

    async def until_ready(self, stop: asyncio.Event) -> bool:
        """Wait until every worker serves; tell whether that came before ``stop``, and before one failed at every start."""
        waiting = [
            asyncio.create_task(wait) for wait in (self._all_ready(), stop.wait(), self.gave_up.wait())
        ]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        return not (stop.is_set() or self.gave_up.is_set())

    async def _all_ready(self) -> bool:
        for event in self._ready:
            await event.wait()
        return True

    async def __aexit__(self, *_exc: object) -> None:
        self._stopping.set()
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.terminate()
        ended = [process.wait() for process in self._processes.values()]
        try:
            async with asyncio.timeout(SHUTDOWN_TIMEOUT_S + 10):
                await asyncio.gather(*ended)
        except TimeoutError:
            log.error("workers_killed")
            for process in self._processes.values():
                with suppress(ProcessLookupError):
                    process.kill()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def _keep(self, number: int) -> None:
        pause_s, tries = FIRST_PAUSE_S, 0
        while not self._stopping.is_set():
            tries += 1
            started = time.monotonic()
            try:
                code = await self._run(number)
            except OSError as error:  # no process can be started now; one may be later
                log.error("worker_not_started", worker=number, error=type(error).__name__)
                code = -1
            if self._stopping.is_set():
                return
            if time.monotonic() - started > STEADY_S:
                pause_s = FIRST_PAUSE_S
            if tries >= FIRST_TRIES and not self._ready[number].is_set():
                log.error("worker_never_ready", worker=number, code=code)
                self.gave_up.set()
                return
            log.error("worker_died", worker=number, code=code, pause_s=pause_s)
            await asyncio.sleep(pause_s)
            self._restarts += 1
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _run(self, number: int) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "moderation.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._environment(),
            start_new_session=True,
        )
        self._processes[number] = process
        if self._stopping.is_set():
            process.kill()
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(ConnectionError):
            process.stdin.write(json.dumps(self._settings.as_environment()).encode() + b"\n")
            await process.stdin.drain()
        if await process.stdout.readline():
            self._ready[number].set()
        code = await process.wait()
        if self._settings.workers > 1:
            mark_process_dead(process.pid, str(_metrics_folder(self._settings.data_dir)))  # type: ignore[no-untyped-call]
        return code

    async def _tell_restarts(self) -> None:
        """Let every worker know what was restarted how often: only they answer for metrics."""
        while True:
            counts = {**self._engine_restarts, "workers": self._restarts}
            for process in self._processes.values():
                pipe = process.stdin
                # A worker that does not read must not fill this process's memory: it misses a count, no more.
                if pipe is not None and not pipe.is_closing() and pipe.transport.get_write_buffer_size() == 0:
                    pipe.write(json.dumps(counts).encode() + b"\n")
            await asyncio.sleep(TELL_EVERY_S)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
        if self._settings.workers > 1:
            kept[MULTIPROCESS_VARIABLE] = str(_metrics_folder(self._settings.data_dir))
        return kept


def _metrics_folder(data_dir: Path) -> Path:
    folder = data_dir / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _clear_metrics(data_dir: Path) -> None:
    """Remove what the workers of an earlier run counted."""
    for file in _metrics_folder(data_dir).glob("*.db"):
        file.unlink(missing_ok=True)


def _announce(settings: Settings, demonstration: "Demonstration | None") -> None:
    settings.leave_url()
    log.info("serving", url=settings.url, workers=settings.workers)
    if demonstration is not None:
        print(demonstration.announcement(settings.url), flush=True)  # noqa: T201 - the result of `serve --demo`
