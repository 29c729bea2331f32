"""Who was denied a moment ago, and for how long: what such a submission would be scored for nothing.

The limits are known only when Redis has answered, and a small group is scored while it is waited for. But a cell that denied
somebody denies everybody until its time has come, so that a flood is scored once and not at each try. Nothing is decided by this.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator

from moderation.intake.candidates import Candidate

BOUND = 10_000
"""Cells that one process remembers, some 2 MB; the oldest are let go."""

_Cell = tuple[int, str, bytes | str | None]


class Denials:
    """The cells of one process; ``seconds`` is a clock that only goes on."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._until_s: OrderedDict[_Cell, float] = OrderedDict()

    def note(self, denied: Candidate, rule: str, retry_after_s: int) -> None:
        """Remember that ``rule`` denied this submission for so long."""
        for cell in _cells(denied):
            if cell[1] == rule:
                self._until_s[cell] = self._seconds() + retry_after_s
                self._until_s.move_to_end(cell)
        if len(self._until_s) > BOUND:
            self._until_s.popitem(last=False)

    def expects(self, entering: Candidate) -> bool:
        """Tell whether a limit will very likely deny this submission: a retry of one that was charged is free all the same."""
        if not self._until_s:
            return False
        now_s = self._seconds()
        while self._until_s and next(iter(self._until_s.values())) <= now_s:
            self._until_s.popitem(last=False)
        return any(self._until_s.get(cell, 0.0) > now_s for cell in _cells(entering))


def _cells(entering: Candidate) -> Iterator[_Cell]:
    site, identities = int(entering.site.id), entering.identities
    yield site, "author", identities.author
    yield site, "address", identities.address
    yield site, "thread", entering.submission.thread.id
    yield site, "site", None
