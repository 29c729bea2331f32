"""Which rows a model learns from, which calibrate it, and which judge it.

With times, a model is always judged on later rows than it learned from, as it will be used. Without, near copies stay together:
a campaign that stands on both sides would flatter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classifiers.pipeline import deal

TEST_SHARE = 0.2
FOLDS = 4
_TIMED_SHARE = 0.95  # of rows with a time, for time to decide
_FORWARD = (0.4, 0.6, 0.8, 1.0)  # each later block is scored by a model of all rows before it
_MIN_FOR_FORWARD = 2_000


@dataclass(frozen=True, slots=True)
class Split:
    """Pairs of what is learned from and what is scored, as row numbers."""

    learn: NDArray[np.int64]
    score: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """The untouched rows, and the folds over all others."""

    test: NDArray[np.int64]
    develop: NDArray[np.int64]
    folds: tuple[Split, ...]
    is_by_time: bool


def plan(at: NDArray[np.float64], groups: Sequence[str]) -> Plan:
    """Plan for rows with these times (seconds, NaN where unknown) and near-copy groups."""
    if _has_times(at):
        order = np.argsort(np.nan_to_num(at, nan=-np.inf), kind="stable")
        cut = order.size - max(round(order.size * TEST_SHARE), 1)
        develop, test = order[:cut], order[cut:]
        folds = _forward(develop) if develop.size >= _MIN_FOR_FORWARD else _grouped(develop, groups)
        return Plan(test, develop, folds, is_by_time=True)
    fold_of = deal(_numbers(groups), round(1 / TEST_SHARE))
    test, develop = np.flatnonzero(fold_of == 0), np.flatnonzero(fold_of != 0)
    return Plan(test, develop, _grouped(develop, groups), is_by_time=False)


def _has_times(at: NDArray[np.float64]) -> bool:
    """Tell whether times decide; not where more rows share one than are left untouched, as those of an export of one day."""
    known = at[~np.isnan(at)]
    if known.size == 0 or known.size < _TIMED_SHARE * at.size:
        return False
    return bool(np.unique(known, return_counts=True)[1].max() <= TEST_SHARE * known.size)


def _forward(develop: NDArray[np.int64]) -> tuple[Split, ...]:
    edges = [round(develop.size * share) for share in _FORWARD]
    return tuple(Split(develop[:first], develop[first:last]) for first, last in pairwise(edges))


def _grouped(develop: NDArray[np.int64], groups: Sequence[str]) -> tuple[Split, ...]:
    fold_of = deal(_numbers([groups[at] for at in develop.tolist()]), FOLDS)
    return tuple(
        Split(develop[fold_of != fold], develop[fold_of == fold]) for fold in np.unique(fold_of).tolist()
    )


def _numbers(groups: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each group, in the order of their names: an array of the names themselves would take kilobytes a row."""
    number = {group: at for at, group in enumerate(sorted(set(groups)))}
    return np.array([number[group] for group in groups], np.int64)
