"""Labellers who disagree with the model more than the others do, and how little their labels then count.

A careless or hostile moderator flips labels both ways. Each label is compared with the log-odds of a model that had not seen
its row: by how much more improbable this person's labels are than everybody's is the measure, with its standard error.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_LABELS = 20  # of one person; fewer tell nothing
SURE = 4.0  # standard errors above the others
MIN_EXCESS = 0.25  # nats of log-loss above the others, a label
_STEEPNESS = 5.0  # with 2 and a least weight of .1, one who flipped every label still cost five points on a thousand real rows
_LEAST_WEIGHT = 0.02


@dataclass(frozen=True, slots=True)
class Labeller:
    """One person's labels of one output: how many, the share that the model contradicts, and how far out that lies.

    `excess` is the mean log-loss above everybody else's (nats), `standard_errors` how many standard errors that is.
    """

    actor: str
    output: str
    labels: int
    contradicted: float
    excess: float
    standard_errors: float
    is_outlier: bool


def outliers(
    actors: Sequence[str | None],
    labels: NDArray[np.int64],
    log_odds: NDArray[np.float64],
    *,
    output: str = "",
) -> list[Labeller]:
    """Return every labeller with MIN_LABELS labels or more, the farthest out first.

    `labels` are 0 or 1, `log_odds` those of a model that did not learn from the row.
    """
    losses = np.minimum(np.logaddexp(0, -(2 * labels - 1) * log_odds), 5.0)
    contradicted = (log_odds > 0) != (labels == 1)
    names = np.array([actor or "" for actor in actors], np.str_)
    found = []
    for name in np.unique(names[names != ""]).tolist():
        own = names == name
        if own.sum() < MIN_LABELS or (~own).sum() < MIN_LABELS:
            continue
        excess = float(losses[own].mean() - losses[~own].mean())
        error = float(np.sqrt(losses[own].var() / own.sum() + losses[~own].var() / (~own).sum())) or 1e-9
        found.append(
            Labeller(
                name, output, int(own.sum()), float(contradicted[own].mean()), excess, excess / error,
                is_outlier=excess > MIN_EXCESS and excess / error > SURE,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: -one.standard_errors)


def trust(labellers: Sequence[Labeller]) -> dict[str, float]:
    """Return what an outlier's labels weigh, in [0.02, 1): the less the more improbable they are; others are not named."""
    return {
        one.actor: max(float(np.exp(-_STEEPNESS * one.excess)), _LEAST_WEIGHT)
        for one in labellers
        if one.is_outlier
    }
