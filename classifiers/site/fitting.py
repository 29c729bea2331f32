"""One output of a site's model: the prior's log-odds and log-count-ratio n-grams, weighed together.

The prior is pulled towards counting in full and the n-grams towards nothing, so with few labels the site's model is the
shipped one with another offset, and with many it is the site's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from classifiers.site.inputs import EITHER, FEATURES
from classifiers.site.material import Material
from classifiers.site.solver import Problem, Pull, solve

RATIO, RARITY = "ratio", "rarity"
_ALPHA = 0.3  # added to every count before the ratio
_PULL = 10.0  # of the prior's coefficients, in the unit of rows
_PULL_LANGUAGE = 30.0  # of what a language's coefficients differ from those of all
_PULL_INTERCEPT = 1e-2
_MANY_ROWS = 10_000
SCALE = 10.0  # about the root of a comment's length: keeps margins near 1 for the solver


@dataclass(frozen=True, slots=True)
class Way:
    """How n-grams are learned: scaled by the log-count ratio or by rarity, and the inverse of their penalty (0: not at all)."""

    scale: str
    strength: float

    def __str__(self) -> str:
        return f"{self.scale} {self.strength:g}" if self.strength else "prior"


PRIOR_ALONE = Way(RATIO, 0.0)
WAYS = (
    PRIOR_ALONE,
    *(Way(RATIO, strength) for strength in (0.01, 0.03, 0.1, 0.3, 1.0)),
    *(Way(RARITY, strength) for strength in (0.01, 0.03, 0.1)),
)
"""Ratios rank better where positives are many, rarities where they are few; mixed, better than either alone."""


WAYS_OF_MANY = frozenset({Way(RATIO, 0.03), Way(RATIO, 0.1), Way(RATIO, 0.3), Way(RARITY, 0.01)})
"""What is tried where labels are many and each fit is dear."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was learned for one output.

    `weights` go with `columns`; a margin is their sum over a row, divided by its root. `shared` are the intercept and the
    coefficients of FEATURES; `by_language` what is added to them in a language.
    """

    columns: NDArray[np.int64]
    weights: NDArray[np.float64]
    shared: NDArray[np.float64]
    by_language: Mapping[str, NDArray[np.float64]]

    def coefficients(self, language: str) -> NDArray[np.float64]:
        """Return intercept and coefficients of FEATURES in a language."""
        return self.shared + self.by_language.get(language, 0.0)

    def log_odds(self, material: Material, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log-odds of rows before calibration."""
        weights = np.zeros(material.ngrams.shape[1])
        weights[self.columns] = self.weights
        own = (material.ngrams[rows] @ weights) / material.roots[rows]
        features = np.column_stack([np.ones(rows.size), material.prior[rows]])
        total = own + features @ self.shared
        for language, added in self.by_language.items():
            total += (material.languages[rows] == language) * (features @ added)
        return np.asarray(total)


def mixed(found: Sequence[Fitted], shares: Sequence[float]) -> Fitted:
    """Return the mean of what was fitted on the same rows; linear models mix into one."""
    languages = found[0].by_language
    return Fitted(
        found[0].columns,
        sum(
            (share * one.weights for share, one in zip(shares, found, strict=True)),
            np.zeros(found[0].columns.size),
        ),
        sum(
            (share * one.shared for share, one in zip(shares, found, strict=True)),
            np.zeros(found[0].shared.size),
        ),
        {
            key: sum(
                (share * one.by_language[key] for share, one in zip(shares, found, strict=True)), np.zeros(1)
            )
            for key in languages
        },
    )


def anchor(output: str) -> NDArray[np.float64]:
    """Return what coefficients are pulled to: the prior's same output, for a rejection either of spam and abuse."""
    pulled = np.zeros(1 + len(FEATURES))
    pulled[1 + FEATURES.index(output if output in FEATURES else EITHER)] = 1.0
    return pulled


def fit(
    material: Material,
    rows: NDArray[np.int64],
    output: str,
    ways: Sequence[Way],
    learned: Sequence[str],
) -> list[Fitted]:
    """Fit one output on rows that are labelled for it, once for each way; `learned` are languages of their own.

    Both classes must be there. Each fit starts where the one before of the same scale ended.
    """
    target = material.labels[output][rows]
    weight = material.weights[rows] / material.weights[rows].mean()
    chosen = material.ngrams[rows]
    columns, scales = _scales(chosen, target, weight)
    dense, pull, at = _dense(material, rows, output, learned)
    found: dict[Way, Fitted] = {}
    for name, scale in scales.items():
        last, scaled = None, None
        for way in (way for way in ways if way.scale == name):
            if not way.strength:
                problem = Problem(sparse.csr_matrix((rows.size, 0), dtype=np.float32), dense, target, weight)
                found[way] = Fitted(
                    columns, np.zeros(columns.size), *_unpack(solve(problem, Pull(1.0, *pull)).of_dense, at)
                )
                continue
            if scaled is None:
                scaled = _rescaled(chosen, columns, SCALE / material.roots[rows], scale)
            last = solve(Problem(scaled, dense, target, weight), Pull(1 / way.strength, *pull), start=last)
            found[way] = Fitted(columns, last.of_ngrams * scale * SCALE, *_unpack(last.of_dense, at))
    return [found[way] for way in ways]


def _scales(
    ngrams: sparse.csr_matrix, target: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Return the columns that occur, and what each is multiplied with: its log-count ratio, or its rarity (inverse frequency).

    Of many rows, columns of a single one are left out: they are most of the columns and hardly of the knowledge.
    """
    counts = [
        np.asarray(ngrams.T @ part).ravel() for part in (weight * (target == 1), weight * (target == 0))
    ]
    occurs = np.bincount(ngrams.indices, minlength=ngrams.shape[1])
    columns = np.flatnonzero(occurs > (1 if target.size >= _MANY_ROWS else 0))
    one, other = (count[columns] + _ALPHA for count in counts)
    ratio = np.log(one / one.sum()) - np.log(other / other.sum())
    return columns, {RATIO: ratio, RARITY: 1 + np.log((1 + target.size) / (1 + occurs[columns]))}


def _rescaled(
    ngrams: sparse.csr_matrix,
    columns: NDArray[np.int64],
    of_row: NDArray[np.float64],
    of_column: NDArray[np.float64],
) -> sparse.csr_matrix:
    """Return columns of a matrix, each entry times what its row and its column weigh; one copy of it."""
    place = np.full(ngrams.shape[1], -1, np.int32)
    place[columns] = np.arange(columns.size, dtype=np.int32)
    at = place[ngrams.indices]
    is_kept = at >= 0
    rows = np.repeat(of_row.astype(np.float32), np.diff(ngrams.indptr))
    ends = np.concatenate([[0], np.cumsum(is_kept)])[ngrams.indptr]
    at, rows = at[is_kept], rows[is_kept]
    rows *= of_column.astype(np.float32)[at] * ngrams.data[is_kept]
    return sparse.csr_matrix((rows, at, ends.astype(np.int32)), shape=(ngrams.shape[0], columns.size))


def _dense(
    material: Material, rows: NDArray[np.int64], output: str, learned: Sequence[str]
) -> tuple[NDArray[np.float64], tuple[NDArray[np.float64], NDArray[np.float64]], list[str]]:
    """Return intercept and prior features of all rows, then again for each language, with their pulls and anchors."""
    features = np.column_stack([np.ones(rows.size), material.prior[rows]])
    own = [*learned] if len(learned) > 1 else []
    parts = [features] + [features * (material.languages[rows] == key)[:, None] for key in own]
    first = np.full(features.shape[1], _PULL)
    first[0] = _PULL_INTERCEPT
    later = np.full(features.shape[1], _PULL_LANGUAGE)
    later[0] = 1.0
    pulls = np.concatenate([first, *([later] * len(own))])
    anchors = np.concatenate([anchor(output), *([np.zeros(features.shape[1])] * len(own))])
    return np.concatenate(parts, axis=1), (pulls, anchors), own


def _unpack(
    dense: NDArray[np.float64], languages: Sequence[str]
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    shared, *others = np.split(dense, 1 + len(languages))
    return shared, dict(zip(languages, others, strict=True))
