"""How scores lie between 0 and 1, and how far two such pictures are apart."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from moderation.domain.verdict import OUTPUTS, Scores

BINS = 10
MIN_ROWS = 200
"""Fewer scores tell nothing of a distribution."""
DRIFTED = 0.25
"""Population stability index from which on a distribution counts as another one (the usual reading in credit scoring)."""
_LEAST = 1e-3


def distribution(scores: Sequence[Scores], weights: Sequence[float] | None = None) -> dict[str, Any]:
    """Return, by output, the share of comments in each tenth of the scale, and how many there were."""
    found: dict[str, Any] = {}
    for output in OUTPUTS:
        counts, rows = [0.0] * BINS, 0
        for at, one in enumerate(scores):
            value = getattr(one, output)
            if value is not None:
                counts[min(int(value * BINS), BINS - 1)] += 1.0 if weights is None else weights[at]
                rows += 1
        if sum(counts) > 0:
            found[output] = _picture(counts, rows)
    return found


def counted(counts: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Return what `distribution` does, of scores that were counted by output and tenth already."""
    return {output: _picture(tenths, sum(tenths)) for output, tenths in counts.items()}


def _picture(counts: Sequence[float], rows: int) -> dict[str, Any]:
    total = sum(counts)
    return {"shares": [round(count / total, 6) for count in counts], "rows": rows}


def drift(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> dict[str, float]:
    """Return the population stability index of each output that both pictures show with rows enough."""
    found = {}
    for output, one in now.items():
        other = (before or {}).get(output)
        if other is not None and min(one["rows"], other["rows"]) >= MIN_ROWS:
            found[output] = round(_index(other["shares"], one["shares"]), 4)
    return found


def _index(before: Sequence[float], now: Sequence[float]) -> float:
    pairs = [(max(a, _LEAST), max(b, _LEAST)) for a, b in zip(before, now, strict=True)]
    return sum((b - a) * math.log(b / a) for a, b in pairs)
