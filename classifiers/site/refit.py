"""Two numbers of a calibration, from a site's first decisions or from the share of positives that it states."""

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration, fit_calibration
from classifiers.errors import LabelsError
from classifiers.site.solver import Pull, dense_problem, solve

MIN_DECISIONS = 200
MIN_OF_EACH = 10
_PULL = (20.0, 5.0)  # of slope and offset towards those of all rows, in the unit of rows
_SLOPE_PULL, _OFFSET_PULL = 2.0, 1e-3
_MIN_SLOPE = 0.05
_FIXED = 1e9


def refit_two_parameters(
    log_odds: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> Calibration:
    """Return what makes log-odds of one output into the site's own: slope * log-odds + offset.

    Raises LabelsError below MIN_DECISIONS labels, or below MIN_OF_EACH of either kind.
    """
    check_decisions(labels)
    scaled = None if weights is None else weights / weights.mean()
    return fit_calibration(log_odds, labels, scaled)


def check_decisions(labels: NDArray[np.int64]) -> None:
    """Raise LabelsError below MIN_DECISIONS labels, or below MIN_OF_EACH of either kind."""
    counts = np.bincount(labels, minlength=2)
    if labels.size < MIN_DECISIONS or counts.min() < MIN_OF_EACH:
        raise LabelsError(
            "too_few_labels",
            "two numbers need {needed} decisions with {each} of each kind; there are {positive} positive and {negative} negative ones",
            needed=MIN_DECISIONS, each=MIN_OF_EACH, positive=int(counts[1]), negative=int(counts[0]),
        )  # fmt: skip


def shift_to_share(log_odds: NDArray[np.float64], share: float) -> Calibration:
    """Return the offset with which the mean probability of these comments is the stated share, in (0, 1).

    The comments are any recent ones, labelled or not; the slope stays 1. Found by bisection; monotone, so always found.
    """
    if not 0 < share < 1:
        raise ValueError("a share lies between 0 and 1, both excluded")
    low, high = -60.0, 60.0
    for _ in range(80):
        middle = (low + high) / 2
        if float(np.mean(1 / (1 + np.exp(-np.clip(log_odds + middle, -60, 60))))) < share:
            low = middle
        else:
            high = middle
    return Calibration(1.0, (low + high) / 2)


def fit_steady(
    log_odds: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64]
) -> Calibration:
    """Return slope and offset of a model's log-odds on rows that it had not seen, the slope pulled to 1, never quite 0.

    With few rows of one kind chance alone can make the best slope 0 or below, and a model that ranks would say the same of all.
    """
    slope, offset = _pulled(log_odds, labels, weights, (_SLOPE_PULL, _OFFSET_PULL))
    if slope >= _MIN_SLOPE:
        return Calibration(slope, offset)
    flat = _pulled(_MIN_SLOPE * log_odds, labels, weights, (_FIXED, _OFFSET_PULL))
    return Calibration(_MIN_SLOPE, flat[1])


def refine(
    overall: Calibration,
    log_odds: NDArray[np.float64],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Calibration:
    """Return the calibration of a part of the rows, pulled towards the one of all; sound however few there are."""
    known = overall.slope * log_odds + overall.offset
    slope, offset = _pulled(known, labels, weights, _PULL)
    slope = max(slope, 0.0)
    return Calibration(slope * overall.slope, slope * overall.offset + offset)


def _pulled(
    log_odds: NDArray[np.float64],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    pulls: tuple[float, float],
) -> tuple[float, float]:
    """Return slope and offset, pulled to 1 and 0."""
    problem = dense_problem(np.column_stack([log_odds, np.ones(labels.size)]), labels, weights)
    slope, offset = solve(problem, Pull(1.0, np.array(pulls), np.array([1.0, 0.0]))).of_dense.tolist()
    return slope, offset
