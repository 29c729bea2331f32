"""The long form of the fuzzer tells a hang of ours from a machine that gave us nothing, and growth from what comes to rest."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from tests.fuzz.__main__ import growth_mb, judge_log
from tests.fuzz.starvation import GOES_ON, HANGS, WITHOUT_REDIS, Look, core_waits_s, disk_wait_s
from tests.program import Service

BEGIN_S = 1_800_000_000.0


def looks(*, waited: float, disk: float = 0.0, seconds: int = 60) -> list[Look]:
    """Looks every quarter of a second, while one process waits for that share of the time, and another not at all."""
    moments = [at / 4 for at in range(4 * seconds)]
    return [Look(BEGIN_S + at, {1: waited * at, 2: 7.0}, disk * at) for at in moments]


def line(event: str, after_s: float, level: str = "error", **fields: Any) -> str:
    at = datetime.fromtimestamp(BEGIN_S + after_s, UTC).isoformat()
    said = "".join(f',"{name}":"{value}"' for name, value in fields.items())
    return f'{{"event":"{event}","level":"{level}","timestamp":"{at}"{said}}}\n'


def judged(folder: Path, seen: list[Look], *lines: str) -> tuple[dict[str, int], dict[str, int]]:
    log = folder / "log"
    log.write_text("".join(lines))
    found = judge_log(log, seen)
    return dict(found.faults), dict(found.starved)


HANG = (line(HANGS, 20), line(GOES_ON, 20.5, level="info"))


@pytest.mark.parametrize(
    ("seen", "is_ours"),
    [
        (looks(waited=0.0), True),
        (looks(waited=0.3), True),
        (looks(waited=0.9), False),
        (looks(waited=0.0, disk=0.9), False),
        (looks(waited=0.9, seconds=15), True),
        ([], True),
    ],
    ids=["idle", "busy", "starved", "disk stalls", "nobody looked", "no looks"],
)
def test_a_group_hangs_by_our_fault_unless_the_machine_kept_us_waiting(
    tmp_path: Path, seen: list[Look], is_ours: bool
) -> None:
    assert judged(tmp_path, seen, *HANG) == (({HANGS: 1}, {}) if is_ours else ({}, {HANGS: 1}))


def test_what_never_goes_on_is_our_fault_on_any_machine(tmp_path: Path) -> None:
    assert judged(tmp_path, looks(waited=0.99), *HANG, line(HANGS, 30)) == ({HANGS: 1}, {HANGS: 1})


def test_what_hangs_for_long_is_our_fault_on_a_machine_that_would_excuse_a_short_hang(tmp_path: Path) -> None:
    seen = looks(waited=0.7)
    assert judged(tmp_path, seen, *HANG) == ({}, {HANGS: 1})
    long_one = line(HANGS, 20), line(GOES_ON, 40, level="info")
    assert judged(tmp_path, seen, *long_one) == ({HANGS: 1}, {})


def test_redis_is_late_by_our_fault_on_an_idle_machine_and_away_on_any(tmp_path: Path) -> None:
    late, gone = line(WITHOUT_REDIS, 20, cause="timeout"), line(WITHOUT_REDIS, 30, cause="connection")
    name = f"{WITHOUT_REDIS} timeout"
    assert judged(tmp_path, looks(waited=0.1), late) == ({name: 1}, {})
    assert judged(tmp_path, looks(waited=0.9), late, gone) == ({f"{WITHOUT_REDIS} connection": 1}, {name: 1})


@dataclass
class Family:
    """Processes in a service's place."""

    members: list[psutil.Process]

    def family(self) -> list[psutil.Process]:
        return self.members


@contextmanager
def crowded(count: int) -> Iterator[list[psutil.Process]]:
    """Processes that all want one and the same core, and a last one that sleeps."""
    begun, one_core = "import os, time\nprint(flush=True)\n", min(os.sched_getaffinity(0))
    code = [f"{begun}os.sched_setaffinity(0, {{{one_core}}})\nwhile True: pass"] * count
    started = [
        subprocess.Popen([sys.executable, "-c", each], stdout=subprocess.PIPE)
        for each in [*code, f"{begun}time.sleep(60)"]
    ]
    try:
        for each in started:
            assert each.stdout is not None
            each.stdout.readline()
        yield [psutil.Process(each.pid) for each in started]
    finally:
        for each in started:
            each.kill()
            each.communicate()


def test_who_wants_a_core_is_seen_to_wait_and_who_sleeps_is_not() -> None:
    with crowded(3) as processes:
        service = cast("Service", Family(processes))
        time.sleep(0.5)  # until they are where they go on for ever
        before = core_waits_s(service)
        time.sleep(1.0)
        after = core_waits_s(service)
    waited = [after[process.pid] - before[process.pid] for process in processes]
    assert sum(waited[:-1]) > 1.2, waited  # two of three wait at any moment
    assert waited[-1] < 0.1, waited


def test_the_disk_is_waited_for(tmp_path: Path) -> None:
    assert 0 < disk_wait_s(tmp_path) < 60


@pytest.mark.parametrize(
    ("sizes", "least", "most"),
    [
        ([100 + 4 * at for at in range(25)], 55, 65),
        ([150, 200, 210, *([212] * 22)], -1, 1),
        ([140, 160, 181, 181, 181, 181, 181, 190, 200, 210, *([219] * 15)], -1, 8),
        ([142, 160, 209, 212, 212, 203, 203, 203, 203, 203, 203, 206, 207, 207, 207, 207, 212, *([213] * 8)], 0, 10),
        ([180] * 20 + [240] * 5, 55, 65),
        ([180], 0, 0),
        ([180, 190, 200], 0, 31),
    ],
    ids=["a leak", "caches fill", "rest in the second half", "breathing", "a jump at the end", "one", "three"],
)  # fmt: skip
def test_growth_is_what_goes_on(sizes: list[float], least: float, most: float) -> None:
    assert least <= growth_mb(sizes) <= most
