"""Where a comment stands after an attempt."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from moderation.delivery.endpoint import Answer, Outcome
from moderation.delivery.standings import Destination, Lease, Parcel, Result, Standing, standing_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNTIL = NOW + timedelta(seconds=30)
LATER = NOW + timedelta(minutes=10)
LEASE = Lease(UUID(int=1), 7, 3, 2, UNTIL)
STANDING = Standing(3, 2, UNTIL, NOW - timedelta(hours=1))


def result(
    outcome: Outcome = Outcome.DELIVERED, *, retry_at: datetime | None = None, sequence: int = 3
) -> Result:
    parcel = Parcel(
        LEASE, sequence, {}, Destination("https://news.example", (b"s",), "ar", may_be_private=False)
    )
    return Result(parcel, Answer(outcome), NOW, retry_at)


def after(given: Result, standing: Standing = STANDING, last_sequence: int | None = 3) -> Standing | None:
    return standing_after(given, standing, last_sequence=last_sequence, now=NOW)


def test_nothing_is_left_once_the_newest_event_is_delivered():
    assert after(result()) is None


def test_a_newer_event_is_due_at_once_with_a_fresh_schedule():
    assert after(result(), last_sequence=5) == Standing(4, 0, NOW, NOW)


def test_a_failure_counts_and_waits():
    assert after(result(Outcome.TIMEOUT, retry_at=LATER)) == Standing(3, 3, LATER, STANDING.first_due_at)


def test_a_dead_event_blocks_nothing():
    dead = result(Outcome.TIMEOUT)
    assert dead.is_dead
    assert after(dead, last_sequence=4) == Standing(4, 0, NOW, NOW)
    assert after(dead) is None


def test_gaps_in_the_sequence_are_passed_over():
    assert after(result(sequence=6), last_sequence=7) == Standing(7, 0, NOW, NOW)


def test_a_comment_that_is_no_more_leaves_nothing():
    assert after(result(), last_sequence=None) is None


@pytest.mark.parametrize("given", [result(), result(Outcome.TIMEOUT, retry_at=LATER), result(Outcome.GONE)])
def test_a_standing_that_was_moved_to_another_event_stays(given: Result):
    moved = Standing(1, 0, NOW, NOW)
    assert after(given, moved) is moved


def test_after_the_lease_ran_out_only_a_success_counts():
    leased_by_another = Standing(3, 2, UNTIL + timedelta(seconds=31), NOW)
    assert after(result(Outcome.TIMEOUT, retry_at=LATER), leased_by_another) is leased_by_another
    assert after(result(Outcome.GONE), leased_by_another) is leased_by_another
    assert after(result(), leased_by_another) is None
