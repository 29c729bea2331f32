"""The queue over a real PostgreSQL: orders, paging, filters, who sees what, and plans that do not grow."""

from datetime import timedelta
from typing import Any

import pytest

from moderation.domain.ids import SiteId, new_uuid
from moderation.domain.site import Role
from moderation.domain.task import QueueOrder, TaskKind
from moderation.domain.verdict import ReasonCode, Scores, State
from moderation.review import queue
from moderation.review.claims import Claims, claim_sql
from moderation.review.queue import START as BEGINNING
from moderation.review.queue import Page, Position, Queue, Selection, page_sql
from moderation.storage.database import Database
from tests.seeding import (
    START,
    Seed,
    SteppedClock,
    add_comment,
    add_comments,
    add_moderator,
    add_site,
    add_tasks,
)

EVERYTHING = frozenset(TaskKind)


def select(site_id: SiteId, **filters: Any) -> Selection:
    return Selection(site_id, filters.pop("kinds", EVERYTHING), **filters)


async def read_all(desk: Queue, selection: Selection, *, limit: int) -> tuple[list[Any], int]:
    """Follow the pages to the end; return the comments' ids and how many pages it took."""
    ids: list[Any] = []
    after: Position | None = BEGINNING
    pages = 0
    while after is not None:
        page: Page = await desk.page(selection, after=after, limit=limit)
        ids += [entry.comment.id for entry in page.entries]
        after = page.next
        pages += 1
        assert pages < 1000
    return ids, pages


async def test_each_order_puts_its_own_comment_first(database: Database) -> None:
    site_id = await add_site(database)
    oldest, abusive, doubtful = await add_comments(
        database,
        site_id,
        [
            Seed(received_at=START, scores=Scores(spam=0.01, abuse=0.02)),
            Seed(received_at=START + timedelta(seconds=1), scores=Scores(spam=0.01, abuse=0.97)),
            Seed(received_at=START + timedelta(seconds=2), scores=Scores(spam=0.01, abuse=0.52)),
        ],
    )
    expected = {
        QueueOrder.OLDEST: [oldest, abusive, doubtful],
        QueueOrder.ABUSE: [abusive, doubtful, oldest],
        QueueOrder.UNCERTAIN: [doubtful, abusive, oldest],
    }
    for order, ids in expected.items():
        page = await Queue(database).page(select(site_id, order=order))
        assert [entry.comment.id for entry in page.entries] == ids
        assert page.next is None


async def test_an_entry_holds_the_whole_comment(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id, Seed(text="نص التعليق", external_id="wp-7"))
    (entry,) = (await Queue(database).page(select(site_id))).entries
    comment = entry.comment
    assert (comment.id, comment.external_id, comment.site, comment.text) == (
        comment_id,
        "wp-7",
        "paper",
        "نص التعليق",
    )
    assert (comment.thread.id, comment.thread.title) == ("article-1", "عنوان المقال")
    assert (comment.state, comment.revision, comment.sequence) == (State.HELD, 1, 1)
    assert [reason.code for reason in comment.reasons] == [ReasonCode.PREMODERATION]
    assert comment.scores is not None
    assert comment.scores.abuse == pytest.approx(0.2)
    assert (entry.task.kind, entry.task.revision, entry.task.claim) == (TaskKind.HELD, 1, None)


@pytest.mark.parametrize("order", list(QueueOrder))
async def test_paging_shows_every_task_once_also_where_ranks_are_equal(
    database: Database, order: QueueOrder
) -> None:
    site_id = await add_site(database)
    ids = await add_comments(database, site_id, [Seed() for _ in range(23)])
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE tasks SET rank = rank % 3, abuse_rank = 7, uncertain_rank = uncertain_rank % 2"
        )
    found, pages = await read_all(Queue(database), select(site_id, order=order), limit=5)
    assert sorted(found) == sorted(ids)
    assert pages == 5


async def test_filters_find_their_tasks_beyond_the_window_on_later_pages(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "WINDOW", 10)
    site_id = await add_site(database)
    seeds = [Seed(received_at=START + timedelta(seconds=n)) for n in range(35)]
    wanted = {
        "thread": Seed(thread="rare", received_at=START + timedelta(seconds=33.5)),
        "reason": Seed(
            reasons=(ReasonCode.THREAT, ReasonCode.ABUSE), received_at=START + timedelta(seconds=21.5)
        ),
        "language": Seed(language="en", received_at=START + timedelta(seconds=30.5)),
    }
    await add_comments(database, site_id, seeds)
    ids = dict(zip(wanted, await add_comments(database, site_id, list(wanted.values())), strict=True))
    desk = Queue(database)
    for filters in ({"thread": "rare"}, {"reason": ReasonCode.THREAT}, {"language": "en"}):
        found, pages = await read_all(desk, select(site_id, **filters), limit=3)
        (name,) = filters
        assert found == [ids[name]]
        assert pages >= 4
    assert (await read_all(desk, select(site_id, thread="rare", language="en"), limit=3))[0] == []


async def test_a_full_last_page_says_that_it_is_the_last(database: Database) -> None:
    site_id = await add_site(database)
    await add_comments(database, site_id, [Seed(), Seed()])
    assert (await Queue(database).page(select(site_id), limit=2)).next is None
    assert (await Queue(database).page(select(site_id), limit=1)).next is not None


async def test_one_site_never_sees_anothers_tasks(database: Database) -> None:
    mine, other = await add_site(database, "mine"), await add_site(database, "other")
    await add_comment(database, other)
    comment_id = await add_comment(database, mine)
    assert (await read_all(Queue(database), select(mine), limit=10))[0] == [comment_id]


async def test_escalated_tasks_are_for_leads(database: Database) -> None:
    site_id = await add_site(database)
    held, escalated = await add_comments(database, site_id, [Seed(), Seed(task=TaskKind.ESCALATED)])
    for role, seen in (
        (Role.MODERATOR, [held]),
        (Role.LEAD, [held, escalated]),
        (Role.ADMIN, [held, escalated]),
    ):
        selection = select(site_id, kinds=TaskKind.visible_to(role))
        assert sorted((await read_all(Queue(database), selection, limit=10))[0]) == sorted(seen)


async def test_what_others_hold_is_listed_with_its_claim(database: Database) -> None:
    site_id = await add_site(database)
    await add_comment(database, site_id)
    person, _ = await add_moderator(database, {site_id: Role.MODERATOR})
    clock = SteppedClock()
    await Claims(database, clock).claim(person.id, select(site_id), limit=1)
    (entry,) = (await Queue(database).page(select(site_id))).entries
    assert entry.task.claim is not None
    assert (entry.task.claim.by, entry.task.claim.expires_at) == (person.id, clock.now + timedelta(minutes=5))


async def test_a_page_and_a_claim_read_a_handful_of_rows_of_a_long_queue(database: Database) -> None:
    site_id = await add_site(database)
    await add_tasks(database, site_id, 20_000)
    middle = Position(10_000, new_uuid())
    for order in QueueOrder:
        selection = select(site_id, order=order)
        listed = await explain(
            database, page_sql(selection), *selection.parameters, middle.rank, middle.comment_id, 51
        )
        assert rows_read(listed, {f"tasks_{order}"}) <= 51 + 64
        lease = (START, [new_uuid() for _ in range(20)], new_uuid(), START + timedelta(minutes=5))
        taken = await explain(database, claim_sql(selection, len(lease[1])), *selection.parameters, *lease)
        assert rows_read(taken, {f"tasks_{order}", "tasks_pkey"}) <= 3 * (20 + 64)


async def test_the_few_audits_among_many_tasks_are_found_by_an_index_of_their_own(database: Database) -> None:
    site_id = await add_site(database)
    await add_tasks(database, site_id, 20_000)
    async with database.connection() as connection:
        await connection.execute("UPDATE tasks SET kind = 'audit' WHERE rank % 2000 = 0")
        await connection.execute("ANALYZE tasks")
    selection = select(site_id, kinds=frozenset({TaskKind.AUDIT}))
    plan = await explain(database, page_sql(selection), *selection.parameters, -1, new_uuid(), 51)
    assert rows_read(plan, {"tasks_special"}) == 10


async def test_a_filter_looks_at_one_window_of_a_long_queue(database: Database) -> None:
    site_id = await add_site(database)
    await add_tasks(database, site_id, 20_000)
    selection = select(site_id, language="en")
    plan = await explain(database, page_sql(selection), *selection.parameters, -1, new_uuid(), 51)
    assert rows_read(plan, {"tasks_oldest"}) <= queue.WINDOW + 64
    lease = (START, [new_uuid()], new_uuid(), START + timedelta(minutes=5))
    plan = await explain(database, claim_sql(selection, len(lease[1])), *selection.parameters, *lease)
    assert rows_read(plan, {"tasks_oldest", "tasks_pkey"}) <= queue.WINDOW + 64


async def explain(database: Database, sql: str, *parameters: Any) -> dict[str, Any]:
    """Run a statement as the service's pool comes to run it, with a plan that knows no parameters, and return the plan."""
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        (row,) = await connection.fetch("EXPLAIN (ANALYZE, FORMAT JSON) " + sql, *parameters)
        await transaction.rollback()
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def rows_read(plan: dict[str, Any], indexes: set[str]) -> float:
    """Return how many rows of tasks were read, all of them by these indexes."""
    own = 0.0
    if "Scan" in plan["Node Type"] and ("Index Name" in plan or plan.get("Relation Name") == "tasks"):
        assert plan.get("Index Name") in indexes, plan
        own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return own + sum(rows_read(part, indexes) for part in plan.get("Plans", []))
