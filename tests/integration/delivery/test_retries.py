"""Failing endpoints: three days of attempts, dead letters that block nothing, and the way back."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from moderation.delivery.backlog import Backlog
from moderation.delivery.retries import MAX_ATTEMPTS, SCHEDULE_S
from moderation.domain.verdict import State
from tests.integration.delivery.conftest import SECRET, Bench
from tests.receiver import answer, flap


async def next_attempt(bench: Bench) -> datetime:
    [row] = await bench.newsroom.pending()
    return row["next_attempt_at"]


async def test_a_failing_event_is_tried_for_three_days_and_then_given_up_while_later_ones_go_on(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    await bench.newsroom.decide(comment)
    bench.receiver.behaviour = answer(500)
    worker = await bench.worker()
    started = bench.clock.now
    for _ in range(MAX_ATTEMPTS - 1):
        assert await worker.drain() == 1
        due = await next_attempt(bench)
        bench.clock.now = due - timedelta(milliseconds=1)
        assert await worker.drain() == 0
        bench.clock.now = due
    assert await bench.newsroom.dead() == []
    await worker.drain()
    assert await bench.newsroom.dead() == [(comment, 1, "server_error")]
    first = [request for request in bench.receiver.requests if request.message_id == f"evt_{comment}_1"]
    waits_s = [(after.at - before.at).total_seconds() for before, after in pairwise(first)]
    assert waits_s == pytest.approx(SCHEDULE_S)
    assert timedelta(days=3) < bench.clock.now - started < timedelta(days=3.5)
    bench.receiver.behaviour = answer(204)
    bench.clock.advance(seconds=5)
    await worker.drain()
    assert bench.receiver.keys == [(str(comment), 2)]
    assert await bench.newsroom.pending() == []
    assert await bench.newsroom.outcomes(comment) == ["server_error"] * (MAX_ATTEMPTS + 1) + ["delivered"]


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "60"}, 60),
        ({"Retry-After": "86400"}, 120),
        ({"Retry-After": "1"}, 5),
        ({"Retry-After": "soon"}, 5),
    ],
)
async def test_the_endpoint_may_ask_for_more_time_but_not_for_too_much(
    bench: Bench, headers: dict[str, str], wait_s: int
):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    await bench.newsroom.comment(site)
    bench.receiver.behaviour = answer(503, headers)
    await (await bench.worker()).drain()
    assert await next_attempt(bench) - bench.clock.now == timedelta(seconds=wait_s)


async def test_the_endpoint_may_name_a_moment(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    await bench.newsroom.comment(site)
    moment = bench.clock.now + timedelta(seconds=90)
    bench.receiver.behaviour = answer(
        429, {"Retry-After": format_datetime(moment.astimezone(UTC), usegmt=True)}
    )
    await (await bench.worker()).drain()
    assert await next_attempt(bench) == moment


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (302, "redirected"),
        (400, "client_error"),
        (404, "client_error"),
        (429, "throttled"),
        (503, "server_error"),
    ],
)
async def test_every_other_answer_is_a_failure_and_redirects_are_not_followed(
    bench: Bench, status: int, outcome: str
):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    bench.receiver.behaviour = answer(status, {"Location": bench.receiver.url + "/elsewhere"})
    await (await bench.worker()).drain()
    assert [r.path for r in bench.receiver.requests] == ["/events"]
    [row] = await bench.newsroom.fetch(
        "SELECT outcome, status FROM delivery_attempts WHERE comment_id = $1", comment
    )
    assert row == {"outcome": outcome, "status": status}
    assert (await bench.newsroom.pending())[0]["attempts"] == 1


async def test_gone_ends_everything_that_is_pending_for_that_endpoint_only(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    other = await bench.newsroom.add_site("weekly", bench.receiver.url + "/other", SECRET)
    bench.receiver.behaviour = answer(500)
    worker = await bench.worker()
    early = [await bench.newsroom.comment(site) for _ in range(3)]
    spared = await bench.newsroom.comment(other)
    await worker.drain()
    await bench.newsroom.decide(early[0])
    bench.receiver.behaviour = answer(410)
    last = await bench.newsroom.comment(site)
    await worker.drain()
    assert await bench.newsroom.dead() == [(early[0], 1, "gone"), (early[0], 2, "gone"), (early[1], 1, "gone"), (early[2], 1, "gone"), (last, 1, "gone")]  # fmt: skip
    assert [row["comment_id"] for row in await bench.newsroom.pending()] == [spared]
    assert len([r for r in bench.receiver.requests if r.key[0] == str(last)]) == 1


async def test_gone_from_an_address_given_up_meanwhile_buries_nothing(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    bench.receiver.behaviour = answer(500)
    worker = await bench.worker()
    waiting = await bench.newsroom.comment(site)
    await worker.drain()

    async def move_away(received):
        await bench.newsroom.fetch("UPDATE sites SET webhook_url = 'https://new.example/events'")
        return await answer(410)(received)

    bench.receiver.behaviour = move_away
    last = await bench.newsroom.comment(site)
    await worker.drain()
    assert await bench.newsroom.dead() == [(last, 1, "gone")]
    assert [row["comment_id"] for row in await bench.newsroom.pending()] == [waiting]


async def test_redriven_events_leave_again_in_order_under_their_old_ids(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment, other = await bench.newsroom.comment(site), await bench.newsroom.comment(site)
    bench.receiver.behaviour = answer(410)
    worker = await bench.worker()
    await worker.drain()
    bench.receiver.behaviour = answer(204)
    await bench.newsroom.decide(comment)
    await worker.drain()
    bench.receiver.accepted.clear()
    backlog = Backlog(bench.database, bench.clock)
    assert await backlog.redrive(site, comment_id=comment) == 1
    await worker.drain()
    assert bench.receiver.keys == [(str(comment), 1), (str(comment), 2)]
    assert await backlog.redrive(site) == 1
    await worker.drain()
    assert bench.receiver.keys[2:] == [(str(other), 1)]
    assert await bench.newsroom.dead() == await bench.newsroom.pending() == []
    assert await backlog.redrive(site) == 0


async def test_redriving_a_comment_that_is_being_served_loses_neither(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    bench.receiver.behaviour = answer(410)
    worker = await bench.worker()
    await worker.drain()
    await bench.newsroom.decide(comment)
    backlog = Backlog(bench.database, bench.clock)

    async def redrive_meanwhile(received):
        bench.receiver.behaviour = answer(204)
        assert await backlog.redrive(site) == 1
        return await answer(204)(received)

    bench.receiver.behaviour = redrive_meanwhile
    await worker.drain()
    assert bench.receiver.keys == [(str(comment), 2), (str(comment), 1), (str(comment), 2)]
    assert await bench.newsroom.pending() == []


async def test_what_waits_is_sent_soon_after_a_failing_endpoint_answers_again(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comments = [await bench.newsroom.comment(site) for _ in range(5)]
    bench.receiver.behaviour = answer(503)
    worker = await bench.worker()
    for wait_s in (0, *SCHEDULE_S[:8]):
        bench.clock.advance(seconds=wait_s)
        await worker.drain()
    before = {row["comment_id"]: row["attempts"] for row in await bench.newsroom.pending()}
    assert min(
        row["next_attempt_at"] for row in await bench.newsroom.pending()
    ) > bench.clock.now + timedelta(hours=9)
    bench.receiver.behaviour = flap([204, 503, 503, 503, 503, 503])
    news = await bench.newsroom.comment(site)
    await worker.drain()
    after = {row["comment_id"]: row["attempts"] for row in await bench.newsroom.pending()}
    assert after == before  # the extra attempt brought nobody nearer to the end
    bench.receiver.behaviour = answer(204)
    await bench.newsroom.comment(site)
    await worker.drain()
    assert await bench.newsroom.pending() == []
    assert {key for key, _ in bench.receiver.keys} >= {str(comment) for comment in [*comments, news]}


async def test_the_backlog_is_listed_page_by_page(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    backlog = Backlog(bench.database, bench.clock)
    first = [await bench.newsroom.comment(site, external_id=f"c{n}") for n in range(5)]
    bench.receiver.behaviour = answer(500)
    await (await bench.worker()).drain()
    started = bench.clock.now
    bench.clock.advance(seconds=1)
    second = [await bench.newsroom.comment(site) for _ in range(3)]
    page = await backlog.pending(site, limit=6)
    assert [p.comment_id for p in page] == [*first, second[0]]
    assert [p.comment_id for p in await backlog.pending(site, after=page[-1].comment_id)] == second[1:]
    assert [p.comment_id for p in await backlog.pending(site, failing_only=True)] == first
    assert (page[0].external_id, page[0].attempts, page[0].last_outcome, page[0].last_status) == (
        "c0",
        1,
        "server_error",
        500,
    )
    assert (page[5].attempts, page[5].last_outcome) == (0, None)
    summary = await backlog.summary(site)
    assert (summary.pending, summary.failing, summary.dead, summary.oldest_due_at) == (8, 5, 0, started)
    bench.receiver.behaviour = answer(410)
    await bench.newsroom.decide(first[1], State.REJECTED)
    bench.clock.advance(seconds=60)
    await (await bench.worker()).drain()
    dead = await backlog.dead(site, limit=2)
    rest = await backlog.dead(site, after=(dead[-1].comment_id, dead[-1].sequence))
    assert [(d.comment_id, d.sequence) for d in [*dead, *rest]] == sorted(
        [*((c, 1) for c in first + second), (first[1], 2)]
    )
    assert (await backlog.summary()).dead == 9
    assert await backlog.pending(site) == []
    other = await bench.newsroom.add_site("weekly", bench.receiver.url, SECRET)
    assert await backlog.dead(other) == []
    assert await backlog.redrive(other) == 0
