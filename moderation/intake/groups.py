"""Concurrent submissions travel as one group: one look-up, one limit check, one scoring, one commit.

A group leaves as soon as a place is free: alone when it is quiet, larger the busier it is. Two submissions that may be the
same one (equal keys) are never under way at once in a process; the later one waits and is recognised.
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
"""One is being stored while the next is looked up and scored; more only lengthen the wait."""
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
        self._look: asyncio.TimerHandle | None = None
        self._is_scheduled = False
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
        if self._look is not None:
            self._look.cancel()

    def _schedule(self) -> None:
        # Not at once: whatever else arrived in this turn of the loop joins the same group.
        if not self._is_scheduled and len(self._running) < GROUPS_UNDER_WAY:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._is_scheduled = False
        while len(self._running) < GROUPS_UNDER_WAY:
            group, since_s = self._take()
            if not group:
                return
            task = asyncio.create_task(self._run(group))
            self._running[task] = (group, since_s)
            task.add_done_callback(self._finished)

    def _take(self) -> tuple[list[Item], float]:
        group: list[Item] = []
        since_s = 0.0
        self._waited_s = 0.0
        for item, entered_s in self._pending.values():
            if self._keys_under_way.isdisjoint(item.keys):
                self._keys_under_way.update(item.keys)
                since_s = since_s or entered_s
                group.append(item)
                if len(group) == MAX_GROUP:
                    self._waited_s = time.monotonic() - entered_s
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
        del self._running[task]
        if self._pending:
            self._schedule()


def _fail_all(group: Iterable[Waiting], error: BaseException) -> None:
    for item in group:
        item.fail(error)
