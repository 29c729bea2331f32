"""How long an answer takes while comments come at random moments (Poisson), beside the bare handler and a bare fsync."""

import os
import tempfile
import time
from pathlib import Path

from bench.intake import WARM, load, show
from bench.load import run
from bench.service import floor, service
from bench.sizes import Sizes

PROBES = 200


def measure(sizes: Sizes) -> None:
    """Send the same stream to both at each rate; times count from when a request was due."""
    with floor() as bare, service() as running:
        run(load(bare.port, "", sizes.warm_up, start=WARM))
        run(load(running.port, running.key, sizes.warm_up, start=WARM))
        p50, p99 = fsync_ms(running.data_dir)
        print(f"{'fsync of 8 KiB':>14}: p50 {p50:6.2f} ms   p99 {p99:6.2f} ms")
        start = 0
        for rate in sizes.rates:
            count = max(int(rate * sizes.open_loop_s), 20)
            show(f"bare {rate}/s", run(load(bare.port, "", count, start=start, rate=rate)))
            show(f"intake {rate}/s", run(load(running.port, running.key, count, start=start, rate=rate)))
            start += count


def fsync_ms(folder: Path) -> tuple[float, float]:
    """Return the median and the 99th percentile of appending 8 KiB, a page of PostgreSQL's log, and waiting for the disk."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(PROBES):
            file.write(os.urandom(8192))
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    times.sort()
    return times[PROBES // 2], times[int(PROBES * 0.99)]
