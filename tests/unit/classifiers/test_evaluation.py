"""Figures of an evaluation agree with what is known beforehand; its page holds no text and loads nothing."""

import json

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from classifiers.errors import DatasetError, LabelsError
from classifiers.evaluation import page, rows
from classifiers.evaluation.figures import FIGURES, Draws, Judged, bootstrap, confusion
from classifiers.evaluation.parts import count_different, differences, judge, missing, verdict_counts
from classifiers.evaluation.rows import DOUBT, HAS_DOUBT, HAS_REJECT, REJECT, read_scored
from classifiers.runtime import TextScores
from classifiers.site.columns import Wished

LIMITS = HAS_DOUBT | HAS_REJECT


def judged(labels, probabilities, *, doubt=0.5, reject=0.9):
    values = np.array(probabilities, np.float64)
    bands = LIMITS | np.where(values >= doubt, DOUBT, 0) | np.where(values >= reject, REJECT, 0)
    return Judged(np.array(labels, np.int8), values, bands.astype(np.int8))


def figures(one):
    return dict(zip(FIGURES, Draws(one).figures(np.ones(one.labels.size)), strict=True))


class FakeScorer:
    """Gives the number that a text is for spam, and nothing else; French it does not know."""

    version = "fake-1"

    def __init__(self, shift=0.0):
        self.thresholds = {"en": {"spam": {"doubt": 0.5, "reject": 0.9}}}
        self.shift = shift

    def score(self, texts, *, author_urls=None):
        return [self._scores(text) for text in texts]

    def _scores(self, text):
        if text == "inconnu":
            return TextScores("fr", False, None, None, None, None, None, None, None)
        return TextScores("en", True, float(text) + self.shift, *[None] * 6)


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def scored(path, *scorers):
    return read_scored([path], scorers or [FakeScorer()], columns=Wished(), progress=lambda _: None)


def judge_all(found):
    return judge(found, seed=0, progress=lambda _: None)


RECORDS = [
    {"text": "0.95", "spam": 1, "source": "a"},
    {"text": "0.6", "spam": 1, "source": "a"},
    {"text": "0.7", "spam": 0, "source": "a"},
    {"text": "0.1", "spam": 0, "source": "b"},
    {"text": "0.2", "spam": None, "source": "b"},
    {"text": "inconnu", "spam": 1, "source": "b"},
]


def test_figures_of_four_rows_are_those_counted_by_hand():
    found = figures(judged([1, 1, 0, 0], [0.95, 0.6, 0.7, 0.1]))
    assert found["auc"] == 0.75
    assert (found["doubt_precision"], found["doubt_recall"]) == (2 / 3, 1.0)
    assert (found["reject_precision"], found["reject_recall"]) == (1.0, 0.5)
    assert found["macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert found["ece"] == pytest.approx((0.05 + 0.4 + 0.7 + 0.1) / 4)
    assert found["called_positive"] == 0.75


def test_a_calibrated_model_has_no_calibration_error_and_a_shifted_one_its_shift():
    calibrated = np.repeat([0.25, 0.75], [100, 100])
    labels = np.repeat([1, 0, 1, 0], [25, 75, 75, 25])
    assert figures(judged(labels, calibrated))["ece"] == 0
    assert figures(judged(labels, calibrated + 0.2))["ece"] == pytest.approx(0.2)


def test_figures_agree_with_scikit_learn_on_many_rows_with_ties():
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 5000)
    values = np.round(np.clip(random.normal(0.4 + 0.2 * labels, 0.2), 0, 1), 2)
    found = figures(judged(labels, values))
    assert found["auc"] == pytest.approx(roc_auc_score(labels, values), abs=1e-12)
    assert found["macro_f1"] == pytest.approx(f1_score(labels, values > 0.5, average="macro"), abs=1e-12)


def test_intervals_cover_what_is_true_and_are_the_same_for_the_same_seed():
    random = np.random.default_rng(2)
    labels = random.integers(0, 2, 2000)
    values = np.clip(random.normal(0.4 + 0.2 * labels, 0.2), 0, 1)
    (found,) = bootstrap([judged(labels, values)], seed=3)
    truth = 0.7602  # P(N(0.2, 0.2·√2) > 0), the AUC of these two bells before clipping
    assert found["auc"].low < truth < found["auc"].high
    assert 0.02 < found["auc"].high - found["auc"].low < 0.06
    assert bootstrap([judged(labels, values)], seed=3) == [found]
    assert bootstrap([judged(labels, values)], seed=4) != [found]


def test_differences_are_paired():
    random = np.random.default_rng(2)
    labels = random.integers(0, 2, 500)
    values = np.clip(random.normal(0.4 + 0.2 * labels, 0.2), 0, 1)
    *_, same = bootstrap([judged(labels, values)] * 2, seed=0)
    assert all((one.value, one.low, one.high) == (0, 0, 0) for one in same.values())
    before, after, difference = bootstrap([judged(labels, values), judged(labels, values**2)], seed=0)
    assert (difference["auc"].low, difference["auc"].high) == (0, 0)
    assert difference["macro_f1"].value == after["macro_f1"].value - before["macro_f1"].value < 0


def test_what_is_undefined_is_said_to_be():
    (found,) = bootstrap([judged([1, 1], [0.2, 0.3])], seed=0)
    assert all(np.isnan(found[name].value) for name in ("auc", "doubt_precision", "reject_precision"))
    bare = Judged(np.array([1, 0], np.int8), np.array([0.9, 0.1]), np.zeros(2, np.int8))
    assert np.isnan(figures(bare)["reject_recall"])


def test_confusion_counts_every_row_once():
    found = confusion(judged([1, 1, 0, 0], [0.95, 0.6, 0.7, 0.1]))
    assert found == {
        "positive": {"reject": 1, "doubt": 1, "pass": 0},
        "negative": {"reject": 0, "doubt": 1, "pass": 1},
    }


def test_parts_are_sources_languages_and_lengths_and_unscored_rows_count_in_none(tmp_path):
    found = judge_all(scored(write(tmp_path / "a.jsonl", RECORDS)))
    assert [(one.output, one.kind, one.name, one.rows, one.positives, one.not_scored) for one in found] == [
        ("spam", "all", "", 4, 2, 1),
        ("spam", "source", "a", 3, 2, 0),
        ("spam", "source", "b", 1, 0, 1),
        ("spam", "language", "en", 4, 2, 0),
        ("spam", "length", "0 to 49", 4, 2, 1),
    ]
    assert found[0].figures[0]["auc"].value == 0.75


def test_rows_judged_differently_are_named_by_number(tmp_path):
    found = scored(write(tmp_path / "a.jsonl", RECORDS), FakeScorer(), FakeScorer(0.25))
    assert [(one.row, one.before, one.after, one.labels) for one in differences(found)] == [
        (3, "doubt", "reject", {"spam": 0})
    ]
    assert count_different(found) == 1
    assert verdict_counts(found) == [
        {"pass": 2, "doubt": 3, "reject": 1},
        {"pass": 2, "doubt": 2, "reject": 2},
    ]


def test_without_a_label_that_the_model_can_be_held_to_it_says_so(tmp_path):
    found = scored(write(tmp_path / "a.jsonl", [{"text": "0.5", "abuse": 1}]))
    assert [note.words() for note in missing(found)] == [
        "abuse: labelled, but fake-1 gives no probability of it for any labelled row"
    ]
    with pytest.raises(LabelsError, match="abuse: labelled, but fake-1 gives no probability"):
        judge_all(found)
    with pytest.raises(LabelsError, match="no row has a label: none of the columns state, spam"):
        judge_all(scored(write(tmp_path / "b.jsonl", [{"text": "0.5"}])))


def test_rows_without_text_are_passed_over_and_counted(tmp_path):
    gaps = [{"text": None, "spam": 1}, *RECORDS, {"spam": 1}]
    found = scored(write(tmp_path / "a.jsonl", gaps))
    assert (found.rows, found.without_text) == (len(RECORDS), 2)
    assert found.row.tolist() == list(range(2, len(RECORDS) + 2))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no rows"),
        (b'{"words": "a"}\n', "no column 'text'"),
        (b'{"text": "\xff"}\n', "not UTF-8"),
        (b'{"text": "0.5", "spam": 7}\n', "'spam' is neither 0, 1 nor empty"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_fault(tmp_path, content, words):
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=words):
        scored(path)


def test_too_many_rows_are_refused_rather_than_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "MAX_ROWS", 3)
    with pytest.raises(DatasetError, match="more than 3 rows"):
        scored(write(tmp_path / "a.jsonl", RECORDS))


def test_the_page_holds_every_plot_and_escapes_what_it_is_given(tmp_path):
    hostile = [record | {"source": "<script>alert(1)</script>"} for record in RECORDS]
    found = scored(write(tmp_path / "a.jsonl", hostile))
    shown = page.render(page.Report(["fake-1"], found.files, found.rows, judge_all(found)))
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert shown.count("<svg") == 4 * 4
    for word in ("Precision and recall", "ROC", "Calibration", "Scores"):
        assert word in shown
    assert "//" not in shown
    assert "src=" not in shown
    assert "0.750" in shown
    row = shown[shown.index('<th scope="row">positive') :].split("</tr>")[0]
    assert [cell.split("<")[0] for cell in row.split('<td class="n">')[1:]] == ["0", "1", "1"]


def test_the_roc_curve_goes_from_corner_to_corner():
    points = page.roc_points(judged([1, 1, 0, 0], [0.95, 0.6, 0.7, 0.1]))
    assert (points[0], points[-1]) == ((0, 0), (1, 1))
    assert (0, 0.5) in points
    assert points == sorted(points)


@pytest.mark.parametrize("rows", [5, 20, 400])
def test_a_share_that_every_draw_repeats_still_has_an_interval(rows):
    labels = np.array([1] * rows + [0] * rows)
    (found,) = bootstrap([judged(labels, np.where(labels, 0.95, 0.05))], seed=0)
    low = rows / (rows + 1.96**2)  # Wilson's, of all right
    for name in ("doubt_precision", "doubt_recall", "reject_precision", "reject_recall"):
        assert (found[name].value, found[name].high) == (1.0, 1.0)
        assert found[name].low == pytest.approx(low)
    labels[0] = 0  # one wrong: drawn again
    (found,) = bootstrap([judged(labels, np.where(np.arange(2 * rows) < rows, 0.95, 0.05))], seed=0)
    assert found["reject_precision"].low < found["reject_precision"].value < found["reject_precision"].high
