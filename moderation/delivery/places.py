"""How many attempts may run at once: per site, over all sites, and fewer for endpoints that do not answer.

A hanging endpoint holds its places for as long as an attempt may take. So a site has few of them; one whose attempts
keep failing has a single one until an attempt succeeds; and all failing sites together leave half of the places free.
"""

from collections import Counter, deque
from collections.abc import Sequence

PER_SITE = 8
OVERALL = 64
FAILING_AFTER = 3
"""Failures in a row after which a site counts as failing."""


class Places:
    """Counts the running attempts; in one process, on the event loop only."""

    def __init__(self, *, per_site: int = PER_SITE, overall: int = OVERALL) -> None:
        self._per_site = per_site
        self._overall = overall
        self._taken: Counter[int] = Counter()
        self._failures: Counter[int] = Counter()
        self._turn = 0

    @property
    def is_full(self) -> bool:
        """Tell whether no attempt may start anywhere."""
        return self._taken.total() >= self._overall

    def share(self, sites: Sequence[int]) -> dict[int, int]:
        """Divide the free places among ``sites`` with events due, one by one in turn; sites that get none are left out."""
        free = self._overall - self._taken.total()
        free_for_failing = self._overall // 2 - sum(
            n for site, n in self._taken.items() if self._is_failing(site)
        )
        self._turn += 1
        waiting = deque(sites)
        waiting.rotate(-self._turn % max(len(waiting), 1))
        shares: Counter[int] = Counter()
        while waiting and free > 0:
            site = waiting.popleft()
            failing = self._is_failing(site)
            bound = 1 if failing else self._per_site
            if self._taken[site] + shares[site] >= bound or (failing and free_for_failing <= 0):
                continue
            shares[site] += 1
            free -= 1
            free_for_failing -= failing
            waiting.append(site)
        return dict(shares)

    def take(self, site: int) -> None:
        """Note that an attempt for ``site`` begins."""
        self._taken[site] += 1

    def give_back(self, site: int) -> None:
        """Note that an attempt for ``site`` is over."""
        self._taken[site] -= 1
        if not self._taken[site]:
            del self._taken[site]

    def succeeded(self, site: int) -> bool:
        """Note a success; True if the site counted as failing until now."""
        was_failing = self._is_failing(site)
        del self._failures[site]
        return was_failing

    def failed(self, site: int) -> None:
        """Note a failure."""
        self._failures[site] += 1

    def _is_failing(self, site: int) -> bool:
        return self._failures[site] >= FAILING_AFTER
