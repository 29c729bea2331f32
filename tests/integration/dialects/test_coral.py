"""Coral's requests, in their exact form, against the real engines."""

import asyncio
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from moderation.domain.clock import utc_now
from moderation.domain.comment import CoralKeys
from moderation.domain.ids import CommentId, new_uuid
from moderation.engines import EmbeddedEngines, EngineAddresses
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.coral import CORAL_INTAKE
from moderation.storage.administration import site_keys
from moderation.storage.administration.sites import set_site
from moderation.storage.coral import join, remember
from moderation.storage.database import connect
from moderation.storage.migrate import migrate
from tests.service import RunningService, decoded, running_service

CALM = "أتمنى أن يصل الترام إلى الجامعة قريبًا، فالحافلات مزدحمة في الصباح."
SPAM = "اربح 5000 دولار يوميا من المنزل، راسلني واتساب +201001234567 http://win.example"
GENEROUS = {"coral_deadline_ms": 9500}
"""Under load the machine of the tests is slow; what happens at the deadline has tests of its own."""


class Coral:
    """A Coral server that knows the service's address and the signing secrets of its phase."""

    def __init__(self, service: RunningService, *secrets: str) -> None:
        self.service = service
        self.secrets = list(secrets)

    @classmethod
    async def beside(cls, service: RunningService) -> "Coral":
        made = await site_keys.add_signing_key(
            service.database, service.vault, service.site.name, actor="test", dialect="coral"
        )
        return cls(service, made.key)

    async def ask(self, body: str = f"<div>{CALM}</div>", **changes: Any) -> tuple[int, Any]:
        return await self.send("moderate", self.request(body, **changes))

    def request(self, body: str, *, author: str = "u-1", action: str = "NEW", **changes: Any) -> bytes:
        """The body as Coral prints it: two spaces of indent."""
        message = {
            "action": action,
            "comment": {"body": body, "parentID": None},
            "author": {"id": author, "role": "COMMENTER"},
            "story": {"id": "s-1", "url": "https://news.example/1"},
            "site": {"id": "site-1"},
            "tenantID": "t-1",
            "tenantDomain": "coral.example",
            **changes,
        }
        return json.dumps(message, indent=2, ensure_ascii=False).encode()

    async def send(self, path: str, body: bytes, *, signature: str | None = None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", "User-Agent": "Coral Moderation/9.11.8"}
        headers["X-Coral-Signature"] = self.sign(body) if signature is None else signature
        url = f"/coral/{self.service.site.name}/{path}"
        async with self.service.client.post(url, data=body, headers=headers) as response:
            return response.status, await decoded(response) if response.status != 204 else None

    def sign(self, body: bytes) -> str:
        return ",".join(
            "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in self.secrets
        )

    async def feedback(self, key: str, text: str, coral_id: str, *, rejects: bool) -> tuple[int, Any]:
        """What Coral sends to Perspective when a moderator decides."""
        entry = {
            "url": f"https://news.example/1?commentID={coral_id}",
            "reply_to_id_Coral_comment_id": None,
            "Coral_comment_id": coral_id,
        }
        message = {
            "comment": {"text": text},
            "context": {"entries": [{"text": json.dumps(entry)}]},
            "attributeScores": {"TOXICITY": {"summaryScore": {"value": int(rejects)}}},
            "languages": ["en"],
            "communityId": "Coral:https://coral.example/",
            "clientToken": f"comment:{coral_id}",
        }
        url = f"/v1alpha1/comments:suggestscore?key={key}"
        async with self.service.client.post(url, json=message) as response:
            return response.status, await decoded(response)


@pytest_asyncio.fixture(loop_scope="session")
async def post_service(
    fresh_database_url: str, running_engines: EngineAddresses
) -> AsyncIterator[RunningService]:
    async with running_service(
        fresh_database_url, running_engines.redis_url, policy={"mode": "post"}, site=GENEROUS
    ) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def coral(post_service: RunningService) -> Coral:
    return await Coral.beside(post_service)


async def rows(coral: Coral, query: str) -> list[Any]:
    async with coral.service.database.connection() as connection:
        return await connection.fetch(query)


async def set_up(coral: Coral, **settings: Any) -> None:
    service = coral.service
    await set_site(service.database, service.site.name, settings, actor="test")
    await service.client.server.app[DIRECTORY].refresh()  # type: ignore[union-attr]


async def test_a_fine_comment_is_left_to_corals_own_rules_and_stored_as_text(coral: Coral) -> None:
    assert await coral.ask(f"<div>{CALM}</div><div>سطر <b>ثانٍ</b></div>") == (204, None)
    [row] = await rows(coral, "SELECT * FROM comments")
    assert (row["text"], row["thread_id"], row["origin"]) == (f"{CALM}\nسطر ثانٍ", "s-1", "coral")
    assert (row["author_external_id"], row["author_name"], row["state"]) == ("t-1:u-1", None, "approved")


async def test_the_site_chooses_what_coral_is_told_of_fine_comments(coral: Coral) -> None:
    for number, (chosen, status) in enumerate((("none", "NONE"), ("approve", "APPROVED"))):
        await set_up(coral, coral_clean=chosen)
        assert await coral.ask(f"{CALM} {number}") == (200, {"status": status})
    await set_up(coral, mode="pre")
    assert await coral.ask(f"{CALM} ثالث") == (200, {"status": "PREMOD"})


async def test_sure_spam_is_rejected_with_flag_and_reason(coral: Coral) -> None:
    await set_policy_thresholds(coral)
    status, answer = await coral.ask(SPAM)
    assert (status, answer["status"]) == (200, "REJECTED")
    assert answer["actions"] == [{"actionType": "FLAG", "reason": "COMMENT_DETECTED_SPAM"}]
    assert answer["moderationAction"] == {"status": "REJECTED", "rejectionReason": {"code": "SPAM"}}


async def set_policy_thresholds(coral: Coral) -> None:
    """Make the spam of these tests sure, whatever the shipped model's own thresholds are."""
    from moderation.storage.administration.policies import set_policy

    service = coral.service
    thresholds = {"*": {"spam": {"doubt": 0.3, "reject": 0.6}}}
    await set_policy(service.database, service.site.name, {"thresholds": thresholds}, actor="test")
    await service.client.server.app[DIRECTORY].refresh()  # type: ignore[union-attr]


async def test_the_same_request_has_the_stored_answer_under_either_secret(
    coral: Coral, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    monkeypatch.setattr("moderation.protocols.coral.utc_now", lambda: now)
    await set_policy_thresholds(coral)
    first = await coral.ask(SPAM)
    assert await coral.ask(SPAM) == first
    made = await site_keys.add_signing_key(
        coral.service.database, coral.service.vault, coral.service.site.name, actor="test", dialect="coral"
    )
    await coral.service.client.server.app[DIRECTORY].refresh()  # type: ignore[union-attr]
    both = Coral(coral.service, "expired secret", made.key, *coral.secrets)
    assert await both.ask(SPAM) == first
    assert await Coral(coral.service, made.key).ask(SPAM) == first
    assert len(await rows(coral, "SELECT FROM comments")) == 1


async def test_the_same_words_said_again_later_are_another_comment(
    coral: Coral, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    monkeypatch.setattr("moderation.protocols.coral.utc_now", lambda: now)
    for _ in range(2):
        assert await coral.ask(CALM) == (204, None)
    assert len(await rows(coral, "SELECT FROM comments")) == 1
    now += timedelta(hours=1)
    status, _ = await coral.ask(CALM)
    assert status in {200, 204}
    assert len(await rows(coral, "SELECT FROM comments")) == 2


async def test_an_edit_is_a_new_revision_of_the_authors_only_comment_there(coral: Coral) -> None:
    await coral.ask(CALM)
    await coral.ask(CALM, author="u-2")
    assert await coral.ask(f"{CALM} شكرًا", action="EDIT") == (204, None)
    assert await coral.ask(f"{CALM} شكرًا", action="EDIT") == (204, None)
    found = await rows(coral, "SELECT text, revision FROM comments ORDER BY revision")
    assert [(row["text"], row["revision"]) for row in found] == [(CALM, 1), (f"{CALM} شكرًا", 2)]
    await coral.ask("تعليق آخر", author="u-1")
    await coral.ask("تعليق لا يُعرف أصله", action="EDIT")
    assert len(await rows(coral, "SELECT FROM comments")) == 4


@pytest.mark.parametrize("case", ["wrong", "none", "other body", "revoked"])
async def test_a_signature_that_does_not_hold_is_refused_and_nothing_is_stored(
    coral: Coral, case: str
) -> None:
    body = coral.request(CALM)
    signature = {
        "wrong": Coral(coral.service, "wrong").sign(body),
        "none": "",
        "other body": coral.sign(b"x"),
    }
    if case == "revoked":
        [key] = await rows(coral, "SELECT id FROM site_keys WHERE dialect = 'coral'")
        await site_keys.revoke_key(coral.service.database, coral.service.site.name, key["id"], actor="test")
        await coral.service.client.server.app[DIRECTORY].refresh()  # type: ignore[union-attr]
    status, problem = await coral.send("moderate", body, signature=signature.get(case))
    assert (status, problem["type"]) == (401, "/problems/not-authenticated")
    assert await rows(coral, "SELECT FROM comments") == []


async def test_another_sites_secret_does_not_open_this_one(coral: Coral) -> None:
    from tests.service import seed_site

    other = await seed_site(coral.service.database, coral.service.vault)
    body = coral.request(CALM)
    headers = {"X-Coral-Signature": coral.sign(body)}
    async with coral.service.client.post(
        f"/coral/{other.name}/moderate", data=body, headers=headers
    ) as response:
        assert response.status == 401
    async with coral.service.client.post("/coral/nobody/moderate", data=body, headers=headers) as response:
        assert response.status == 404


ODD_BODIES: dict[str, bytes] = {
    "no JSON": b"{",
    "a list": b"[]",
    "nothing": b"",
    "no comment": b'{"action": "NEW"}',
    "a list as body": b'{"comment": {"body": ["a"]}, "author": {"id": "a"}, "story": {"id": "s"}}',
    "windows-1256": '{"comment": {"body": "سلام"}}'.encode("cp1256"),
    "one megabyte": b'{"comment": {"body": "' + b"a" * 1_000_000 + b'"}}',
    "a blank comment": b'{"comment": {"body": "<p> </p>"}, "author": {"id": "a"}, "story": {"id": "s"}}',
    "a very long comment": b'{"comment": {"body": "'
    + b"a" * 41_000
    + b'"}, "author": {"id": "a"}, "story": {"id": "s"}}',
}


async def test_what_coral_signed_and_we_cannot_read_waits_for_a_person(coral: Coral) -> None:
    for case, body in ODD_BODIES.items():
        status, answer = await coral.send("moderate", body)
        assert (status, answer["status"]) == (200, "SYSTEM_WITHHELD"), case
    assert await coral.ask() == (204, None)


async def test_odd_characters_are_stored_in_another_form(coral: Coral) -> None:
    body = rb'{"comment": {"body": "a\u0000b \ud800"}, "author": {"id": "a"}, "story": {"id": "s", "url": 7}}'
    status, _ = await coral.send("moderate", body)
    assert status in {200, 204}
    [row] = await rows(coral, "SELECT text FROM comments")
    assert row["text"] == "a\ufffdb ?"


async def test_a_hundred_at_once_by_one_author_are_answered_all(
    fresh_database_url: str, running_engines: EngineAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moderation.domain.rates import Limit, Limits
    from moderation.protocols import coral_intake

    assert Limit(20, 60, 20) == coral_intake.AUTHOR_LIMIT
    # As many, and none of the places comes back while a busy machine goes through them.
    monkeypatch.setattr(coral_intake, "AUTHOR_LIMIT", Limit(20, 3600, 20))

    site = GENEROUS | {"limits": Limits().as_json()}
    async with running_service(
        fresh_database_url, running_engines.redis_url, policy={"mode": "post"}, site=site
    ) as service:
        coral = await Coral.beside(service)
        answers = await asyncio.gather(*(coral.ask(f"{CALM} {number}") for number in range(100)))
        statuses = [status for status, _ in answers]
        assert set(statuses) == {200, 204}
        withheld = [answer for status, answer in answers if status == 200]
        assert all(answer == {"status": "SYSTEM_WITHHELD"} for answer in withheld)
        assert len(await rows(coral, "SELECT FROM comments")) == statuses.count(204) == 20


async def test_a_slow_way_in_is_answered_from_memory_and_stored_all_the_same(
    coral: Coral, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_policy_thresholds(coral)
    await set_up(coral, coral_deadline_ms=3000)
    intake = coral.service.client.server.app[CORAL_INTAKE]._intake  # type: ignore[union-attr]
    submit, may_store = intake.enter, asyncio.Event()

    async def slow(*words: Any, **more: Any) -> Any:
        await may_store.wait()
        return await submit(*words, **more)

    monkeypatch.setattr(intake, "enter", slow)
    _, spam = await coral.ask(SPAM)
    assert spam["status"] == "REJECTED"
    assert await coral.ask(CALM) == (204, None)
    assert await rows(coral, "SELECT FROM comments") == []
    may_store.set()
    async with asyncio.timeout(60):
        while len(await rows(coral, "SELECT FROM comments")) < 2:
            await asyncio.sleep(0.05)


async def test_what_was_answered_from_memory_is_stored_before_an_orderly_end(
    fresh_database_url: str, running_engines: EngineAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = {"coral_deadline_ms": 3000}
    async with running_service(
        fresh_database_url, running_engines.redis_url, policy={"mode": "post"}, site=site
    ) as service:
        coral = await Coral.beside(service)
        desk = service.client.server.app[CORAL_INTAKE]  # type: ignore[union-attr]
        submit, close, is_ending = desk._intake.enter, desk.close, asyncio.Event()

        async def slow(*words: Any, **more: Any) -> Any:
            await is_ending.wait()
            return await submit(*words, **more)

        async def end() -> None:
            is_ending.set()
            await close()

        monkeypatch.setattr(desk._intake, "enter", slow)
        monkeypatch.setattr(desk, "close", end)
        assert await coral.ask(CALM) == (204, None)
    connection = await connect(fresh_database_url)
    assert await connection.fetchval("SELECT count(*) FROM comments") == 1
    await connection.close()


async def test_a_scorer_that_is_late_too_leaves_it_to_a_person(
    coral: Coral, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(coral, coral_deadline_ms=100)
    desk = coral.service.client.server.app[CORAL_INTAKE]  # type: ignore[union-attr]
    never = asyncio.Event()

    async def hang(*_: Any, **__: Any) -> Any:
        await never.wait()

    monkeypatch.setattr(desk._intake, "enter", hang)
    monkeypatch.setattr(desk._analyst, "assess", hang)
    assert await coral.ask(CALM) == (200, {"status": "SYSTEM_WITHHELD"})
    never.set()


@pytest_asyncio.fixture(loop_scope="session")
async def on_own_engine(
    engine_data: Path, running_engines: EngineAddresses
) -> AsyncIterator[tuple[Coral, EmbeddedEngines]]:
    engines = EmbeddedEngines(engine_data, valkey=False)
    addresses = await engines.start()
    assert addresses.database_url is not None
    try:
        connection = await connect(addresses.database_url)
        await migrate(connection)
        await connection.close()
        async with running_service(
            addresses.database_url, running_engines.redis_url, policy={"mode": "post"}, site=GENEROUS
        ) as service:
            yield await Coral.beside(service), engines
    finally:
        await engines.stop()


async def test_without_postgresql_known_sites_are_judged_from_memory_and_unknown_ones_held(
    on_own_engine: tuple[Coral, EmbeddedEngines],
) -> None:
    coral, engines = on_own_engine
    await set_policy_thresholds(coral)
    assert await coral.ask() == (204, None)
    await engines.stop()
    status, answer = await coral.ask(SPAM)
    assert (status, answer["status"]) == (200, "REJECTED")
    assert await coral.ask(f"{CALM} ثانٍ") == (204, None)
    status, _ = await coral.send("moderate", coral.request(CALM), signature="sha256=00")
    assert status == 401
    url, body = "/coral/somebody-else/moderate", coral.request(CALM)
    async with coral.service.client.post(url, data=body, headers={"X-Coral-Signature": "x"}) as response:
        assert (response.status, await response.json()) == (200, {"status": "SYSTEM_WITHHELD"})
    await engines.start()
    assert await coral.ask(f"{CALM} ثالث") == (204, None)


async def perspective_key(coral: Coral) -> str:
    service = coral.service
    made = await site_keys.add_key(service.database, service.site.name, actor="test", dialect="perspective")
    return made.key


async def test_corals_decision_closes_our_task_and_changes_its_mind_with_its_moderators(coral: Coral) -> None:
    key = await perspective_key(coral)
    await set_up(coral, mode="pre")
    await coral.ask("<div>سطر <b>أول</b></div><div>2 &lt; 3</div>")
    assert len(await rows(coral, "SELECT FROM tasks")) == 1
    for _ in range(2):
        status, answer = await coral.feedback(key, "سطر أول2 &lt; 3", "c-1", rejects=True)
        assert (status, answer["clientToken"]) == (200, "comment:c-1")
    [comment] = await rows(coral, "SELECT state, sequence FROM comments")
    assert (comment["state"], comment["sequence"]) == ("rejected", 2)
    assert await rows(coral, "SELECT FROM tasks") == []
    await coral.feedback(key, "سطر أول2 &lt; 3", "c-1", rejects=False)
    last = (await rows(coral, "SELECT * FROM decisions ORDER BY sequence"))[-1]
    assert (last["state"], last["decided_by"], last["actor"], last["origin"]) == (
        "approved",
        "site",
        "coral",
        "coral",
    )
    assert await rows(coral, "SELECT FROM labels") == []


async def test_two_comments_of_one_text_are_two_of_corals(coral: Coral) -> None:
    key = await perspective_key(coral)
    await set_up(coral, mode="pre")
    for author in ("u-1", "u-2"):
        await coral.ask("شكرًا", author=author)
    await coral.feedback(key, "شكرًا", "c-1", rejects=True)
    await coral.feedback(key, "شكرًا", "c-2", rejects=False)
    found = await rows(
        coral, "SELECT c.state, k.coral_id FROM comments c JOIN coral_comments k ON k.comment_id = c.id"
    )
    assert sorted((row["coral_id"], row["state"]) for row in found) == [
        ("c-1", "rejected"),
        ("c-2", "approved"),
    ]


async def test_ids_told_many_times_at_once_are_each_given_to_one_comment(coral: Coral) -> None:
    key, site_id = os.urandom(16), coral.service.site.id
    keys = CoralKeys(os.urandom(16), key)
    seen = [CommentId(new_uuid()) for _ in range(4)]

    async def told(coral_id: str) -> CommentId | None:
        async with coral.service.database.connection() as connection:
            return await join(connection, site_id, coral_id, key)

    async with coral.service.database.connection() as connection:
        for comment_id in seen:
            await remember(connection, comment_id, site_id, keys, now=datetime.now(UTC))
    found = await asyncio.gather(*(told(f"c-{number % 4}") for number in range(16)))
    assert set(found) == set(seen)
    assert all(found[number] == found[number % 4] for number in range(16))


async def test_what_coral_decided_of_other_comments_becomes_a_label(coral: Coral) -> None:
    key = await perspective_key(coral)
    for rejects in (True, True, False):
        await coral.feedback(key, "لم نره من قبل", "c-9", rejects=rejects)
    [label] = await rows(coral, "SELECT * FROM labels")
    assert (label["source"], label["reject"], label["spam"], label["abuse"]) == ("coral", 0, 0, 0)
    await coral.feedback(key, "لم نره من قبل", "c-10", rejects=True)
    last = (await rows(coral, "SELECT * FROM labels ORDER BY labelled_at"))[-1]
    assert (last["reject"], last["spam"], last["abuse"]) == (1, None, None)


def webhook(kind: str, **data: Any) -> bytes:
    message = {
        "id": "e-1",
        "type": kind,
        "data": data,
        "createdAt": "2026-11-24T12:00:00.000Z",
        "tenantID": "t-1",
        "tenantDomain": "coral.example",
    }
    return json.dumps(message, indent=2).encode()


async def test_webhooks_are_checked_acknowledged_and_joined_where_the_comment_is_known(coral: Coral) -> None:
    key = await perspective_key(coral)
    await coral.ask("نص للانضمام")
    await coral.feedback(key, "نص للانضمام", "c-1", rejects=True)
    for body in (
        webhook("STORY_CREATED", storyID="s-1", storyURL="https://news.example/1"),
        webhook("COMMENT_CREATED", commentID="c-77", storyID="s-1"),
        webhook("COMMENT_LEFT_MODERATION_QUEUE", queue="PENDING", commentID="c-1", storyID="s-1"),
        webhook("COMMENT_LEFT_MODERATION_QUEUE", commentID=["c-1"]),
        b'{"data": []}',
    ):
        assert await coral.send("webhooks", body) == (200, {"received": True})
    assert (await rows(coral, "SELECT state FROM comments"))[0]["state"] == "rejected"
    said = webhook("COMMENT_LEFT_MODERATION_QUEUE", queue="PENDING", commentID="c-1", status="APPROVED")
    assert await coral.send("webhooks", said) == (200, {"received": True})
    assert (await rows(coral, "SELECT state FROM comments"))[0]["state"] == "approved"
    assert (await coral.send("webhooks", said, signature="sha256=00"))[0] == 401
    for body in (b"{", b"[]"):
        assert (await coral.send("webhooks", body))[0] == 400
