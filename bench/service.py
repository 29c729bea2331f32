"""Run the real program for a measurement, on a data directory that is thrown away."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

START_TIMEOUT_S = 60.0
WIDE = {"author": "0", "address": "0", "thread": "1000000", "site": "1000000"}


@dataclass(frozen=True, slots=True)
class Running:
    """A service under measurement."""

    port: int
    key: str
    pid: int
    data_dir: Path
    environ: dict[str, str] = field(default_factory=dict, repr=False)

    def command(self, *arguments: str) -> dict[str, str]:
        """Run a command of the program beside the service; return what it prints."""
        return _command(self.environ, *arguments)

    def metrics(self) -> dict[str, float]:
        """Return the samples without labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = [line.split() for line in answer.read().decode().splitlines() if not line.startswith("#")]
        return {words[0]: float(words[1]) for words in lines if len(words) == 2 and "{" not in words[0]}


@dataclass(frozen=True, slots=True)
class Floor:
    """Bare handlers on one port; ``pid`` is their parent."""

    port: int
    pid: int


@contextmanager
def floor(workers: int = 1) -> Iterator[Floor]:
    """Run bare handlers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.floor", str(workers)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Floor(int(process.stdout.readline()), process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def service(*, workers: int = 1) -> Iterator[Running]:
    """Run `moderation serve` with one site whose thread and site cells are wide; yield where it listens."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environ = _environment(Path(folder) / "data")
        port = free_port()
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "moderation", "serve", "--port", str(port), "--workers", str(workers)],
                env=environ,
                stdout=log,
                stderr=log,
            )
            try:
                _until_ready(port)
                key = _add_site(environ)
                yield Running(port, key, process.pid, Path(folder) / "data", environ)
            finally:
                process.terminate()
                process.wait()


def _add_site(environ: dict[str, str]) -> str:
    """Add the site beside the service, whose engines both commands then use; return its key."""
    site = _command(environ, "site", "add", "bench", "--url", "https://news.example")
    _command(environ, "site", "set", "bench", *(f"limits.{rule}={value}" for rule, value in WIDE.items()))
    return site["key"]


def _environment(data_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
    return kept | {"MODERATION_DATA_DIR": str(data_dir), "MODERATION_LOG_FORMAT": "json"}


def _command(environ: dict[str, str], *arguments: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "moderation", *arguments, "--json"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, str] = json.loads(done.stdout or "{}")
    return found


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_ready(port: int) -> None:
    until_s = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.05)
