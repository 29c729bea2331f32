"""Rate limits and recent duplicates on Redis; a coarse limiter in this process while Redis is away."""

import time
from asyncio import timeout
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b, sha1
from pathlib import Path
from typing import Any

import hiredis
import redis.exceptions
import structlog
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import MovedError, NoScriptError

from moderation.domain.rates import (
    SECOND_US,
    SIGHTING_BYTES,
    Charge,
    Limits,
    RateBook,
    Snapshot,
    Tally,
    denial,
)
from moderation.domain.values import Value
from moderation.intake.connections import Connections
from moderation.intake.nodes import Nodes

DEADLINE_S = 0.25
RETRY_AFTER_S = 1.0
"""How long Redis is left alone after it failed: a dead one costs a deadline a second, not one for every group."""
FALLBACK_CAUSES = ("timeout", "connection", "error", "open")
"""Why a group was limited in this process: too late, not reachable, refused by Redis, or left alone after one of these."""
MAX_PER_CALL = 64
"""Submissions in one call of the script, which nothing else on that Redis can interrupt (measured: 2 ms)."""

MAX_CONNECTIONS = 8
"""To each server."""
MOVES = 3
"""How often the keys of a site are looked for in a cluster that is being rearranged, before the group is limited here."""

_SCRIPT = Path(__file__).with_name("rates.lua").read_bytes()
_SCRIPT_SHA = sha1(_SCRIPT, usedforsecurity=False).hexdigest().encode()  # the name Redis gives it
_NUMBERS = 6  # that the script answers for one submission

log = structlog.get_logger()


class RateRequest(Value, frozen=True):
    """One submission to be charged; what of it reaches Redis is hashed."""

    PRIVATE = frozenset({"author", "address"})

    site: str
    limits: Limits
    author: bytes | None
    """Keyed hash of who writes (`Identities.author`)."""
    address: bytes | None
    """Keyed hash of the address, IPv6 by /64 (`Identities.address`)."""
    thread: str
    fingerprint: bytes
    """Keyed hash of the submission, the same for a retry; at least 8 bytes."""
    text_hash: bytes
    """Keyed hash of the text."""


class RateResult(Value, frozen=True):
    """What became of one submission."""

    denied_by: str | None
    """author, address, thread or site; None if it may go on."""
    retry_after_s: int
    """0 if it may go on, else at least 1."""
    duplicates: int
    """How many other submissions to this site had the same text within 24 h (counted up to 1000)."""
    snapshot: Snapshot
    is_free: bool = False
    """It had been charged within the last 10 min, and was not charged again."""


@dataclass(slots=True)
class _Call:
    """Submissions to one site under the same limits: one call of the script."""

    limits: Limits
    stem: bytes
    """What the keys of the site begin with."""
    places: list[int] = field(default_factory=list)
    """Where their results belong among those of the whole group."""
    charges: list[Charge] = field(default_factory=list)

    def add(self, place: int, request: RateRequest) -> None:
        """Take in one more submission."""
        stem = self.stem
        self.places.append(place)
        self.charges.append(
            Charge(
                cells=(
                    None if request.author is None else stem + b"a" + request.author,
                    None if request.address is None else stem + b"i" + request.address,
                    stem + b"t" + _digest(request.thread),
                    stem + b"s",
                ),
                text_key=stem + b"x" + request.text_hash,
                sighting=request.fingerprint[:SIGHTING_BYTES],
            )
        )

    def packed(self, command: bytes, script: bytes, test_time: bytes) -> bytes:
        """Return the call in Redis's protocol, with KEYS and ARGV as `rates.lua` wants them."""
        parts = [command, script, b"%d" % (1 + 4 * len(self.charges)), self.stem + b"s"]
        for charge in self.charges:
            parts.append(charge.text_key)
            parts += [charge.text_key if key is None else key for key in charge.cells[:3]]
        parts.append(test_time)
        for limit in self.limits.in_order():
            parts += (b"%d" % limit.interval_us, b"%d" % limit.tolerance_us)
        parts += [charge.sighting for charge in self.charges]
        packed: bytes = hiredis.pack_command(tuple(parts))  # type: ignore[arg-type]  # its stub allows one part only
        return packed

    def accepts(self, answer: object) -> bool:
        """Tell whether ``answer`` has the form that the script gives."""
        return (
            isinstance(answer, list)
            and len(answer) == len(self.charges) * _NUMBERS
            and set(map(type, answer)) == {int}
        )

    def results(self, tallies: Iterable[Tally]) -> Iterator[tuple[int, RateResult]]:
        """Yield each submission's place and result."""
        for place, tally in zip(self.places, tallies, strict=True):
            denied = denial(self.limits, tally)
            yield (
                place,
                RateResult(
                    denied_by=denied.rule if denied else None,
                    retry_after_s=denied.retry_after_s if denied else 0,
                    duplicates=tally.duplicates,
                    snapshot=Snapshot(self.limits, tally.ahead_us),
                    is_free=tally.is_free,
                ),
            )


class RateLimiter:
    """Checks groups of submissions, each group in one round trip.

    A submission is charged to all of its cells or to none, atomically. When Redis is away, late (``deadline_s``) or refuses, the
    group is checked against the same limits in this process alone, ``on_fallback`` is called with one of `FALLBACK_CAUSES`
    (for every such group; the log says only when it begins and ends), and the comments go on; Redis is tried again after a
    second. Never raises for Redis's sake.

    ``test_time_us`` replaces Redis's clock in tests.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        on_fallback: Callable[[str], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
        deadline_s: float = DEADLINE_S,
        key_prefix: str = "rates:",
        test_time_us: Callable[[], int] | None = None,
    ) -> None:
        factory = ConnectionPool.from_url(
            redis_url,
            socket_timeout=None,  # the deadline covers all of it
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,  # saves two commands on every connection
        )
        self._nodes = Nodes(Connections(factory, most=MAX_CONNECTIONS))
        self._on_fallback = on_fallback
        self._monotonic = monotonic
        self._deadline_s = deadline_s
        self._key_prefix = key_prefix.encode()
        self._test_time_us = test_time_us
        self._book = RateBook()
        self._left_alone_until: float | None = None

    @property
    def is_degraded(self) -> bool:
        """Whether the latest group could not use Redis."""
        return self._left_alone_until is not None

    async def check(self, requests: Sequence[RateRequest]) -> list[RateResult]:
        """Charge each submission, earlier ones first; the results are in the same order."""
        calls = self._calls(requests)
        answers = await self._ask(calls) if calls else []
        results: list[Any] = [None] * len(requests)
        for call, answer in zip(calls, answers, strict=True):
            for place, result in call.results(self._check_here(call) if answer is None else _tallies(answer)):
                results[place] = result
        return results

    async def close(self) -> None:
        """Close the connections; `check` opens new ones when it is called again."""
        await self._nodes.close()

    def _calls(self, requests: Sequence[RateRequest]) -> list[_Call]:
        filling: dict[tuple[str, int], _Call] = {}
        calls = []
        for place, request in enumerate(requests):
            key = (request.site, id(request.limits))
            call = filling.get(key)
            if call is None or len(call.charges) == MAX_PER_CALL:
                stem = b"%b{%b}:" % (self._key_prefix, request.site.encode("utf-8", "surrogatepass"))
                call = filling[key] = _Call(request.limits, stem)
                calls.append(call)
            call.add(place, request)
        return calls

    async def _ask(self, calls: list[_Call]) -> list[list[int] | None]:
        """Return the script's answer to each call, None where there is none."""
        if self._left_alone_until is not None:
            if self._monotonic() < self._left_alone_until:
                self._on_fallback("open")
                return [None] * len(calls)
            self._leave_alone()  # others wait for what this group finds
        try:
            async with timeout(self._deadline_s):
                answers = await self._round_trip(calls)
        except TimeoutError:
            return self._failed("timeout", calls)
        except (redis.exceptions.ConnectionError, OSError):
            return self._failed("connection", calls)
        except redis.exceptions.RedisError:
            return self._failed("error", calls)
        readable = [
            answer if call.accepts(answer) else None for call, answer in zip(calls, answers, strict=True)
        ]
        if None in readable:
            self._failed("error", calls)
        else:
            self._came_back()
        return readable

    async def _round_trip(self, calls: list[_Call]) -> list[Any]:
        """Return the answer to each call, from the server or, in a cluster, from the node that has the site's keys."""
        answers: list[Any] = [None] * len(calls)
        asked = list(range(len(calls)))
        for _ in range(1 + MOVES):
            for pool, places in self._nodes.by_node([calls[place].stem for place in asked]):
                found = await self._ask_node(pool, [calls[asked[place]] for place in places])
                for place, answer in zip(places, found, strict=True):
                    answers[asked[place]] = answer
            asked = [place for place in asked if isinstance(answers[place], MovedError)]
            if not asked:
                break
            for place in asked:
                self._nodes.moved(calls[place].stem, answers[place])
        return answers

    async def _ask_node(self, pool: Connections, calls: list[_Call]) -> list[Any]:
        async def ask(connection: Any) -> list[Any]:
            answers = await self._exchange(connection, calls, b"EVALSHA", _SCRIPT_SHA)
            # A restarted Redis does not know the script; a call that it answered so has changed nothing.
            unknown = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if unknown:
                again = await self._exchange(
                    connection, [calls[place] for place in unknown], b"EVAL", _SCRIPT
                )
                for place, answer in zip(unknown, again, strict=True):
                    answers[place] = answer
            return answers

        return await pool.use(ask)  # asked twice, a submission is free the second time

    async def _exchange(
        self, connection: Any, calls: list[_Call], command: bytes, script: bytes
    ) -> list[Any]:
        """Send the calls at once and return their answers, errors among them.

        Not by redis-py's pipeline, which packs commands in Python: three times the cost for hundreds of keys.
        """
        test_time = b"" if self._test_time_us is None else b"%d" % self._test_time_us()
        packed = [call.packed(command, script, test_time) for call in calls]
        await connection.send_packed_command(packed, check_health=False)
        return [await _read(connection) for _ in calls]

    def _failed(self, cause: str, calls: list[_Call]) -> list[list[int] | None]:
        if self._left_alone_until is None:
            log.error("limiter_without_redis", cause=cause)
        self._leave_alone()
        self._nodes.forget()
        self._on_fallback(cause)
        return [None] * len(calls)

    def _came_back(self) -> None:
        if self._left_alone_until is not None:
            log.info("limiter_with_redis_again")
        self._left_alone_until = None

    def _leave_alone(self) -> None:
        self._left_alone_until = self._monotonic() + RETRY_AFTER_S

    def _check_here(self, call: _Call) -> Iterator[Tally]:
        now_us = int(self._monotonic() * SECOND_US)
        return (self._book.check(charge, call.limits, now_us=now_us) for charge in call.charges)


@lru_cache(maxsize=4096)
def _digest(thread: str) -> bytes:
    return blake2b(thread.encode("utf-8", "surrogatepass"), digest_size=12).digest()


async def _read(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except redis.exceptions.ResponseError as error:
        return error


def _tallies(answer: list[int]) -> Iterator[Tally]:
    for start in range(0, len(answer), _NUMBERS):
        code, duplicates, author, address, thread, site = answer[start : start + _NUMBERS]
        yield Tally(code > 0, code == 2, duplicates, (author, address, thread, site))
