"""The share that probabilities stand for, and thresholds that only proven precision gives."""

import numpy as np
import pytest

from classifiers.calibration import Calibration
from classifiers.decision import common_share, probabilities, spam_share, thresholds


def _source(share, rows=400, shift=1.5):
    """Return labels and margins of a source: positives lie higher, and both kinds overlap."""
    random = np.random.default_rng(int(share * 1000))
    labels = (np.arange(rows) < share * rows).astype(np.int64)
    return labels, random.normal(shift * (2 * labels - 1), 1.5)


def test_sources_with_few_positives_ask_for_a_low_share():
    even = Calibration(2.0, 0.0)
    few, moved = common_share({"a": _source(0.05), "b": _source(0.1)}, even)
    many, _ = common_share({"a": _source(0.5), "b": _source(0.6)}, even)
    assert few < many
    assert moved.offset < even.offset
    assert moved.slope == even.slope


def test_sources_of_one_class_say_nothing_about_the_share():
    even = Calibration(2.0, 0.0)
    assert common_share({"a": (np.ones(9, np.int64), np.ones(9))}, even) == (0.5, even)


def test_rejection_needs_every_source_to_be_precise():
    sure = np.concatenate([np.full(50, 0.99), np.linspace(0.01, 0.6, 200)])
    right = (np.arange(250) < 50).astype(np.int64)
    wrong = right.copy()
    wrong[:10] = 0
    assert thresholds("abuse", {"a": (right, sure)})["reject"] == pytest.approx(0.9)
    assert thresholds("abuse", {"a": (right, sure), "b": (wrong, sure)})["reject"] is None


def test_a_few_doubtful_labels_among_the_surest_rows_do_not_decide_alone():
    labels = np.array(
        [0] * 2 + [1] * 20 + [1] * 200 + [0] * 200
    )  # 2 of 22 wrong above .998, 2 of 222 above .95
    values = np.array([0.9985] * 22 + [0.95] * 200 + [0.1] * 200)
    assert thresholds("abuse", {"a": (labels, values)})["reject"] == pytest.approx(0.9)
    labels[20:80] = 0
    assert thresholds("abuse", {"a": (labels, values)})["reject"] is None


def test_what_many_rows_disprove_ends_the_search():
    labels = np.array([1] * 30 + [0] * 10 + [1] * 40 + [1] * 400 + [0] * 100)
    values = np.array(
        [0.99] * 30 + [0.97] * 50 + [0.95] * 400 + [0.1] * 100
    )  # 30, 70 of 80, 470 of 480 right
    assert thresholds("abuse", {"a": (labels, values)})["reject"] == pytest.approx(0.971)


def test_rows_of_a_source_that_is_all_abuse_prove_no_precision():
    abuse = np.ones(300, np.int64), np.full(300, 0.99)  # nothing in it could be wrong
    mixed = np.array([1] * 5 + [0] * 200), np.array([0.99] * 5 + [0.1] * 200)
    assert thresholds("abuse", {"a": abuse, "b": mixed})["reject"] is None


def test_too_few_rejected_rows_prove_nothing():
    values = np.concatenate([np.full(5, 0.99), np.linspace(0.01, 0.6, 200)])
    labels = (np.arange(205) < 5).astype(np.int64)
    assert thresholds("spam", {"a": (labels, values)})["reject"] is None


def test_doubt_keeps_false_alarms_within_what_is_allowed():
    values = np.linspace(0, 1, 1001)
    labels = np.zeros(1001, np.int64)
    labels[-100:] = 1
    doubt = thresholds("abuse", {"a": (labels, values)})["doubt"]
    assert (values[labels == 0] >= doubt).mean() <= 0.10


def test_spam_is_drawn_where_hardly_an_ordinary_comment_stands_above_one_half():
    labels = np.repeat([0, 1], 100)
    margins = np.concatenate([np.linspace(-3, -1.5, 100), np.linspace(-1, 3, 100)])
    ordinary = np.concatenate([np.full(970, -4.0), np.full(30, 0.1)])
    wide, _ = spam_share({"mixed": (labels, margins)}, Calibration(1.0, 0.0))
    sources = {"mixed": (labels, margins), "ordinary": (np.zeros(1000, np.int64), ordinary)}
    narrow, calibration = spam_share(sources, Calibration(1.0, 0.0))
    assert wide > 0.5 > narrow
    assert (probabilities(ordinary, calibration) > 0.5).mean() <= 0.01


def test_without_a_single_negative_nothing_is_rejected_and_only_the_surest_is_doubted():
    found = thresholds("spam", {"collected": (np.ones(200, np.int64), np.linspace(0, 1, 200))})
    assert found == {"doubt": 0.995, "reject": None}
