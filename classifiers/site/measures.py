"""Measures of probabilities against labels, weighted, with paired bootstrap intervals, fast enough for many slices."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 200
_BINS = 10
_SMALLEST = 1e-12
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A measure with its bootstrap interval; NaN where undefined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows of one slice for one model: labels 0 or 1, probabilities, weights, and from which probability it calls positive."""

    labels: NDArray[np.int64]
    probabilities: Floats
    weights: Floats
    threshold: float


def measure(scored: Scored, weights: Floats | None = None) -> dict[str, float]:
    """Return auc, precision, recall, log_loss and ece; NaN where undefined. `weights` stand in for the rows' own."""
    used = scored.weights if weights is None else weights
    positive = scored.labels == 1
    called = scored.probabilities >= scored.threshold
    hits = float(used[called & positive].sum())
    return {
        "auc": weighted_auc(scored.labels, scored.probabilities, used),
        "precision": _ratio(hits, float(used[called].sum())),
        "recall": _ratio(hits, float(used[positive].sum())),
        "log_loss": _log_loss(scored, used),
        "ece": _calibration_error(scored, used),
    }


def weighted_auc(labels: NDArray[np.int64], probabilities: Floats, weights: Floats) -> float:
    """Return the weighted area under the ROC curve, equal probabilities counting half; NaN where a class is missing."""
    order = np.argsort(probabilities, kind="stable")
    values, weight, positive = probabilities[order], weights[order], labels[order] == 1
    starts = np.flatnonzero(np.diff(values, prepend=-1.0))
    ones, others = (np.add.reduceat(np.where(part, weight, 0.0), starts) for part in (positive, ~positive))
    below = np.cumsum(others) - others / 2
    return _ratio(float(ones @ below), float(ones.sum() * others.sum()))


def bootstrap(
    models: Mapping[str, Scored], *, seed: int, alpha: float, resamples: int = RESAMPLES
) -> dict[str, dict[str, Interval]]:
    """Return the measures of each model with intervals, and of `difference` (the last minus the first) of the same draws."""
    first, last = next(iter(models)), list(models)[-1]
    random = np.random.default_rng(seed)
    rows = models[first].labels.size
    draws: list[dict[str, dict[str, float]]] = []
    for _ in range(resamples):
        counts = np.bincount(random.integers(0, rows, rows), minlength=rows)
        draws.append({name: measure(scored, scored.weights * counts) for name, scored in models.items()})
    values = {name: measure(scored) for name, scored in models.items()}
    if first != last:
        for found in (values, *draws):
            found["difference"] = {key: found[last][key] - found[first][key] for key in found[last]}
    return {
        name: {
            key: _interval(value, [draw[name][key] for draw in draws], alpha)
            for key, value in of_model.items()
        }
        for name, of_model in values.items()
    }


def _interval(value: float, drawn: list[float], alpha: float) -> Interval:
    known = np.array(drawn)[~np.isnan(drawn)]
    if known.size < len(drawn) / 2:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(known, [50 * alpha, 100 - 50 * alpha])
    return Interval(value, float(low), float(high))


def _log_loss(scored: Scored, weights: Floats) -> float:
    right = np.where(scored.labels == 1, scored.probabilities, 1 - scored.probabilities)
    return _ratio(float(-weights @ np.log(np.maximum(right, _SMALLEST))), float(weights.sum()))


def _calibration_error(scored: Scored, weights: Floats) -> float:
    """Return the mean gap between stated and true share over ten bins of equal width."""
    bins = np.minimum((scored.probabilities * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights * (scored.probabilities - scored.labels), minlength=_BINS)
    return _ratio(float(np.abs(gaps).sum()), float(weights.sum()))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
