"""The feed: every event once, in order, none skipped although transactions commit in another order than they began."""

import asyncio
import random
from typing import Any

import pytest

from moderation.delivery.feed import Feed, as_wire
from moderation.delivery.sequencer import Sequencer
from moderation.domain.clock import utc_now
from moderation.domain.errors import ConflictError
from moderation.domain.ids import CommentId, SiteId
from moderation.storage.database import connect
from tests.integration.delivery.conftest import SECRET, Bench
from tests.integration.delivery.newsroom import Newsroom


async def number(bench: Bench, times: int = 1) -> list[int]:
    """Let the sequencer number what is committed."""
    connection = await connect(bench.database.url)
    try:
        return [await Sequencer(bench.database.url, bench.clock).number(connection) for _ in range(times)]
    finally:
        await connection.close()


async def read(bench: Bench, site: SiteId, after: int = 0, limit: int = 1000) -> dict[str, Any]:
    return as_wire(await Feed(bench.database, bench.clock).read(site, "en", after=after, limit=limit))


def keys(page: dict[str, Any]) -> list[tuple[str, int]]:
    return [(event["data"]["id"], event["data"]["sequence"]) for event in page["events"]]


async def test_a_reader_that_tails_the_feed_misses_nothing_of_many_interleaved_writers(bench: Bench):
    """Writers hold their transactions open for random times, so later decisions commit before earlier ones."""
    rng = random.Random(20260302)
    newsroom = Newsroom(bench.database, utc_now)
    site, other = await newsroom.add_site("daily", None), await newsroom.add_site("weekly", None)
    sequencers = [asyncio.create_task(Sequencer(bench.database.url, utc_now).run()) for _ in range(2)]
    written: set[tuple[str, int]] = set()
    seen: list[tuple[str, int]] = []
    positions: list[int] = []

    async def write() -> None:
        comment = await newsroom.comment(site)
        written.add((str(comment), 1))
        await newsroom.comment(other)
        for _ in range(8):
            linger = asyncio.Event()
            asyncio.get_running_loop().call_later(rng.random() * 0.05, linger.set)
            written.add((str(comment), await newsroom.decide(comment, linger=linger)))

    async def tail() -> None:
        after = 0
        while True:
            page = await read(bench, site, after, limit=7)
            seen.extend(keys(page))
            positions.extend(event["position"] for event in page["events"])
            after = page["next"]
            await asyncio.sleep(0.002)

    bench.clock.now = utc_now()
    reader = asyncio.create_task(tail())
    for _ in range(5):
        await asyncio.gather(*(write() for _ in range(6)))
    async with asyncio.timeout(60):
        while len(seen) < len(written):
            await asyncio.sleep(0.02)
    for task in (reader, *sequencers):
        task.cancel()
    await asyncio.gather(reader, *sequencers, return_exceptions=True)
    assert sorted(seen) == sorted(written)
    assert positions == sorted(set(positions))


async def test_an_event_that_commits_late_gets_a_later_position(bench: Bench):
    site = await bench.newsroom.add_site("daily", None)
    early, late = await bench.newsroom.comment(site), await bench.newsroom.comment(site)
    await number(bench)
    commit = asyncio.Event()
    slow = asyncio.create_task(bench.newsroom.decide(early, linger=commit))
    await asyncio.sleep(0)
    bench.clock.advance(seconds=1)
    await bench.newsroom.decide(late)
    await number(bench)
    page = await read(bench, site)
    assert keys(page)[2:] == [(str(late), 2)]
    commit.set()
    await slow
    await number(bench)
    assert keys(await read(bench, site, page["next"])) == [(str(early), 2)]


async def test_pages_hold_only_the_sites_own_events_and_join_up(bench: Bench):
    site, other = await bench.newsroom.add_site("daily", None), await bench.newsroom.add_site("weekly", None)
    mine = []
    for _ in range(5):
        mine.append((str(await bench.newsroom.comment(site, external_id=f"c{len(mine)}")), 1))
        await bench.newsroom.comment(other)
        bench.clock.advance(seconds=1)
    await number(bench)
    first = await read(bench, site, limit=3)
    second = await read(bench, site, first["next"], limit=3)
    assert keys(first) + keys(second) == mine
    assert first["events"][0]["data"]["reasons"] == [{"code": "insult", "message": "Insults a person."}]
    assert "truncated" not in first
    assert await read(bench, site, second["next"]) == {"events": [], "next": second["next"]}


async def test_imported_history_is_no_event(bench: Bench):
    site = await bench.newsroom.add_site("daily", None)
    imported = await bench.newsroom.comment(site, is_history=True)
    assert await number(bench) == [0]
    await bench.newsroom.decide(imported)
    await number(bench)
    assert keys(await read(bench, site)) == [(str(imported), 2)]


async def test_one_comments_events_keep_their_order_although_the_clock_was_set_back(bench: Bench):
    site = await bench.newsroom.add_site("daily", None)
    comment = await bench.newsroom.comment(site)
    bench.clock.advance(seconds=-3600)
    between = await bench.newsroom.comment(site)
    await bench.newsroom.decide(comment)
    await number(bench)
    assert keys(await read(bench, site)) == [(str(between), 1), (str(comment), 1), (str(comment), 2)]


async def test_events_leave_the_feed_after_thirty_days_and_the_reader_is_told(bench: Bench):
    site, fresh = await bench.newsroom.add_site("daily", None), await bench.newsroom.add_site("weekly", None)
    old = await bench.newsroom.comment(site)
    await number(bench)
    seen = (await read(bench, site))["next"]
    bench.clock.advance(days=1)
    kept, news = await bench.newsroom.comment(site), await bench.newsroom.comment(fresh)
    await number(bench)
    bench.clock.advance(days=29, hours=11)
    assert keys(await read(bench, site)) == [(str(old), 1), (str(kept), 1)]
    bench.clock.advance(hours=1)
    page = await read(bench, site)
    assert keys(page) == [(str(kept), 1)]
    assert page["truncated"] is True
    assert "truncated" not in await read(bench, site, seen)
    assert "truncated" not in await read(bench, site, page["next"])
    assert await read(bench, fresh) == {
        "events": [{**(await read(bench, fresh))["events"][0]}],
        "next": page["next"] + 1,
    }
    assert keys(await read(bench, fresh)) == [(str(news), 1)]


async def test_a_feed_from_which_everything_has_left_says_so_and_goes_on_from_there(bench: Bench):
    site = await bench.newsroom.add_site("daily", None)
    comment = await bench.newsroom.comment(site)
    await number(bench)
    bench.clock.advance(days=40)
    page = await read(bench, site)
    assert (page["events"], page["truncated"]) == ([], True)
    assert "truncated" not in await read(bench, site, page["next"])
    await bench.newsroom.decide(comment)
    await number(bench)
    assert keys(await read(bench, site, page["next"])) == [(str(comment), 2)]


async def test_a_position_that_this_feed_never_gave_is_refused(bench: Bench):
    site = await bench.newsroom.add_site("daily", None)
    await bench.newsroom.comment(site)
    await number(bench)
    with pytest.raises(ConflictError):
        await read(bench, site, after=1000)


async def test_a_large_backlog_is_numbered_in_groups_and_read_by_the_index(bench: Bench):
    site = await bench.newsroom.add_site("daily", None)
    await bench.newsroom.fetch(
        "INSERT INTO decisions (comment_id, sequence, site_id, revision, state, reasons, decided_by, origin, decided_at)"
        " SELECT gen_random_uuid(), 1, $1 + n % 50, 1, 'held', '[]', 'service', 'native', $2::timestamptz + n * interval '1 ms'"
        " FROM generate_series(1, 2500) n",
        site,
        bench.clock.now,
    )
    assert await number(bench, 4) == [1000, 1000, 500, 0]
    await bench.newsroom.fetch("ANALYZE decisions")
    page = await read(bench, site, limit=20)
    assert [event["position"] for event in page["events"]] == list(range(50, 1001, 50))
    from moderation.delivery.feed import _PAGE

    plan = await bench.newsroom.fetch("EXPLAIN " + _PAGE, site, 100, 20)
    assert any("decisions_by_position" in row["QUERY PLAN"] for row in plan)


async def test_the_same_events_leave_by_webhook_and_stand_in_the_feed(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET, language="en")
    comment: CommentId = await bench.newsroom.comment(site)
    await bench.newsroom.decide(comment)
    await (await bench.worker()).drain()
    await number(bench)
    page = await read(bench, site)
    assert [{k: v for k, v in event.items() if k != "position"} for event in page["events"]] == [
        received.event for received in bench.receiver.requests
    ]
