"""Each clock removes what is due and nothing else; a round that was killed goes on; labels outlive the person."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from moderation.domain.clock import utc_now
from moderation.domain.ids import new_uuid
from moderation.domain.label import LabelSource
from moderation.domain.retention import CLOCKS, Retention
from moderation.privacy import clocks, retention
from moderation.privacy.retention import RetentionJob
from moderation.storage.database import connect
from moderation.storage.leadership import leadership
from moderation.telemetry import RETENTION_REMOVED
from tests.integration.privacy.planting import plant, planted
from tests.seeding import SteppedClock
from tests.service import RunningService, rest, seed_moderator

NEVER = Retention(**dict.fromkeys(CLOCKS, 3000))


class Keeper:
    """The job as its leader runs it, at a time of the test's choosing."""

    def __init__(self, service: RunningService, connection: Any) -> None:
        self.service = service
        self.connection = connection
        self.clock = SteppedClock(utc_now())

    async def round(self, *, days: float = 0, **kept: int) -> dict[str, int]:
        """Run a round ``days`` from now with these clocks, all others far away."""
        self.clock.now = utc_now() + timedelta(days=days)
        job = RetentionJob(
            self.service.database_url,
            self.service.vault,
            NEVER.overridden_by(kept),
            clock=self.clock,
        )
        return {name: count for name, count in (await job.round(self.connection)).items() if count}

    async def row(self, query: str, *arguments: Any) -> Any:
        return await self.connection.fetchrow(query, *arguments)

    async def comment(self, comment_id: str) -> Any:
        return await self.row("SELECT * FROM comments WHERE id = $1", comment_id)


@pytest.fixture(autouse=True)
def only_tests_remove(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.function is not test_only_the_leader_works:
        rest(monkeypatch, RetentionJob)


@pytest_asyncio.fixture(loop_scope="session")
async def keeper(service: RunningService) -> AsyncIterator[Keeper]:
    connection = await connect(service.database_url)
    yield Keeper(service, connection)
    await connection.close()


async def sequenced(keeper: Keeper) -> None:
    """Wait until every decision has its place in the feed."""
    import asyncio

    async with asyncio.timeout(60):
        while await keeper.connection.fetchval("SELECT count(*) FROM decisions WHERE position IS NULL"):
            await asyncio.sleep(0.02)


async def decided(service: RunningService, verdict: str, **fields: Any) -> str:
    """A comment that a person decided on with a note; return its id."""
    person = planted()
    token = await seed_moderator(service.database, {service.site.id: "lead"})
    status, made = await service.call("POST", "/v1/comments", json=person.comment(**fields))
    assert status == 201, made
    body = {"verdict": verdict, "revision": 1, "note": person.word("note")}
    body |= {"reason": "insult"} if verdict == "reject" else {}
    status, answer = await service.call("POST", f"/v1/comments/{made['id']}/decision", key=token, json=body)
    assert status == 200, answer
    return str(made["id"])


async def test_address_and_browser_go_after_their_days_and_the_email_after_its_own(keeper: Keeper) -> None:
    comment_id = await decided(keeper.service, "approve")
    assert await keeper.round(days=13.9, address=14) == {}
    assert await keeper.round(days=14.1, address=14) == {"address": 1}
    row = await keeper.comment(comment_id)
    assert (row["address_sealed"], row["user_agent"]) == (None, None)
    assert row["email_sealed"] is not None
    assert await keeper.round(days=366, email=365) == {"email": 1}
    row = await keeper.comment(comment_id)
    assert row["email_sealed"] is None
    assert row["email_hash"] is not None, "an erasure must still find the text"
    assert row["text"] != ""
    assert await keeper.round(days=367, email=365, address=14) == {}


async def test_rejected_text_goes_and_what_a_person_said_of_it_stays_without_the_person(
    keeper: Keeper,
) -> None:
    service = keeper.service
    rejected = await decided(service, "reject", external_id="77")
    approved = await decided(service, "approve")
    text = (await keeper.comment(rejected))["text"]
    await sequenced(keeper)
    assert await keeper.round(days=89, rejected=90) == {}
    assert await keeper.round(days=91, rejected=90) == {"rejected": 1}
    row = await keeper.comment(rejected)
    kept = {
        "id",
        "site_id",
        "thread_id",
        "external_id",
        "parent_id",
        "revision",
        "state",
        "sequence",
        "origin",
    }
    kept |= {"created_at", "received_at", "text_removed_at", "content_hash", "text"}
    assert {name for name, value in row.items() if value is not None} - kept == set()
    assert (row["text"], row["content_hash"]) == ("", bytes(16))
    assert (await keeper.comment(approved))["text"] != ""
    label = await keeper.row("SELECT * FROM labels")
    assert (label["text"], label["source"], label["reject"], label["insult"]) == (
        text,
        LabelSource.DESK,
        1,
        1,
    )
    assert label["weight"] == 1.0
    identity = ("comment_id", "identity", "email_hash", "actor")
    assert [label[name] for name in identity] == [None] * 4
    notes = "SELECT count(*) FROM decisions WHERE comment_id = $1 AND note IS NOT NULL"
    assert await keeper.connection.fetchval(notes, rejected) == 0
    assert await keeper.round(days=400, rejected=90) == {}


async def test_a_comment_without_its_text_is_gone_for_everybody(keeper: Keeper) -> None:
    service = keeper.service
    rejected = await decided(service, "reject", external_id="78")
    await sequenced(keeper)
    await keeper.round(days=91, rejected=90)
    token = await seed_moderator(service.database, {service.site.id: "lead"})
    path = f"/v1/comments/{rejected}"
    asked = [
        ("GET", path, None, None),
        ("GET", f"{path}/history", None, None),
        ("PUT", path, {"text": "نص جديد"}, None),
        ("POST", "/v1/comments", planted().comment(external_id="78"), None),
        ("POST", f"{path}/decision", {"verdict": "approve", "revision": 1}, token),
        ("POST", f"{path}/undo", {}, token),
        ("POST", f"{path}/escalate", {"revision": 1}, token),
    ]
    answers = [await service.call(method, where, json=body, key=key) for method, where, body, key in asked]
    assert [status for status, _ in answers] == [410] * len(asked), answers
    assert (await keeper.comment(rejected))["state"] == "rejected"


async def test_its_decisions_stay_on_record_with_the_hash_of_the_text(keeper: Keeper) -> None:
    rejected = await decided(keeper.service, "reject")
    await sequenced(keeper)
    path = f"/v1/comments/{rejected}/records"
    _, before = await keeper.service.call("GET", path)
    await keeper.round(days=91, rejected=90)
    status, after = await keeper.service.call("GET", path)
    assert status == 200
    hashes = [record["comment"]["text_hash"] for record in before["records"]]
    assert [record["comment"]["text_hash"] for record in after["records"]] == hashes
    assert None not in hashes
    assert after["records"][-1]["statement"]["is_due"] is True


async def test_withdrawn_text_goes_by_the_time_of_withdrawal(keeper: Keeper) -> None:
    service = keeper.service
    status, made = await service.call("POST", "/v1/comments", json=planted().comment())
    assert status == 201
    await service.call("DELETE", f"/v1/comments/{made['id']}")
    await sequenced(keeper)
    assert await keeper.round(days=29, withdrawn=30, rejected=0) == {}
    assert await keeper.round(days=31, withdrawn=30) == {"withdrawn": 1}
    assert (await keeper.comment(made["id"]))["text"] == ""


async def test_what_was_approved_again_keeps_its_text(keeper: Keeper) -> None:
    service = keeper.service
    rejected = await decided(service, "reject")
    token = await seed_moderator(service.database, {service.site.id: "lead"})
    status, _ = await service.call("POST", f"/v1/comments/{rejected}/undo", key=token, json={})
    assert status == 200
    await sequenced(keeper)
    assert await keeper.round(days=100, rejected=90) == {}
    assert (await keeper.comment(rejected))["text"] != ""


async def test_imported_rejections_go_too(keeper: Keeper) -> None:
    service = keeper.service
    line = planted().comment(external_id="old-1", state="rejected", decided_at="2024-01-01T00:00:00Z")
    import json

    status, answer = await service.call(
        "POST", "/v1/comments/batch", data=json.dumps(line), headers={"Content-Type": "application/x-ndjson"}
    )
    assert status == 200, answer
    assert await keeper.round(days=1, rejected=90) == {}
    assert await keeper.round(days=91, rejected=90) == {"rejected_imports": 1}
    assert (await keeper.row("SELECT text FROM comments"))["text"] == ""
    assert (await keeper.row("SELECT reject FROM labels"))["reject"] == 1


async def test_earlier_texts_of_an_edited_comment_go_and_the_current_one_stays(keeper: Keeper) -> None:
    service = keeper.service
    comment_id = await decided(service, "approve")
    first = (await keeper.comment(comment_id))["text"]
    status, _ = await service.call("PUT", f"/v1/comments/{comment_id}", json={"text": "نص ثان"})
    assert status == 200
    await sequenced(keeper)
    assert await keeper.round(days=91, rejected=90) == {"earlier_texts": 1}
    assert (await keeper.comment(comment_id))["text"] == "نص ثان"
    label = await keeper.row("SELECT text, spam, comment_id FROM labels WHERE text = $1", first)
    assert tuple(label) == (first, 0, None)


async def test_what_closed_an_audit_keeps_its_weight(keeper: Keeper) -> None:
    rejected = await decided(keeper.service, "reject")
    await keeper.connection.execute(
        "UPDATE decisions SET task = 'audit' WHERE comment_id = $1 AND decided_by <> 'service'", rejected
    )
    await keeper.connection.execute("UPDATE policies SET policy = $1", {"audit_share": 0.04})
    await sequenced(keeper)
    assert await keeper.round(days=91, rejected=90) == {"rejected": 1}
    assert (await keeper.row("SELECT weight FROM labels"))["weight"] == 25.0


async def test_labels_lose_who_said_them_first_and_go_later(keeper: Keeper) -> None:
    person = planted()
    await plant(keeper.service, person)
    assert await keeper.round(days=91, label_identity=90) == {"label_identity": 1}
    row = await keeper.row("SELECT * FROM labels WHERE text LIKE '%' || $1 || '%'", person.word("labelled"))
    assert (row["email_hash"], row["spam"], row["reject"]) == (None, 1, 1)
    assert await keeper.round(days=1096, labels=1095) == {"labels": 1}


async def test_the_audit_goes_last_and_takes_with_it_who_decided(keeper: Keeper) -> None:
    comment_id = await decided(keeper.service, "approve")
    await keeper.connection.execute(
        "INSERT INTO audit (site_id, actor, action) VALUES ($1, 'cli:me', 'site.set'), (NULL, 'cli:me', 'keys.rotated')",
        keeper.service.site.id,
    )
    await sequenced(keeper)
    assert await keeper.round(days=1094, audit=1095) == {}
    done = await keeper.round(days=1096, audit=1095)
    assert done == {"audit": 2, "deciders": 1}
    row = await keeper.row(
        "SELECT actor, note, decided_by FROM decisions WHERE comment_id = $1 AND sequence = 2", comment_id
    )
    assert tuple(row) == (None, None, "moderator")


async def test_attempts_and_dead_letters_have_clocks_of_their_own(keeper: Keeper) -> None:
    site_id = keeper.service.site.id
    await keeper.connection.execute(
        "INSERT INTO delivery_attempts (comment_id, site_id, sequence, attempted_at, outcome, duration_ms)"
        " VALUES (gen_random_uuid(), $1, 1, now(), 'delivered', 1)",
        site_id,
    )
    await keeper.connection.execute(
        "INSERT INTO dead_letters VALUES (gen_random_uuid(), 1, $1, 'gone', now())", site_id
    )
    assert await keeper.round(days=31, attempts=30) == {"attempts": 1}
    assert await keeper.round(days=91, dead_letters=90) == {"dead_letters": 1}


async def test_a_sites_own_clock_wins_over_the_instances(keeper: Keeper) -> None:
    await decided(keeper.service, "approve")
    await keeper.connection.execute(
        'UPDATE sites SET settings = settings || \'{"retention": {"address": 2}}\''
    )
    assert await keeper.round(days=3, address=14) == {"address": 1}


async def test_many_are_done_in_bounded_steps_and_a_stopped_round_goes_on(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "BATCH", 2)
    monkeypatch.setattr(clocks, "WINDOW", 2)
    ids = [await decided(keeper.service, "reject") for _ in range(5)]
    await sequenced(keeper)
    real, steps = retention._step, []

    async def stopped_after_two(*arguments: Any) -> Any:
        if len(steps) == 2:
            raise asyncpg.PostgresConnectionError
        steps.append(await real(*arguments))
        return steps[-1]

    monkeypatch.setattr(retention, "_step", stopped_after_two)
    with pytest.raises(asyncpg.PostgresConnectionError):
        await keeper.round(days=91, address=90)
    assert [step.removed for step in steps] == [2, 2]
    monkeypatch.setattr(retention, "_step", real)
    assert await keeper.round(days=91, address=90, rejected=90) == {"address": 1, "rejected": 5}
    texts = await keeper.connection.fetch("SELECT text FROM comments WHERE id = ANY($1)", ids)
    assert {row["text"] for row in texts} == {""}


async def test_what_clients_words_are_matched_by_goes_and_so_do_their_counts(keeper: Keeper) -> None:
    comment_id = await decided(keeper.service, "approve")
    site_id = keeper.service.site.id
    await keeper.connection.execute(
        "INSERT INTO akismet_checks (guid, comment_id, site_id, key_id, match_key, checked_at)"
        " VALUES ($1, $2, $3, $1, '\\x00', now())",
        new_uuid(),
        comment_id,
        site_id,
    )
    await keeper.connection.execute(
        "INSERT INTO coral_comments VALUES ($1, $2, '\\x00', '\\x00', NULL, now())", comment_id, site_id
    )
    await keeper.connection.execute(
        "INSERT INTO akismet_usage (site_id, day, blog, key_id) VALUES ($1, now()::date, 'b', $2)",
        site_id,
        new_uuid(),
    )
    assert await keeper.round(days=89, receipts=90, usage=100) == {}
    assert await keeper.round(days=91, receipts=90, usage=100) == {"akismet_checks": 1, "coral_comments": 1}
    assert await keeper.round(days=102, receipts=90, usage=100) == {"usage": 1}


async def test_an_author_is_forgotten_of_whom_nothing_was_decided_for_long_but_not_one_who_is_blocked(
    keeper: Keeper,
) -> None:
    await decided(keeper.service, "approve")
    assert await keeper.round(days=99, authors=100) == {}
    await keeper.connection.execute("UPDATE authors SET standing = 'blocked'")
    assert await keeper.round(days=101, authors=100) == {}
    await keeper.connection.execute("UPDATE authors SET standing = 'none'")
    assert await keeper.round(days=101, authors=100) == {"authors": 1}


async def test_what_an_older_program_left_to_find_emptied_comments_by_is_swept_round_and_round(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "ENTRIES", 3)
    service, entry = keeper.service, "INSERT INTO search_entries VALUES ($1, $2, '1', NULL, 1, '')"
    ids = [(await service.call("POST", "/v1/comments", json=planted().comment()))[1]["id"] for _ in range(5)]
    for comment_id in ids:
        await keeper.connection.execute(f"{entry} ON CONFLICT DO NOTHING", service.site.id, comment_id)
    counted = RETENTION_REMOVED.labels("search")._value.get  # type: ignore[attr-defined]
    before = counted()
    for left in ([ids[1], ids[4]], [ids[0]]):  # what is left behind the place is found the next time around
        # An erasure by a program that knows no entries.
        await keeper.connection.execute(
            "UPDATE comments SET text = '', text_removed_at = now() WHERE id = ANY($1::uuid[])", left
        )
        for _ in range(3):
            await keeper.round()
    kept = await keeper.connection.fetch("SELECT comment_id::text FROM search_entries ORDER BY comment_id")
    assert [row["comment_id"] for row in kept] == ids[2:4]
    assert counted() == before + 3


async def test_a_removed_site_keeps_no_texts(keeper: Keeper) -> None:
    comment_id = await decided(keeper.service, "approve")
    await keeper.service.call("POST", "/v1/comments", json=planted().comment())
    assert await keeper.round(days=99, removed_site=90) == {}
    await keeper.connection.execute("UPDATE sites SET removed_at = now()")
    assert await keeper.round(days=89, removed_site=90) == {}
    assert await keeper.round(days=91, removed_site=90) == {"removed_site": 2}
    row = await keeper.comment(comment_id)
    assert (row["text"], row["author_name"], row["email_sealed"], row["state"]) == (
        "",
        None,
        None,
        "approved",
    )
    assert await keeper.round(days=92, removed_site=90) == {}


async def test_only_the_leader_works(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own job runs in this process and holds the lock once it has begun, so nobody else gets it."""
    import asyncio

    held = (
        "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON oid = database WHERE datname = current_database()"
        " AND locktype = 'advisory' AND granted AND classid::bigint << 32 | objid::bigint = $1)"
    )
    async with asyncio.timeout(60):
        while not await keeper.connection.fetchval(held, retention.LOCK):
            await asyncio.sleep(0.05)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2), leadership(keeper.service.database_url, retention.LOCK):
            raise AssertionError("two leaders at once")


async def test_the_feed_keeps_its_days(keeper: Keeper) -> None:
    day = (utc_now() - timedelta(days=20)).date()
    await keeper.connection.execute("INSERT INTO feed_days VALUES ($1, 1)", day)
    await keeper.round(events=60)
    assert await keeper.connection.fetchval("SELECT count(*) FROM feed_days WHERE day = $1", day) == 1
    await keeper.round(events=10)
    assert await keeper.connection.fetchval("SELECT count(*) FROM feed_days WHERE day = $1", day) == 0


async def test_a_clock_that_jumped_is_not_believed_at_once(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    clock, rounds = SteppedClock(utc_now()), []
    job = RetentionJob("", keeper.service.vault, NEVER, clock=clock)

    async def count(_connection: object, *, rest: int = 0) -> dict[str, int]:
        rounds.append(clock.now)
        return {}

    async def nap(_seconds: float) -> None:
        if len(rounds) == 2:
            raise asyncio.CancelledError
        if clock.now.year < 2090:
            clock.now = datetime(2090, 1, 1, tzinfo=clock.now.tzinfo)

    monkeypatch.setattr(job, "round", count)
    monkeypatch.setattr(retention, "asyncio", type("Loop", (), {"sleep": staticmethod(nap)}))
    with pytest.raises(asyncio.CancelledError):
        await job._for_ever(keeper.connection)
    assert rounds[0].year < 2090
    assert len(rounds) == 2, "once the clock has settled, work goes on"
