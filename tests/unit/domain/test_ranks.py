"""Places in the queue: what is more urgent comes first, then what is older, also after September 2039."""

from datetime import UTC, datetime, timedelta

import pytest

from moderation.domain.ranks import rank, received_at

OVERFLOW = datetime.fromtimestamp((1 << 41) / 1000, UTC)
"""When milliseconds since 1970 need 42 bits."""


@pytest.mark.parametrize(
    "moment", [datetime(2026, 11, 28, tzinfo=UTC), OVERFLOW, datetime(2100, 1, 1, tzinfo=UTC)]
)
@pytest.mark.parametrize("abuse", [0.0, 0.30001, 0.30004, 0.5, 0.99, 1.0, None])
def test_of_two_alike_the_older_comes_first(moment: datetime, abuse: float | None) -> None:
    older = rank(moment - timedelta(days=30), abuse=abuse, spam=0.1)
    newer = rank(moment + timedelta(days=30), abuse=abuse, spam=0.1)
    assert (older.oldest, older.abuse, older.uncertain) < (newer.oldest, newer.abuse, newer.uncertain)
    assert older.abuse < newer.abuse
    assert older.uncertain < newer.uncertain


@pytest.mark.parametrize("moment", [datetime(2026, 11, 28, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)])
def test_a_more_abusive_one_comes_before_an_older_one_and_all_fit_into_a_bigint(moment: datetime) -> None:
    old, new = moment - timedelta(days=9000), moment
    assert rank(new, abuse=0.4, spam=0.0).abuse < rank(old, abuse=0.3998, spam=0.0).abuse
    for share in (0.0, 0.5, 1.0):
        placed = rank(moment, abuse=share, spam=share)
        assert max(placed.oldest, placed.abuse, placed.uncertain) < 2**63


def test_the_moment_is_read_back_from_the_place() -> None:
    moment = datetime(2040, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)
    assert received_at(rank(moment, abuse=None, spam=None).oldest) == moment


def test_ranks_with_one_age_bit_less_keep_their_place_among_those_with_one_more() -> None:
    """Tasks that were open at the upgrade."""
    moment = datetime(2026, 11, 28, tzinfo=UTC)
    age = int(moment.timestamp() * 1000) << 7

    def before(abuse: float) -> int:
        return round((1.0 - abuse) * 32767) << 48 | age

    for abuse in (0.9, 0.5, 0.2, 0.1):
        assert rank(moment, abuse=abuse + 0.001, spam=0.0).abuse < before(abuse)
        assert before(abuse) < rank(moment, abuse=abuse - 0.001, spam=0.0).abuse
