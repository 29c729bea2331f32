"""Fits side by side: in threads, for the products that fits are made of let others run, and rows are shared and not copied."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

MAX_AT_ONCE = (
    2  # each fit holds the indices of its rows and some vectors: a third of a gigabyte where rows are most
)
Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Workers:
    """Runs fits, a bounded number at once. What they find does not depend on how many: each is by itself and in a fixed order."""

    _fits: ThreadPoolExecutor | None = None

    def each(self, fit: Callable[[Given], Found], given: Sequence[Given]) -> list[Found]:
        """Return what `fit` finds for each, in their order; raises the first error. A fit asks for no workers itself."""
        return list((map if self._fits is None else self._fits.map)(fit, given))

    def together(self, work: Callable[[Given], Found], given: Sequence[Given]) -> Iterator[Found]:
        """Yield what `work` finds for each, in their order; it may ask for workers. An error, or an interruption, ends all of it."""
        if self._fits is None or not given:
            yield from map(work, given)
            return
        with ThreadPoolExecutor(len(given)) as threads:
            try:
                yield from threads.map(work, given)
            except BaseException:
                self._fits.shutdown(
                    wait=False, cancel_futures=True
                )  # else all that was asked for is done first
                raise


@contextmanager
def workers() -> Iterator[Workers]:
    """Give one for each core that this process may use, MAX_AT_ONCE at most."""
    count = min(len(os.sched_getaffinity(0)), MAX_AT_ONCE)
    if count < 2:
        yield Workers()
        return
    with ThreadPoolExecutor(count) as fits:
        yield Workers(fits)
