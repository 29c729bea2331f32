"""New comments beside Isso, a small comment server that moderates too: in one run, 8 connections, moderation on in both.

Isso is installed from PyPI into an environment of its own that is thrown away. Where that fails, the part is skipped and says
why.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.intake import WARM, load, show
from bench.load import Load, run
from bench.service import free_port, service
from bench.sizes import Sizes
from bench.texts import TEXTS

CONNECTIONS = 8
INSTALL_TIMEOUT_S = 240
START_TIMEOUT_S = 30.0
_CONFIGURATION = """
[general]
dbpath = {folder}/comments.db
host = http://127.0.0.1:{port}
[moderation]
enabled = true
[guard]
enabled = false
[server]
listen = http://127.0.0.1:{port}
"""


class UnavailableError(Exception):
    """The peer cannot be measured here; the text says why."""


def measure(sizes: Sizes) -> None:
    """Print both rates and their ratio."""
    try:
        with _isso() as port:
            run(_isso_load(port, CONNECTIONS * 2, start=WARM))
            theirs = run(_isso_load(port, sizes.peer_comments, start=0))
    except (UnavailableError, OSError, subprocess.SubprocessError) as error:
        print(f"skipped: {error}")
        return
    show("Isso", theirs)
    with service() as running:
        run(load(running.port, running.key, sizes.warm_up, start=WARM))
        ours = run(
            replace(load(running.port, running.key, sizes.comments // 4, start=0), connections=CONNECTIONS)
        )
    show("intake", ours)
    print(f"intake / Isso: {ours.rate / theirs.rate:.1f} times")


@contextmanager
def _isso() -> Iterator[int]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, timeout=INSTALL_TIMEOUT_S)
        program = folder / "venv" / "bin"
        subprocess.run(
            [program / "python", "-m", "pip", "install", "--quiet", "isso", "setuptools<81"],
            check=True,
            timeout=INSTALL_TIMEOUT_S,
            stderr=subprocess.DEVNULL,
        )
        configuration = folder / "isso.cfg"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program / "isso", "-c", configuration, "run"], stdout=log, stderr=log)
        try:
            _until_ready(port, folder / "log")
            yield port
        finally:
            process.terminate()
            process.wait()


def _until_ready(port: int, log: Path) -> None:
    until_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until_s:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/latest", timeout=2).close()
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise UnavailableError(f"Isso did not start: {log.read_text()[-200:]}")


def _isso_load(port: int, count: int, *, start: int) -> Load:
    bodies = tuple(
        json.dumps(
            {"author": f"reader {number}", "text": f"{TEXTS[number % len(TEXTS)]} {number}", "title": "x"}
        ).encode()
        for number in range(start, start + count)
    )
    headers = (("Content-Type", "application/json"), ("Origin", f"http://127.0.0.1:{port}"))
    return Load("127.0.0.1", port, "/new?uri=%2Farticle%2F", headers, bodies, connections=CONNECTIONS)
