"""Languages that the prior takes a site's texts for; and what few labels can and cannot say."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from classifiers.analysis import analyse
from classifiers.calibration import fit_calibration
from classifiers.retraining import retrain
from classifiers.runtime import Scorer
from classifiers.site.foreign import foreign_keys
from classifiers.site.gates import NOT_PROVEN, unproven
from classifiers.site.inputs import language_keys
from classifiers.site.judgement import NEW, Slice
from classifiers.site.measures import Interval
from classifiers.site.refit import fit_steady
from tests.unit.classifiers import site_data

PORTUGUESE = (["jogo", "muito", "bom", "time", "vai", "ganhar", "brasil", "hoje", "quem", "sabe", "governo", "povo", "real", "a", "do", "mesmo", "com", "essa", "gente", "para", "tudo"],
              ["burro", "lixo", "safado", "vagabundo", "ladrao", "nojento", "otario", "canalha"])  # fmt: skip
ENGLISH = (["the", "of", "it", "and", "is", "that", "people", "should", "think", "about", "article", "good", "this", "news", "they", "have"],
           ["idiot", "stupid", "moron", "scum"])  # fmt: skip
CIVIL = "Thank you for a good article"


def portuguese(count, **more):
    """A log of which many short texts pass for English; nobody says what language it is."""
    rows = site_data.log(count, PORTUGUESE, language=None, spam=None, **more)
    chance = random.Random(5)
    return [
        replace(row, text=" ".join(row.text.split()[-chance.choice((3, 4, 12)) - 1 : -1]) or row.text)
        for row in rows
    ]


def keys_of(rows):
    return [key for row in rows for key in language_keys(analyse([row.text]))]


def test_portuguese_is_not_the_english_that_short_texts_look_like():
    rows = portuguese(300)
    keys = keys_of(rows)
    assert min(Counter(keys)[key] for key in ("en", "und")) > 30  # or the test says nothing
    assert foreign_keys(rows, keys, {"ar", "en"}, {}) >= {"en"}


def test_a_minority_that_does_write_english_stays_english():
    rows = portuguese(300) + site_data.log(80, ENGLISH, language=None)
    mixed = [row for row in rows[:300] if keys_of([row])[0] == "und"] + rows[300:]
    assert "en" not in foreign_keys(mixed, keys_of(mixed), {"ar", "en"}, {})


def test_what_the_rows_call_a_language_goes_first():
    rows = site_data.log(50, ENGLISH, language="nl")
    assert foreign_keys(rows, ["en"] * 50, {"en"}, {"en": "nl"}) == {"en"}
    assert foreign_keys(rows, ["en"] * 50, {"en"}, {"en": "en"}) == frozenset()


def test_a_site_in_a_foreign_language_scores_all_texts_by_one_head_and_asks_no_english_cases(tmp_path):
    report = retrain(portuguese(500), out=tmp_path / "model")
    assert report.is_promotable, report.refusals
    site = Scorer.load(tmp_path / "model")
    assert "en" in site.manifest["foreign"]
    assert site.manifest["aliases"]["en"] == "und"
    score = site.score(["time burro"])[0]
    assert (score.language, score.is_known_language) == ("en", True)
    assert score.abuse > 0.5 > site.score(["time bom"])[0].abuse


def test_a_slope_that_chance_made_flat_still_ranks_and_its_offset_fits():
    chance = np.random.default_rng(0)
    log_odds = chance.normal(0, 0.2, 300)
    labels = (chance.random(300) < 0.1).astype(np.int64)
    labels[np.argsort(log_odds)[:20]] = 1  # the best slope is below zero
    found = fit_steady(log_odds, labels, np.ones(300))
    assert 0 < found.slope <= 0.2
    expected = 1 / (1 + np.exp(-(found.slope * log_odds + found.offset)))
    assert expected.mean() == pytest.approx(labels.mean(), abs=0.005)
    flat = fit_calibration(log_odds, labels)
    assert flat.slope == 0
    assert 1 / (1 + np.exp(-flat.offset)) == pytest.approx(labels.mean(), abs=0.005)


def test_what_few_untouched_rows_cannot_prove_the_folds_may():
    auc = {"auc": Interval(0.7, 0.45, 0.9)}
    one = Slice("abuse", "all", "all", 40, 12, {NEW: auc})
    assert unproven([one], lambda _: Interval(0.7, 0.6, 0.8)) == []
    (refusal,) = unproven([one], lambda _: Interval(0.52, 0.45, 0.6))
    assert refusal.code == NOT_PROVEN
    assert refusal.numbers["low_of_folds"] == 0.45


def test_labels_at_random_are_not_proven(tmp_path):
    chance = random.Random(2)
    rows = [replace(row, abuse=chance.randint(0, 1), reject=None) for row in site_data.log(200)]
    report = retrain(rows, out=tmp_path / "model")
    assert {refusal.code for refusal in report.refusals} == {NOT_PROVEN}
    assert Scorer.load(tmp_path / "model").score([rows[0].text])[0].abuse is not None
