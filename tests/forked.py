"""Run commands of the program in processes of their own without paying a second of imports each.

One process has imported the program; for each command it forks a child with the caller's arguments, environment, folder and
standard streams. Whatever a command can do to its process (exit codes, signals, streams, engines it leaves) is as real as in
`python -m moderation`; only the imports are shared.
"""

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[1]
LONGEST = 512 * 1024


class Forks:
    """The process with the imports, started when first asked; ends when this process does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: socket.socket | None = None

    def run(
        self, words: list[str], environment: dict[str, str], *, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end, as `subprocess.run` does with text captured; raises `TimeoutExpired` likewise."""
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            Path(os.devnull).open() as null,
        ):
            code = self._code(words, environment, [null.fileno(), out.fileno(), err.fileno()], timeout_s)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(
                words, code, out.read().decode("utf-8"), err.read().decode("utf-8")
            )

    def _code(
        self, words: list[str], environment: dict[str, str], streams: list[int], timeout_s: float
    ) -> int:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            asked = json.dumps([words, environment, str(Path.cwd())]).encode()
            assert len(asked) < LONGEST
            socket.send_fds(self._open(), [asked], [*streams, theirs.fileno()])
            theirs.close()
            ours.settimeout(timeout_s)
            answers = ours.makefile("r")
            process = int(answers.readline())
            try:
                return int(answers.readline())
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, timeout_s) from None

    def _open(self) -> socket.socket:
        with self._lock:
            if self._line is None:
                self._line, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
                self._line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST)
                server = subprocess.Popen(
                    [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    cwd=ROOT,
                )
                theirs.close()
                atexit.register(_end, self._line, server)
            return self._line


def _end(line: socket.socket, server: "subprocess.Popen[bytes]") -> None:
    line.close()
    server.wait(timeout=60)


FORKS = Forks()


def serve(line: socket.socket) -> None:
    """Fork for every command that comes over ``line``, until it is closed."""
    from moderation.cli import main

    gc.freeze()  # children leave the pages of what is imported alone
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait
    while True:
        asked, streams, *_ = socket.recv_fds(line, LONGEST, 4)
        if not asked:
            return
        if os.fork() == 0:
            line.close()
            _wait_for(main, asked, streams)
        for stream in streams:
            os.close(stream)


def _wait_for(main: object, asked: bytes, streams: list[int]) -> NoReturn:
    """Fork the command itself and tell its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        _become(main, asked, streams)
    answers = streams[-1]
    os.write(answers, f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(main: object, asked: bytes, streams: list[int]) -> NoReturn:
    """Be the command: its arguments, environment, folder and streams; ends as a program does."""
    words, environment, folder = json.loads(asked)
    for number, stream in enumerate(streams[:3]):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["moderation", *words]
    assert callable(main)
    main()  # raises SystemExit, as it does for the program
    sys.exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
