"""The estimators keep scikit-learn's contract, and what they learn is exact."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from classifiers.features import COLUMNS, CommentFeatures
from classifiers.pipeline import CommentClassifier, LogCountClassifier, deal, owners, read
from tests.unit.classifiers import small_data


def test_scikit_learns_own_checks_pass():
    check_estimator(LogCountClassifier(), on_skip=None)


@pytest.mark.parametrize("estimator", [CommentFeatures(ngrams=False), CommentClassifier(C=0.5, folds=3)])
def test_estimators_of_texts_clone_with_their_parameters(estimator):
    twin = clone(estimator)
    assert twin is not estimator
    assert twin.get_params() == estimator.get_params()


def test_an_unfitted_classifier_says_so():
    with pytest.raises(NotFittedError):
        CommentClassifier().predict_proba(["x"])


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="class"):
        CommentClassifier().fit(["a b", "c d"], [1, 1])


def test_features_are_binary_and_name_every_distinct_ngram_once():
    matrix = CommentFeatures().transform(["كلب كلب كلب", "", "كلب"])
    assert matrix.shape == (3, COLUMNS)
    assert set(matrix.data.tolist()) == {1.0}
    often, once = (set(matrix[row].indices.tolist()) for row in (0, 2))
    assert once < often
    assert (
        len(often) == len(once) + 3
    )  # the repetition adds nothing but the pair, the pair with a gap and the three


def test_a_repeated_word_weighs_as_much_as_once():
    model = _fitted()
    texts = read(["idiot x", "idiot x idiot x"], columns=model.columns_)
    once, often = model.linear_.steps(texts.features).tolist()
    assert once == pytest.approx(often, abs=abs(once) + 4096)


def test_log_count_weights_are_whole_steps():
    features = sparse.csr_matrix(np.array([[1.0, 0, 1], [1, 1, 0], [0, 1, 0], [0, 0, 1]]))
    model = LogCountClassifier(C=1.0).fit(features, [0, 1, 1, 0])
    assert model.steps_.dtype == np.int64
    assert model.predict(features).tolist() == [0, 1, 1, 0]
    assert (model.steps(features) / 4096 == model.decision_function(features)).all()


def test_what_one_source_alone_says_moves_the_shared_weights_less():
    word_of_all, word_of_one = [1.0, 0], [0, 1.0]
    sources, rows, target = [], [], []
    for source in ("a", "b", "c"):
        for at in range(40):
            label = at % 2
            rows.append(
                [
                    a * label + b * label * (source == "a")
                    for a, b in zip(word_of_all, word_of_one, strict=True)
                ]
            )
            target.append(label)
            sources.append(source)
    features = sparse.csr_matrix(np.array(rows))
    shared = LogCountClassifier(C=1.0, own=0.0).fit(features, target, sources=sources).steps_
    parted = LogCountClassifier(C=1.0, own=3.0).fit(features, target, sources=sources).steps_
    assert parted.shape == shared.shape
    assert parted[1] / parted[0] < shared[1] / shared[0]


def test_a_bucket_belongs_to_its_commonest_ngram():
    bucket = 7 << 4
    features = sparse.csr_matrix(
        ([1.0] * 6, ([0, 1, 2, 0, 1, 3], [bucket, bucket, bucket, bucket + 1, bucket + 1, bucket + 300])),
        shape=(4, COLUMNS),
    )
    owned = owners(features)
    assert owned[owned < COLUMNS - 40].tolist() == [bucket]


def test_reading_with_columns_keeps_those_alone():
    first = read(["you idiot", "you idiot"])
    other = read(["you moron"], columns=first.columns)
    assert other.features.shape == (1, first.columns.size)
    assert 0 < other.features.nnz < CommentFeatures().transform(["you moron"]).nnz


def test_rows_of_weight_zero_teach_nothing():
    features = sparse.csr_matrix(np.array([[1.0, 0], [0, 1], [1, 0], [0, 1]]))
    with_them = LogCountClassifier().fit(features, [0, 1, 1, 0], [1, 1, 0, 0])
    without = LogCountClassifier().fit(features[:2], [0, 1], [1, 1])
    assert (with_them.steps_ == without.steps_).all()


def test_calibration_uses_rows_whose_group_was_left_out():
    texts, target, groups = _abuse()
    model = CommentClassifier(folds=2).fit(texts, target, groups=groups)
    seen = model.decision_function(texts)
    assert not np.isnan(model.margins_).any()
    assert np.abs(seen).mean() > np.abs(model.margins_).mean()


def test_a_group_is_never_split_between_folds():
    groups = ["a", "b", "a", "c", "b", "a"]
    folds = deal(groups, 2)
    assert len({(group, fold) for group, fold in zip(groups, folds.tolist(), strict=True)}) == 3


def test_same_parameters_learn_the_same():
    model = _fitted()
    again = clone(model).fit(*_abuse()[:2])
    assert (model.linear_.steps_ == again.linear_.steps_).all()
    assert model.calibration_ == again.calibration_


def _abuse():
    rows = [row for row in small_data.rows() if row["lang"] == "en" and row["abuse"] is not None]
    return [row["text"] for row in rows], [row["abuse"] for row in rows], [row["source"] for row in rows]


def _fitted():
    texts, target, _ = _abuse()
    return CommentClassifier().fit(texts, target)
