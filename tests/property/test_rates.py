"""The rate algorithm keeps its promises, and the script on a real Valkey computes exactly what the Python model does."""

import asyncio
import uuid
from collections.abc import Sequence
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from moderation.domain.rates import (
    RULES,
    SECOND_US,
    SIGHTING_BYTES,
    Charge,
    Limit,
    Limits,
    RateBook,
    Tally,
    denial,
)
from moderation.engines import EngineAddresses
from moderation.intake.rates import RateLimiter, RateRequest

START_US = 1_800_000_000 * SECOND_US
OFF = Limit(0, 1, 1)

small_limits = st.builds(Limit, st.integers(0, 4), st.sampled_from([1, 7, 60]), st.integers(1, 4))
any_limits = st.builds(Limits, small_limits, small_limits, small_limits, small_limits)
steps_us = st.one_of(
    st.sampled_from([0, 1, 250_000, SECOND_US, 7 * SECOND_US, 15 * SECOND_US, 60 * SECOND_US]),
    st.sampled_from([600 * SECOND_US - 1, 600 * SECOND_US, 24 * 3600 * SECOND_US - 1, 24 * 3600 * SECOND_US]),
    st.integers(0, 100 * SECOND_US),
)


def charge(site: str, cells: Sequence[str | None], submission: int, text: int) -> Charge:
    """Name the same things as `RateLimiter` does, by other names."""
    keys = [
        None if cell is None else f"{site} {rule} {cell}".encode()
        for rule, cell in zip(RULES, cells, strict=True)
    ]
    return Charge(
        cells=(keys[0], keys[1], keys[2], keys[3]),
        text_key=f"{site} text {text}".encode(),
        sighting=submission.to_bytes(SIGHTING_BYTES, "big"),
    )


def only(limit: Limit) -> Limits:
    return Limits(limit, OFF, OFF, OFF)


class OneCell:
    """Submissions of one author under one limit."""

    def __init__(self, limit: Limit) -> None:
        self.limits, self.book, self.count = only(limit), RateBook(), 0

    def submit(self, now_us: int) -> Tally:
        self.count += 1
        return self.book.check(
            charge("s", ["a", None, None, None], self.count, self.count), self.limits, now_us=now_us
        )


@given(
    st.builds(Limit, st.integers(1, 9), st.integers(1, 60), st.integers(1, 9)),
    st.lists(steps_us, max_size=60),
)
def test_no_window_lets_more_through_than_its_burst_and_rate(limit: Limit, steps: list[int]) -> None:
    cell, now_us = OneCell(limit), START_US
    passed: list[int] = []
    for step in steps:
        now_us += step
        if cell.submit(now_us).is_allowed:
            passed.append(now_us)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            allowed = limit.burst + (passed[last] - passed[first]) // limit.interval_us
            assert last - first + 1 <= allowed


@given(
    st.builds(Limit, st.integers(1, 9), st.integers(1, 60), st.integers(1, 9)),
    st.lists(steps_us, max_size=30),
)
def test_who_comes_back_when_told_is_let_through_and_not_much_sooner(limit: Limit, steps: list[int]) -> None:
    cell, now_us = OneCell(limit), START_US
    for step in steps:
        now_us += step
        tally = cell.submit(now_us)
        denied = denial(cell.limits, tally)
        assert (denied is None) is tally.is_allowed
        if denied is not None:
            assert 1 <= denied.retry_after_s <= limit.interval_us // SECOND_US + 1
            if denied.retry_after_s > 1:
                assert not cell.submit(now_us + (denied.retry_after_s - 1) * SECOND_US - 1).is_allowed
            now_us += denied.retry_after_s * SECOND_US
            assert cell.submit(now_us).is_allowed


@given(any_limits, st.permutations(range(4)), st.lists(steps_us, max_size=30))
def test_the_order_of_the_cells_does_not_matter(limits: Limits, order: list[int], steps: list[int]) -> None:
    shuffled = Limits(*(limits.in_order()[place] for place in order))
    straight_book, shuffled_book, now_us = RateBook(), RateBook(), START_US
    for number, step in enumerate(steps):
        now_us += step
        one = charge("s", "abcd", number, number)
        other = Charge(tuple(one.cells[place] for place in order), one.text_key, one.sighting)
        straight = straight_book.check(one, limits, now_us=now_us)
        mixed = shuffled_book.check(other, shuffled, now_us=now_us)
        assert mixed.is_allowed is straight.is_allowed
        assert [straight.ahead_us[place] for place in order] == list(mixed.ahead_us)
        waits = denial(limits, straight), denial(shuffled, mixed)
        assert (waits[0] and waits[0].retry_after_s) == (waits[1] and waits[1].retry_after_s)


@given(any_limits, st.lists(steps_us, max_size=30))
def test_a_denied_submission_moves_no_cell(limits: Limits, steps: list[int]) -> None:
    book, now_us = RateBook(), START_US
    for number, step in enumerate(steps):
        now_us += step
        first = book.check(charge("s", "abcd", number, number), limits, now_us=now_us)
        if not first.is_allowed:
            again = book.check(charge("s", "abcd", number, number), limits, now_us=now_us)
            assert again == first


@given(st.integers(1, 40), st.integers(1, 200))
def test_the_memory_of_the_model_is_bounded(bound: int, submissions: int) -> None:
    book = RateBook(bound)
    for number in range(submissions):
        cells = [f"a{number}", f"b{number}", "t", None]
        book.check(charge("s", cells, number, number % 7), Limits(), now_us=START_US + number)
    assert len(book._times) <= bound
    sightings = book._sightings
    held = sum(map(len, sightings._texts.values()))
    assert held == sightings._count
    assert held <= bound or len(sightings._texts) == 1


names = st.sampled_from([None, "a", "b"])
submissions = st.tuples(
    st.sampled_from(["north", "south"]),
    names,
    names,
    st.sampled_from(["t1", "t2"]),
    st.integers(0, 12),  # submission
    st.integers(0, 3),  # text
)


class ScriptAgainstModel(RuleBasedStateMachine):
    """Whatever is submitted in whatever groups at whatever times, the script answers as the model does."""

    def __init__(self, redis_url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.now_us = START_US
        self.limits = Limits()
        self.book = RateBook(1_000_000)
        self.fallbacks: list[str] = []
        self.limiter = RateLimiter(
            redis_url,
            on_fallback=self.fallbacks.append,
            key_prefix=f"{uuid.uuid4().hex}:",
            test_time_us=lambda: self.now_us,
            deadline_s=20.0,  # a slow machine must not turn this into a test of the fallback
        )

    @rule(step_us=steps_us)
    def wait(self, step_us: int) -> None:
        self.now_us += step_us

    @rule(step_us=st.integers(1, 20 * SECOND_US))
    def set_the_clock_back(self, step_us: int) -> None:
        self.now_us -= step_us

    @rule(limits=any_limits)
    def change_the_limits(self, limits: Limits) -> None:
        self.limits = limits

    @rule(group=st.lists(submissions, min_size=1, max_size=8))
    def submit(self, group: list[tuple[str, str | None, str | None, str, int, int]]) -> None:
        requests = [
            RateRequest(
                site=site,
                limits=self.limits,
                author=author and author.encode() * 16,
                address=address and address.encode() * 16,
                thread=thread,
                fingerprint=submission.to_bytes(SIGHTING_BYTES, "big") + b"the rest",
                text_hash=bytes([text]) * 16,
            )
            for site, author, address, thread, submission, text in group
        ]
        results = self.runner.run(self.limiter.check(requests))
        expected = [
            self.book.check(
                charge(site, [author, address, thread, "s"], submission, text),
                self.limits,
                now_us=self.now_us,
            )
            for site, author, address, thread, submission, text in group
        ]
        for result, tally in zip(results, expected, strict=True):
            denied = denial(self.limits, tally)
            assert (result.denied_by, result.retry_after_s) == (
                (denied.rule, denied.retry_after_s) if denied else (None, 0)
            )
            assert result.is_free is tally.is_free
            assert result.duplicates == tally.duplicates
            assert result.snapshot.ahead_us == tally.ahead_us

    @invariant()
    def redis_did_the_work(self) -> None:
        assert self.fallbacks == []

    def teardown(self) -> None:
        self.runner.run(self.limiter.close())
        self.runner.close()


def test_the_script_and_the_model_agree_on_anything(running_engines: EngineAddresses) -> None:
    run_state_machine_as_test(
        partial(ScriptAgainstModel, running_engines.redis_url),
        settings=settings(max_examples=60, stateful_step_count=40, deadline=None),
    )


def test_one_that_was_denied_makes_them_forget_nothing(running_engines: EngineAddresses) -> None:
    """Where the clock goes back over the end of a sighting's day, the sighting counts again: in both."""
    machine = ScriptAgainstModel(running_engines.redis_url)
    try:
        machine.change_the_limits(only(Limit(1, 60, 1)))
        machine.submit([("north", "a", None, "t1", 1, 1)])
        machine.wait(24 * 3600 * SECOND_US)
        machine.submit([("north", "b", None, "t1", 2, 2), ("north", "b", None, "t1", 3, 1)])
        machine.set_the_clock_back(SECOND_US)
        machine.submit([("north", "c", None, "t1", 4, 1)])
        machine.redis_did_the_work()
    finally:
        machine.teardown()
