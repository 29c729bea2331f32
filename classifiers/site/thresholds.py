"""Thresholds from what a newsroom knows: how often a rejection may be wrong, or how many comments it can read a day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import LabelsError

Floats = NDArray[np.float64]
MIN_CALLED = 20  # fewer rows above a threshold prove no precision
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Decided:
    """Scores of one output beside what people decided; arrays of shape (n_rows,).

    `labels` are 1, 0 or -1 (not decided: counts for the queue only); `weights` the inverse chance of having been decided.
    `days` is the time over which all these comments came.
    """

    probabilities: Floats
    labels: NDArray[np.int64]
    weights: Floats
    days: float | None = None

    def of(self, chosen: NDArray[np.bool_]) -> "Decided":
        """Return the chosen rows alone."""
        return Decided(self.probabilities[chosen], self.labels[chosen], self.weights[chosen], self.days)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A threshold and what to expect of calling positive what is at or above it, or of what else is said to be called.

    `precision_low` and `precision_high` are the 95 % Wilson interval of `precision`; None where no decision tells.
    `per_day` is how many comments are called, None without `days`.
    """

    threshold: float
    precision: float | None
    precision_low: float | None
    precision_high: float | None
    recall: float | None
    per_day: float | None
    rows: int


def propose_thresholds(
    decided: Decided, *, precision: float | None = None, queue_per_day: float | None = None
) -> Proposal:
    """Return the lowest threshold that keeps a precision, or the lowest that calls no more comments a day than wanted.

    Just one of the two is given. Raises LabelsError (`not_reached`) where no threshold with MIN_CALLED decided rows above it
    keeps the precision, and (`no_days`) where a queue is wanted of comments whose time is unknown.
    """
    if (precision is None) == (queue_per_day is None):
        raise ValueError("give either precision or queue_per_day")
    if precision is not None:
        return describe(decided, _for_precision(decided, precision))
    if decided.days is None or decided.days <= 0:
        raise LabelsError("no_days", "a queue a day needs comments with their times")
    order = np.argsort(-decided.probabilities, kind="stable")
    called = np.cumsum(decided.weights[order]) / decided.days
    fitting = int(np.searchsorted(called, queue_per_day or 0.0, side="right"))
    values = decided.probabilities[order]
    while 0 < fitting < values.size and values[fitting] == values[fitting - 1]:
        fitting -= 1  # equal scores are called together or not at all
    return describe(decided, _rounded_up(float(values[fitting - 1])) if fitting else 1.0)


def describe(decided: Decided, threshold: float, called: NDArray[np.bool_] | None = None) -> Proposal:
    """Return what to expect of a threshold, or of calling just these rows where not all of them are held to it."""
    called = decided.probabilities >= threshold if called is None else called
    known = decided.labels >= 0
    positive = decided.labels == 1
    hits = float(decided.weights[called & positive].sum())
    told = called & known
    total, all_positive = float(decided.weights[told].sum()), float(decided.weights[positive].sum())
    found = hits / total if total else None
    low, high = wilson(found, decided.weights[told]) if found is not None else (None, None)
    per_day = float(decided.weights[called].sum()) / decided.days if decided.days else None
    recall = hits / all_positive if all_positive else None
    return Proposal(threshold, found, low, high, recall, per_day, int(told.sum()))


def _for_precision(decided: Decided, wanted: float) -> float:
    known = decided.labels >= 0
    values, labels, weights = (
        part[known] for part in (decided.probabilities, decided.labels, decided.weights)
    )
    order = np.argsort(-values, kind="stable")
    values, labels, weights = values[order], labels[order], weights[order]
    reached = (
        np.cumsum(weights * labels) / np.cumsum(weights) >= wanted if values.size else np.zeros(0, np.bool_)
    )
    is_last = np.append(values[1:] != values[:-1], True) if values.size else reached
    enough = np.flatnonzero(reached & is_last & (np.arange(1, values.size + 1) >= MIN_CALLED))
    if not enough.size:
        raise LabelsError(
            "not_reached",
            "no threshold keeps a precision of {wanted:g} on {least} decisions or more",
            wanted=wanted,
            least=MIN_CALLED,
        )
    return float(values[enough[-1]])


def _rounded_up(value: float) -> float:
    """Return a value of six digits that calls no more than the value itself."""
    return min(float(np.ceil(value * 1e6) / 1e6), 1.0)


def wilson(share: float, weights: Floats) -> tuple[float, float]:
    """Return the Wilson interval with the effective number of rows, (sum of weights)² / sum of squares."""
    rows = float(weights.sum() ** 2 / (weights**2).sum())
    middle = (share + _Z**2 / (2 * rows)) / (1 + _Z**2 / rows)
    half = _Z / (1 + _Z**2 / rows) * float(np.sqrt(share * (1 - share) / rows + _Z**2 / (4 * rows**2)))
    return max(middle - half, 0.0), min(middle + half, 1.0)
