"""Claims over a real PostgreSQL: exclusive, expiring, and lost in an orderly way."""

import asyncio
from datetime import timedelta

import pytest

from moderation.domain.errors import ClaimLostError, StaleRevisionError, UnknownClaimError
from moderation.domain.ids import ModeratorId, new_uuid
from moderation.domain.site import Role
from moderation.domain.task import QueueOrder, TaskKind
from moderation.domain.verdict import Scores, Verdict
from moderation.review.claims import LEASE, Claims
from moderation.review.decisions import Decisions
from moderation.review.queue import Selection
from moderation.review.reviewer import Reviewer
from moderation.review.rulings import Ruling, Target
from moderation.storage.database import Database
from moderation.storage.decisions import lock_comments
from tests.seeding import (
    START,
    Seed,
    SteppedClock,
    add_comment,
    add_comments,
    add_moderator,
    add_site,
    edit_comment,
)

KINDS = frozenset({TaskKind.HELD, TaskKind.AUDIT})
ANNA, BILAL = ModeratorId(new_uuid()), ModeratorId(new_uuid())


async def test_racing_moderators_never_get_the_same_task(database: Database) -> None:
    site_id = await add_site(database)
    ids = await add_comments(database, site_id, [Seed() for _ in range(240)])
    desk = Claims(database, SteppedClock())
    selection = Selection(site_id, KINDS)

    async def work() -> list[object]:
        taken: list[object] = []
        me = ModeratorId(new_uuid())
        while entries := await desk.claim(me, selection, limit=7):
            assert {entry.task.claim.by for entry in entries if entry.task.claim} == {me}
            taken += [entry.comment.id for entry in entries]
        return taken

    taken = [comment_id for each in await asyncio.gather(*(work() for _ in range(12))) for comment_id in each]
    assert len(taken) == len(ids)
    assert set(taken) == set(ids)


async def test_tasks_being_taken_are_passed_over_without_waiting(database: Database) -> None:
    site_id = await add_site(database)
    first, second = await add_comments(
        database, site_id, [Seed(), Seed(received_at=START + timedelta(seconds=1))]
    )
    async with database.transaction() as connection:
        await connection.execute("SELECT 1 FROM tasks WHERE comment_id = $1 FOR UPDATE", first)
        async with asyncio.timeout(30):
            (entry,) = await Claims(database, SteppedClock()).claim(ANNA, Selection(site_id, KINDS), limit=5)
    assert entry.comment.id == second


async def test_a_comment_being_decided_is_not_claimed(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id)
    async with database.transaction() as connection:
        await lock_comments(connection, [comment_id])
        async with asyncio.timeout(30):
            assert (
                await Claims(database, SteppedClock()).claim(ANNA, Selection(site_id, KINDS), limit=1) == ()
            )


async def test_claims_come_in_the_order_asked_for_with_an_id_each(database: Database) -> None:
    site_id = await add_site(database)
    ids = await add_comments(database, site_id, [Seed(scores=Scores(abuse=n / 10)) for n in range(5)])
    clock = SteppedClock()
    entries = await Claims(database, clock).claim(ANNA, Selection(site_id, KINDS, QueueOrder.ABUSE), limit=4)
    assert [entry.comment.id for entry in entries] == [ids[4], ids[3], ids[2], ids[1]]
    held = [entry.task.claim for entry in entries]
    assert len({claim.id for claim in held if claim}) == 4
    assert {claim.expires_at for claim in held if claim} == {clock.now + LEASE}


async def test_filters_choose_what_is_claimed(database: Database) -> None:
    site_id = await add_site(database)
    _, wanted, _ = await add_comments(
        database, site_id, [Seed(), Seed(thread="t-2"), Seed(task=TaskKind.ESCALATED)]
    )
    desk = Claims(database, SteppedClock())
    (entry,) = await desk.claim(ANNA, Selection(site_id, KINDS, thread="t-2"), limit=20)
    assert entry.comment.id == wanted
    assert len(await desk.claim(ANNA, Selection(site_id, KINDS), limit=20)) == 1


async def test_an_expired_lease_is_taken_over_and_cannot_be_renewed(database: Database) -> None:
    site_id = await add_site(database)
    await add_comment(database, site_id)
    clock = SteppedClock()
    desk = Claims(database, clock)
    selection = Selection(site_id, KINDS)
    (mine,) = await desk.claim(ANNA, selection, limit=1)
    assert mine.task.claim is not None
    clock.advance(seconds=299)
    assert await desk.claim(BILAL, selection, limit=1) == ()
    clock.advance(seconds=1)
    (theirs,) = await desk.claim(BILAL, selection, limit=1)
    assert theirs.task.claim is not None
    assert theirs.task.claim.id != mine.task.claim.id
    for lost in (desk.renew(ANNA, mine.task.claim.id, [site_id]), desk.release(ANNA, mine.task.claim.id)):
        with pytest.raises(UnknownClaimError):
            await lost


async def test_a_heartbeat_keeps_the_lease(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id)
    clock = SteppedClock()
    desk = Claims(database, clock)
    (entry,) = await desk.claim(ANNA, Selection(site_id, KINDS), limit=1)
    assert entry.task.claim is not None
    for _ in range(3):
        clock.advance(minutes=4)
        renewal = await desk.renew(ANNA, entry.task.claim.id, [site_id])
        assert (renewal.comment_id, renewal.claim.expires_at) == (comment_id, clock.now + LEASE)
    assert await desk.claim(BILAL, Selection(site_id, KINDS), limit=1) == ()


async def test_only_the_holder_renews_or_releases_and_only_while_they_have_a_role(database: Database) -> None:
    site_id = await add_site(database)
    await add_comment(database, site_id)
    desk = Claims(database, SteppedClock())
    (entry,) = await desk.claim(ANNA, Selection(site_id, KINDS), limit=1)
    assert entry.task.claim is not None
    claim_id = entry.task.claim.id
    for refused in (
        desk.renew(BILAL, claim_id, [site_id]),
        desk.renew(ANNA, claim_id, []),
        desk.release(BILAL, claim_id),
    ):
        with pytest.raises(UnknownClaimError):
            await refused
    await desk.release(ANNA, claim_id)
    assert len(await desk.claim(BILAL, Selection(site_id, KINDS), limit=1)) == 1


async def test_a_claimed_task_is_decided_by_its_holder_alone(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id)
    anna, _ = await add_moderator(database, {site_id: Role.MODERATOR})
    bilal, _ = await add_moderator(database, {site_id: Role.LEAD})
    clock = SteppedClock()
    desk, decisions = Claims(database, clock), Decisions(database, clock)
    (entry,) = await desk.claim(anna.id, Selection(site_id, KINDS), limit=1)
    assert entry.task.claim is not None
    target, ruling = Target(comment_id, 1), Ruling(Verdict.APPROVE)
    with pytest.raises(ClaimLostError) as caught:
        await decisions.decide(Reviewer.person(bilal), target, ruling)
    assert caught.value.context["claimed_by"] == str(anna.id)
    await decisions.decide(Reviewer.person(anna), target, ruling)
    with pytest.raises(UnknownClaimError):
        await desk.renew(anna.id, entry.task.claim.id, [site_id])


async def test_an_edit_makes_the_holders_decision_stale(database: Database) -> None:
    site_id = await add_site(database)
    comment_id = await add_comment(database, site_id)
    anna, _ = await add_moderator(database, {site_id: Role.MODERATOR})
    clock = SteppedClock()
    await Claims(database, clock).claim(anna.id, Selection(site_id, KINDS), limit=1)
    await edit_comment(database, comment_id, "نص آخر")
    with pytest.raises(StaleRevisionError):
        await Decisions(database, clock).decide(
            Reviewer.person(anna), Target(comment_id, 1), Ruling(Verdict.APPROVE)
        )
