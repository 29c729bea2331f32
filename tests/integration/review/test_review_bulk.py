"""Many comments decided at once over a real PostgreSQL: each for itself, in one transaction, without deadlocks."""

import asyncio
import time

from moderation.domain.ids import CommentId, new_uuid
from moderation.domain.site import Role
from moderation.domain.task import TaskKind
from moderation.domain.verdict import ReasonCode, Verdict
from moderation.review.claims import Claims
from moderation.review.decisions import MAX_BULK, Decisions, Outcome
from moderation.review.queue import Selection
from moderation.review.rulings import Ruling, Target, Undo
from moderation.storage.database import Database
from tests.seeding import (
    Seed,
    SteppedClock,
    add_comment,
    add_comments,
    add_moderator,
    add_site,
    edit_comment,
    fetch,
    reviewer,
)

APPROVE, REJECT = Ruling(Verdict.APPROVE), Ruling(Verdict.REJECT, ReasonCode.SPAM)


def codes(outcomes: list[Outcome]) -> list[str]:
    return [outcome.error.code if outcome.error else str(outcome.state) for outcome in outcomes]


async def test_every_item_gets_its_own_outcome_in_order_and_none_harms_another(database: Database) -> None:
    site_id, other = await add_site(database), await add_site(database, "other")
    desk, clock = Decisions(database, SteppedClock()), SteppedClock()
    by = await reviewer(database, site_id)
    claimed = await add_comment(database, site_id)
    holder, _ = await add_moderator(database, {site_id: Role.MODERATOR})
    await Claims(database, clock).claim(holder.id, Selection(site_id, frozenset(TaskKind)), limit=1)
    good, edited, withdrawn, escalated, approved_by_another, last = await add_comments(
        database, site_id, [Seed(), Seed(), Seed(), Seed(task=TaskKind.ESCALATED), Seed(), Seed()]
    )
    foreign = await add_comment(database, other)
    await edit_comment(database, edited, "نص آخر")
    await fetch(database, "UPDATE comments SET state = 'deleted' WHERE id = $1 RETURNING 1", withdrawn)
    await desk.decide(await reviewer(database, site_id), Target(approved_by_another, 1), APPROVE)

    ids = [
        good,
        edited,
        foreign,
        CommentId(new_uuid()),
        withdrawn,
        claimed,
        escalated,
        approved_by_another,
        last,
    ]
    outcomes = await desk.decide_all(by, [Target(comment_id, 1) for comment_id in ids], REJECT)

    assert [outcome.id for outcome in outcomes] == ids
    assert codes(outcomes) == [
        "rejected",
        "stale-revision",
        "unknown-comment",
        "unknown-comment",
        "gone",
        "claim-lost",
        "not-permitted",
        "conflict",
        "rejected",
    ]
    rejected = await fetch(
        database, "SELECT comment_id FROM decisions WHERE state = 'rejected' ORDER BY comment_id"
    )
    assert [row[0] for row in rejected] == sorted([good, last])
    assert {row[0] for row in await fetch(database, "SELECT comment_id FROM tasks")} == {
        edited, withdrawn, claimed, escalated, foreign,
    }  # fmt: skip


async def test_a_comment_named_twice_is_decided_once_and_answered_twice(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id, Seed(identity=b"i" * 16))
    by, desk = await reviewer(database, site_id), Decisions(database, SteppedClock())
    targets = [Target(comment_id, 1), Target(comment_id, 2), Target(comment_id, 1)]
    first, stale, again = await desk.decide_all(by, targets, APPROVE)
    assert first == again
    assert (first.sequence, codes([stale])) == (2, ["stale-revision"])
    assert await fetch(database, "SELECT approved, rejected FROM authors") == [(1, 0)]
    assert await fetch(database, "SELECT count(*) FROM decisions") == [(2,)]


async def test_a_bulk_sent_again_changes_nothing(database: Database) -> None:
    site_id = await add_site(database)
    ids = await add_comments(database, site_id, [Seed() for _ in range(5)])
    by, desk = await reviewer(database, site_id), Decisions(database, SteppedClock())
    targets = [Target(comment_id, 1) for comment_id in ids]
    assert await desk.decide_all(by, targets, APPROVE) == await desk.decide_all(by, targets, APPROVE)
    assert await fetch(database, "SELECT count(*) FROM decisions") == [(10,)]


async def test_the_largest_bulk_is_one_quick_transaction(database: Database) -> None:
    site_id = await add_site(database, webhook_url="https://paper.example/hook")
    seeds = [Seed(identity=bytes([n % 3]) * 16) for n in range(MAX_BULK)]
    ids = await add_comments(database, site_id, seeds)
    by, desk = await reviewer(database, site_id), Decisions(database, SteppedClock())
    started = time.monotonic()
    outcomes = await desk.decide_all(by, [Target(comment_id, 1) for comment_id in ids], REJECT)
    assert time.monotonic() - started < 30
    assert codes(outcomes) == ["rejected"] * MAX_BULK
    assert await fetch(
        database, "SELECT count(*), count(DISTINCT xmin::text) FROM decisions WHERE sequence = 2"
    ) == [(MAX_BULK, 1)]
    assert await fetch(database, "SELECT count(*) FROM deliveries WHERE next_sequence = 2") == [(MAX_BULK,)]
    assert await fetch(database, "SELECT count(*) FROM tasks") == [(0,)]
    assert await fetch(database, "SELECT rejected FROM authors ORDER BY identity") == [(167,), (167,), (166,)]


async def test_bulks_over_the_same_comments_in_any_order_do_not_block_each_other_for_good(
    database: Database,
) -> None:
    site_id = await add_site(database)
    seeds = [Seed(identity=bytes([n % 5]) * 16) for n in range(60)]
    ids = await add_comments(database, site_id, seeds)
    desk = Decisions(database, SteppedClock())
    people = [await reviewer(database, site_id, Role.LEAD) for _ in range(3)]
    targets = [Target(comment_id, 1) for comment_id in ids]
    shuffled = [targets, targets[::-1], targets[30:] + targets[:30]]
    bulks = [
        desk.decide_all(by, chosen, ruling)
        for by, chosen, ruling in zip(people, shuffled, (APPROVE, REJECT, APPROVE), strict=True)
    ]
    singles = [desk.decide(people[0], target, APPROVE) for target in targets[::7]]
    done = await asyncio.gather(*bulks, *singles, return_exceptions=True)
    for outcomes in done[:3]:
        assert isinstance(outcomes, list)
        assert set(codes(outcomes)) <= {"approved", "rejected", "conflict"}
    assert await fetch(database, "SELECT count(*) FROM decisions WHERE sequence = 2") == [(60,)]
    assert await fetch(database, "SELECT sum(approved) + sum(rejected) FROM authors") == [(60,)]


async def test_comments_are_locked_in_the_order_of_their_ids_wherever_they_are_stored(
    database: Database, fresh_database_url: str
) -> None:
    site_id = await add_site(database)
    low, high = await add_comments(database, site_id, [Seed(), Seed()])
    await fetch(
        database, "UPDATE comments SET user_agent = 'moved behind the other' WHERE id = $1 RETURNING 1", low
    )
    by = await reviewer(database, site_id)
    in_order_of_storage = Database(fresh_database_url + "&enable_indexscan=off&enable_bitmapscan=off")
    desk = Decisions(in_order_of_storage, SteppedClock())
    async with database.transaction() as holder:
        await holder.execute("SELECT 1 FROM comments WHERE id = $1 FOR UPDATE", low)
        bulk = asyncio.create_task(desk.decide_all(by, [Target(high, 1), Target(low, 1)], APPROVE))
        await wait_for_waiters(database)
        await fetch(database, "SELECT 1 FROM comments WHERE id = $1 FOR UPDATE NOWAIT", high)
    assert codes(await bulk) == ["approved", "approved"]
    await in_order_of_storage.close()


async def wait_for_waiters(database: Database) -> None:
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(60):
        while (await fetch(database, sql))[0][0] == 0:
            await asyncio.sleep(0.01)


async def test_a_bulk_decision_is_undone_one_by_one(database: Database) -> None:
    site_id = await add_site(database)
    ids = await add_comments(database, site_id, [Seed(), Seed()])
    by, desk = await reviewer(database, site_id), Decisions(database, SteppedClock())
    await desk.decide_all(by, [Target(comment_id, 1) for comment_id in ids], REJECT)
    await desk.undo(by, ids[0], Undo())
    assert await fetch(database, "SELECT comment_id FROM tasks") == [(ids[0],)]
