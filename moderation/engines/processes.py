"""Engine processes: started by us with asyncio, or left by a killed owner and found by the folder they work in."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moderation.engines.accounts import Account

_LAUNCHER = Path(__file__).with_name("launch.py")
_PROC = Path("/proc")
_HAS_HANDLES = hasattr(os, "pidfd_open")
"""Some builds of Python lack it."""
_LONGEST_TAIL_BYTES = 2_000
# Everything else stays out of the engines: PGHOST and its like disturb them, secrets do not concern them.
_KEPT_VARIABLES = ("PATH", "TMPDIR", "LD_LIBRARY_PATH")

StopSteps = Sequence[tuple[signal.Signals, float]]  # a signal, and how many seconds it is given


@dataclass(frozen=True, slots=True)
class Command:
    """An engine's command line; its first folder is the one it works in, the others it writes in too."""

    argv: tuple[str, ...]
    folders: tuple[Path, ...]
    log: Path
    death_signal: signal.Signals


class EngineProcess:
    """One child that we started and shall reap."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, log_start: int) -> None:
        self._process = process
        self._log = log
        self._log_start = log_start
        self.pid = process.pid
        self.started_s = time.monotonic()

    @property
    def has_ended(self) -> bool:
        """Whether the process is known to be gone."""
        return self._process.returncode is not None

    async def wait(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        return await self._process.wait()

    async def wait_at_most(self, timeout_s: float) -> bool:
        """Whether the process ends within the time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self, steps: StopSteps) -> None:
        """Send one signal after another, giving each its time, until the process has ended; reaped on return."""
        for number, timeout_s in steps:
            if self.has_ended:
                return
            self._send(number)
            if await self.wait_at_most(timeout_s):
                return
        self._send(signal.SIGKILL)
        await self.wait()

    def _send(self, number: signal.Signals) -> None:
        try:
            self._process.send_signal(number)
        except ProcessLookupError:
            return  # ended and not yet noticed

    def log_since_start(self) -> str:
        """Return the last lines that the engine wrote since it was started."""
        with self._log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(min(self._log_start, size), size - _LONGEST_TAIL_BYTES))
            return log.read().decode("utf-8", "replace").strip()


async def spawn(command: Command, account: Account | None) -> EngineProcess:
    """Start an engine in a session of its own, so that Ctrl-C in a terminal reaches only its owner.

    To be called on the thread that lives as long as the owner: the kernel takes the end of the *thread* that forked
    for the owner's death.
    """
    log, log_start = await asyncio.to_thread(_open_log, command.log)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_LAUNCHER), _orders(command, account)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
            start_new_session=True,
        )
    finally:
        os.close(log)
    return EngineProcess(process, command.log, log_start)


def _orders(command: Command, account: Account | None) -> str:
    orders = {
        "owner_pid": os.getpid(),
        "death_signal": command.death_signal,
        "argv": command.argv,
        "folders": [str(folder) for folder in command.folders],
        "account": account.name if account else None,
        "uid": account.uid if account else None,
        "gid": account.gid if account else None,
    }
    return json.dumps(orders)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {"LANG": "C", "LC_ALL": "C", "TZ": "UTC"}


def _open_log(path: Path) -> tuple[int, int]:
    # Opened by us and inherited: the engine's account needs no right in the data directory.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    folder = path.parent.stat()
    if os.geteuid() == 0 and os.fstat(handle).st_uid != folder.st_uid:
        os.fchown(handle, folder.st_uid, folder.st_gid)
    return handle, os.fstat(handle).st_size


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Processes of an engine that work in one folder, whoever started them.

    Programs are recognised by name *and* working folder, so a foreign process with a reused pid is never touched.
    `pid_file` is where the engine writes its own pid; it is needed only where there is no /proc.
    """

    folder: Path
    programs: frozenset[str]
    pid_file: Path

    def find(self) -> list[int]:
        """List the living ones; blocking, some milliseconds."""
        if not self.folder.is_dir():
            return []
        if not (_PROC / "self" / "cwd").exists():
            pid = first_number(self.pid_file)
            return [pid] if pid is not None and self._is_in_process_list(pid) else []
        candidates = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
        return [pid for pid in candidates if self._is_one(pid)]

    async def end(self, steps: StopSteps, *, first: int | None = None) -> None:
        """Send one signal after another until none is left: to all, or only to `first` while that one lives."""
        for number, timeout_s in (*steps, (signal.SIGKILL, 10.0)):
            pids = await asyncio.to_thread(self.find)
            for pid in [first] if first in pids and number != signal.SIGKILL else pids:
                self._send(pid, number)
            if not pids or await self._are_gone(timeout_s):
                return

    async def _are_gone(self, timeout_s: float) -> bool:
        until_s = time.monotonic() + timeout_s
        while await asyncio.to_thread(self.find):
            if time.monotonic() > until_s:
                return False
            await asyncio.sleep(0.02)
        return True

    def _send(self, pid: int, number: signal.Signals) -> None:
        try:
            if not _HAS_HANDLES:
                os.kill(pid, number)
                return
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            # Asked again through a handle that cannot come to mean another process.
            if self._is_one(pid):
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return
        finally:
            os.close(handle)

    def _is_one(self, pid: int) -> bool:
        try:
            program = (_PROC / str(pid) / "exe").readlink().name.removesuffix(" (deleted)")
            return program in self.programs and (_PROC / str(pid) / "cwd").samefile(self.folder)
        except OSError:
            return False  # ended, or of an account that we may not look into and could not signal either

    def _is_in_process_list(self, pid: int) -> bool:
        answer = subprocess.run(  # noqa: S603 - a fixed program and a number
            ["ps", "-ww", "-p", str(pid), "-o", "command="],  # noqa: S607 - its place differs between systems
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
        return str(self.folder) in answer.stdout and any(name in answer.stdout for name in self.programs)


def first_number(pid_file: Path) -> int | None:
    """Read the pid on the first line; None where there is no such file or number."""
    try:
        return int(pid_file.read_text("utf-8", "replace").split("\n", 1)[0])
    except (OSError, ValueError):
        return None
