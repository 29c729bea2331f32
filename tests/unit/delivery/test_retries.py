"""The schedule: about three days, never a wait outside of its bounds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.delivery.retries import JITTER, MAX_ATTEMPTS, SCHEDULE_S, delay_s, parse_retry_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_schedule_lasts_about_three_days_and_only_grows():
    assert list(SCHEDULE_S) == sorted(SCHEDULE_S)
    assert 3 * 86400 < sum(SCHEDULE_S) < 3.5 * 86400


@given(st.integers(1, MAX_ATTEMPTS - 1), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 1e9))
def test_a_wait_is_within_the_jitter_and_at_most_two_steps_ahead(
    failures: int, draw: float, retry_after_s: float | None
):
    wait_s = delay_s(failures, draw=draw, retry_after_s=retry_after_s)
    step_s = SCHEDULE_S[failures - 1]
    latest_s = SCHEDULE_S[min(failures + 1, len(SCHEDULE_S) - 1)]
    assert wait_s is not None
    assert (
        step_s * (1 - JITTER)
        <= wait_s
        <= max(step_s * (1 + JITTER), latest_s if retry_after_s is not None else 0)
    )


def test_jitter_spreads_over_the_whole_width():
    assert delay_s(1, draw=0.0) == pytest.approx(4.0)
    assert delay_s(1, draw=0.5) == pytest.approx(5.0)
    assert delay_s(1, draw=1.0) == pytest.approx(6.0)


def test_after_the_last_attempt_there_is_no_other():
    assert delay_s(MAX_ATTEMPTS - 1, draw=0.5) == 86400
    assert delay_s(MAX_ATTEMPTS, draw=0.5, retry_after_s=5) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("120", 120.0),
        ("0", 0.0),
        ("9" * 400, 999999999999.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("١٢٠", None),
        ("", None),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0),
        ("Sun, 01 Mar 2026 12:01:30 -0000", 90.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 32 Mar 2026 11:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, expected: float | None):
    assert parse_retry_after(text, NOW) == expected


@given(st.text())
def test_any_retry_after_is_read_or_ignored(text: str):
    seconds = parse_retry_after(text, NOW)
    assert seconds is None or seconds >= 0


@given(st.integers(1, MAX_ATTEMPTS - 1), st.floats(0, 1e12))
def test_every_wait_can_be_added_to_a_time(failures: int, retry_after_s: float):
    wait_s = delay_s(failures, draw=0.9, retry_after_s=retry_after_s)
    assert wait_s is not None
    assert NOW + timedelta(seconds=wait_s) > NOW
