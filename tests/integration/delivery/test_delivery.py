"""Events reach their site, signed, in order, and nothing but what they may say."""

import asyncio
import json

import pytest

from moderation.delivery.places import OVERALL, PER_SITE, Places
from moderation.domain.signatures import Verification
from moderation.domain.verdict import State
from tests.integration.delivery.conftest import SECRET, Bench
from tests.receiver import Hang, answer, flap

OTHER_SECRET = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


async def test_an_event_arrives_signed_and_says_what_became_of_the_comment(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site, external_id="c-1")
    assert await (await bench.worker()).drain() == 1
    [received] = bench.receiver.requests
    assert received.verification is Verification.VALID
    assert received.message_id == f"evt_{comment}_1"
    assert received.headers["content-type"] == "application/json"
    assert received.event == {
        "type": "comment.decided",
        "timestamp": "2026-03-01T12:00:00.000Z",
        "data": {
            "id": str(comment),
            "external_id": "c-1",
            "sequence": 1,
            "revision": 1,
            "state": "held",
            "verdict": "hold",
            "reasons": [{"code": "insult", "message": "إهانة لشخص."}],
            "decided_by": "service",
            "decided_at": "2026-03-01T12:00:00.000Z",
            "origin": "native",
        },
    }
    assert await bench.newsroom.pending() == []
    assert await bench.newsroom.outcomes(comment) == bench.attempts == ["delivered"]


async def test_a_withdrawal_is_an_event_of_its_own_type(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    await bench.newsroom.decide(comment, State.DELETED)
    await (await bench.worker()).drain()
    assert [r.event["type"] for r in bench.receiver.requests] == ["comment.decided", "comment.deleted"]
    assert bench.receiver.requests[1].data["verdict"] is None


async def test_every_live_secret_signs_so_that_a_secret_can_be_replaced(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, OTHER_SECRET, SECRET)
    await bench.newsroom.comment(site)
    await (await bench.worker()).drain()
    bench.receiver.secrets = [OTHER_SECRET]
    await bench.newsroom.comment(site)
    await (await bench.worker()).drain()
    assert [r.verification for r in bench.receiver.requests] == [Verification.VALID] * 2


async def test_events_of_one_comment_leave_in_order_and_the_later_ones_wait_for_a_failing_one(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    bench.receiver.behaviour = flap([500])
    worker = await bench.worker()
    await worker.drain()
    await bench.newsroom.decide(comment)
    await bench.newsroom.decide(comment, State.REJECTED)
    assert await worker.drain() == 0  # the first one's pause is not over
    bench.clock.advance(seconds=5)
    await worker.drain()
    assert bench.receiver.keys == [(str(comment), 1), (str(comment), 2), (str(comment), 3)]
    assert [r.message_id for r in bench.receiver.requests[:2]] == [f"evt_{comment}_1"] * 2
    assert bench.receiver.requests[0].body == bench.receiver.requests[1].body


async def test_nothing_is_sent_for_a_site_without_an_endpoint_or_for_imported_history(bench: Bench):
    silent = await bench.newsroom.add_site("silent", None)
    await bench.newsroom.comment(silent)
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site, is_history=True)
    assert await (await bench.worker()).drain() == 0
    await bench.newsroom.decide(comment)
    await (await bench.worker()).drain()
    assert bench.receiver.keys == [(str(comment), 2)]


async def test_events_of_a_site_that_gave_up_its_endpoint_are_kept_as_dead_letters(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    await bench.newsroom.fetch("UPDATE sites SET webhook_url = NULL")
    await (await bench.worker()).drain()
    assert bench.receiver.requests == []
    assert await bench.newsroom.dead() == [(comment, 1, "no_endpoint")]
    assert await bench.newsroom.pending() == []


async def test_an_event_is_never_sent_unsigned(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    for secrets in ([], [b"inbound_secret|" + SECRET.encode()], [b"webhook_secret|not base64!"]):
        await bench.newsroom.fetch("UPDATE sites SET webhook_secrets = $1", secrets)
        await (await bench.worker()).drain()
        bench.clock.advance(seconds=3600)
    assert bench.receiver.requests == []
    assert await bench.newsroom.outcomes(comment) == ["not_signed"] * 3


async def test_an_event_waits_for_no_other_comment(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    stuck = await bench.newsroom.comment(site)

    async def refuse_one(received):
        return await answer(500 if received.data["id"] == str(stuck) else 200)(received)

    bench.receiver.behaviour = refuse_one
    others = [await bench.newsroom.comment(site) for _ in range(20)]
    await (await bench.worker()).drain()
    assert {key for key, _ in bench.receiver.keys} == {str(other) for other in others}


async def test_several_workers_share_the_work_without_sending_anything_twice(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comments = [await bench.newsroom.comment(site) for _ in range(60)]
    workers = [await bench.worker() for _ in range(3)]
    counts = await asyncio.gather(*(worker.drain() for worker in workers))
    assert sorted(bench.receiver.keys) == sorted((str(comment), 1) for comment in comments)
    assert sum(counts) == 60


async def test_a_hanging_endpoint_holds_its_own_places_only(bench: Bench):
    hanging = Hang()
    bench.receiver.behaviour = lambda r: hanging(r) if r.path == "/hang" else answer(204)(r)
    slow = await bench.newsroom.add_site("slow", bench.receiver.url.replace("/events", "/hang"), SECRET)
    quick = await bench.newsroom.add_site("quick", bench.receiver.url, SECRET)
    for _ in range(20):
        await bench.newsroom.comment(slow)
    worker = await bench.worker(places=Places(per_site=4, overall=8))
    draining = asyncio.create_task(worker.drain())
    await bench.receiver.wait_for(lambda: hanging.hanging == 4)
    prompt = [await bench.newsroom.comment(quick) for _ in range(30)]
    helping = asyncio.create_task(worker.drain())
    await bench.receiver.wait_for(lambda: len(bench.receiver.accepted) == 30)
    assert {key for key, _ in bench.receiver.keys} == {str(comment) for comment in prompt}
    assert hanging.most == 4
    hanging.release.set()
    await asyncio.gather(draining, helping)
    assert len(bench.receiver.accepted) == 50


async def test_one_request_that_hangs_holds_up_no_other_comment_of_its_site(bench: Bench):
    hanging, site = Hang(), await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    first, now_s = str(await bench.newsroom.comment(site)), 0.0
    bench.receiver.behaviour = lambda r: hanging(r) if r.key[0] == first else answer(204)(r)
    worker = await bench.worker(timeout_s=120, places=Places(seconds=lambda: now_s))
    running = asyncio.create_task(worker.run())
    await bench.receiver.wait_for(lambda: bool(bench.receiver.requests))
    now_s += 5  # it stands aside
    others = [await bench.newsroom.comment(site) for _ in range(20)]
    await bench.receiver.wait_for(lambda: len(bench.receiver.accepted) == 20, timeout_s=60)
    assert {key for key, _ in bench.receiver.keys} == {str(other) for other in others}
    hanging.release.set()
    await bench.receiver.wait_for(lambda: len(bench.receiver.accepted) == 21, timeout_s=60)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_endpoints_that_begin_to_hang_at_once_hold_up_nobody_else(bench: Bench):
    hanging = Hang()
    bench.receiver.behaviour = lambda r: hanging(r) if r.path == "/hang" else answer(204)(r)
    silent = bench.receiver.url.replace("/events", "/hang")
    for number in range(24):
        site = await bench.newsroom.add_site(f"silent-{number}", silent, SECRET)
        for _ in range(PER_SITE):
            await bench.newsroom.comment(site)
    quick = await bench.newsroom.add_site("quick", bench.receiver.url, SECRET)
    worker = await bench.worker(timeout_s=120)
    running = asyncio.create_task(worker.run())
    await bench.receiver.wait_for(lambda: hanging.hanging >= OVERALL)
    for count in range(1, 6):
        comment = await bench.newsroom.comment(quick)
        await bench.receiver.wait_for(lambda count=count: len(bench.receiver.accepted) == count, timeout_s=60)
        assert bench.receiver.keys[-1] == (str(comment), 1)
    assert not bench.attempts.count("timeout")  # none of those that hang had given its place back
    assert hanging.most == hanging.hanging
    hanging.release.set()
    await bench.receiver.wait_for(lambda: len(bench.receiver.accepted) == 5 + 24 * PER_SITE, timeout_s=60)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_running_worker_sends_a_new_event_soon_without_being_told(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    worker = await bench.worker()
    running = asyncio.create_task(worker.run())
    loop = asyncio.get_running_loop()
    waited_s = []
    for count in range(1, 6):
        await bench.newsroom.comment(site)
        committed = loop.time()
        await bench.receiver.wait_for_requests(count)
        waited_s.append(loop.time() - committed)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert min(waited_s) < 2.0  # a poll each 0.25 s, on a machine that may be busy


async def test_a_hint_makes_the_worker_look_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("moderation.delivery.worker.POLL_S", 60.0)
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    worker = await bench.worker()
    running = asyncio.create_task(worker.run())
    await bench.newsroom.comment(site)
    worker.hint()
    await bench.receiver.wait_for_requests(1, timeout_s=30)  # half of what it would sleep
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_event_says_nothing_private(bench: Bench):
    site = await bench.newsroom.add_site("daily", bench.receiver.url, SECRET)
    comment = await bench.newsroom.comment(site)
    await bench.newsroom.decide(comment)
    await (await bench.worker()).drain()
    for received in bench.receiver.requests:
        said = json.dumps(received.event, ensure_ascii=False) + str(received.headers)
        for private in ("نص", "سلمى", "somebody@news.example", "private note", "evidence"):
            assert private not in said
