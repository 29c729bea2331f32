"""How sure a measured share is."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

_Z = 1.959964  # of a two-sided interval of 95 %


@dataclass(frozen=True, slots=True)
class Share:
    """A share in [0, 1] with its 95 % interval, over ``rows`` rows; None where there are none."""

    value: float | None
    low: float | None
    high: float | None
    rows: int


@dataclass(slots=True)
class Tallied:
    """Weighted hits and misses as they come."""

    hits: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    rows: int = 0

    def add(self, is_hit: bool, weight: float, times: int = 1) -> None:
        """Count rows of one weight."""
        self.hits += weight * times if is_hit else 0.0
        self.total += weight * times
        self.squares += weight**2 * times
        self.rows += times

    def share(self) -> Share:
        """Return the share of hits with its Wilson interval (Wilson 1927).

        The interval's number of rows is the effective one, (sum of weights)² / sum of squares (Kish 1965): rows that stand for
        many make a share less sure, not more.
        """
        if self.total <= 0:
            return Share(None, None, None, 0)
        value, rows = self.hits / self.total, self.total**2 / self.squares
        middle = (value + _Z**2 / (2 * rows)) / (1 + _Z**2 / rows)
        half = _Z / (1 + _Z**2 / rows) * sqrt(value * (1 - value) / rows + _Z**2 / (4 * rows**2))
        return Share(value, max(middle - half, 0.0), min(middle + half, 1.0), self.rows)


def share(hits: Sequence[bool], weights: Sequence[float]) -> Share:
    """Return the weighted share of hits."""
    tally = Tallied()
    for is_hit, weight in zip(hits, weights, strict=True):
        tally.add(is_hit, weight)
    return tally.share()
