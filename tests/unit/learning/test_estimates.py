"""Error rates: right on average whatever is looked at besides, and sure only where enough was looked at."""

import random

from moderation.domain.intervals import share
from moderation.domain.verdict import Scores, Verdict
from moderation.learning.distributions import DRIFTED, distribution, drift
from moderation.learning.health import error_rates
from moderation.storage.estimates import Judged

A, H, R = Verdict.APPROVE, Verdict.HOLD, Verdict.REJECT


def test_precision_and_recall_count_everything_that_each_row_stands_for() -> None:
    judged = [
        Judged("ar", A, A, 50.0, 95),
        Judged("ar", A, R, 50.0, 5),
        Judged("ar", R, R, 50.0, 18),
        Judged("ar", R, A, 50.0, 2),
        Judged("ar", H, R, 1.0, 100),
        Judged("en", H, A, 1.0, 7),
    ]
    rates = error_rates(judged)
    assert rates["ar"]["approve"].precision.value == 0.95
    assert rates["ar"]["approve"].precision.rows == 100
    assert rates["ar"]["reject"].precision.value == 0.9
    assert rates["ar"]["reject"].recall.value == 18 * 50 / (18 * 50 + 5 * 50 + 100)
    assert rates["en"]["reject"].precision.value is None
    assert rates["all"]["approve"].recall.value == 95 * 50 / (95 * 50 + 2 * 50 + 7)


def test_the_estimate_is_right_on_average_and_its_interval_holds_the_truth_most_times() -> None:
    draw = random.Random(7)
    truth, audit_share, inside, values = 0.03, 0.02, 0, []
    for _ in range(200):
        wrong = right = 0
        for _ in range(10_000):
            if draw.random() < audit_share:
                is_wrong = draw.random() < truth
                wrong, right = wrong + is_wrong, right + (not is_wrong)
        rate = error_rates([Judged("ar", A, A, 50.0, right), Judged("ar", A, R, 50.0, wrong)])["ar"][
            "approve"
        ]
        found = rate.precision
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        values.append(1 - found.value)
        inside += found.low <= 1 - truth <= found.high
    assert abs(sum(values) / len(values) - truth) < 0.003
    assert inside >= 180


def test_rows_that_stand_for_many_make_a_share_less_sure() -> None:
    even, uneven = (
        share([True] * 50 + [False] * 50, [1.0] * 100),
        share([True] * 50 + [False] * 50, [1.0] * 98 + [200.0] * 2),
    )
    assert even.low is not None
    assert even.high is not None
    assert uneven.low is not None
    assert uneven.high is not None
    assert uneven.high - uneven.low > even.high - even.low
    assert share([], []).value is None


def test_drift_is_none_where_nothing_moved_and_alarming_where_scores_wandered() -> None:
    draw = random.Random(3)
    calm = [Scores(spam=draw.betavariate(1, 9), abuse=draw.betavariate(2, 5)) for _ in range(3000)]
    again = [Scores(spam=draw.betavariate(1, 9), abuse=draw.betavariate(2, 5)) for _ in range(3000)]
    other = [Scores(spam=draw.betavariate(4, 5), abuse=draw.betavariate(2, 5)) for _ in range(3000)]
    assert max(drift(distribution(calm), distribution(again)).values()) < 0.05
    wandered = drift(distribution(calm), distribution(other))
    assert wandered["spam"] > DRIFTED > wandered["abuse"]
    assert drift(distribution(calm[:50]), distribution(other)) == {}
    assert drift(None, distribution(other)) == {}
    assert drift(distribution([Scores(spam=1.0, abuse=0.0)] * 300), distribution(other)).keys() == {
        "spam",
        "abuse",
    }
