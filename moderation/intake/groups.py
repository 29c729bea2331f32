"""Concurrent submissions travel as one group: one look-up, one limit check, one scoring, one commit.

A group leaves as soon as a place is free: alone when it is quiet, larger the busier it is. Two submissions that may be the
same one (equal keys) are never under way at once in a process; the later one waits and is recognised.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, Protocol, TypeVar

import structlog

from moderation.domain.errors import DependencyUnavailableError

MAX_GROUP = 64
GROUPS_UNDER_WAY = 3
"""One is being stored while the next is looked up and scored; more only lengthen the wait."""

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
        self._pending: OrderedDict[int, Item] = OrderedDict()
        self._keys_under_way: set[bytes] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._is_scheduled = False
        self._is_closing = False

    @property
    def waiting(self) -> int:
        """How many items wait for a group."""
        return len(self._pending)

    def add(self, item: Item) -> None:
        """Queue ``item``. Raises `DependencyUnavailableError` when the queue is full or closing: nothing was accepted."""
        if self._is_closing or len(self._pending) >= self._bound:
            raise DependencyUnavailableError("intake")
        self._pending[id(item)] = item
        self._schedule()

    async def close(self) -> None:
        """Refuse new items and wait for those under way."""
        self._is_closing = True
        while self._pending or self._running:
            self._dispatch()
            if not self._running:
                break
            await asyncio.wait(self._running)

    def _schedule(self) -> None:
        # Not at once: whatever else arrived in this turn of the loop joins the same group.
        if not self._is_scheduled and len(self._running) < GROUPS_UNDER_WAY:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._is_scheduled = False
        while len(self._running) < GROUPS_UNDER_WAY:
            group = self._take()
            if not group:
                return
            task = asyncio.create_task(self._run(group))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _take(self) -> list[Item]:
        group: list[Item] = []
        for item in self._pending.values():
            if self._keys_under_way.isdisjoint(item.keys):
                self._keys_under_way.update(item.keys)
                group.append(item)
                if len(group) == MAX_GROUP:
                    break
        for item in group:
            del self._pending[id(item)]
        return group

    async def _run(self, group: list[Item]) -> None:
        try:
            await self._process(group)
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
        self._running.discard(task)
        if self._pending:
            self._schedule()


def _fail_all(group: Iterable[Waiting], error: BaseException) -> None:
    for item in group:
        item.fail(error)
