"""Thresholds, two-parameter refits, labellers and measures, against what they must be by definition."""

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from classifiers.errors import LabelsError
from classifiers.evaluate import expected_calibration_error
from classifiers.retraining import (
    Decided,
    outliers,
    propose_thresholds,
    refit_two_parameters,
    retrain,
    shift_to_share,
    state_shares,
    trust,
)  # fmt: skip
from classifiers.runtime import Scorer
from classifiers.site.curves import Curves
from classifiers.site.labels import LabelledText
from classifiers.site.measures import Scored, bootstrap, measure, weighted_auc
from classifiers.site.plots import calibration
from tests.unit.classifiers import site_data


@pytest.fixture
def chance():
    return np.random.default_rng(5)


def draw(chance, count=4000, *, slope=1.0, offset=0.0):
    """Return log-odds that are off by slope and offset, with labels drawn from the true ones."""
    truth = chance.normal(-1, 2, count)
    return (truth - offset) / slope, (chance.random(count) < 1 / (1 + np.exp(-truth))).astype(np.int64)


def test_measures_are_those_of_scikit_learn(chance):
    log_odds, labels = draw(chance, 500)
    values = np.round(1 / (1 + np.exp(-log_odds)), 2)
    weights = chance.integers(1, 4, 500).astype(float)
    found = measure(Scored(labels, values, weights, 0.5))
    assert found["auc"] == pytest.approx(roc_auc_score(labels, values, sample_weight=weights))
    clipped = np.clip(values, 1e-12, 1 - 1e-12)
    assert found["log_loss"] == pytest.approx(log_loss(labels, clipped, sample_weight=weights))
    assert measure(Scored(labels, values, np.ones(500), 0.5))["ece"] == pytest.approx(
        expected_calibration_error(labels, values)
    )


def test_an_interval_holds_its_value_and_a_difference_is_paired(chance):
    log_odds, labels = draw(chance, 400)
    good = 1 / (1 + np.exp(-log_odds))
    models = {
        name: Scored(labels, values, np.ones(400), 0.5)
        for name, values in (("active", 1 - good), ("new", good))
    }
    found = bootstrap(models, seed=0, alpha=0.05)
    assert found["new"]["auc"].low < found["new"]["auc"].value < found["new"]["auc"].high
    assert found["difference"]["auc"].low > 0
    assert bootstrap(models, seed=0, alpha=0.05) == found


def test_one_class_has_no_auc():
    assert math.isnan(weighted_auc(np.ones(3, np.int64), np.array([0.1, 0.2, 0.3]), np.ones(3)))


def test_two_numbers_mend_a_calibration(chance):
    log_odds, labels = draw(chance, slope=2.0, offset=1.5)
    found = refit_two_parameters(log_odds[:300], labels[:300])
    before, after = log_odds[300:], found.slope * log_odds[300:] + found.offset
    errors = [
        expected_calibration_error(labels[300:], 1 / (1 + np.exp(-values))) for values in (before, after)
    ]
    assert errors[0] > 0.1
    assert errors[1] < 0.05


@pytest.mark.parametrize(("count", "positive"), [(199, 100), (300, 9), (300, 300)])
def test_two_numbers_are_refused_on_too_few_decisions(count, positive):
    labels = np.zeros(count, np.int64)
    labels[:positive] = 1
    with pytest.raises(LabelsError):
        refit_two_parameters(np.zeros(count), labels)


def test_a_stated_share_becomes_the_mean(chance):
    log_odds, _ = draw(chance)
    found = shift_to_share(log_odds, 0.05)
    assert np.mean(1 / (1 + np.exp(-(log_odds + found.offset)))) == pytest.approx(0.05, abs=1e-6)


def decided(chance, **more):
    log_odds, labels = draw(chance)
    return Decided(1 / (1 + np.exp(-log_odds)), labels, np.ones(labels.size), **more)


def test_a_precision_is_kept_by_the_lowest_threshold(chance):
    rows = decided(chance)
    found = propose_thresholds(rows, precision=0.9)
    assert found.precision >= 0.9
    assert found.precision_low < found.precision < found.precision_high
    lower = rows.probabilities[rows.probabilities < found.threshold].max()
    assert rows.labels[rows.probabilities >= lower].mean() < 0.9


def test_a_queue_holds_no_more_than_wanted_and_almost_that(chance):
    found = propose_thresholds(decided(chance, days=10), queue_per_day=50)
    assert 49 <= found.per_day <= 50
    assert 0 < found.recall < 1


def test_what_cannot_be_reached_is_said(chance):
    labels = np.zeros(100, np.int64)
    with pytest.raises(LabelsError, match="precision"):
        propose_thresholds(Decided(np.linspace(0, 1, 100), labels, np.ones(100)), precision=0.9)
    with pytest.raises(LabelsError, match="times"):
        propose_thresholds(decided(chance), queue_per_day=5)
    with pytest.raises(ValueError, match="either"):
        propose_thresholds(decided(chance))


def test_equal_scores_are_called_together():
    rows = Decided(np.array([0.9, 0.5, 0.5, 0.5, 0.1]), np.full(5, -1), np.ones(5), days=1)
    assert propose_thresholds(rows, queue_per_day=3).per_day == 1


def test_only_who_contradicts_the_model_is_an_outlier(chance):
    log_odds, labels = draw(chance, slope=0.4)
    actors = [f"m{at % 10}" for at in range(labels.size)]
    assert not any(one.is_outlier for one in outliers(actors, labels, log_odds))
    flipped = np.array(
        [1 - label if actor == "m3" else label for label, actor in zip(labels, actors, strict=True)]
    )
    found = outliers(actors, flipped, log_odds)
    assert [one.actor for one in found if one.is_outlier] == ["m3"]
    assert 0.02 <= trust(found)["m3"] < 0.3


def test_one_person_alone_is_never_an_outlier(chance):
    log_odds, labels = draw(chance)
    assert outliers(["m"] * labels.size, 1 - labels, log_odds) == []


def arabic(count, *, seed=1, share=0.1):
    return site_data.log(count, site_data.ARABIC, language="ar", share=share, seed=seed, noise=0.02)


def test_the_first_days_need_two_numbers_only(tmp_path, shipped):
    retrain(arabic(300, share=0.3), out=tmp_path / "model", two_parameters=True, must_pass=[])
    own = Scorer.load(tmp_path / "model")
    texts = [row.text for row in arabic(200, seed=2, share=0.3)]
    before, after = ([score.abuse for score in scorer.score(texts)] for scorer in (shipped, own))
    assert np.argsort(before).tolist() == np.argsort(after).tolist()
    assert np.mean(after) == pytest.approx(0.3, abs=0.08)


def test_two_numbers_do_not_teach_a_language_that_the_prior_does_not_know(tmp_path):
    with pytest.raises(LabelsError):
        retrain(site_data.log(300), out=tmp_path / "model", two_parameters=True)


def test_a_site_states_its_share(tmp_path):
    comments = [LabelledText(row.text) for row in arabic(400)]
    state_shares(comments, {"abuse": 0.07}, out=tmp_path / "model")
    scores = Scorer.load(tmp_path / "model").score([row.text for row in comments])
    assert np.mean([score.abuse for score in scores]) == pytest.approx(0.07, abs=0.005)
    with pytest.raises(LabelsError):
        state_shares(comments[:5], {"abuse": 0.07}, out=tmp_path / "other")


def test_a_plot_holds_numbers_and_no_foreign_word():
    drawn = calibration({"new": Curves([(0, 1)], [(0.1, 0.2)], [1.0])}, str)
    assert drawn.startswith("<svg")
    assert "<script" not in drawn
