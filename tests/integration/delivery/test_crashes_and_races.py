"""No event goes unsent: whoever is killed, whatever is decided at the same moment, whichever engine goes away."""

import asyncio
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from moderation.delivery import worker as worker_module
from moderation.delivery.ledger import LEASE_S, Ledger
from moderation.domain.clock import utc_now
from moderation.domain.ids import CommentId
from moderation.engines import EmbeddedEngines
from moderation.storage.database import Database, connect
from moderation.storage.migrate import migrate
from tests.integration.delivery.conftest import SECRET, Bench
from tests.integration.delivery.newsroom import Newsroom
from tests.receiver import Hang, Receiver, answer

PROGRAM = Path(__file__).with_name("delivery_program.py")


async def stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_decisions_made_while_events_are_settled_are_all_heard(bench: Bench):
    """Forty comments, decided on again and again while the worker sends, settles and deletes."""
    rng = random.Random(20260301)
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comments = [await bench.newsroom.comment(site) for _ in range(40)]
    running = [asyncio.create_task((await bench.worker()).run()) for _ in range(2)]
    expected = {(str(comment), 1) for comment in comments}

    async def decide_often(mine: list[CommentId]) -> None:
        for _ in range(60):
            comment = rng.choice(mine)
            expected.add((str(comment), await bench.newsroom.decide(comment)))

    await asyncio.gather(*(decide_often(comments[n::4]) for n in range(4)))
    await bench.receiver.wait_for(lambda: set(bench.receiver.keys) >= expected)
    await asyncio.gather(*(stop(task) for task in running))
    assert await bench.newsroom.pending() == []
    heard: dict[str, list[int]] = {}
    for comment_id, sequence in bench.receiver.keys:
        heard.setdefault(comment_id, []).append(sequence)
    assert all(sequences == sorted(sequences) for sequences in heard.values())


async def test_an_event_whose_decision_is_not_committed_yet_is_settled_after_it(bench: Bench):
    """The exact race: the event was sent while a decision on the comment holds the row and will commit later."""
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    commit = asyncio.Event()
    deciding: list[asyncio.Task[int]] = []

    async def decide_meanwhile(received):
        deciding.append(asyncio.create_task(bench.newsroom.decide(comment, linger=commit)))
        while not await bench.newsroom.fetch("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%deliveries%' AND datname = current_database()"):  # fmt: skip
            await asyncio.sleep(0)
        bench.receiver.behaviour = answer(204)
        asyncio.get_running_loop().call_later(0.2, commit.set)
        return await answer(204)(received)

    bench.receiver.behaviour = decide_meanwhile
    worker = await bench.worker()
    await worker.drain()
    await asyncio.gather(*deciding)
    await worker.drain()
    assert bench.receiver.keys == [(str(comment), 1), (str(comment), 2)]
    assert await bench.newsroom.pending() == []


async def test_an_event_that_was_sent_by_a_killed_process_is_sent_again_under_the_same_id(
    bench: Bench, fresh_database_url: str
):
    hang = Hang()
    bench.receiver.behaviour = hang
    bench.newsroom.clock = utc_now
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    process = subprocess.Popen([sys.executable, str(PROGRAM), fresh_database_url])
    try:
        await bench.receiver.wait_for(lambda: hang.hanging == 1)
        process.kill()
        process.wait()
        bench.receiver.behaviour = answer(204)
        bench.clock.now = utc_now()
        worker = await bench.worker()
        assert await worker.drain() == 0  # the dead process's lease still holds
        bench.clock.advance(seconds=LEASE_S + 1)
        assert await worker.drain() == 1
    finally:
        hang.release.set()
        process.kill()
        process.wait()
    assert [r.message_id for r in bench.receiver.requests] == [f"evt_{comment}_1"] * 2
    assert bench.receiver.requests[0].body == bench.receiver.requests[1].body
    assert await bench.newsroom.pending() == []


async def test_on_sigterm_running_attempts_end_and_are_written_down(bench: Bench, fresh_database_url: str):
    hang = Hang()
    bench.receiver.behaviour = hang
    bench.newsroom.clock = utc_now
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    process = subprocess.Popen([sys.executable, str(PROGRAM), fresh_database_url])
    try:
        await bench.receiver.wait_for(lambda: hang.hanging == 1)
        process.send_signal(signal.SIGTERM)
        hang.release.set()
        assert await asyncio.to_thread(process.wait, 60) == 0
    finally:
        process.kill()
        process.wait()
    assert await bench.newsroom.pending() == []
    assert await bench.newsroom.outcomes(comment) == ["delivered"]


async def test_a_stopped_worker_gives_its_leases_back_after_a_bounded_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(worker_module, "WIND_DOWN_S", 0.2)
    hang = Hang()
    bench.receiver.behaviour = hang
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    for _ in range(3):
        await bench.newsroom.comment(site)
    worker = await bench.worker(timeout_s=30)
    running = asyncio.create_task(worker.run())
    await bench.receiver.wait_for(lambda: hang.hanging == 3)
    assert all(row["next_attempt_at"] > bench.clock.now for row in await bench.newsroom.pending())
    loop = asyncio.get_running_loop()
    began = loop.time()
    await stop(running)
    assert loop.time() - began < 20  # the requests themselves would hang for 30
    rows = await bench.newsroom.pending()
    assert [(row["next_attempt_at"], row["attempts"]) for row in rows] == [(bench.clock.now, 0)] * 3
    hang.release.set()


async def test_a_late_success_counts_and_a_late_failure_does_not(bench: Bench):
    """The lease ran out during the attempt; another worker was quicker, or is at it."""
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    hang = Hang()
    bench.receiver.behaviour = hang
    slow, quick = await bench.worker(), await bench.worker()
    draining = asyncio.create_task(slow.drain())
    await bench.receiver.wait_for(lambda: hang.hanging == 1)
    bench.clock.advance(seconds=LEASE_S + 1)
    bench.receiver.behaviour = answer(500)
    await quick.drain()
    hang.release.set()
    await draining
    [row] = await bench.newsroom.pending()
    assert (row["comment_id"], row["attempts"], row["next_sequence"]) == (comment, 1, 1)


async def test_a_comment_that_is_no_more_leaves_nothing_behind(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    erased, emptied = await bench.newsroom.comment(site), await bench.newsroom.comment(site)
    await bench.newsroom.fetch("DELETE FROM comments WHERE id = $1", erased)
    await bench.newsroom.fetch("DELETE FROM decisions WHERE comment_id = ANY($1)", [erased, emptied])
    await (await bench.worker()).drain()
    assert bench.receiver.requests == []
    assert await bench.newsroom.pending() == []


async def test_delivery_outlives_an_absent_postgresql(engine_data: Path):
    """Killed while events are on their way, back a little later: everything is heard, without a restart of ours."""
    engines = EmbeddedEngines(engine_data, valkey=False)
    url = (await engines.start()).database_url
    connection = await connect(url)
    await migrate(connection)
    await connection.close()
    database = Database(url)
    newsroom = Newsroom(database, utc_now)
    async with Receiver(secrets=[SECRET]) as receiver:
        hang = Hang()
        receiver.behaviour = hang
        site = await newsroom.add_site("daily", receiver.url, SECRET)
        bench = Bench(newsroom, receiver, utc_now, database)  # type: ignore[arg-type]
        async with bench.stack:
            running = asyncio.create_task((await bench.worker(clock=utc_now, timeout_s=30)).run())
            comments = [await newsroom.comment(site) for _ in range(5)]
            await receiver.wait_for(lambda: hang.hanging == 5)
            await engines.stop()
            hang.release.set()
            await receiver.wait_for(lambda: len(receiver.accepted) == 5)
            receiver.behaviour = answer(204)
            engines = EmbeddedEngines(engine_data, valkey=False)
            await engines.start()
            later = await newsroom.comment(site)
            await receiver.wait_for(lambda: (str(later), 1) in receiver.keys)
            await _until_settled(newsroom)
            await stop(running)
    await database.close()
    await engines.stop()
    # Their outcomes waited for PostgreSQL, so nothing had to be sent again.
    assert sorted(receiver.keys) == sorted((str(comment), 1) for comment in [*comments, later])


async def _until_settled(newsroom: Newsroom) -> None:
    async with asyncio.timeout(60):
        while await newsroom.pending():
            await asyncio.sleep(0.05)


async def test_a_comment_locked_by_somebody_else_does_not_hold_up_the_others(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    locked, free = await bench.newsroom.comment(site), await bench.newsroom.comment(site)
    worker = await bench.worker()
    async with bench.database.transaction() as connection:
        await connection.execute("SELECT 1 FROM comments WHERE id = $1 FOR UPDATE", locked)
        draining = asyncio.create_task(worker.drain())
        async with asyncio.timeout(60):
            while [row["comment_id"] for row in await bench.newsroom.pending()] != [locked]:
                await asyncio.sleep(0.01)
    await draining
    assert await bench.newsroom.pending() == []
    assert sorted(bench.receiver.keys) == sorted([(str(locked), 1), (str(free), 1)])


async def test_polling_asks_each_site_once_however_much_it_has_pending(bench: Bench):
    """The plan behind idle cost: as many index probes as sites with anything pending, not as many as rows."""
    for name in ("a", "b", "c"):
        site = await bench.newsroom.add_site(name, bench.receiver.url, SECRET)
        await bench.newsroom.fetch(
            "INSERT INTO deliveries SELECT gen_random_uuid(), $1, 1, 0, $2, $2 FROM generate_series(1, 3000)",
            site,
            bench.clock.now,
        )
    await bench.newsroom.fetch("ANALYZE deliveries")
    ledger = Ledger(bench.database)
    assert len(await ledger.due_sites(bench.clock.now)) == 3
    plan = await bench.newsroom.fetch("EXPLAIN (ANALYZE, FORMAT JSON) " + _due_sites_sql(), bench.clock.now)
    assert _rows_read(plan[0]["QUERY PLAN"]) < 20


def _due_sites_sql() -> str:
    from moderation.delivery.ledger import _DUE_SITES

    return _DUE_SITES


def _rows_read(plan: list[dict]) -> int:
    """Rows that came out of scans of the table."""

    def visit(node: dict) -> int:
        own = node["Actual Rows"] * node["Actual Loops"] if node.get("Relation Name") == "deliveries" else 0
        return int(own) + sum(visit(child) for child in node.get("Plans", []))

    return visit(plan[0]["Plan"])
