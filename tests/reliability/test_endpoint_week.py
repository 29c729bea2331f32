"""A site's endpoint misbehaves for a simulated week, in every way, while comments are decided and the clock is set about."""

import asyncio
import os
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from moderation.delivery.backlog import Backlog
from moderation.domain.verdict import State
from tests.integration.delivery.conftest import SECRET, Bench, bench, clock
from tests.receiver import Behaviour, Received, accept, answer
from tests.reliability.test_two_of_everything import in_usable_order

__all__ = ["bench", "clock"]

HOURS = 7 * 24
COMMENTS_AN_HOUR = LOOKS_AN_HOUR = int(os.environ.get("CHAOS_RATE", "1"))
SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(2**32)))


async def hang(_received: Received) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response(status=204)


async def cut(received: Received) -> web.StreamResponse:
    """Take the event and die before the answer: the site heard it, we do not know."""
    raise ConnectionResetError


def flap(chance: random.Random) -> Behaviour:
    async def behave(_received: Received) -> web.StreamResponse:
        return web.Response(status=chance.choice((204, 204, 500, 503, 429)))

    return behave


def behaviours(chance: random.Random) -> dict[str, Behaviour]:
    return {
        "accepts": accept,
        "refuses": answer(500),
        "throttles": answer(429, {"Retry-After": "3600"}),
        "hangs": hang,
        "redirects": answer(302, {"Location": "http://127.0.0.1:1/elsewhere"}),
        "is gone": answer(410),
        "flaps": flap(chance),
        "cuts": cut,
    }


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_every_event_of_a_bad_week_is_heard_in_usable_order(bench: Bench, tmp_path: Path) -> None:
    print(f"CHAOS_SEED={SEED}")
    chance = random.Random(SEED)
    kinds = behaviours(chance)
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    worker = await bench.worker(timeout_s=0.05, draw=chance.random)
    made: list[Any] = []
    for hour in range(HOURS):
        if hour % 6 == 0:
            name = chance.choice(list(kinds))
            bench.receiver.behaviour = kinds[name]
        made += [await bench.newsroom.comment(site) for _ in range(COMMENTS_AN_HOUR)]
        await bench.newsroom.decide(chance.choice(made), chance.choice((State.APPROVED, State.REJECTED)))
        if chance.random() < 0.05:  # somebody sets the clock back, or ahead
            bench.clock.advance(minutes=chance.choice((-90, -5, 5, 90)))
        for _ in range(LOOKS_AN_HOUR):
            bench.clock.advance(minutes=60 / LOOKS_AN_HOUR)
            await worker.drain()
    bench.receiver.behaviour = accept
    await hear_everything(bench, site, worker)
    expected = await bench.newsroom.fetch("SELECT comment_id::text AS id, sequence FROM decisions")
    assert {(row["id"], row["sequence"]) for row in expected} <= set(bench.receiver.keys)
    assert last_word(bench) == {
        row["id"]: row["last"]
        for row in await bench.newsroom.fetch("SELECT id::text AS id, sequence AS last FROM comments")
    }
    assert len(set(bench.attempts)) >= 4, "the week was bad indeed"


async def hear_everything(bench: Bench, site: Any, worker: Any) -> None:
    """The endpoint is well again: what waits goes out by itself; the operator redrives what was given up."""
    backlog = Backlog(bench.database, bench.clock)
    for _ in range(200):
        await worker.drain()
        summary = await backlog.summary(site)
        if summary.pending == 0:
            if summary.dead == 0:
                return
            await backlog.redrive(site)
        bench.clock.advance(minutes=30)
    raise AssertionError("something is never heard")


def last_word(bench: Bench) -> dict[str, int]:
    """What a receiver believes that ignores every sequence not above the last it has seen."""
    seen: dict[str, int] = {}
    for comment_id, sequence in bench.receiver.keys:
        seen[comment_id] = max(seen.get(comment_id, 0), sequence)
    return seen


def test_the_order_check_sees_a_wrong_order() -> None:
    with pytest.raises(AssertionError):
        in_usable_order(SimpleNamespace(keys=[("a", 2), ("a", 1)]))  # type: ignore[arg-type]
