"""A teacher's opinions: never of what it saw, mixed into labels, refused where rows or folds are others."""

import argparse
import json

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from classifiers import opinions, pipeline, train
from classifiers.datasets import AUTHORED, Row
from classifiers.errors import OpinionsError
from classifiers.pipeline import LogCountClassifier, deal
from classifiers.runtime import LANGUAGES, PRETRAINED
from classifiers.samples import Sample
from classifiers.teacher import FOLDS, Lesson, Network, ask


def _sample(sources, target, texts=None):
    count = len(sources)
    texts = texts or [f"text {at}" for at in range(count)]
    return Sample(
        np.arange(count), texts, sources, np.array(target), np.ones(count), np.ones(count, np.bool_)
    )


def _lesson(seed=3, rows=240):
    drawn = np.random.default_rng(seed)
    encoded = drawn.normal(size=(rows, 6)).astype(np.float32)
    target = (encoded[:, 0] * encoded[:, 1] > 0).astype(np.float32)  # no linear model tells these
    fold_of = np.arange(rows) % FOLDS
    return Lesson(encoded, target, np.ones(rows, np.float32), fold_of.astype(np.int64)), fold_of


def test_an_opinion_is_mixed_into_the_label_and_authored_rows_keep_theirs(tmp_path):
    asked = _sample(["a", "a", "b"], [1, 0, 1])
    told = np.array([[0.2, 0.4], [0.6, 0.8], [1.0, 0.0]])
    opinions.save(tmp_path, "en", asked, told, {"encoder": "none"})
    kept = opinions.load("en", tmp_path)
    assert kept is not None
    sources = ["a", AUTHORED, "a", "b"]
    sample = _sample(sources, [1, 1, 0, 1], ["text 0", "mine", "text 1", "text 2"])
    fold_of = np.array([kept.about["sources"].get(source, {"fold": 0})["fold"] for source in sources])
    share = opinions.SHARE
    wanted = (1 - share) * np.array([[1, 1], [0, 0], [1, 1]]) + share * told
    found = kept.chances(sample, fold_of)
    assert found[[0, 2, 3]] == pytest.approx(wanted, abs=0.002)
    assert found[1].tolist() == [1, 1]


@pytest.mark.parametrize("wrong", ["texts", "fold"])
def test_opinions_about_other_rows_or_folds_are_refused(tmp_path, wrong):
    asked = _sample(["a", "b"], [1, 0])
    opinions.save(tmp_path, "en", asked, np.full((2, 2), 0.5), {})
    kept = opinions.load("en", tmp_path)
    assert kept is not None
    fold_of = deal(["a", "b"], 2)
    kept.chances(asked, fold_of)
    sample = _sample(["a", "b"], [1, 0], ["text 0", "another"]) if wrong == "texts" else asked
    with pytest.raises(OpinionsError):
        kept.chances(sample, fold_of if wrong == "texts" else 1 - fold_of)


def test_a_language_without_opinions_has_none(tmp_path):
    assert opinions.load("ar", tmp_path) is None


def test_a_teacher_learns_what_no_linear_model_can():
    lesson, fold_of = _lesson(rows=1600)
    network = Network(6, FOLDS, seed=0)
    for _ in range(8):
        network.fit(lesson.rows(fold_of != 0))
    held = fold_of == 0
    right = (network.log_odds(lesson.encoded[held]) > 0) == (lesson.target[held] == 1)
    assert right.mean() > 0.8


def test_no_opinion_comes_from_a_teacher_that_saw_the_fold_left_out():
    lesson, fold_of = _lesson()
    told = ask(lesson, fold_of, 0, lambda: None)
    flipped = Lesson(
        lesson.encoded,
        np.where(fold_of == 2, 1 - lesson.target, lesson.target).astype(np.float32),
        lesson.weight,
        lesson.source,
    )
    again = ask(flipped, fold_of, 0, lambda: None)
    others = fold_of != 2
    assert (again[others, 2] == told[others, 2]).all()
    assert (again[others, 1] != told[others, 1]).any()


def test_no_opinion_comes_from_a_teacher_that_saw_the_rows_own_fold(monkeypatch):
    lesson, fold_of = _lesson()
    seen = []
    monkeypatch.setattr(Network, "fit", lambda self, taught: seen.append(set(taught.source.tolist())) or self)
    ask(lesson, fold_of, 0, lambda: None)
    left = [frozenset(range(FOLDS)) - found for found in seen]
    assert sorted(map(len, left)) == [1] * FOLDS + [2] * 6
    assert len(set(left)) == len(left)


def test_learning_chances_of_zero_and_one_is_learning_classes():
    drawn = np.random.default_rng(5)
    features = sparse.csr_matrix((drawn.random((200, 12)) < 0.3).astype(np.float64))
    target = (features[:, [0]].toarray().ravel() + drawn.random(200) > 0.9).astype(np.int64)
    by_class = LogCountClassifier(C=1.0).fit(features, target)
    by_chance = LogCountClassifier(C=1.0).fit(features, target, chances=target.astype(float))
    assert (by_class.steps_ == by_chance.steps_).all()
    softened = LogCountClassifier(C=1.0).fit(features, target, chances=0.5 + 0.2 * (target - 0.5))
    assert 0 < softened.steps_[0] < by_class.steps_[0]


def test_the_regression_is_that_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(pipeline, "_GTOL", 1e-9)
    drawn = np.random.default_rng(6)
    features = sparse.csr_matrix((drawn.random((300, 9)) < 0.4).astype(np.float64))
    target = (features.sum(axis=1).A1 + drawn.normal(size=300) > 4).astype(np.int64)
    weight = drawn.random(300)
    found, intercept, _ = pipeline._logistic(features, target.astype(float), weight, 0.7, 500)
    model = LogisticRegression(C=0.7, tol=1e-9, max_iter=500).fit(features, target, sample_weight=weight)
    assert found == pytest.approx(model.coef_.ravel(), abs=1e-4)
    assert intercept == pytest.approx(model.intercept_[0], abs=1e-4)


def test_the_shipped_opinions_are_numbers_about_folds_that_are_not_their_own():
    manifest = json.loads((PRETRAINED / "manifest.json").read_text(encoding="utf-8"))
    manifest = manifest.get("manifest", manifest)
    for language in LANGUAGES:
        kept = opinions.load(language)
        assert (kept is not None) == (language in manifest["teachers"])
        if kept is None:
            continue
        assert manifest["teachers"][language] == {**kept.about["teacher"], "share": opinions.SHARE}
        assert set(kept.values) == set(kept.about["sources"])
        for source, values in kept.values.items():
            assert values.dtype == np.uint8
            assert values.shape[1] == kept.about["folds"] == FOLDS
            assert set(kept.about["sources"][source]) == {"fold", "sha256"}


def test_each_column_is_learned_while_its_fold_is_left_out():
    texts = ["you idiot", "nice day", "you fool", "good match"] * 20
    target = np.array([1, 0, 1, 0] * 20)
    groups = [f"source {at // 20}" for at in range(80)]
    fold_of = deal(groups, FOLDS)
    reading = pipeline.read(texts)
    chances = np.repeat(target[:, None].astype(float), FOLDS, axis=1)
    chances[fold_of != 2, 2] = 1 - target[fold_of != 2]  # taught the contrary, only while fold 2 is left out
    model = pipeline.CommentClassifier(folds=FOLDS, own=0.4)
    model.fit_reading(reading, target, np.ones(80), groups, chances)
    is_right = (model.margins_ > 0) == (target == 1)
    assert is_right[fold_of != 2].all()
    assert not is_right[fold_of == 2].any()
    assert ((model.decision_function(texts) > 0) == (target == 1)).all()


@pytest.mark.parametrize(
    ("asked", "languages"), [({}, {"en"}), ({"licences": True}, set()), ({"no_opinions": True}, set())]
)
def test_no_opinion_is_used_where_licences_count_or_none_is_wanted(monkeypatch, asked, languages):
    class Asked(Exception):  # noqa: N818  # nothing more has to run
        pass

    row = Row("you fool", "en", "en_insults", None, 1)

    def train_heads(rows, taught):
        assert set(taught) == languages
        raise Asked

    monkeypatch.setattr(train, "train_heads", train_heads)
    monkeypatch.setattr(train, "read_training", lambda options: ([row], []))
    options = argparse.Namespace(**{"licences": False, "no_opinions": False, **asked})
    with pytest.raises(Asked):
        train.train(options)
