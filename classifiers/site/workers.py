"""Fits side by side: in threads, for the products that fits are made of let others run, and rows are shared and not copied."""

import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

MAX_AT_ONCE = (
    2  # each fit holds the indices of its rows and some vectors: a third of a gigabyte where rows are most
)
Given = TypeVar("Given")
Found = TypeVar("Found")
_given_up = threading.local()  # `.event` of the workers that a thread fits for


def go_on() -> None:
    """Between two rounds of a fit: raise CancelledError where nobody waits for it any more."""
    event: threading.Event | None = getattr(_given_up, "event", None)
    if event is not None and event.is_set():
        raise CancelledError


@dataclass(frozen=True, slots=True)
class Workers:
    """Runs fits, a bounded number at once. What they find does not depend on how many: each is by itself and in a fixed order."""

    _fits: ThreadPoolExecutor | None = None
    _event: threading.Event = field(default_factory=threading.Event, compare=False)

    def each(self, fit: Callable[[Given], Found], given: Sequence[Given]) -> list[Found]:
        """Return what `fit` finds for each, in their order; raises the first error. A fit asks for no workers itself."""
        if self._fits is None:
            return list(map(fit, given))

        def followed(one: Given) -> Found:
            _given_up.event = self._event
            go_on()
            return fit(one)

        return list(self._fits.map(followed, given))

    def together(self, work: Callable[[Given], Found], given: Sequence[Given]) -> Generator[Found]:
        """Yield what `work` finds for each, in their order; it may ask for workers. An error, or an interruption, ends all of it."""
        if self._fits is None or not given:
            yield from map(work, given)
            return
        with ThreadPoolExecutor(len(given)) as threads:
            try:
                yield from threads.map(work, given)
            except BaseException:
                self.give_up()  # else all that was asked for is done first
                raise

    def give_up(self) -> None:
        """Begin no more fits, and end those under way with their present round."""
        self._event.set()
        if self._fits is not None:
            self._fits.shutdown(wait=False, cancel_futures=True)


@contextmanager
def workers() -> Iterator[Workers]:
    """Give one for each core that this process may use, MAX_AT_ONCE at most; whatever ends the block early ends their work."""
    count = min(len(os.sched_getaffinity(0)), MAX_AT_ONCE)
    if count < 2:
        yield Workers()
        return
    with ThreadPoolExecutor(count) as fits:
        hands = Workers(fits)
        try:
            yield hands
        except BaseException:
            hands.give_up()
            raise
