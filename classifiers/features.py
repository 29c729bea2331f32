"""Comments as sparse binary features, for scikit-learn.

Columns: first the codes of the hashed n-grams (words and runs of words, characters 2 to 6 inside words, in English 2 to 4), then one column
for each rule of `evidence`. Of a code the upper 20 bits are the bucket, the rest its check (see `analysis`). The serving
scorer computes the same features without scikit-learn (`analysis.keys`).
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from classifiers import evidence
from classifiers.analysis import CHECK_BITS, CODES, Analysis, analyse, batches
from classifiers.ngrams import places, text_of

COLUMNS = CODES + evidence.COUNT


class CommentFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Turn texts into a CSR matrix of shape (n_texts, COLUMNS), float32, values 0 and 1; nothing is learned.

    Parameters
    ----------
    ngrams : bool, default=True
        Whether the n-gram columns are filled; without them only evidence is left, which no language needs.

    """

    def __init__(self, *, ngrams: bool = True) -> None:
        self.ngrams = ngrams

    def fit(self, X: Sequence[str], y: Any = None) -> Self:  # noqa: N803, ARG002  # scikit-learn's names
        """Do nothing; the hashes are fixed."""
        return self

    def transform(self, X: Sequence[str]) -> sparse.csr_matrix:  # noqa: N803  # scikit-learn's name
        """Return the features of each text."""
        texts = [str(text) for text in X]
        parts = [self._transform(texts[run]) for run in batches(texts)]
        return (
            sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, COLUMNS), dtype=np.float32)
        )

    def _transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        found = analyse(texts)
        rows, columns = _evidence_entries(found)
        if self.ngrams:
            rows.append(text_of(places(found.stream, found.words)[0], found.stream))
            columns.append(found.codes.astype(np.int64))
        row, column = np.concatenate(rows), np.concatenate(columns)
        is_used = column >= 1 << CHECK_BITS  # bucket 0 marks places without an n-gram
        values = np.ones(int(is_used.sum()), np.float32)
        matrix = sparse.csr_matrix((values, (row[is_used], column[is_used])), shape=(len(texts), COLUMNS))
        matrix.sum_duplicates()
        matrix.data[:] = 1
        return matrix

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        tags.no_validation = True
        return tags


def _evidence_entries(found: Analysis) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    counts = [len(rules) for rules in found.rules]
    rows = np.repeat(np.arange(len(counts)), counts)
    columns = np.fromiter((rule for rules in found.rules for rule in rules), np.int64, int(rows.size))
    return [rows], [columns + CODES]
