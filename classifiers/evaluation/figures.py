"""The figures of probabilities against labels, for many bootstrap draws of the same rows; paired where models are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation.rows import DOUBT, HAS_DOUBT, HAS_REJECT, REJECT, Bytes, Floats
from classifiers.site.measures import Interval
from classifiers.site.thresholds import wilson

RESAMPLES = 200
FIGURES = (
    "auc", "macro_f1", "doubt_precision", "doubt_recall", "reject_precision", "reject_recall", "ece", "called_positive",
)  # fmt: skip
_BINS = 10
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows of one part that are labelled and scored, for one model: arrays of shape (n_rows,)."""

    labels: Bytes
    probabilities: Floats
    bands: Bytes


class Draws:
    """The figures of one model, for any count of each row."""

    def __init__(self, judged: Judged) -> None:
        self._order = np.argsort(judged.probabilities, kind="stable")
        values = judged.probabilities[self._order]
        labels, bands = judged.labels[self._order], judged.bands[self._order]
        self._starts = np.flatnonzero(np.diff(values, prepend=-1.0))
        self._positive = (labels == 1).astype(np.float64)
        self._called = {
            "half": (values > 0.5).astype(np.float64),
            "doubt": _reached(bands, DOUBT, HAS_DOUBT),
            "reject": _reached(bands, REJECT, HAS_REJECT),
        }
        self._gaps = values - labels
        self._bins = np.minimum((values * _BINS).astype(np.int64), _BINS - 1)

    def figures(self, counts: Floats) -> list[float]:
        """Return FIGURES where each row counts as often as said; NaN where undefined."""
        weights = counts[self._order]
        ones = weights * self._positive
        total, positive = float(weights.sum()), float(ones.sum())
        half, half_hits = self._sums("half", weights, ones)
        doubt, doubt_hits = self._sums("doubt", weights, ones)
        reject, reject_hits = self._sums("reject", weights, ones)
        return [
            self._auc(weights, ones),
            _macro_f1(half_hits, half, positive, total),
            _ratio(doubt_hits, doubt),
            _ratio(doubt_hits, positive),
            _ratio(reject_hits, reject),
            _ratio(reject_hits, positive),
            _ratio(float(np.abs(np.bincount(self._bins, weights * self._gaps)).sum()), total),
            _ratio(half, total),
        ]

    def sizes(self) -> list[float]:
        """Return of how many rows each of FIGURES is a share; NaN for those that are none."""
        rows, positive = float(self._positive.size), float(self._positive.sum())
        doubt, reject = (
            _NAN if (called := self._called[name]) is None else float(called.sum())
            for name in ("doubt", "reject")
        )
        return [_NAN, _NAN, doubt, positive, reject, positive, _NAN, rows]

    def _sums(self, name: str, weights: Floats, ones: Floats) -> tuple[float, float]:
        """Return the rows called by a threshold, and those of them that are positive; NaN where no language has one."""
        called = self._called[name]
        return (_NAN, _NAN) if called is None else (float(weights @ called), float(ones @ called))

    def _auc(self, weights: Floats, ones: Floats) -> float:
        positive = np.add.reduceat(ones, self._starts)
        others = np.add.reduceat(weights, self._starts) - positive
        below = np.cumsum(others) - others / 2
        return _ratio(float(positive @ below), float(positive.sum() * others.sum()))


def bootstrap(
    models: Sequence[Judged], *, seed: int, resamples: int = RESAMPLES
) -> list[dict[str, Interval]]:
    """Return FIGURES of each model with 95 % intervals, and, of two, those of the second minus the first by the same draws.

    Rows are drawn independently. An interval is NaN where a figure is undefined in half of the draws or more. Of a share that is 0 or 1,
    which every draw repeats, it is Wilson's.
    """
    draws = [Draws(one) for one in models]
    rows = models[0].labels.size
    random = np.random.default_rng(seed)
    values = _all(draws, np.ones(rows))
    drawn = np.array(
        [
            _all(draws, np.bincount(random.integers(0, rows, rows), minlength=rows).astype(np.float64))
            for _ in range(resamples)
        ]
    )
    sizes = [*(one.sizes() for one in draws), [_NAN] * len(FIGURES)]
    return [
        {name: _interval(value[at], drawn[:, model, at], sizes[model][at]) for at, name in enumerate(FIGURES)}
        for model, value in enumerate(values)
    ]


def confusion(judged: Judged) -> dict[str, dict[str, int]]:
    """Return how many rows of each label lie below both thresholds, between them, and at or above the one for rejection."""
    rejects = (judged.bands & REJECT) > 0
    doubts = ((judged.bands & DOUBT) > 0) & ~rejects
    found = {"pass": ~rejects & ~doubts, "doubt": doubts, "reject": rejects}
    return {
        name: {band: int((chosen & (judged.labels == label)).sum()) for band, chosen in found.items()}
        for name, label in (("positive", 1), ("negative", 0))
    }


def shown(found: Mapping[str, Interval]) -> dict[str, dict[str, float | None]]:
    """Return figures for JSON: four digits, None where undefined."""
    return {
        name: {"value": _rounded(one.value), "low": _rounded(one.low), "high": _rounded(one.high)}
        for name, one in found.items()
    }


def _all(draws: Sequence[Draws], counts: Floats) -> list[list[float]]:
    found = [one.figures(counts) for one in draws]
    if len(found) == 2:
        found.append([new - old for old, new in zip(*found, strict=True)])
    return found


def _reached(bands: Bytes, reached: int, has: int) -> NDArray[np.float64] | None:
    return ((bands & reached) > 0).astype(np.float64) if (bands & has).any() else None


def _macro_f1(hits: float, called: float, positive: float, total: float) -> float:
    """Return the mean F1 of both classes, 0 for a class that neither stands in the rows nor was called."""
    misses = total - called - positive + hits
    of_positive = 2 * hits / (called + positive) if called + positive else 0.0
    rest = 2 * total - called - positive
    return (of_positive + (2 * misses / rest if rest else 0.0)) / 2


def _interval(value: float, drawn: Floats, rows: float) -> Interval:
    if value in {0.0, 1.0} and rows > 0:
        return Interval(value, *wilson(value, np.ones(int(rows))))
    known = drawn[~np.isnan(drawn)]
    if np.isnan(value) or known.size < drawn.size / 2:
        return Interval(value, _NAN, _NAN)
    low, high = np.percentile(known, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else _NAN


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)
