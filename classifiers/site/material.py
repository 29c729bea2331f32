"""Labelled rows as arrays: what the model sees of each, and what evaluation needs to know of it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from classifiers import evidence
from classifiers.analysis import BUCKETS, TEXT_BIT, Analysis, analyse, batches, keys
from classifiers.calibration import LENGTH_OFFSET
from classifiers.datasets import near_copy_groups
from classifiers.runtime import Scorer
from classifiers.site.inputs import (
    FEATURES,
    SPOKEN_OF_ALL,
    TIMES,
    distinct,
    language_keys,
    prior_features,
)
from classifiers.site.labels import OUTPUTS, LabelledText

MANY_ROWS = 10_000
COLUMNS = BUCKETS + evidence.COUNT  # n-grams by bucket, then rules
_COUNTED_AT_ONCE = 1 << 22
_MASK = np.uint32(BUCKETS - 1)
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


def silent(step: str, done: int, total: int) -> None:
    """Report nothing."""
    del step, done, total


@dataclass(frozen=True, slots=True)
class Material:
    """Rows in the order of their lists; arrays of shape (n_rows,) or (n_rows, …).

    `ngrams` is CSR, float32, of shape (n_rows, n_columns): how often a text holds an n-gram by TIMES, or ones unless
    `counts_repeats`. Its columns are those of COLUMNS that occur (in two rows, where rows are MANY_ROWS), named by
    `columns` of shape (n_columns,), the most frequent first: what is read most lies together, and products take half the time.
    `labels` holds -1 where nothing was said, by output; `languages` are keys of `language_keys`; `at` are seconds since 1970, NaN
    where unknown.
    """

    ngrams: sparse.csr_matrix
    counts_repeats: bool
    columns: NDArray[np.int64]
    roots: NDArray[np.float64]
    prior: NDArray[np.float64]
    languages: NDArray[np.str_]
    groups: list[str]
    labels: dict[str, NDArray[np.int64]]
    weights: NDArray[np.float64]
    at: NDArray[np.float64]

    def without_prior(self, keys: Collection[str]) -> "Material":
        """Return it with nothing that the prior says of languages; spam stays, as in every unknown language."""
        prior = self.prior.copy()
        muted = np.isin(self.languages, sorted(keys))
        silent_there = np.array([name not in SPOKEN_OF_ALL for name in FEATURES])
        prior[muted[:, None] & silent_there] = 0.0
        return replace(self, prior=prior)


def read(rows: Sequence[LabelledText], prior: Scorer, progress: Progress = silent) -> Material:
    """Compute everything that is learned from, in batches."""
    texts = [row.text for row in rows]
    found_columns: list[NDArray[np.int32]] = []
    counts: list[NDArray[np.uint8]] | None = [] if len(rows) < MANY_ROWS else None
    sizes: list[NDArray[np.int64]] = []
    lengths: list[int] = []
    languages: list[str] = []
    given: list[list[float]] = []
    for run in batches(texts):
        found = analyse(texts[run], [row.author_url for row in rows[run]])
        columns, count, size = _columns(found)
        found_columns.append(columns)
        if counts is not None:
            counts.append(count)
        sizes.append(size)
        lengths += found.lengths
        languages += language_keys(found)
        given += [prior_features(score) for score in prior.score_found(found)]
        progress("reading", run.stop, len(rows))
    ngrams, occurring = _matrix(found_columns, counts, sizes)
    return Material(
        ngrams,
        counts is not None,
        occurring,
        np.sqrt(np.array(lengths, np.float64) + LENGTH_OFFSET),
        np.array(given, np.float64).reshape(len(rows), len(FEATURES)),
        np.array(languages, np.str_),
        near_copy_groups(texts),
        {output: _labels(rows, output) for output in OUTPUTS},
        np.array([row.weight for row in rows], np.float64),
        np.array([np.nan if row.at is None else row.at.timestamp() for row in rows], np.float64),
    )


def occurrences(indices: NDArray[np.int32], columns: int) -> NDArray[np.int64]:
    """Return how often each of so many columns occurs; in parts, for `bincount` makes a copy of twice the size."""
    found = np.zeros(columns, np.int64)
    for first in range(0, indices.size, _COUNTED_AT_ONCE):
        found += np.bincount(indices[first : first + _COUNTED_AT_ONCE], minlength=columns)
    return found


def _labels(rows: Sequence[LabelledText], output: str) -> NDArray[np.int64]:
    return np.array([-1 if (label := row.label(output)) is None else label for row in rows], np.int64)


def _columns(found: Analysis) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]]:
    """Return the columns of a batch and their counts, text by text, and how many each text has.

    Two n-grams that share a bucket count twice.
    """
    texts = len(found.lengths)
    rows, columns, counts = distinct(keys(found)[0], texts, text_bit=TEXT_BIT, mask=_MASK)
    fired = np.array(
        [(at, BUCKETS + rule) for at, rules in enumerate(found.rules) for rule in rules], np.int64
    )
    fired = fired.reshape(-1, 2)
    rows = np.concatenate([rows, fired[:, 0]])
    order = np.argsort(rows, kind="stable")
    columns = np.concatenate([columns, fired[:, 1]])[order]
    counts = np.concatenate([counts, np.ones(len(fired), np.uint8)])[order]
    return columns.astype(np.int32), counts, np.bincount(rows, minlength=texts)


def _matrix(
    found_columns: list[NDArray[np.int32]],
    counts: Sequence[NDArray[np.uint8]] | None,
    sizes: Sequence[NDArray[np.int64]],
) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    """Return the matrix and what its columns are; empties the list, for both together would be twice the memory.

    Of many rows, columns of a single one are left out: they are most of the columns and hardly of the knowledge.
    """
    indices = np.concatenate(found_columns or [np.zeros(0, np.int32)])
    found_columns.clear()
    ends = np.concatenate([np.zeros(1, np.int64), *sizes]).cumsum()
    occurs = occurrences(indices, COLUMNS)
    columns = np.argsort(-occurs, kind="stable")
    columns = columns[: int((occurs > (1 if ends.size > MANY_ROWS else 0)).sum())]
    place = np.full(COLUMNS, columns.size, np.int32)
    place[columns] = np.arange(columns.size, dtype=np.int32)
    indices = place[indices]
    is_kept = indices < columns.size
    kept_before = np.zeros(is_kept.size + 1, np.int32)
    np.cumsum(is_kept, out=kept_before[1:])
    ends = kept_before[ends]
    del kept_before
    indices = indices[is_kept]
    values = np.ones(indices.size, np.float32)
    if counts:
        values = TIMES.astype(np.float32)[np.concatenate(counts)[is_kept]]
    matrix = sparse.csr_matrix((values, indices, ends), shape=(ends.size - 1, columns.size))
    matrix.sort_indices()
    return matrix, columns
