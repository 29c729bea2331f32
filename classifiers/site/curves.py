"""What the plots of a report show: precision over recall, stated over true share, and where the scores lie."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.site.judgement import ACTIVE, NEW, Rows

BINS = 10
_POINTS = 60
Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Curves:
    """Of one model and output: points in the unit square, and the share of rows in each of BINS bins of probability.

    `precision` runs over recall, `calibration` over the mean probability of a bin; empty bins are left out.
    """

    precision: Points
    calibration: Points
    histogram: list[float]


def curves(judged: Rows, output: str) -> Mapping[str, Curves]:
    """Return the curves of both models on the untouched rows that are labelled for an output; without those that give none."""
    labels = np.array(
        [-1 if (label := row.label(output)) is None else label for row in judged.rows], np.int64
    )
    found = {}
    for name, given in ((ACTIVE, judged.active[output]), (NEW, judged.new[output])):
        known = (labels >= 0) & ~np.isnan(given)
        if 0 < labels[known].sum() < known.sum():
            found[name] = curves_of(labels[known], given[known], judged.weights[known])
    return found


def curves_of(labels: NDArray[np.int64], values: NDArray[np.float64], weights: NDArray[np.float64]) -> Curves:
    bins = np.minimum((values * BINS).astype(np.int64), BINS - 1)
    total, stated, true = (
        np.bincount(bins, weights * part, minlength=BINS) for part in (np.ones_like(values), values, labels)
    )
    used = total > 0
    calibration = list(
        zip((stated[used] / total[used]).tolist(), (true[used] / total[used]).tolist(), strict=True)
    )
    return Curves(_precision(labels, values, weights), calibration, (total / total.sum()).tolist())


def _precision(
    labels: NDArray[np.int64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> Points:
    order = np.argsort(-values, kind="stable")
    hits = np.cumsum((weights * labels)[order])
    called = np.cumsum(weights[order])
    last = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))
    chosen = np.unique(last[np.linspace(0, last.size - 1, min(_POINTS, last.size)).astype(np.int64)])
    return [(float(hits[at] / hits[-1]), float(hits[at] / called[at])) for at in chosen.tolist()]
