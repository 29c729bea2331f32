"""How often authors, addresses, threads and sites may submit: the limits, and the algorithm in plain Python.

The algorithm is GCRA (ITU-T I.371): a cell remembers one time, the *theoretical arrival time* (TAT). Each submission moves it
on by one interval; it may run ahead of the clock by at most the tolerance (interval times burst). Worked through for
authors, one per 15 s with a burst of 3 (interval 15 s, tolerance 45 s), all three places free at 0 s:

====  ======================  ==========  ===========================================
time  TAT ahead of the clock  after       answer
====  ======================  ==========  ===========================================
0 s   0 s                     15 s        goes on, 2 left
1 s   14 s                    29 s        goes on, 1 left
2 s   28 s                    43 s        goes on, 0 left
3 s   42 s                    57 s > 45   denied, come back in 12 s; nothing is moved
15 s  30 s                    45 s        goes on, 0 left
====  ======================  ==========  ===========================================

`RateBook` is that algorithm over all cells of a submission, in this process's memory. It is what `intake/rates.lua` is tested
against, and what limits while Redis is away. Times are whole microseconds; the largest (1.8e15 today plus 30 days) stay far
below 2**53, up to which Lua's numbers are exact.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Self

from moderation.domain.configuration import JsonReader
from moderation.domain.values import Value

RULES = ("author", "address", "thread", "site")
"""What is limited, in the order in which a denial is named when several deny for equally long."""

SECOND_US = 1_000_000
FREE_S = 600
"""A submission charged once is free for this long: a retry after a 503 costs nothing."""
SIGHTINGS_S = 24 * 3600
"""How long a text is remembered."""
MAX_SIGHTINGS = 1000
"""Of one text; with more the oldest is forgotten."""
SIGHTING_BYTES = 8
"""Of a submission's fingerprint, kept to know a sighting again."""

_MAX_COUNT = 1_000_000
_MAX_PERIOD_S = 86_400
_MAX_WINDOW_US = 30 * 86_400 * SECOND_US


@dataclass(frozen=True, slots=True)
class Limit:
    """``count`` submissions per ``period_s`` seconds, at most ``burst`` at once; a count of 0 switches it off.

    Raises `ValueError` for numbers outside: count 0 to 1 000 000, period 1 s to a day, burst 1 to 1 000 000, and at most
    30 days until a spent burst is whole again.
    """

    count: int
    period_s: int
    burst: int
    interval_us: int = field(init=False, repr=False, compare=False)
    """Microseconds that one submission uses up, rounded up; 0 if the limit is off."""
    tolerance_us: int = field(init=False, repr=False, compare=False)
    """Microseconds by which a cell may run ahead of the clock."""

    def __post_init__(self) -> None:
        if not (
            0 <= self.count <= _MAX_COUNT
            and 1 <= self.period_s <= _MAX_PERIOD_S
            and 1 <= self.burst <= _MAX_COUNT
        ):
            raise ValueError("a limit's count, period or burst is out of range")
        interval_us = -(-self.period_s * SECOND_US // self.count) if self.count else 0
        object.__setattr__(self, "interval_us", interval_us)
        object.__setattr__(self, "tolerance_us", interval_us * self.burst)
        if self.tolerance_us > _MAX_WINDOW_US:
            raise ValueError("a limit's burst takes more than 30 days to refill")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one site. Cities share addresses behind carrier NAT: authors are held tight, addresses loose."""

    author: Limit = Limit(1, 15, 3)
    address: Limit = Limit(60, 60, 60)
    thread: Limit = Limit(120, 60, 120)
    site: Limit = Limit(50, 1, 50)

    def in_order(self) -> tuple[Limit, Limit, Limit, Limit]:
        """Return the limits in the order of `RULES`."""
        return self.author, self.address, self.thread, self.site

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read stored limits; rules left out keep their defaults. Raises `InvalidConfigurationError` naming every fault.

        A rule is ``{"count": 1, "period_s": 15, "burst": 3}``; without ``period_s`` the default's period, without ``burst``
        as many as ``count``. A number alone is a count.
        """
        reader, defaults = JsonReader(value), cls()
        limits = [
            _read_limit(reader, rule, default)
            for rule, default in zip(RULES, defaults.in_order(), strict=True)
        ]
        reader.refuse_unknown()
        reader.finish()
        return cls(*limits)

    def as_json(self) -> dict[str, Any]:
        """Write what `from_json` reads."""
        return {
            rule: {"count": limit.count, "period_s": limit.period_s, "burst": limit.burst}
            for rule, limit in zip(RULES, self.in_order(), strict=True)
        }


def _read_limit(reader: JsonReader, rule: str, default: Limit) -> Limit:
    if not reader.has(rule):
        return default
    value = reader.value(rule)
    if not isinstance(value, Mapping):  # what is no number either is told that a count is expected
        count = reader.whole(rule, default.count, low=0, high=_MAX_COUNT)
        return _checked(reader, rule, count, default.period_s, max(count, 1)) or default
    nested = reader.nested(rule)
    count = nested.whole("count", default.count, low=0, high=_MAX_COUNT)
    period_s = nested.whole("period_s", default.period_s, low=1, high=_MAX_PERIOD_S)
    own_burst = max(count, 1) if nested.has("count") else default.burst
    burst = nested.whole("burst", own_burst, low=1, high=_MAX_COUNT)
    nested.refuse_unknown()
    return _checked(reader, rule, count, period_s, burst) or default


def _checked(reader: JsonReader, rule: str, *numbers: int) -> Limit | None:
    try:
        return Limit(*numbers)
    except ValueError:
        reader.fault(rule, "invalid_value", allowed="a burst that refills within 30 days")
        return None


class Charge(Value, frozen=True):
    """One submission to be counted. Keys name the site, so that charges of several sites may share a `RateBook`."""

    cells: tuple[bytes | None, bytes | None, bytes | None, bytes | None]
    """The key of each rule's cell, in the order of `RULES`; None where the submission has nothing of the kind."""
    text_key: bytes
    """Names the text."""
    sighting: bytes
    """`SIGHTING_BYTES` bytes that tell this submission from others with the same text; the same for a retry."""


class Tally(Value, frozen=True):
    """What a `RateBook` or the script answers to one charge."""

    is_allowed: bool
    is_free: bool
    """It had been charged within the last 10 min; nothing was taken."""
    duplicates: int
    """Other submissions seen with the same text within 24 h; 0 for a denied one."""
    ahead_us: tuple[int, int, int, int]
    """How far each rule's cell is ahead of the clock now, in the order of `RULES`; -1 where there is no cell."""


class Quota(Value, frozen=True):
    """What is left of one limit: ``remaining`` of ``quota`` submissions per ``window_s``.

    ``next_s`` is when one more becomes free, in whole seconds rounded up; 0 when all are.
    """

    rule: str
    quota: int
    window_s: int
    remaining: int
    next_s: int


class Snapshot(Value, frozen=True):
    """What is left of a submission's limits after it was checked; rendered by `protocols.rate_headers`."""

    limits: Limits
    ahead_us: tuple[int, int, int, int]
    """As in `Tally`."""

    @property
    def quotas(self) -> tuple[Quota, ...]:
        """What is left of each limit that applied; empty when none did."""
        found = zip(RULES, self.limits.in_order(), self.ahead_us, strict=True)
        return tuple([_quota(rule, limit, ahead_us) for rule, limit, ahead_us in found if ahead_us >= 0])


@dataclass(frozen=True, slots=True)
class Denial:
    """The rule that denies for longest, and after how many whole seconds (at least 1) all rules would allow."""

    rule: str
    retry_after_s: int


def denial(limits: Limits, tally: Tally) -> Denial | None:
    """Return why a charge was denied, or None if it was not. Does not depend on the order of the rules but for ties."""
    if tally.is_allowed:
        return None
    waits_us = [
        (ahead_us + limit.interval_us - limit.tolerance_us, -order)
        for order, (limit, ahead_us) in enumerate(zip(limits.in_order(), tally.ahead_us, strict=True))
        if ahead_us >= 0
    ]
    wait_us, order = max(waits_us)
    return Denial(RULES[-order], _seconds_up(wait_us))


def _quota(rule: str, limit: Limit, ahead_us: int) -> Quota:
    remaining = (limit.tolerance_us - ahead_us) // limit.interval_us
    next_us = 0 if ahead_us == 0 else ahead_us + (remaining + 1) * limit.interval_us - limit.tolerance_us
    # Rounded up; every answer passes here up to four times.
    return Quota(rule, limit.burst, -(-limit.tolerance_us // SECOND_US), remaining, -(-next_us // SECOND_US))


def _seconds_up(us: int) -> int:
    return -(-us // SECOND_US)


class RateBook:
    """Cells and sightings in memory, at most ``bound`` of each; the least recently touched is forgotten first."""

    def __init__(self, bound: int = 100_000) -> None:
        self._bound = bound
        self._times: OrderedDict[bytes, int] = OrderedDict()
        self._sightings = _Sightings(bound)

    def check(self, charge: Charge, limits: Limits, *, now_us: int) -> Tally:
        """Charge a submission to all of its cells or to none, and count the sightings of its text by others."""
        now_s = now_us // SECOND_US
        seen = self._sightings.recent(charge.text_key, now_s)
        seen_s = seen.get(charge.sighting)
        is_free = seen_s is not None and now_s - seen_s < FREE_S
        ahead_us = self._ahead(charge, limits, now_us)
        is_allowed = is_free or all(
            ahead + limit.interval_us <= limit.tolerance_us
            for ahead, limit in zip(ahead_us, limits.in_order(), strict=True)
            if ahead >= 0
        )
        duplicates = len(seen) - (seen_s is not None) if is_allowed else 0
        if is_allowed and not is_free:
            ahead_us = self._take(charge, limits, ahead_us, now_us)
            self._sightings.add(charge, now_s)
        author, address, thread, site = ahead_us
        return Tally(is_allowed, is_free, duplicates, (author, address, thread, site))

    def _ahead(self, charge: Charge, limits: Limits, now_us: int) -> list[int]:
        found = []
        for key, limit in zip(charge.cells, limits.in_order(), strict=True):
            if key is None or not limit.count:
                found.append(-1)
                continue
            ahead = max(self._times.get(key, 0) - now_us, 0)
            if ahead > limit.tolerance_us:
                # Cannot be: the clock went back, or the limit grew tighter. From here on the cell keeps to the limit.
                ahead = limit.tolerance_us
                self._times[key] = now_us + ahead
            found.append(ahead)
        return found

    def _take(self, charge: Charge, limits: Limits, ahead_us: list[int], now_us: int) -> list[int]:
        taken = [
            ahead + limit.interval_us if ahead >= 0 else -1
            for ahead, limit in zip(ahead_us, limits.in_order(), strict=True)
        ]
        for key, ahead in zip(charge.cells, taken, strict=True):
            if key is not None and ahead >= 0:
                self._times[key] = now_us + ahead
                self._times.move_to_end(key)
        while len(self._times) > self._bound:
            self._times.popitem(last=False)
        return taken


class _Sightings:
    """Which submissions had a text, and in which second each was last charged: the oldest first."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._count = 0
        self._texts: OrderedDict[bytes, dict[bytes, int]] = OrderedDict()

    def recent(self, text_key: bytes, now_s: int) -> dict[bytes, int]:
        """Return those of the last day; for reading only."""
        seen = self._texts.get(text_key, {})
        old = _old(seen, now_s)
        return dict(islice(seen.items(), old, None)) if old else seen

    def add(self, charge: Charge, now_s: int) -> None:
        """Remember ``charge`` as the latest to have its text."""
        seen = self._texts.setdefault(charge.text_key, {})
        self._texts.move_to_end(charge.text_key)
        for sighting in list(islice(seen, _old(seen, now_s))):
            del seen[sighting]
            self._count -= 1
        if charge.sighting not in seen and len(seen) < MAX_SIGHTINGS:
            self._count += 1
        elif seen.pop(charge.sighting, None) is None:
            del seen[next(iter(seen))]
        seen[charge.sighting] = now_s
        while self._count > self._bound and len(self._texts) > 1:
            self._count -= len(self._texts.popitem(last=False)[1])


def _old(seen: dict[bytes, int], now_s: int) -> int:
    """Return how many of the sightings, the oldest first, are older than a day."""
    return next((at for at, seen_s in enumerate(seen.values()) if now_s - seen_s < SIGHTINGS_S), len(seen))
