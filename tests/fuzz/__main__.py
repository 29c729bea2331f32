"""``python -m tests.fuzz``: the long form, against `moderation serve` in processes of its own."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

from tests.fuzz.campaign import as_text, run
from tests.fuzz.shots import World
from tests.fuzz.values import MARK
from tests.program import Service, free_port, run_json, started

SLICE = 2_500
MAX_GROWTH_MB = 32
"""Between the medians of the second and the last fifth of a run."""
EXPECTED = frozenset({"coral_unreadable", "coral_not_checked TooLargeError"})
"""Errors for the operator that a caller with the right secret and a wrong body brings about; any other is a fault of ours."""
LIMITS = [f"limits.{rule}=0" for rule in ("author", "address", "thread", "site")]


def prepare(data_dir: Path, port: int) -> World:
    """Add a site and a lead to the running service."""
    site = run_json("site", "add", "fuzz", "--url", "https://news.example", data_dir=data_dir)
    run_json("site", "set", "fuzz", *LIMITS, data_dir=data_dir)
    run_json("moderator", "add", "fuzz@desk.example", "--site", "fuzz", "--role", "lead", data_dir=data_dir)
    token = run_json("moderator", "token", "fuzz@desk.example", data_dir=data_dir)["token"]
    keys = {
        dialect: run_json("site", "key", "add", "fuzz", "--dialect", dialect, data_dir=data_dir)["key"]
        for dialect in ("akismet", "perspective", "coral")
    }
    return World("127.0.0.1", port, "fuzz", site["key"], token, site["inbound_secret"], keys)


def worker_mb(service: Service) -> float:
    """Return the resident memory of the API processes, in MB: the greatest of our own program's."""
    sizes = [
        p.memory_info().rss for p in service.family() if "python" in p.name() or "moderation" in p.name()
    ]
    return max(sizes) / 1e6


async def campaign(arguments: argparse.Namespace) -> int:
    """Run slices until the requests or the time are used up; return the exit status."""
    until_s = time.monotonic() + arguments.minutes * 60
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        data_dir, port = Path(folder) / "data", free_port()
        async with started(data_dir, port=port, log_level="info") as service:
            world = await asyncio.to_thread(prepare, data_dir, port)
            return await slices(arguments, service, world, until_s, Path(folder) / "data.log")


def judge_log(log: Path) -> tuple[int, dict[str, int]]:
    """Return how many lines hold what readers wrote, and which errors were logged how often: a dialect may answer them as a 503."""
    leaks, errors = 0, Counter[str]()
    for line in log.open(errors="replace"):
        leaks += MARK in line
        if '"level":"error"' in line or "Traceback" in line:
            errors[name_of(line)] += 1
    return leaks, dict(errors)


def name_of(line: str) -> str:
    """Return an error line's event, and the kind of error where it names one."""
    if not line.startswith("{"):
        return line[:80]
    said = json.loads(line)
    return f"{said.get('event')} {said.get('error', '')}".rstrip()


def growth_mb(sizes: list[float]) -> float:
    """Return by how much the last fifth is above the second: in the first caches fill, and the allocator breathes all the time."""
    fifth = max(len(sizes) // 5, 1)
    return median(sizes[-fifth:]) - median(sizes[fifth : 2 * fifth] or sizes[-1:])


async def slices(
    arguments: argparse.Namespace, service: Service, world: World, until_s: float, log: Path
) -> int:
    sent, bad, sizes = 0, 0, [worker_mb(service)]
    totals: dict[str, int] = {}
    while sent < arguments.requests and time.monotonic() < until_s:
        count = min(SLICE, arguments.requests - sent)
        report = await run(world, requests=count, seed=arguments.seed + sent, until_s=until_s)
        sent += report.statuses.total() + len(report.hangs)
        for status, number in report.statuses.items():
            totals[status] = totals.get(status, 0) + number
        sizes.append(worker_mb(service))
        bad += len(report.broken) + len(report.hangs)
        print(
            f"{sent} sent, worker {sizes[-1]:.0f} MB, slowest {report.slowest_s:.1f} s, {len(report.broken)} broken, {len(report.hangs)} hung",
            flush=True,
        )
        if report.broken or report.hangs or report.unavailable:
            print(as_text(report), flush=True)
    leaks, errors = judge_log(log)
    growth = growth_mb(sizes)
    print(
        {
            "seed": arguments.seed,
            "requests": sent,
            "statuses": dict(sorted(totals.items())),
            "growth_mb": round(growth, 1),
            "sizes_mb": [round(s) for s in sizes],
            "log_lines_with_a_readers_words": leaks,
            "errors_logged": errors,
            "ended": service.process.poll(),
        }
    )
    faults = errors.keys() - EXPECTED
    return int(bool(bad or leaks or faults or growth > MAX_GROWTH_MB or service.process.poll() is not None))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return asyncio.run(campaign(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
