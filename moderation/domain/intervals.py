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


def share(hits: Sequence[bool], weights: Sequence[float]) -> Share:
    """Return the weighted share of hits with its Wilson interval (Wilson 1927).

    The interval's number of rows is the effective one, (sum of weights)² / sum of squares (Kish 1965): rows that stand for many
    make a share less sure, not more.
    """
    total = sum(weights)
    if total <= 0:
        return Share(None, None, None, 0)
    value = sum(weight for hit, weight in zip(hits, weights, strict=True) if hit) / total
    rows = total**2 / sum(weight**2 for weight in weights)
    middle = (value + _Z**2 / (2 * rows)) / (1 + _Z**2 / rows)
    half = _Z / (1 + _Z**2 / rows) * sqrt(value * (1 - value) / rows + _Z**2 / (4 * rows**2))
    return Share(value, max(middle - half, 0.0), min(middle + half, 1.0), len(weights))
