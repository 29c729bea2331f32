"""Limits are read with every fault named, and the worked example of `rates` is what happens."""

from typing import Any

import pytest

from moderation.domain.errors import InvalidConfigurationError
from moderation.domain.rates import SECOND_US, Charge, Denial, Limit, Limits, RateBook, denial

OFF = Limit(0, 1, 1)


def test_the_defaults_are_those_of_the_design() -> None:
    assert Limits.from_json({}) == Limits(
        author=Limit(1, 15, 3), address=Limit(60, 60, 60), thread=Limit(120, 60, 120), site=Limit(50, 1, 50)
    )


def test_limits_are_read_as_they_were_written() -> None:
    limits = Limits(Limit(2, 30, 5), OFF, Limit(7, 86_400, 1), Limit(1_000_000, 1, 1_000_000))
    assert Limits.from_json(limits.as_json()) == limits


def test_what_is_left_out_keeps_its_default_but_a_new_count_brings_its_own_burst() -> None:
    limits = Limits.from_json({"author": {"burst": 5}, "address": {"count": 10}, "thread": {"period_s": 30}})
    assert limits == Limits(author=Limit(1, 15, 5), address=Limit(10, 60, 10), thread=Limit(120, 30, 120))


def test_a_number_alone_is_a_count_and_zero_switches_a_limit_off() -> None:
    limits = Limits.from_json({"site": 500, "address": 0, "author": {"count": 0}})
    assert limits.site == Limit(500, 1, 500)
    assert (limits.address.interval_us, limits.author.interval_us) == (0, 0)


def test_an_interval_is_rounded_up_so_that_no_rate_is_exceeded() -> None:
    assert Limit(7, 60, 1).interval_us == 8_571_429
    assert Limit(1_000_000, 1, 1).interval_us == 1


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        (None, {"": "wrong_type"}),
        ([1], {"": "wrong_type"}),
        ({"authors": 1}, {"/authors": "unknown_field"}),
        ({"author": None, "site": "50"}, {"/author": "wrong_type", "/site": "wrong_type"}),
        ({"author": True}, {"/author": "wrong_type"}),
        ({"author": -1, "site": 10**7}, {"/author": "invalid_value", "/site": "invalid_value"}),
        ({"author": {"count": 1.5, "period_s": 0, "burst": 0, "x": 1}},
         {"/author/count": "wrong_type", "/author/period_s": "invalid_value", "/author/burst": "invalid_value",
          "/author/x": "unknown_field"}),
        ({"author": {"count": 1, "period_s": 86_400, "burst": 31}}, {"/author": "invalid_value"}),
    ],
)  # fmt: skip
def test_every_faulty_key_is_named_at_once(value: Any, faults: dict[str, str]) -> None:
    with pytest.raises(InvalidConfigurationError) as refused:
        Limits.from_json(value)
    assert {error.pointer: error.code for error in refused.value.errors} == faults


@pytest.mark.parametrize("value", ["three", "3", 1.5, None, [3]])
def test_what_is_no_limit_is_told_that_a_count_is_expected(value: Any) -> None:
    with pytest.raises(InvalidConfigurationError) as refused:
        Limits.from_json({"author": value})
    assert refused.value.errors[0].values == {"expected": "whole number"}


def test_the_worked_example() -> None:
    limits, book = Limits(Limit(1, 15, 3), OFF, OFF, OFF), RateBook()
    answers = []
    for number, second in enumerate([0, 1, 2, 3, 15]):
        charge = Charge((b"a", None, b"t", b"s"), b"%d" % number, b"%8d" % number)
        tally = book.check(charge, limits, now_us=second * SECOND_US)
        answers.append((tally.ahead_us[0] // SECOND_US, denial(limits, tally)))
    assert answers == [(15, None), (29, None), (43, None), (42, Denial("author", 12)), (45, None)]
