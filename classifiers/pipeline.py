"""The estimators: a linear head over hashed n-grams and evidence, and the calibrated classifier of one output.

`LogCountClassifier` follows Wang and Manning 2012 (Baselines and Bigrams): binary features are scaled by their
log-count ratio before a logistic regression. Where sources are given, each also gets weights of its own that are thrown away
afterwards (Daume 2007, Frustratingly Easy Domain Adaptation): what only one source says does not move the shared ones.
A row may be learned by a chance instead of a class: its label mixed with the opinion of a teacher (see `opinions`).
Weights are rounded to integer steps, so that a text's sum is exact and the same in any batch, in training and in serving.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, sparse
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from classifiers import evidence
from classifiers.analysis import BUCKETS, CODES, analyse, batches
from classifiers.calibration import STEPS, fit_calibration, margin, probability
from classifiers.datasets import near_copy_groups
from classifiers.evidence import Rule
from classifiers.features import COLUMNS, CommentFeatures

_GRAIN = 16  # steps are multiples of it: half the size when compressed, and no score moves by a hundredth
_MAX_STEPS = 8176  # two in the log-odds; keeps sums of the longest text within 32 bits
_TINY = 1e-12
_GTOL = 1e-4  # of the mean loss: where the regression ends
_MIN_OWN = 5  # rows of a source that have a feature, before the source gets a weight of its own for it
_MIN_ROWS = 2  # rows that have an n-gram, before it gets a weight


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a regression learns from: `target` in [0, 1]; `sources` is None where they are not given or do not count."""

    scaled: Any
    target: NDArray[np.float64]
    weight: NDArray[np.float64]
    sources: NDArray[Any] | None


class LogCountClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Logistic regression over log-count ratios, with weights rounded to whole steps of 1 / STEPS.

    Parameters
    ----------
    C : float, default=0.03
        Inverse strength of the L2 penalty.
    alpha : float, default=1.0
        Added to every weighted count before the ratio is taken.
    own : float, default=0.0
        How readily a source explains its rows by weights of its own, where sources are given; 0 switches that off.
    twin : pair of float, default=None
        `C` and `own` of a second model, whose weights are averaged with the first's, both at the same spread of margins.
    max_iter : int, default=60
        Limit of L-BFGS iterations.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    steps_ : ndarray of shape (n_features,), int64, in [-8176, 8176]
    intercept_steps_ : int

    """

    def __init__(
        self,
        *,
        C: float = 0.03,  # noqa: N803
        alpha: float = 1.0,
        own: float = 0.0,
        twin: tuple[float, float] | None = None,
        max_iter: int = 60,
    ) -> None:
        self.C = C
        self.alpha = alpha
        self.own = own
        self.twin = twin
        self.max_iter = max_iter

    def fit(
        self,
        X: Any,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        sources: ArrayLike | None = None,
        chances: ArrayLike | None = None,
    ) -> Self:
        """Learn from X of shape (n_samples, n_features), dense or CSR, and two classes; meant for counts.

        `sources` names the source of each row, for `own`; only CSR features have them. `chances`, in [0, 1], are learned in the
        place of y: how probably each row is of the second class.
        """
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=[np.float64, np.float32])  # noqa: N806
        check_classification_targets(y)
        self.classes_, target = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(f"Only binary classification is supported; got {len(self.classes_)} class(es)")
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        is_used = weight > 0
        X, target, weight = X[is_used], target[is_used], weight[is_used]  # noqa: N806
        if len(np.unique(target)) != 2:
            raise ValueError("Only one class is left where the weight is above zero; two are needed")
        if chances is not None:
            target = np.asarray(chances, np.float64)[is_used]
        columns = np.flatnonzero(_column_sums(abs(X), np.ones_like(weight)))
        X = X[:, columns]  # noqa: N806  # what never occurs weighs nothing, and is most of a hashed space
        ratio = _log_count_ratio(X, target, weight, self.alpha).astype(X.dtype)
        scaled = (X @ sparse.diags_array(ratio)).tocsr() if sparse.issparse(X) else X * ratio
        named = np.asarray(sources)[is_used] if sources is not None and sparse.issparse(X) else None
        rows = _Rows(scaled, target.astype(np.float64), weight, named)
        found, intercept = self._solve(rows, self.C, self.own)
        if self.twin is not None:
            other, shift = self._solve(rows, *self.twin)
            even = float(np.std(scaled @ found) / max(np.std(scaled @ other), _TINY))
            found, intercept = (found + even * other) / 2, (intercept + even * shift) / 2
        self.steps_ = np.zeros(self.n_features_in_, np.int64)
        exact = np.rint(found * ratio * (STEPS / _GRAIN)) * _GRAIN
        self.steps_[columns] = np.clip(exact, -_MAX_STEPS, _MAX_STEPS).astype(np.int64)
        self.intercept_steps_ = int(np.rint(intercept * STEPS))
        return self

    def _solve(self, rows: "_Rows", strength: float, own: float) -> tuple[NDArray[np.floating], float]:
        """Return the weights of scaled features and the intercept of one regression."""
        features = rows.scaled
        if own and rows.sources is not None:
            features = _with_own(features, rows.sources, own)
        found, intercept, self.n_iter_ = _logistic(
            features, rows.target, rows.weight, strength, self.max_iter
        )
        return found[: rows.scaled.shape[1]], intercept

    def steps(self, X: Any) -> NDArray[np.int64]:  # noqa: N803
        """Return the exact sum of weight steps of each row of a binary X, the intercept included: shape (n_samples,)."""
        sums = np.rint(X @ self.steps_.astype(np.float64)).astype(np.int64)
        return np.asarray(sums).ravel() + self.intercept_steps_

    def decision_function(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return the log-odds of the second class before calibration: ndarray of shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)  # noqa: N806
        return np.asarray((X @ self.steps_.astype(np.float64) + self.intercept_steps_) / STEPS).ravel()

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return the probability of each class: ndarray of shape (n_samples, 2)."""
        positive = 1 / (1 + np.exp(-self.decision_function(X)))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the more probable class of each row."""
        check_is_fitted(self)
        return np.asarray(self.classes_[(self.decision_function(X) > 0).astype(np.int64)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_class = False
        return tags


def _logistic(
    features: Any, target: NDArray[np.float64], weight: NDArray[np.float64], strength: float, rounds: int
) -> tuple[NDArray[np.float64], float, int]:
    """Return the weights, the intercept and the rounds of a penalised regression; `target` may be anything in [0, 1].

    The limit of rounds is an early stop, chosen with the rest. scikit-learn's takes classes alone: rows would be needed twice.
    """
    total = weight.sum()
    part, penalty = weight / total, 1 / (strength * total)
    back = features.T  # a view: reads the rows as they lie

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        shared, intercept = point[:-1], point[-1]
        margins = np.asarray(features @ shared.astype(features.dtype), np.float64) + intercept
        missed = part * (expit(margins) - target)
        value = float(part @ (np.logaddexp(0, margins) - target * margins)) + penalty / 2 * float(
            shared @ shared
        )
        return value, np.append(back @ missed.astype(features.dtype) + penalty * shared, missed.sum())

    options = {"maxiter": rounds, "maxls": 50, "gtol": _GTOL, "ftol": 64 * np.finfo(np.float64).eps}
    found = optimize.minimize(
        loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B", options=options
    )
    return found.x[:-1], float(found.x[-1]), int(found.nit)


def _log_count_ratio(
    X: Any,  # noqa: N803
    target: NDArray[np.floating],
    weight: NDArray[np.float64],
    alpha: float,
) -> NDArray[np.float64]:
    positive = alpha + np.maximum(_column_sums(X, weight * target), 0)
    negative = alpha + np.maximum(_column_sums(X, weight * (1 - target)), 0)
    ratio: NDArray[np.float64] = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    return ratio


def _with_own(scaled: sparse.csr_matrix, sources: NDArray[Any], own: float) -> sparse.csr_matrix:
    """Return the features with, beside them, each source's copies of those that enough of its rows have."""
    names, source_of = np.unique(sources, return_inverse=True)
    entries = source_of.repeat(np.diff(scaled.indptr))
    copies = np.full(scaled.indices.size, -1, np.int32)
    first = 0
    for at in range(names.size):
        of_source = np.flatnonzero(entries == at)
        indices = scaled.indices[of_source]
        kept = np.flatnonzero(np.bincount(indices, minlength=scaled.shape[1]) >= _MIN_OWN)
        place = np.full(scaled.shape[1], -1, np.int32)
        place[kept] = np.arange(first, first + kept.size)
        copies[of_source] = place[indices]
        first += kept.size
    is_copied = copies >= 0
    bounds = np.concatenate([[0], np.cumsum(is_copied)])[scaled.indptr]
    values = scaled.data[is_copied] * scaled.dtype.type(own)
    copied = sparse.csr_matrix((values, copies[is_copied], bounds), shape=(scaled.shape[0], first))
    return sparse.hstack([scaled, copied], format="csr")


def _column_sums(X: Any, weight: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: N803
    return np.asarray(weight @ X, dtype=np.float64).ravel()


@dataclass(frozen=True, slots=True)
class Reading:
    """Texts as features: CSR of shape (n_texts, columns.size), their lengths after folding, and which columns were kept."""

    features: sparse.csr_matrix
    lengths: NDArray[np.int64]
    columns: NDArray[np.int64]

    def rows(self, chosen: NDArray[Any]) -> "Reading":
        """Return some rows, by index or mask."""
        return Reading(self.features[chosen], self.lengths[chosen], self.columns)


def read(texts: Sequence[str], *, ngrams: bool = True, columns: NDArray[np.int64] | None = None) -> Reading:
    """Read texts; `columns` are those to keep, by default every rule and each bucket's commonest n-gram."""
    features = CommentFeatures(ngrams=ngrams).transform(texts)
    kept = owners(features) if columns is None else columns
    place = np.full(COLUMNS, -1, np.int32)
    place[kept] = np.arange(kept.size)
    indices = place[features.indices]
    is_kept = indices >= 0
    bounds = np.concatenate([[0], np.cumsum(is_kept)])[features.indptr]
    compact = sparse.csr_matrix(
        (features.data[is_kept], indices[is_kept], bounds), shape=(len(texts), kept.size)
    )
    compact.sort_indices()
    return Reading(compact, folded_lengths(texts), kept)


def owners(features: sparse.csr_matrix) -> NDArray[np.int64]:
    """Return the columns worth a weight: of each bucket the code that most rows have, where two do; and all rules."""
    rows = np.bincount(features.indices, minlength=COLUMNS)[:CODES].reshape(BUCKETS, -1)
    commonest = rows.argmax(axis=1)
    is_owned = rows[np.arange(BUCKETS), commonest] >= _MIN_ROWS
    codes = np.flatnonzero(is_owned) * rows.shape[1] + commonest[is_owned]
    return np.concatenate([codes, np.arange(CODES, COLUMNS)])


class CommentClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """One calibrated output (such as spam) for texts of one language.

    The calibration is fitted on margins of rows whose group was left out of training; pass sources as groups to have it
    hold for sites that were never seen. Without groups, near copies share one.

    Parameters
    ----------
    C, alpha, own, twin, max_iter
        As in `LogCountClassifier`; the groups are its sources.
    folds : int, default=4
        Groups are dealt to this many folds for calibration.
    ngrams : bool, default=True
        As in `CommentFeatures`.
    rule_floors : mapping of rule code to log-odds, default=None
        The least weight of an evidence rule, for rules that the rows are too few, or too old, to teach.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    columns_ : ndarray of shape (n_columns,), int64
        Columns of `CommentFeatures` that have a weight, the rules last.
    linear_ : LogCountClassifier
    calibration_ : Calibration
    margins_ : ndarray of shape (n_samples,)
        Out-of-group margins of the training rows, NaN where no fold could score them.

    """

    def __init__(
        self,
        *,
        C: float = 0.03,  # noqa: N803
        alpha: float = 1.0,
        own: float = 0.0,
        twin: tuple[float, float] | None = None,
        max_iter: int = 60,
        folds: int = 4,
        ngrams: bool = True,
        rule_floors: Mapping[str, float] | None = None,
    ) -> None:
        self.C = C
        self.alpha = alpha
        self.own = own
        self.twin = twin
        self.max_iter = max_iter
        self.folds = folds
        self.ngrams = ngrams
        self.rule_floors = rule_floors

    def fit(
        self,
        X: Sequence[str],  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: Sequence[str] | None = None,
    ) -> Self:
        """Learn from texts and two classes."""
        target = np.asarray(y)
        if len(np.unique(target)) != 2:
            raise ValueError(
                f"Only binary classification is supported; got {len(np.unique(target))} class(es)"
            )
        weight = np.ones(target.size) if sample_weight is None else np.asarray(sample_weight, np.float64)
        dealt = near_copy_groups(X) if groups is None else groups
        return self.fit_reading(read(X, ngrams=self.ngrams), target, weight, dealt)

    def fit_reading(
        self,
        reading: Reading,
        target: NDArray[Any],
        weight: NDArray[np.float64],
        groups: Sequence[str],
        chances: NDArray[np.float64] | None = None,
    ) -> Self:
        """Learn from texts that were read already.

        `chances`, of shape (n_samples, folds), are learned in the place of the classes: each column while that fold is left out, and
        of each row the column of its own fold while none is. Folds are those of `deal`.
        """
        self.classes_ = np.unique(target)
        self.columns_ = reading.columns
        named = np.asarray(groups)
        self.margins_ = self._left_out_margins(reading, target, weight, named, chances)
        own = None if chances is None else chances[np.arange(target.size), deal(named, self.folds)]
        self.linear_ = self._learn(reading.features, target, weight, named, own)
        known = ~np.isnan(self.margins_)
        is_positive = (target[known] == self.classes_[1]).astype(np.int64)
        self.calibration_ = fit_calibration(self.margins_[known], is_positive, weight[known])
        return self

    def _learn(
        self,
        features: sparse.csr_matrix,
        target: NDArray[Any],
        weight: NDArray[np.float64],
        groups: NDArray[Any],
        chances: NDArray[np.float64] | None = None,
    ) -> LogCountClassifier:
        model = LogCountClassifier(
            C=self.C, alpha=self.alpha, own=self.own, twin=self.twin, max_iter=self.max_iter
        )
        model.fit(features, target, weight, groups if self.own else None, chances)
        for code, least in (self.rule_floors or {}).items():
            column = int(Rule[code.upper()]) - evidence.COUNT
            model.steps_[column] = max(int(model.steps_[column]), round(least * STEPS))
        return model

    def _left_out_margins(
        self,
        reading: Reading,
        target: NDArray[Any],
        weight: NDArray[np.float64],
        groups: NDArray[Any],
        chances: NDArray[np.float64] | None,
    ) -> NDArray[np.float64]:
        margins = np.full(target.size, np.nan)
        fold_of = deal(groups, self.folds)
        for fold_number in np.unique(fold_of):
            held = fold_of == fold_number
            if len(np.unique(target[~held & (weight > 0)])) < 2:
                continue
            opined = None if chances is None else chances[~held, fold_number]
            model = self._learn(reading.features[~held], target[~held], weight[~held], groups[~held], opined)
            margins[held] = _margins(model, reading.features[held], reading.lengths[held])
        if np.isnan(margins).all():
            raise ValueError("No group could be left out for calibration; more groups or rows are needed")
        return margins

    def decision_function(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """Return the margin of each text: ndarray of shape (n_texts,)."""
        check_is_fitted(self)
        reading = read(X, ngrams=self.ngrams, columns=self.columns_)
        return _margins(self.linear_, reading.features, reading.lengths)

    def predict_proba(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """Return the calibrated probability of each class: ndarray of shape (n_texts, 2)."""
        margins = self.decision_function(X).tolist()
        positive = np.array([probability(value, self.calibration_) for value in margins])
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Sequence[str]) -> NDArray[Any]:  # noqa: N803
        """Return the more probable class of each text."""
        check_is_fitted(self)
        return np.asarray(self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(np.int64)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_class = False
        tags.no_validation = True
        return tags


def _margins(
    model: LogCountClassifier, features: sparse.csr_matrix, lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    steps = model.steps(features).tolist()
    return np.array([margin(*pair) for pair in zip(steps, lengths.tolist(), strict=True)])


def folded_lengths(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of code points of each text after folding, its leading space included; 0 without a word."""
    return np.array([length for run in batches(texts) for length in analyse(texts[run]).lengths], np.int64)


def deal(groups: Sequence[str] | NDArray[Any], folds: int) -> NDArray[np.int64]:
    """Return a fold in [0, folds) for each row; rows of one group share it, and the folds are alike in size."""
    names, rows, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    sizes = [0] * min(folds, len(names))
    fold_of_group = np.zeros(len(names), np.int64)
    for group in np.argsort(-counts, kind="stable").tolist():
        smallest = sizes.index(min(sizes))
        fold_of_group[group] = smallest
        sizes[smallest] += int(counts[group])
    return np.asarray(fold_of_group[rows])
