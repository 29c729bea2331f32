"""A desk beside work that keeps this thread busy: training runs here for minutes, and the database is reached through another thread.

An interrupted training ends at once; nothing it did not finish is kept.
"""

import asyncio
import signal
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
Opened = TypeVar("Opened")
Item = TypeVar("Item")
_AT_ONCE = 500
TERMINATED = 143


class Beside(Generic[Opened]):
    """What was opened in the other thread, and a way to call it from this one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, opened: Opened) -> None:
        self._loop = loop
        self.opened = opened

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run ``work`` there and wait for what comes of it."""
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise

    def stream(self, items: AsyncIterator[Item]) -> Iterator[Item]:
        """Yield what ``items`` yields there, some at a time."""
        while batch := self.call(_take(items)):
            yield from batch


async def _take(items: AsyncIterator[Item]) -> list[Item]:
    batch: list[Item] = []
    async for item in items:
        batch.append(item)
        if len(batch) == _AT_ONCE:
            break
    return batch


@contextmanager
def beside(opening: AbstractAsyncContextManager[Opened]) -> Iterator[Beside[Opened]]:
    """Open in another thread, and close there when the block ends, however it ends. SIGTERM ends the block too."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="desk", daemon=True)
    thread.start()
    before = signal.signal(signal.SIGTERM, _end)
    try:
        opened = asyncio.run_coroutine_threadsafe(_enter(opening), loop).result()
        try:
            yield Beside(loop, opened)
        finally:
            asyncio.run_coroutine_threadsafe(opening.__aexit__(None, None, None), loop).result()
    finally:
        signal.signal(signal.SIGTERM, before)
        asyncio.run_coroutine_threadsafe(_end_all(), loop).result()
        asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end_all() -> None:
    """End what is still under way: an opening that was interrupted, too."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _enter(opening: AbstractAsyncContextManager[Opened]) -> Opened:
    return await opening.__aenter__()


def _end(*_: object) -> None:
    sys.exit(TERMINATED)
