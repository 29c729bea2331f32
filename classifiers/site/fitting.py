"""One output of a site's model: the prior's log-odds and log-count-ratio n-grams, weighed together.

The prior is pulled towards counting in full and the n-grams towards nothing, so with few labels the site's model is the
shipped one with another offset, and with many it is the site's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from classifiers.site.inputs import EITHER, FEATURES
from classifiers.site.material import MANY_ROWS, Material, occurrences
from classifiers.site.solver import Problem, Pull, Solution, dense_problem, solve

RATIO, RARITY = "ratio", "rarity"
_ALPHA = 0.3  # added to every count before the ratio
_PULL = 10.0  # of the prior's coefficients, in the unit of rows
_PULL_LANGUAGE = 30.0  # of what a language's coefficients differ from those of all
_PULL_INTERCEPT = 1e-2
# Of the loss; of many rows, what a nearer solution gains does not show in rows that it has not seen.
_TOLERANCE, _TOLERANCE_OF_MANY = 3e-4, 3e-3
_GOOD_PART = 0.3
SCALE = 10.0  # about the root of a comment's length: keeps margins near 1 for the solver


@dataclass(frozen=True, slots=True)
class Way:
    """How n-grams are learned: scaled by the log-count ratio or by rarity, and the inverse of their penalty (0: not at all).

    `is_plain`: without the prior, whose word may be noise on a site, above all in a language that it does not know.
    """

    scale: str
    strength: float
    is_plain: bool = False

    def __str__(self) -> str:
        named = f"{self.scale} {self.strength:g}" if self.strength else "prior"
        return f"plain {named}" if self.is_plain else named


PRIOR_ALONE = Way(RATIO, 0.0)
FLOOR = Way(RARITY, 0.001, is_plain=True)
"""About what TF-IDF with logistic regression is, below which no site should fall."""
WAYS = (
    PRIOR_ALONE,
    *(Way(RATIO, strength) for strength in (0.01, 0.1, 1.0)),
    *(Way(RARITY, strength) for strength in (0.003, 0.01, 0.03)),
    *(Way(RATIO, strength, is_plain=True) for strength in (0.1, 1.0)),
    FLOOR,
    *(Way(RARITY, strength, is_plain=True) for strength in (0.003, 0.01)),
)
"""Ratios rank better in short comments, rarities in long ones and where positives are few; mixed, better than either alone."""
WAYS_OF_MANY = (*(Way(RATIO, strength) for strength in (0.03, 0.1, 0.3)), Way(RARITY, 0.01))
"""What is tried where labels are many and each fit is dear. Chosen on a part of them, a stronger penalty would fit that part."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was learned for one output.

    `weights` go with the columns of the material, or there are none; a margin is their sum over a row, divided by its root. `shared`
    are the intercept and the coefficients of FEATURES; `by_language` what is added to them in a language.
    """

    weights: NDArray[np.float64]
    shared: NDArray[np.float64]
    by_language: Mapping[str, NDArray[np.float64]]

    def coefficients(self, language: str) -> NDArray[np.float64]:
        """Return intercept and coefficients of FEATURES in a language."""
        return self.shared + self.by_language.get(language, 0.0)

    def log_odds(self, material: Material, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log-odds of rows before calibration."""
        features = np.column_stack([np.ones(rows.size), material.prior[rows]])
        total = features @ self.shared
        if self.weights.size:
            # all rows: choosing first would copy most of the matrix
            total += (material.ngrams @ self.weights.astype(np.float32))[rows] / material.roots[rows]
        for language, added in self.by_language.items():
            total += (material.languages[rows] == language) * (features @ added)
        return np.asarray(total)


def mixed(found: Sequence[Fitted], factors: Sequence[float]) -> Fitted:
    """Return the sum of what was fitted on the same rows, each times its factor; linear models mix into one."""
    size = max(one.weights.size for one in found)

    def summed(parts: Iterable[NDArray[np.float64]], size: int) -> NDArray[np.float64]:
        total = np.zeros(size)
        for factor, part in zip(factors, parts, strict=True):
            if part.size:
                total += factor * part
        return total

    shared = found[0].shared.size
    return Fitted(
        summed((one.weights for one in found), size),
        summed((one.shared for one in found), shared),
        {key: summed((one.by_language[key] for one in found), shared) for key in found[0].by_language},
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

    Both classes must be there. Each fit starts where the one before of the same scale, with or without the prior, ended.
    """
    target = material.labels[output][rows]
    weight = material.weights[rows] / material.weights[rows].mean()
    heard = {
        is_plain: _dense(material, rows, None if is_plain else output, learned) for is_plain in (False, True)
    }
    found: dict[Way, Fitted] = {}
    if PRIOR_ALONE in ways:
        dense, pull, at = heard[False]
        alone = solve(dense_problem(dense, target, weight), Pull(1.0, *pull))
        found[PRIOR_ALONE] = Fitted(np.zeros(0), *_unpack(alone.of_dense, at))
    if tried := [way for way in ways if way.strength]:
        columns, ngrams = _occurring(material, rows)
        of_row = (SCALE / material.roots[rows]).astype(np.float32)
        last: dict[tuple[str, bool], Solution] = {}
        scales = _scales(ngrams, target, weight)
        tolerance = _TOLERANCE if rows.size < MANY_ROWS else _TOLERANCE_OF_MANY
        for way in tried:
            scale, kind = scales[way.scale].astype(np.float32), (way.scale, way.is_plain)
            dense, pull, at = heard[way.is_plain]
            problem = Problem(ngrams, of_row, scale, dense, target, weight)
            last[kind] = solve(problem, Pull(1 / way.strength, *pull), last.get(kind), tolerance=tolerance)
            weights = np.zeros(material.columns.size)
            weights[columns] = last[kind].of_ngrams * scale * SCALE
            found[way] = Fitted(weights, *_unpack(last[kind].of_dense, at))
    return [found[way] for way in ways]


def _occurring(material: Material, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], sparse.csr_matrix]:
    """Return columns, among them all that occur in rows, and the rows with these columns alone.

    Where the entries are ones they are shared with the whole. Where rows are a good part of it no column is left out, for that
    costs a copy.
    """
    ngrams = material.ngrams
    columns = np.arange(ngrams.shape[1])
    if np.array_equal(rows, np.arange(ngrams.shape[0])):
        return columns, ngrams
    bounds = ngrams.indptr[rows], ngrams.indptr[rows + 1]
    parts = [slice(start, end) for start, end in zip(*(one.tolist() for one in bounds), strict=True)]
    indices = np.concatenate([ngrams.indices[part] for part in parts])
    values = ngrams.data[: indices.size]
    if material.counts_repeats:
        values = np.concatenate([ngrams.data[part] for part in parts])
    ends = np.concatenate([[0], np.cumsum(bounds[1] - bounds[0])]).astype(np.int32)
    if rows.size < _GOOD_PART * ngrams.shape[0]:
        place = np.zeros(columns.size, np.int32)
        place[indices] = 1
        columns = np.flatnonzero(place)
        place[columns] = np.arange(columns.size, dtype=np.int32)
        indices = place[indices]
    return columns, sparse.csr_matrix((values, indices, ends), shape=(rows.size, columns.size))


def _scales(
    ngrams: sparse.csr_matrix, target: NDArray[np.int64], weight: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return what each column is multiplied with: its log-count ratio, or its rarity (inverse frequency)."""
    one, other = (
        np.asarray(ngrams.T @ part) + _ALPHA for part in (weight * (target == 1), weight * (target == 0))
    )
    occurs = occurrences(ngrams.indices, ngrams.shape[1])
    # `_occurring` may leave columns in of which these rows have none
    ratio = np.log(one / one[occurs > 0].sum()) - np.log(other / other[occurs > 0].sum())
    return {RATIO: ratio, RARITY: 1 + np.log((1 + target.size) / (1 + occurs))}


def _dense(
    material: Material, rows: NDArray[np.int64], output: str | None, learned: Sequence[str]
) -> tuple[NDArray[np.float64], tuple[NDArray[np.float64], NDArray[np.float64]], list[str]]:
    """Return intercept and prior features of all rows, then again for each language, with their pulls and anchors.

    Without an `output`, nothing of the prior: its features are 0, and so their coefficients stay.
    """
    features = np.column_stack([np.ones(rows.size), material.prior[rows] * (output is not None)])
    own = [*learned] if len(learned) > 1 else []
    parts = [features] + [features * (material.languages[rows] == key)[:, None] for key in own]
    first = np.full(features.shape[1], _PULL)
    first[0] = _PULL_INTERCEPT
    later = np.full(features.shape[1], _PULL_LANGUAGE)
    later[0] = 1.0
    pulls = np.concatenate([first, *([later] * len(own))])
    pulled_to = np.zeros(features.shape[1]) if output is None else anchor(output)
    anchors = np.concatenate([pulled_to, *([np.zeros(features.shape[1])] * len(own))])
    return np.concatenate(parts, axis=1), (pulls, anchors), own


def _unpack(
    dense: NDArray[np.float64], languages: Sequence[str]
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    shared, *others = np.split(dense, 1 + len(languages))
    return shared, dict(zip(languages, others, strict=True))
