"""Concurrent submissions travel as one group: one look-up, one limit check, one scoring, one commit.

A group leaves as soon as nobody else arrives; the busier it is, the larger groups are, and the more alike, so that one is worked on
while others wait for the database. Left to leave as they like, they become one for which everybody waits, or many small ones. Two
submissions that may be the same one (equal keys) are never under way at once in a process; the later one waits and is recognised.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, Protocol, TypeVar

import structlog

from moderation.domain.errors import DependencyUnavailableError

MAX_GROUP = 64
GROUPS_UNDER_WAY = 3
"""One is being stored while the next is looked up and scored; more only lengthen the wait. Each takes at most its share of all."""
SMALLEST_SHARE = 8
"""So few are not divided: two groups of four use a fifth more of this process, and a half more of PostgreSQL, than one of eight."""
PATIENCE_S = 0.01
"""How long at most a few wait for more to come, while others are under way and there is a place."""
ANSWERED_WITHIN_S = 4.0
"""How long a caller waits at most, up to `LOOK_EVERY_S` more: a database that hangs must not make them hang.

The group goes on. What it stores after all is recognised when the caller sends it again, as after a lost connection.
"""
LOOK_EVERY_S = 0.5
CROWD = 4 * MAX_GROUP
CROWDED_AFTER_S = 1.0
"""Whoever comes while a crowd waits, and the latest to leave it waited so long, is refused at once: more is coming than can be done,
and to wait with the others would only make everybody late."""

log = structlog.get_logger()


class Waiting(Protocol):
    """One submission of a group."""

    @property
    def keys(self) -> tuple[bytes, ...]:
        """What makes it the same submission as another."""

    def fail(self, error: BaseException) -> None:
        """Answer with an error unless it is answered already."""


Item = TypeVar("Item", bound=Waiting)


class Grouper(Generic[Item]):
    """Collects items and hands them to ``process`` in groups; bounded, and closed in an orderly way."""

    def __init__(self, process: Callable[[list[Item]], Awaitable[None]], *, bound: int) -> None:
        self._process = process
        self._bound = bound
        self._pending: OrderedDict[int, tuple[Item, float]] = OrderedDict()
        self._keys_under_way: set[bytes] = set()
        self._running: dict[asyncio.Task[None], tuple[list[Item], float]] = {}
        """With the moment at which the first of the group came."""
        self._under_way = 0
        self._look: asyncio.TimerHandle | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._is_scheduled = False
        self._counted = 0
        """How many waited when the group that is to leave was last looked at."""
        self._is_closing = False
        self._hangs = False
        self._waited_s = 0.0
        """How long the newest of the latest group had waited; 0 where that was not full, for then all left that could.

        Older ones, and those that stay, may have waited for the end of their own equal, in no crowd.
        """

    @property
    def waiting(self) -> int:
        """How many items wait for a group."""
        return len(self._pending)

    def add(self, item: Item) -> None:
        """Queue ``item``. Raises `DependencyUnavailableError` when the queue is full, too slow or closing: nothing was accepted."""
        is_crowded = len(self._pending) >= CROWD and self._waited_s > CROWDED_AFTER_S
        if is_crowded or self._is_closing or len(self._pending) >= self._bound:
            raise DependencyUnavailableError("intake")
        self._pending[id(item)] = (item, time.monotonic())
        self._schedule()
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._refuse_late)

    async def close(self) -> None:
        """Refuse new items and wait for those under way."""
        self._is_closing = True
        while self._pending or self._running:
            self._dispatch()
            if not self._running:
                break
            await asyncio.wait(list(self._running))
        for timer in (self._look, self._patience):
            if timer is not None:
                timer.cancel()

    def _schedule(self) -> None:
        if self._is_scheduled or len(self._running) >= GROUPS_UNDER_WAY:
            return
        loop = asyncio.get_running_loop()
        if self._is_worth_a_group:
            self._is_scheduled = True
            self._counted = len(self._pending)
            loop.call_soon(self._gather)
        elif self._patience is None:
            self._patience = loop.call_later(PATIENCE_S, self._lose_patience)

    @property
    def _is_worth_a_group(self) -> bool:
        """Whether half as many wait as are under way."""
        return 2 * len(self._pending) >= self._under_way

    @property
    def _share(self) -> int:
        """How many may leave together."""
        everybody = len(self._pending) + self._under_way
        return min(max(-(-everybody // GROUPS_UNDER_WAY), SMALLEST_SHARE), MAX_GROUP)

    def _lose_patience(self) -> None:
        self._patience = None
        if len(self._running) < GROUPS_UNDER_WAY:
            self._start()

    def _gather(self) -> None:
        """Let whatever else arrives join the same group: leave after the first turn of the loop in which nobody came."""
        waiting = len(self._pending)
        if self._counted < waiting < self._share:
            self._counted = waiting
            asyncio.get_running_loop().call_soon(self._gather)
        else:
            self._dispatch()

    def _dispatch(self) -> None:
        self._is_scheduled = False
        while len(self._running) < GROUPS_UNDER_WAY and self._is_worth_a_group:
            if not self._start():
                return  # the rest wait for the end of their equals
        if self._pending:
            self._schedule()  # too few by now for the place that is left: they wait for company, not for an end

    def _start(self) -> bool:
        group, since_s = self._take()
        if group:
            task = asyncio.create_task(self._run(group))
            self._running[task] = (group, since_s)
            self._under_way += len(group)
            task.add_done_callback(self._finished)
        return bool(group)

    def _take(self) -> tuple[list[Item], float]:
        group: list[Item] = []
        since_s = 0.0
        self._waited_s = 0.0
        share = self._share
        for item, entered_s in self._pending.values():
            if self._keys_under_way.isdisjoint(item.keys):
                self._keys_under_way.update(item.keys)
                since_s = since_s or entered_s
                group.append(item)
                if len(group) == share:
                    self._waited_s = time.monotonic() - entered_s if share == MAX_GROUP else 0.0
                    break
        for item in group:
            del self._pending[id(item)]
        return group, since_s

    def _refuse_late(self) -> None:
        """Answer those who waited too long, whether their group hangs or they never got into one."""
        late_s = time.monotonic() - ANSWERED_WITHIN_S
        late = [group for group, since_s in self._running.values() if since_s < late_s]
        waiting = [item for item, entered_s in self._pending.values() if entered_s < late_s]
        for item in waiting:
            del self._pending[id(item)]
        for items in (*late, waiting):
            _fail_all(items, DependencyUnavailableError("intake"))
        if (any(late) or waiting) and not self._hangs:
            log.error("intake_hangs", groups=len(late), waiting=len(waiting))
            self._hangs = True
        is_busy = self._pending or self._running
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(LOOK_EVERY_S, self._refuse_late) if is_busy else None

    async def _run(self, group: list[Item]) -> None:
        try:
            await self._process(group)
            if self._hangs:
                log.info("intake_goes_on")
                self._hangs = False
            _fail_all(group, RuntimeError("left unanswered"))
        except asyncio.CancelledError as error:
            _fail_all(group, error)
            raise
        except Exception as error:
            if not isinstance(error, DependencyUnavailableError):
                log.error("group_failed", size=len(group), exc_info=error)
            _fail_all(group, error)
        finally:
            for item in group:
                self._keys_under_way.difference_update(item.keys)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way -= len(self._running.pop(task)[0])
        if self._pending:
            self._schedule()


def _fail_all(group: Iterable[Waiting], error: BaseException) -> None:
    for item in group:
        item.fail(error)
