"""Where to draw the line: the share that probabilities stand for, and thresholds of doubt and rejection, from rows left out."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import MAX_LOGIT, Calibration
from classifiers.evaluate import macro_f1, positive_f1

Sources = Mapping[
    str, tuple[NDArray[np.int64], NDArray[np.float64]]
]  # source → labels, margins or probabilities
BALANCED_SHARE = 0.5  # what the balanced weights make of every source
_SHARES = np.round(np.arange(0.10, 0.501, 0.05), 2)
_SPAM_SHARES = np.round(np.arange(0.2, 0.951, 0.01), 2)
_ORDINARY_ALLOWED = 0.01  # of comments of a source without spam, above 0.5
_HIGHEST_SHARE = 0.6
_TOLERANCE = 0.001
PRECISION_WANTED = {"spam": 0.97}  # of automatic rejection; 0.95 for all other outputs
_PRECISION_WANTED = 0.95
FALSE_ALARMS_ALLOWED = {"spam": 0.01, "abuse": 0.10}  # above the doubt threshold, mean over sources
_FALSE_ALARMS_ALLOWED = 0.05
MIN_REJECT = 0.9  # nothing less sure is rejected without a person
_MIN_CALLED = 20  # fewer rejected rows prove no precision
_MANY_CALLED = 50  # so many that are not precise enough prove the want of it


def probabilities(margins: NDArray[np.float64], calibration: Calibration) -> NDArray[np.float64]:
    """Return the probabilities of margins."""
    logit = np.clip(calibration.slope * margins + calibration.offset, -MAX_LOGIT, MAX_LOGIT)
    return np.asarray(1 / (1 + np.exp(-logit)))


def common_share(margins: Sources, calibration: Calibration) -> tuple[float, Calibration]:
    """Return the share of positives for which 0.5 divides best, and the calibration for it.

    Balanced weights make a calibration stand for one half, which no site has. Of the shares tried, the one with the highest mean
    macro-F1 at 0.5 over the sources left out is kept, of those sources whose share a site may have; a site that states its
    own share is moved from this one.
    """
    mixed = [pair for pair in margins.values() if 0 < pair[0].mean() <= _HIGHEST_SHARE]
    if not mixed:
        return BALANCED_SHARE, calibration
    best, chosen, kept = -1.0, BALANCED_SHARE, calibration
    for share in _SHARES.tolist():
        moved = calibration.shifted(BALANCED_SHARE, share)
        found = float(np.mean([macro_f1(labels, probabilities(values, moved)) for labels, values in mixed]))
        if found > best + _TOLERANCE:  # of shares as good, the lowest: false alarms cost most
            best, chosen, kept = found, share, moved
    return chosen, kept


def spam_share(margins: Sources, calibration: Calibration) -> tuple[float, Calibration]:
    """Return the share of spam for which 0.5 divides the labelled sources best, and the calibration for it.

    Probabilities fitted to the sources would leave half of rare spam below 0.5, and too many comments with a link above it. Of the
    shares tried at which hardly a comment of any source without spam stands above 0.5, the lowest that is as good as any in
    mean F1 is kept; the lowest of all where there is none.
    """
    mixed = [pair for pair in margins.values() if 0 < pair[0].mean() < 1]
    ordinary = [values for labels, values in margins.values() if not labels.any()]
    if not mixed:
        return BALANCED_SHARE, calibration
    best, chosen = -1.0, float(_SPAM_SHARES[0])
    for share in _SPAM_SHARES.tolist():
        moved = calibration.shifted(BALANCED_SHARE, share)
        alarms = [float((probabilities(values, moved) > 0.5).mean()) for values in ordinary]
        if max(alarms, default=0.0) > _ORDINARY_ALLOWED:
            break
        found = float(
            np.mean([positive_f1(labels, probabilities(values, moved)) for labels, values in mixed])
        )
        if found > best + _TOLERANCE:
            best, chosen = found, share
    return chosen, calibration.shifted(BALANCED_SHARE, chosen)


def thresholds(output: str, sources: Sources) -> dict[str, float | None]:
    """Return the thresholds of an output, from probabilities of rows left out.

    `doubt` keeps the mean share of negatives above it within FALSE_ALARMS_ALLOWED; it is the highest tried where no source has any.
    From `reject` on the precision wanted is kept on every source with both classes that has enough such rows, and over all sources
    together (most have no spam at all); None where it is never reached: then nothing is rejected automatically.
    """
    negatives = [values[target == 0] for target, values in sources.values() if (target == 0).any()]
    grid = np.round(np.arange(0.10, 0.9951, 0.005), 3)
    shares = [
        np.mean([(values >= step).mean() for values in negatives]) if negatives else 1.0 for step in grid
    ]
    allowed = np.flatnonzero(np.array(shares) <= FALSE_ALARMS_ALLOWED.get(output, _FALSE_ALARMS_ALLOWED))
    doubt = float(grid[allowed[0]]) if allowed.size else float(grid[-1])
    reject = _reject_threshold(PRECISION_WANTED.get(output, _PRECISION_WANTED), sources)
    return {"doubt": doubt, "reject": None if reject is None else max(reject, doubt)}


def _reject_threshold(wanted: float, sources: Sources) -> float | None:
    """Return the lowest probability, not below MIN_REJECT, at which the precision is kept, or None.

    The search goes down and ends where a source with enough rows breaks it: of a few rows one or two doubtful labels decide.
    """
    mixed = [pair for pair in sources.values() if 0 < pair[0].mean() < 1]
    if not mixed:
        return None
    whole = (
        np.concatenate([pair[0] for pair in sources.values()]),
        np.concatenate([pair[1] for pair in sources.values()]),
    )
    lowest = None
    for step in np.round(np.arange(0.999, MIN_REJECT - 1e-9, -0.001), 3).tolist():
        found = [_precision(*pair, step) for pair in (*mixed, whole)]
        judged = [(precision, called) for precision, called in found if called >= _MIN_CALLED]
        if any(precision < wanted and called >= _MANY_CALLED for precision, called in judged):
            break
        if len(judged) > 1 and all(
            precision >= wanted for precision, _ in judged
        ):  # the last is all together
            lowest = step
    return lowest


def _precision(target: NDArray[np.int64], values: NDArray[np.float64], threshold: float) -> tuple[float, int]:
    """Return the precision at a threshold, and how many rows are above it."""
    called = values >= threshold
    count = int(called.sum())
    return float(target[called].mean()) if count else 1.0, count
