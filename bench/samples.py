"""Where the CPU time of an API process goes under the load of `intake`, by function: sampled while it serves.

`parts` measures each step by itself, with everything it needs in the nearest cache; here the steps disturb each other, and
what no step contains is there too: the HTTP server, the drivers, the event loop.
"""

import os
import re
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.cpu import workers
from bench.intake import WARM, load, show
from bench.load import run
from bench.sampler.sitecustomize import VARIABLE
from bench.service import service
from bench.sizes import Sizes

SHOWN = 45
WRITTEN_WITHIN_S = 10.0
_FOLDER = re.compile(r"\(\S*/(?:site-packages|lib/python[\d.]+|(?=moderation/|classifiers/))")


def measure(sizes: Sizes) -> None:
    """Print the shares of the functions that use most, with and without what they call."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "samples"
        own = {"PYTHONPATH": str(Path(__file__).parent / "sampler"), VARIABLE: str(written)}
        os.environ.update(own)
        try:
            _load(sizes, written)
        finally:
            for name in own:
                del os.environ[name]
        _print(_read(written))


def _load(sizes: Sizes, written: Path) -> None:
    with service() as running:
        run(load(running.port, running.key, sizes.warm_up, start=WARM))
        (worker,) = workers(running.pid)
        os.kill(worker.pid, signal.SIGUSR2)
        show("sampled", run(load(running.port, running.key, sizes.comments, start=0)))
        os.kill(worker.pid, signal.SIGUSR2)
        until_s = time.monotonic() + WRITTEN_WITHIN_S
        while not written.exists() and time.monotonic() < until_s:
            time.sleep(0.05)


def _read(written: Path) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    for line in written.read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        found[tuple(_FOLDER.sub("(", name) for name in stack.split(";"))] = int(count)
    return found


def _print(stacks: dict[tuple[str, ...], int]) -> None:
    total = sum(stacks.values())
    within: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for stack, count in stacks.items():
        alone[stack[-1]] += count
        for name in set(stack):
            within[name] += count
    print(f"{total} samples of CPU time; % with and without what a function calls")
    for name, count in within.most_common(SHOWN):
        print(f"{100 * count / total:6.1f} {100 * alone[name] / total:6.1f}  {name}")
