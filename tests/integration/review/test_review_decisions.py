"""Decisions over a real PostgreSQL: what is written together, races between people, undoing, escalating."""

import asyncio
from typing import Any

import pytest

from moderation.domain.comment import StoredComment
from moderation.domain.decision import Decider
from moderation.domain.errors import (
    ClaimLostError,
    ConflictError,
    GoneError,
    ModerationError,
    NotPermittedError,
    StaleRevisionError,
    UnknownCommentError,
)
from moderation.domain.ids import CommentId, SiteId, new_uuid
from moderation.domain.site import Role
from moderation.domain.task import TaskKind
from moderation.domain.verdict import ReasonCode, Scores, State, Verdict
from moderation.review.archive import Archive
from moderation.review.claims import Claims
from moderation.review.decisions import Decisions
from moderation.review.queue import Selection
from moderation.review.reviewer import Reviewer
from moderation.review.rulings import Ruling, Target, Undo, rule
from moderation.storage.database import Database
from moderation.storage.decisions import lock_comments, record
from tests.seeding import (
    Seed,
    SteppedClock,
    add_comment,
    add_comments,
    add_moderator,
    add_site,
    edit_comment,
    fetch,
    open_task,
    reviewer,
)

APPROVE, REJECT, HOLD = Ruling(Verdict.APPROVE), Ruling(Verdict.REJECT, ReasonCode.SPAM), Ruling(Verdict.HOLD)


async def record_of(database: Database, identity: bytes) -> tuple[Any, ...]:
    rows = await fetch(database, "SELECT approved, rejected FROM authors WHERE identity = $1", identity)
    return rows[0] if rows else (0, 0)


async def sequences(database: Database, comment_id: CommentId) -> list[tuple[Any, ...]]:
    return await fetch(
        database, "SELECT sequence, state FROM decisions WHERE comment_id = $1 ORDER BY sequence", comment_id
    )


async def test_approving_changes_state_history_task_and_the_authors_record_together(
    database: Database,
) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id, Seed(identity=b"i" * 16))
    by, clock = await reviewer(database, site_id), SteppedClock()
    stored = await Decisions(database, clock).decide(
        by, Target(comment_id, 1), Ruling(Verdict.APPROVE, note="fine")
    )
    assert (stored.state, stored.verdict, stored.sequence) == (State.APPROVED, Verdict.APPROVE, 2)
    assert (stored.decided_by, stored.decided_at) == (Decider.MODERATOR, clock.now)
    assert stored.scores is not None
    assert stored.scores.as_wire()["abuse"] == 0.2
    assert (stored.model, stored.policy) == ("model-1", 1)
    assert await sequences(database, comment_id) == [(1, "held"), (2, "approved")]
    (written,) = await fetch(
        database, "SELECT actor, note, task, site_id, origin, position FROM decisions WHERE sequence = 2"
    )
    assert written == (by.actor, "fine", "held", site_id, "native", None)
    assert await open_task(database, comment_id) is None
    assert await record_of(database, b"i" * 16) == (1, 0)


async def test_nothing_is_written_when_a_part_fails(database: Database) -> None:
    site_id = await add_site(database, webhook_url="https://paper.example/hook")
    comment_id = await add_comment(database, site_id, Seed(identity=b"i" * 16))
    by = await reviewer(database, site_id)
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE authors ADD CONSTRAINT never CHECK (approved < 1)")
        try:
            with pytest.raises(Exception, match="never"):
                await Decisions(database, SteppedClock()).decide(by, Target(comment_id, 1), APPROVE)
        finally:
            await connection.execute("ALTER TABLE authors DROP CONSTRAINT never")
    assert await sequences(database, comment_id) == [(1, "held")]
    assert await open_task(database, comment_id) is TaskKind.HELD
    assert await fetch(database, "SELECT state, sequence FROM comments") == [("held", 1)]
    assert await fetch(database, "SELECT * FROM deliveries") == []


async def test_a_site_with_an_endpoint_is_to_hear_of_it_and_another_is_not(database: Database) -> None:
    with_hook = await add_site(database, "hook", webhook_url="https://paper.example/hook")
    without = await add_site(database, "plain")
    clock = SteppedClock()
    for site_id in (with_hook, without):
        comment_id = await add_comment(database, site_id)
        await Decisions(database, clock).decide(
            await reviewer(database, site_id), Target(comment_id, 1), APPROVE
        )
    rows = await fetch(database, "SELECT site_id, next_sequence, attempts, next_attempt_at FROM deliveries")
    assert rows == [(with_hook, 2, 0, clock.now)]


async def test_an_older_undelivered_event_stays_the_next_to_be_sent(database: Database) -> None:
    site_id = await add_site(database, webhook_url="https://paper.example/hook")
    comment_id = await add_comment(database, site_id)
    clock = SteppedClock()
    await fetch(
        database,
        "INSERT INTO deliveries VALUES ($1, $2, 1, 3, $3, $3) RETURNING 1",
        comment_id,
        site_id,
        clock.now,
    )
    await Decisions(database, clock).decide(await reviewer(database, site_id), Target(comment_id, 1), APPROVE)
    assert await fetch(database, "SELECT next_sequence, attempts FROM deliveries") == [(1, 3)]


@pytest.mark.parametrize("first", ["decision", "worker"])
async def test_a_decision_is_heard_although_the_worker_was_just_done_with_the_comment(
    database: Database, first: str
) -> None:
    """The worker deletes the row of a comment under its lock once it sees no further event."""
    site_id = await add_site(database, webhook_url="https://paper.example/hook")
    comment_id = await add_comment(database, site_id)
    clock = SteppedClock()
    by = await reviewer(database, site_id)
    await fetch(
        database,
        "INSERT INTO deliveries VALUES ($1, $2, 1, 0, $3, $3) RETURNING 1",
        comment_id,
        site_id,
        clock.now,
    )
    has_lock, may_go_on = asyncio.Event(), asyncio.Event()

    async def finish_delivery() -> None:
        async with database.transaction() as connection:
            await connection.execute("SELECT 1 FROM deliveries WHERE comment_id = $1 FOR UPDATE", comment_id)
            has_lock.set()
            await may_go_on.wait()
            sql = "SELECT max(sequence) FROM decisions WHERE comment_id = $1"
            if await connection.fetchval(sql, comment_id) == 1:
                await connection.execute("DELETE FROM deliveries WHERE comment_id = $1", comment_id)

    if first == "worker":
        worker = asyncio.create_task(finish_delivery())
        await has_lock.wait()
        decision = asyncio.create_task(Decisions(database, clock).decide(by, Target(comment_id, 1), APPROVE))
        await wait_for_waiters(database, 1)
        may_go_on.set()
        await asyncio.gather(worker, decision)
    else:
        may_go_on.set()
        async with database.transaction() as connection:
            comment = (await lock_comments(connection, [comment_id]))[comment_id]
            await record(connection, comment, _approval(comment, by, clock))
            worker = asyncio.create_task(finish_delivery())
            await wait_for_waiters(database, 1)
        await worker
    assert len(await fetch(database, "SELECT 1 FROM deliveries")) == 1


def _approval(comment: Any, by: Reviewer, clock: SteppedClock) -> Any:
    change = rule(comment, Target(comment.id, 1), APPROVE, reviewer=by, now=clock())
    assert change is not None
    return change.decision


async def wait_for_waiters(database: Database, count: int) -> None:
    async with asyncio.timeout(60):
        while True:
            sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            if (await fetch(database, sql))[0][0] >= count:
                return
            await asyncio.sleep(0.01)


async def test_a_decision_out_of_sequence_is_not_written(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id)
    by, clock = await reviewer(database, site_id), SteppedClock()

    async def record_twice() -> None:
        async with database.transaction() as connection:
            comment = (await lock_comments(connection, [comment_id]))[comment_id]
            for _ in range(2):
                await record(connection, comment, _approval(comment, by, clock))

    with pytest.raises(RuntimeError, match="sequence"):
        await record_twice()
    assert await sequences(database, comment_id) == [(1, "held")]


async def test_a_repeated_request_is_answered_alike_and_recorded_once(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id, Seed(identity=b"i" * 16))
    by, desk = await reviewer(database, site_id), Decisions(database, SteppedClock())
    answers = await asyncio.gather(*(desk.decide(by, Target(comment_id, 1), REJECT) for _ in range(5)))
    assert len(set(answers)) == 1
    assert len(await sequences(database, comment_id)) == 2
    assert await record_of(database, b"i" * 16) == (0, 1)


async def test_of_two_moderators_who_decide_differently_at_once_one_is_told_about_the_other(
    database: Database,
) -> None:
    site_id = await add_site(database)
    desk = Decisions(database, SteppedClock())
    people = [await reviewer(database, site_id) for _ in range(2)]
    for comment_id in await add_comments(database, site_id, [Seed() for _ in range(10)]):
        outcomes = await asyncio.gather(
            *(
                desk.decide(by, Target(comment_id, 1), ruling)
                for by, ruling in zip(people, (APPROVE, REJECT), strict=True)
            ),
            return_exceptions=True,
        )
        (winner,) = [o for o in outcomes if isinstance(o, StoredComment)]
        (refusal,) = [o for o in outcomes if isinstance(o, ConflictError)]
        assert winner.verdict is not None
        assert (refusal.code, refusal.context["verdict"]) == ("conflict", winner.verdict.value)
        assert refusal.context["moderator"] in {by.actor for by in people}
        assert len(await sequences(database, comment_id)) == 2


async def test_two_moderators_who_decide_alike_at_once_make_one_decision(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id)
    desk = Decisions(database, SteppedClock())
    people = [await reviewer(database, site_id) for _ in range(4)]
    await asyncio.gather(*(desk.decide(by, Target(comment_id, 1), APPROVE) for by in people))
    assert len(await sequences(database, comment_id)) == 2


async def test_an_edit_while_somebody_reads_makes_their_decision_stale(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id)
    by, desk = await reviewer(database, site_id), Decisions(database, SteppedClock())
    await edit_comment(database, comment_id, "نص آخر تمامًا")
    with pytest.raises(StaleRevisionError) as caught:
        await desk.decide(by, Target(comment_id, 1), APPROVE)
    assert caught.value.context == {"revision": 2}
    assert (await desk.decide(by, Target(comment_id, 2), APPROVE)).revision == 2


async def test_unknown_foreign_and_withdrawn_comments(database: Database) -> None:
    mine, other = await add_site(database, "mine"), await add_site(database, "other")
    foreign, withdrawn = await add_comment(database, other), await add_comment(database, mine)
    await fetch(database, "UPDATE comments SET state = 'deleted' WHERE id = $1 RETURNING 1", withdrawn)
    by, desk = await reviewer(database, mine, Role.ADMIN), Decisions(database, SteppedClock())
    for comment_id, error in (
        (foreign, UnknownCommentError),
        (CommentId(new_uuid()), UnknownCommentError),
        (withdrawn, GoneError),
    ):
        for attempt in (
            desk.decide(by, Target(comment_id, 1), APPROVE),
            desk.undo(by, comment_id, Undo()),
            desk.escalate(by, Target(comment_id, 1), note=None),
        ):
            with pytest.raises(error):
                await attempt
    assert await open_task(database, foreign) is TaskKind.HELD


async def test_each_comment_counts_once_for_its_author_by_the_last_standing_word(database: Database) -> None:
    site_id = await add_site(database)
    identity = b"i" * 16
    comment_id = await add_comment(database, site_id, Seed(identity=identity))
    desk = Decisions(database, SteppedClock())
    anna, lead = await reviewer(database, site_id), await reviewer(database, site_id, Role.LEAD)
    await desk.decide(anna, Target(comment_id, 1), APPROVE)
    await desk.decide(anna, Target(comment_id, 1), REJECT)
    assert await record_of(database, identity) == (0, 1)
    await desk.undo(anna, comment_id, Undo())
    assert await record_of(database, identity) == (1, 0)
    await desk.decide(lead, Target(comment_id, 1, sequence=4), HOLD)
    assert await record_of(database, identity) == (0, 0)
    await edit_comment(database, comment_id, "نص جديد")
    await desk.decide(anna, Target(comment_id, 2), APPROVE)
    assert await record_of(database, identity) == (1, 0)


async def test_undo_restores_the_comment_its_task_and_its_place_in_the_queue(database: Database) -> None:
    site_id = await add_site(database)
    seed = Seed(
        reasons=(ReasonCode.INSULT, ReasonCode.ABUSE), scores=Scores(abuse=0.9, spam=0.1), identity=b"i" * 16
    )
    comment_id = await add_comment(database, site_id, seed)
    sql = "SELECT kind, revision, thread_id, language, reasons, rank >> 11, abuse_rank >> 7, uncertain_rank >> 7 FROM tasks"
    before = await fetch(database, sql)
    by, desk = await reviewer(database, site_id), Decisions(database, SteppedClock())
    await desk.decide(by, Target(comment_id, 1), APPROVE)
    stored = await desk.undo(by, comment_id, Undo(sequence=2, note="slipped"))
    assert (stored.state, stored.sequence, stored.decided_by) == (State.HELD, 3, Decider.MODERATOR)
    assert [reason.code for reason in stored.reasons] == [ReasonCode.INSULT, ReasonCode.ABUSE]
    assert await fetch(database, "SELECT undoes, note FROM decisions WHERE sequence = 3") == [(2, "slipped")]
    assert await fetch(database, sql) == before
    assert await record_of(database, b"i" * 16) == (0, 0)


async def test_undo_twice_is_refused(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id)
    by, desk = await reviewer(database, site_id), Decisions(database, SteppedClock())
    with pytest.raises(ConflictError):
        await desk.undo(by, comment_id, Undo())
    await desk.decide(by, Target(comment_id, 1), APPROVE)
    outcomes = await asyncio.gather(
        desk.undo(by, comment_id, Undo()), desk.undo(by, comment_id, Undo()), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ConflictError", "StoredComment"]


async def test_escalating_moves_the_task_to_the_leads_and_frees_it(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id)
    clock = SteppedClock()
    desk = Decisions(database, clock)
    person, _ = await add_moderator(database, {site_id: Role.MODERATOR})
    anna, lead = Reviewer.person(person), await reviewer(database, site_id, Role.LEAD)
    await Claims(database, clock).claim(person.id, Selection(site_id, frozenset(TaskKind)), limit=1)
    for _ in range(2):
        stored = await desk.escalate(anna, Target(comment_id, 1), note="threat to a person")
    assert (stored.state, stored.sequence) == (State.HELD, 1)
    assert await fetch(database, "SELECT kind, claim_id FROM tasks") == [("escalated", None)]
    history = await Archive(database).history(comment_id, {site_id})
    (escalation,) = history.escalations
    assert (escalation.actor, escalation.note, escalation.revision) == (anna.actor, "threat to a person", 1)
    assert escalation.escalated_at == clock.now
    with pytest.raises(NotPermittedError):
        await desk.decide(anna, Target(comment_id, 1), REJECT)
    await desk.decide(lead, Target(comment_id, 1), REJECT)
    await desk.undo(lead, comment_id, Undo())
    assert await open_task(database, comment_id) is TaskKind.ESCALATED


async def test_a_published_comment_can_be_escalated_and_stays_published_until_decided(
    database: Database,
) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id, Seed(state=State.APPROVED, reasons=(), task=None))
    by, desk = await reviewer(database, site_id), Decisions(database, SteppedClock())
    with pytest.raises(StaleRevisionError):
        await desk.escalate(by, Target(comment_id, 2), note=None)
    stored = await desk.escalate(by, Target(comment_id, 1), note=None)
    assert stored.state is State.APPROVED
    assert await open_task(database, comment_id) is TaskKind.ESCALATED


async def test_what_another_holds_is_not_escalated_or_undone(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id, Seed(state=State.APPROVED, reasons=(), task=None))
    clock = SteppedClock()
    desk = Decisions(database, clock)
    lead = await reviewer(database, site_id, Role.LEAD)
    await desk.decide(lead, Target(comment_id, 1), HOLD)
    person, _ = await add_moderator(database, {site_id: Role.MODERATOR})
    await Claims(database, clock).claim(person.id, Selection(site_id, frozenset(TaskKind)), limit=1)
    for attempt in (
        desk.escalate(lead, Target(comment_id, 1), note=None),
        desk.undo(lead, comment_id, Undo()),
    ):
        with pytest.raises(ClaimLostError):
            await attempt


async def test_history_tells_every_decision_and_every_text(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id, Seed(text="النص الأول"))
    by, desk = await reviewer(database, site_id), Decisions(database, SteppedClock())
    await desk.decide(by, Target(comment_id, 1), APPROVE)
    await edit_comment(database, comment_id, "النص الثاني")
    await desk.decide(
        by, Target(comment_id, 2), Ruling(Verdict.REJECT, ReasonCode.HATE, "see the second line")
    )
    history = await Archive(database).history(comment_id, {site_id})
    assert history.comment.text == "النص الثاني"
    assert [d.sequence for d in history.decisions] == [1, 2, 3, 4]
    assert [d.decided_by.value for d in history.decisions] == ["service", "moderator", "service", "moderator"]
    assert history.decisions[3].note == "see the second line"
    assert [(r.revision, r.text) for r in history.revisions] == [(1, "النص الأول")]
    with pytest.raises(UnknownCommentError):
        await Archive(database).history(comment_id, {SiteId(site_id + 1)})


async def test_the_archive_does_not_show_withdrawn_comments(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id)
    await fetch(database, "UPDATE comments SET state = 'deleted' RETURNING 1")
    for read in (Archive(database).comment, Archive(database).history):
        with pytest.raises(ModerationError) as caught:
            await read(comment_id, {site_id})
        assert caught.value.code == "gone"
