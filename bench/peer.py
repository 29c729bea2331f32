"""New comments beside Isso, a small comment server that moderates too: in one run, 8 connections, moderation on in both.

They take turns, ours before and after each turn of Isso's, for a disk or a neighbour that changes pace then touches both; each
turn of Isso's is compared with the mean of ours around it, and the median of these ratios is told. Isso begins each turn with an
empty database; ours goes on with all it took.

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
from itertools import pairwise
from pathlib import Path
from statistics import median

from bench.intake import WARM, load, show
from bench.load import Load, run
from bench.service import Running, free_port, service
from bench.sizes import Sizes
from bench.texts import TEXTS

CONNECTIONS = 8
OURS_FOR_ONE = 6
"""Comments of ours for each of Isso's: so that turns of both last about as long."""
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
    """Print every turn's rate, each ratio and their median."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, service() as running:
        try:
            program = _installed(Path(name))
            run(load(running.port, running.key, sizes.warm_up, start=WARM))
            _compare(sizes, running, program)
        except UnavailableError as error:
            print(f"skipped: {error}")


def _compare(sizes: Sizes, running: Running, program: Path) -> None:
    ours, theirs = [_ours(sizes, running, turn=0)], []
    for turn in range(1, sizes.rounds + 1):
        theirs.append(_theirs(sizes, program))
        ours.append(_ours(sizes, running, turn=turn))
    around = [(before + after) / 2 for before, after in pairwise(ours)]
    ratios = [mine / its for mine, its in zip(around, theirs, strict=True)]
    told = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    print(f"intake / Isso: {told}; median {median(ratios):.1f} times")


def _ours(sizes: Sizes, running: Running, *, turn: int) -> float:
    count = OURS_FOR_ONE * sizes.peer_comments
    prepared = load(running.port, running.key, count, start=turn * count)
    result = run(replace(prepared, connections=CONNECTIONS))
    show("intake", result)
    return result.rate


def _theirs(sizes: Sizes, program: Path) -> float:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        _isso(program, Path(folder)) as port,
    ):
        run(_isso_load(port, CONNECTIONS * 2, start=WARM))
        result = run(_isso_load(port, sizes.peer_comments, start=0))
    show("Isso", result)
    return result.rate


def _installed(folder: Path) -> Path:
    """Install Isso into ``folder``; return where its programs are."""
    programs = folder / "venv" / "bin"
    packages = "--quiet", "isso", "setuptools<81"
    try:
        for command in (
            [sys.executable, "-m", "venv", str(folder / "venv")],
            [str(programs / "python"), "-m", "pip", "install", *packages],
        ):
            subprocess.run(command, check=True, timeout=INSTALL_TIMEOUT_S, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        raise UnavailableError(f"Isso cannot be installed: {error}") from error
    return programs


@contextmanager
def _isso(programs: Path, folder: Path) -> Iterator[int]:
    port, configuration = free_port(), folder / "isso.cfg"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([programs / "isso", "-c", configuration, "run"], stdout=log, stderr=log)
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
