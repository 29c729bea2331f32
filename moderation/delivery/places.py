"""How many attempts may run at once: per site, over all sites, and fewer for endpoints that do not answer.

A hanging endpoint holds its places for as long as an attempt may take. So a site has few of them; one whose attempts
keep failing has a single one until an attempt succeeds; and all failing sites together leave half of the places free.

Many that begin to hang at once are not known yet. So a place is for the first second of an attempt: whoever lets us wait longer
stands aside, where there is room for thrice as many, and the place is free for others; its site gets what the others leave.
The fuller it is aside, the fewer attempts may a site have.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PER_SITE = 8
OVERALL = 64
ASIDE = 3
"""So many times the places: attempts that hang cost memory and no processor, some 40 kB each."""
SLOW_AFTER_S = 1.0
FAILING_AFTER = 3
"""Failures in a row after which a site counts as failing."""


@dataclass(eq=False, slots=True)
class Place:
    """What a running attempt holds."""

    site: int
    since_s: float


class Places:
    """Counts the running attempts; in one process, on the event loop only. ``seconds`` is a clock that only goes on."""

    def __init__(
        self,
        *,
        per_site: int = PER_SITE,
        overall: int = OVERALL,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_site = per_site
        self._overall = overall
        self._aside = ASIDE * overall
        self._seconds = seconds
        self._held: dict[Place, None] = {}
        """In the order of their beginning."""
        self._failures: Counter[int] = Counter()
        self._turn = 0

    def share(self, sites: Sequence[int]) -> dict[int, int]:
        """Divide the free places among ``sites`` with events due, one by one in turn; sites that get none are left out.

        Those that let us wait come last, and while many do, those whose last attempt failed.
        """
        slow = self._slow()
        aside = min(slow.total(), self._aside)
        free = self._overall + aside - len(self._held)
        taken = Counter(place.site for place in self._held)
        free_for_failing = self._overall // 2 - sum(n for site, n in taken.items() if self._is_failing(site))
        most = max(self._per_site * (self._aside - aside) // self._aside, 1)
        self._turn += 1
        turns = deque(sites)
        turns.rotate(-self._turn % max(len(turns), 1))
        shares: Counter[int] = Counter()
        is_crowded = aside >= self._overall
        last = {site for site in sites if site in slow or (is_crowded and self._failures[site])}
        for waiting in (deque(s for s in turns if s not in last), deque(s for s in turns if s in last)):
            while waiting and free > 0:
                site = waiting.popleft()
                failing = self._is_failing(site)
                bound = 1 if failing else most
                if taken[site] + shares[site] >= bound or (failing and free_for_failing <= 0):
                    continue
                shares[site] += 1
                free -= 1
                free_for_failing -= failing
                waiting.append(site)
        return dict(shares)

    @property
    def is_full(self) -> bool:
        """Tell whether no attempt may start anywhere."""
        return len(self._held) >= self._overall + min(self._slow().total(), self._aside)

    def take(self, site: int) -> Place:
        """Note that an attempt for ``site`` begins."""
        place = Place(site, self._seconds())
        self._held[place] = None
        return place

    def give_back(self, place: Place) -> None:
        """Note that the attempt is over."""
        del self._held[place]

    def succeeded(self, site: int) -> bool:
        """Note a success; True if the site counted as failing until now."""
        was_failing = self._is_failing(site)
        del self._failures[site]
        return was_failing

    def failed(self, site: int) -> None:
        """Note a failure."""
        self._failures[site] += 1

    def _slow(self) -> Counter[int]:
        """Count the attempts that let us wait, by site."""
        begun_s = self._seconds() - SLOW_AFTER_S
        return Counter(place.site for place in self._held if place.since_s <= begun_s)

    def _is_failing(self, site: int) -> bool:
        return self._failures[site] >= FAILING_AFTER
