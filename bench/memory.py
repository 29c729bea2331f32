"""Resident memory of one worker with the shipped model loaded, and whether it grows while comments come in."""

import time

import psutil

from bench.cpu import workers
from bench.intake import WARM, load
from bench.load import run
from bench.service import Running, service
from bench.sizes import Sizes

MEBIBYTE = 1 << 20


def measure(sizes: Sizes) -> None:
    """Print the worker's memory idle, warm, and after each round, or each minute of a steady load where minutes are given."""
    with service() as running:
        (worker,) = workers(running.pid)
        print(f"resident: idle {_mebibytes(worker):.1f} MiB")
        run(load(running.port, running.key, sizes.warm_up, start=WARM))
        print(f"after {sizes.warm_up} comments {_mebibytes(worker):.1f} MiB", flush=True)
        if sizes.minutes:
            _steady(running, worker, sizes)
        else:
            _rounds(running, worker, sizes)


def _rounds(running: Running, worker: psutil.Process, sizes: Sizes) -> None:
    seen = []
    for number in range(sizes.rounds):
        run(load(running.port, running.key, sizes.comments, start=number * sizes.comments))
        seen.append(f"{_mebibytes(worker):.0f}")
    print(f"after each {sizes.comments} more: {', '.join(seen)} MiB")


def _steady(running: Running, worker: psutil.Process, sizes: Sizes) -> None:
    """Send a minute's comments at ``steady_rate`` a second, minute by minute, and print what the worker holds after each."""
    count = sizes.steady_rate * 60
    for minute in range(1, sizes.minutes + 1):
        result = run(load(running.port, running.key, count, start=minute * count, rate=sizes.steady_rate))
        print(
            f"{time.strftime('%H:%M:%S', time.gmtime())} minute {minute}: {_mebibytes(worker):.1f} MiB,"
            f" {worker.num_fds()} files, {worker.num_threads()} threads,"
            f" p99 {result.percentile(0.99):.1f} ms, {result.statuses}",
            flush=True,
        )


def _mebibytes(worker: psutil.Process) -> float:
    return float(worker.memory_info().rss / MEBIBYTE)
