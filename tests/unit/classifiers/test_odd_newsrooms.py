"""Newsrooms with odd logs: one advertisement a thousand times, decisions taken back, languages without thresholds."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from classifiers.errors import LabelsError
from classifiers.retraining import LabelledText, retrain
from classifiers.runtime import Scorer
from classifiers.site.judgement import limits, verdicts
from classifiers.site.reservoir import draw
from classifiers.site.suggestions import _pair
from tests.unit.classifiers import site_data

ADVERTISEMENT = "تابعوا قناتي على يوتيوب وصلوا على النبي"
SPAM = "قروض شخصية بدون كفيل اتصل الان واتساب 0501234567"


@pytest.fixture(scope="module")
def flooded(tmp_path_factory):
    """A site's log in which one advertisement stands five hundred times."""
    rows = [replace(row, spam=0) for row in site_data.log(300, site_data.ARABIC, language="ar")]
    copies = [LabelledText(ADVERTISEMENT, language="ar", spam=1, reject=1, at=rows[0].at) for _ in range(500)]
    out = tmp_path_factory.mktemp("flooded") / "model"
    return out, retrain([*rows, *copies], out=out)


def test_one_advertisement_however_often_teaches_nothing_of_others(flooded, shipped):
    out, report = flooded
    assert "spam" not in report.outputs
    (note,) = [one for one in report.notes if one.fields.get("output") == "spam"]
    assert note.words() == "spam: 1 positive and 300 negative labels, copies of a text counted once"
    (before,), (after,) = shipped.score([SPAM]), Scorer.load(out).score([SPAM])
    assert after.spam == before.spam


@pytest.mark.parametrize(("copies", "is_proven"), [(1, True), (30, False)])
def test_copies_prove_no_threshold(copies, is_proven):
    """Thirty insults that a model is sure of prove a threshold where they are different texts, not where they are one."""
    groups = [f"insult {at // copies}" for at in range(30)] + [f"civil {at}" for at in range(60)]
    material = SimpleNamespace(
        groups=groups, labels={"abuse": np.array([1] * 30 + [0] * 60)}, weights=np.ones(90)
    )
    trained = SimpleNamespace(
        held_rows=np.arange(90),
        held_log_odds=np.array([5.0] * 30 + [-5.0] * 60),
        apply=lambda _material, _rows, log_odds: log_odds,
    )
    assert (_pair(material, "abuse", trained)["reject"] is not None) == is_proven


def test_labels_of_few_different_texts_are_refused(tmp_path):
    rows = [
        LabelledText(text, spam=label) for text, label in ((ADVERTISEMENT, 1), (SPAM, 1), ("صباح الخير", 0))
    ] * 50
    with pytest.raises(
        LabelsError, match=r"copies of a text counted once; spam has most: 3 labels, 1 of the rarer"
    ):
        retrain(rows, out=tmp_path / "model")


def test_the_last_decision_on_a_comment_counts_and_those_taken_back_do_not():
    (first, *others) = site_data.log(3)
    changed = replace(first, abuse=1 - first.abuse, reject=1 - first.reject, at=first.at + timedelta(days=1))
    sample = draw([changed, *others, first])  # whatever the order they come in
    assert (sample.rows, sample.replaced) == ([changed, *others], 1)
    untimed = [replace(one, at=None) for one in (first, changed)]
    assert draw(untimed).rows == [untimed[1]]


def test_what_two_people_say_of_different_outputs_or_of_another_text_stays():
    (first, *_) = site_data.log(1)
    rows = [
        first,
        replace(first, abuse=None, reject=None, spam=1),
        replace(first, text="another", abuse=1 - first.abuse),
        replace(first, site="other", abuse=1 - first.abuse),
        replace(first, id=None, abuse=1 - first.abuse),
    ]
    assert draw(rows).rows == rows


def test_a_language_without_thresholds_is_judged_as_the_service_judges_it():
    assert limits({"ar": {"abuse": {"doubt": 0.6, "reject": None}}}, None, "abuse")["doubt"] == 0.5
    given = {
        output: np.array([np.nan, np.nan])
        for output in ("spam", "reject", "insult", "obscene", "threat", "hate")
    }
    assert verdicts([None, None], {"abuse": np.array([0.4, 0.6]), **given}, {}) == ["approve", "hold"]
