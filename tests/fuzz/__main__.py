"""``python -m tests.fuzz``: the long form, against `moderation serve` in processes of its own."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.fuzz.campaign import as_text, run
from tests.fuzz.shots import World
from tests.fuzz.starvation import GOES_ON, HANGS, LOOK_EVERY_S, WITHOUT_REDIS, Look, Starvation, late_ones
from tests.fuzz.values import MARK
from tests.program import Service, free_port, run_json, started

SLICE = 2_500
MAX_GROWTH_MB = 32
"""As `growth_mb` counts it."""
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
            starvation = Starvation(service, Path(folder))
            watching = asyncio.create_task(starvation.watch())
            try:
                return await slices(arguments, world, until_s, Path(folder) / "data.log", starvation)
            finally:
                watching.cancel()


@dataclass(frozen=True, slots=True)
class Judged:
    """What a log says: lines that hold what readers wrote, errors by name, and those of them that the machine explains."""

    leaks: int
    errors: Counter[str]
    starved: Counter[str]

    @property
    def faults(self) -> Counter[str]:
        """Errors that are ours."""
        own = self.errors - self.starved
        return Counter({name: count for name, count in own.items() if name not in EXPECTED})


def judge_log(log: Path, looks: Sequence[Look]) -> Judged:
    """Read a service's log, and judge by the ``looks`` at the machine; a dialect may answer an error as a 503."""
    leaks, errors, told = 0, Counter[str](), []
    with log.open(errors="replace") as lines:
        for line in lines:
            leaks += MARK in line
            if '"level":"error"' in line or "Traceback" in line:
                errors[name_of(line)] += 1
            if line.startswith("{") and any(
                f'"{event}"' in line for event in (HANGS, GOES_ON, WITHOUT_REDIS)
            ):
                told.append(json.loads(line))
    late = late_ones(told)
    return Judged(
        leaks, errors, Counter(each.name for each in late if each.is_for_want_of_the_machine(looks))
    )


def name_of(line: str) -> str:
    """Return an error line's event, and the kind or cause of the error where it names one."""
    if not line.startswith("{"):
        return line[:80]
    said = json.loads(line)
    return f"{said.get('event')} {said.get('error') or said.get('cause') or ''}".rstrip()


def growth_mb(sizes: list[float]) -> float:
    """Return by how much memory grows from the second fifth to the last, as far as it goes on growing.

    In the first fifth caches fill, and the allocator breathes all the time: medians count. What leaks grows as much a fifth at
    the end as before; what fills comes to rest. So the rise from the third fifth on, over the same time, bounds that from the second.
    """
    fifth = max(len(sizes) // 5, 1)
    second, third, last = (
        median(sizes[at * fifth : (at + 1) * fifth] or sizes[-1:])
        for at in (1, 2, max(len(sizes) // fifth - 1, 2))
    )
    return min(last - second, (last - third) * 3 / 2)


async def slices(
    arguments: argparse.Namespace, world: World, until_s: float, log: Path, starvation: Starvation
) -> int:
    service = starvation.service
    sent, bad, sizes = 0, 0, [worker_mb(service)]
    totals = Counter[str]()
    while sent < arguments.requests and time.monotonic() < until_s:
        count = min(SLICE, arguments.requests - sent)
        report = await run(world, requests=count, seed=arguments.seed + sent, until_s=until_s)
        sent += report.statuses.total() + len(report.hangs)
        totals += report.statuses
        sizes.append(worker_mb(service))
        bad += len(report.broken) + len(report.hangs)
        print(
            f"{sent} sent, worker {sizes[-1]:.0f} MB, slowest {report.slowest_s:.1f} s, {len(report.broken)} broken, {len(report.hangs)} hung",
            flush=True,
        )
        if report.broken or report.hangs or report.unavailable:
            print(as_text(report), flush=True)
    await asyncio.sleep(2 * LOOK_EVERY_S)  # a look after the last hang's end
    judged, growth = judge_log(log, starvation.looks), growth_mb(sizes)
    print(
        {
            "seed": arguments.seed,
            "requests": sent,
            "statuses": dict(sorted(totals.items())),
            "growth_mb": round(growth, 1),
            "sizes_mb": [round(s) for s in sizes],
            "log_lines_with_a_readers_words": judged.leaks,
            "errors_logged": dict(judged.errors),
            "of_these_for_want_of_the_machine": dict(judged.starved),
            "ended": service.process.poll(),
        }
    )
    is_over = service.process.poll() is not None
    return int(bool(bad or judged.leaks or judged.faults or growth > MAX_GROWTH_MB or is_over))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return asyncio.run(campaign(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
