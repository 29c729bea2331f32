"""What the machine gave the service: how long its processes stood in the kernel's queue for a core, moment by moment.

What took longer than its limit is a fault of ours where we had the cores, and the machine's where we had not. The kernel says
which (`/proc/PID/schedstat`): a process that hangs on a lock, a database or a bug waits for no core. A disk that stalls is seen by
a probe that writes through beside the service's data.
"""

import asyncio
import os
import time
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from moderation.intake.groups import ANSWERED_WITHIN_S
from moderation.intake.groups import LOOK_EVERY_S as GROUPS_ARE_LOOKED_AT_EVERY_S
from moderation.intake.rates import DEADLINE_S
from tests.program import Service

LOOK_EVERY_S = 0.25
HANGS, GOES_ON, WITHOUT_REDIS = "intake_hangs", "intake_goes_on", "limiter_without_redis"


@dataclass(frozen=True, slots=True)
class Look:
    """What had been waited for until a moment (seconds since the epoch), in seconds: for a core by process, for the disk by the probe."""

    at_s: float
    core_s: Mapping[int, float]
    disk_s: float

    def waited_since(self, before: "Look") -> float:
        """Return what whoever waited longest had to wait."""
        cores = [waited - before.core_s[pid] for pid, waited in self.core_s.items() if pid in before.core_s]
        return max(*cores, self.disk_s - before.disk_s, 0.0)


@dataclass(frozen=True, slots=True)
class Late:
    """Something that took longer than its limit: an error's name, from when to when (None: it never ended), and the limit."""

    name: str
    begin_s: float
    end_s: float | None
    limit_s: float

    def is_for_want_of_the_machine(self, looks: Sequence[Look]) -> bool:
        """Tell whether the machine explains it: but for what was waited for, it had taken less than half its limit.

        Never where it did not end, nor where nobody looked.
        """
        if self.end_s is None:
            return False
        moments = [look.at_s for look in looks]
        first, last = bisect_right(moments, self.begin_s) - 1, bisect_left(moments, self.end_s)
        if first < 0 or last >= len(looks):
            return False
        waited_s = sum(after.waited_since(before) for before, after in pairwise(looks[first : last + 1]))
        return self.end_s - self.begin_s - waited_s < self.limit_s / 2


@dataclass
class Starvation:
    """Watches a service while it is fuzzed."""

    service: Service
    folder: Path
    looks: list[Look] = field(default_factory=list)

    async def watch(self) -> None:
        """Look until cancelled."""
        disk_s = 0.0
        while True:
            disk_s += await asyncio.to_thread(disk_wait_s, self.folder)
            self.looks.append(Look(time.time(), core_waits_s(self.service), disk_s))
            await asyncio.sleep(LOOK_EVERY_S)


def core_waits_s(service: Service) -> dict[int, float]:
    """Return how long each process of a service has waited for a core since it began."""
    found = {}
    for process in service.family():
        with suppress(OSError):  # it ended meanwhile
            found[process.pid] = int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[1]) / 1e9
    return found


def disk_wait_s(folder: Path) -> float:
    """Return how long a page takes to be on the disk."""
    with (folder / "probe").open("wb") as file:
        started = time.monotonic()
        file.write(bytes(8192))
        file.flush()
        os.fdatasync(file.fileno())
        return time.monotonic() - started


def late_ones(lines: Sequence[Mapping[str, Any]]) -> list[Late]:
    """Return what a log's lines tell of groups that hung, until groups came to an end again, and of Redis that was late, in order."""
    found: list[Late] = []
    for line in lines:
        at_s = datetime.fromisoformat(line["timestamp"]).timestamp()
        if line["event"] == HANGS:  # it is noticed at the next look
            begin_s = at_s - ANSWERED_WITHIN_S - GROUPS_ARE_LOOKED_AT_EVERY_S
            found.append(Late(HANGS, begin_s, None, ANSWERED_WITHIN_S))
        elif line["event"] == GOES_ON:
            hung = [at for at, late in enumerate(found) if late.name == HANGS and late.end_s is None]
            for at in hung[-1:]:
                found[at] = Late(HANGS, found[at].begin_s, at_s, ANSWERED_WITHIN_S)
        elif line["event"] == WITHOUT_REDIS and line.get("cause") == "timeout":
            found.append(Late(f"{WITHOUT_REDIS} timeout", at_s - DEADLINE_S, at_s, DEADLINE_S))
    return found
