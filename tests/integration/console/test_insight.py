"""Who wrote a comment, what stands around it, and finding others: right, of one site alone, and gone with the text."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from moderation.domain.clock import utc_now
from moderation.domain.comment import Author
from moderation.domain.ids import CommentId, first_uuid
from moderation.domain.policy import Standing
from moderation.domain.task import TaskKind
from moderation.domain.verdict import State
from moderation.privacy.emptying import empty_comments
from moderation.privacy.erasure import erase
from moderation.review import indexing
from moderation.review.indexing import Indexer
from moderation.storage import search as storage_search
from moderation.storage.administration.authors import set_standing, show_standing
from moderation.storage.database import connect
from tests import seeding
from tests.console import make_entries
from tests.seeding import Seed, add_comments
from tests.service import RunningService, comment, rest, seed_moderator, seed_site

LAYLA = {"name": "ليلى", "email": "layla@example.com", "ip": "198.51.100.7"}


@pytest.fixture(autouse=True)
def only_tests_make_entries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.function is not test_the_job_makes_entries_by_itself:
        rest(monkeypatch, Indexer)


async def person(service: RunningService, role: str = "moderator") -> str:
    return await seed_moderator(service.database, {service.site.id: role})


async def submit(service: RunningService, text: str, *, key: str | None = None, **fields: Any) -> str:
    status, made = await service.call("POST", "/v1/comments", key=key, json=comment(text, **fields))
    assert status == 201, made
    return str(made["id"])


async def found(service: RunningService, token: str, **query: Any) -> list[str]:
    status, body = await service.call(
        "GET", "/v1/search", key=token, params={"site": service.site.name, **query}
    )
    assert status == 200, body
    return [item["id"] for item in body["items"]]


async def entries(service: RunningService) -> int:
    async with service.database.connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM search_entries"))


async def test_the_job_makes_entries_by_itself(service: RunningService) -> None:
    comment_id, token = await submit(service, "وصل الترام إلى الميناء"), await person(service)
    async with asyncio.timeout(20):
        while not await found(service, token, q="ميناء"):
            await asyncio.sleep(0.1)
    assert await found(service, token, q="الميناء ترام") == [comment_id]


async def test_comments_are_found_by_words_however_spelled(service: RunningService) -> None:
    token = await person(service)
    tram = await submit(service, "والتّرامُ في المدرسةِ أحسن")
    other = await submit(service, "لا شيء هنا", author={"name": "أحمد الترامي", "email": "a@example.com"})
    await make_entries(service)
    assert await found(service, token, q="ترام") == [other, tram], "by the name, too, the latest first"
    assert await found(service, token, q="الترام مدرسه") == [tram]
    assert await found(service, token, q="مدر") == [tram], "the beginning of a word"
    assert await found(service, token, q="!ترام | '") == [other, tram], "operators are none"
    for nothing in ("رام", "؟؟؟", "ترام غيرها"):
        assert await found(service, token, q=nothing) == []
    assert await found(service, token) == [other, tram]


async def test_comments_are_found_by_state_author_and_time_a_page_at_a_time(service: RunningService) -> None:
    token = await person(service)
    hers = [await submit(service, f"ترام {number}", author=LAYLA) for number in range(3)]
    other = await submit(service, "ترام غيرها")
    await service.call(
        "POST", f"/v1/comments/{hers[0]}/decision", key=token, json={"verdict": "approve", "revision": 1}
    )
    await make_entries(service)
    assert await found(service, token, state="approved") == [hers[0]]
    assert await found(service, token, state="held", q="ترام") == [other, hers[2], hers[1]]
    assert await found(service, token, author=hers[1]) == hers[::-1]
    soon = (utc_now() + timedelta(hours=1)).isoformat()
    past = (utc_now() - timedelta(hours=1)).isoformat()
    assert await found(service, token, **{"from": past}) == [other, *hers[::-1]]
    assert await found(service, token, to=past) == []
    assert len(await found(service, token, to=soon)) == 4
    seen, cursor = [], {}
    while True:
        _, page = await service.call(
            "GET", "/v1/search", key=token, params={"site": service.site.name, "limit": "3", **cursor}
        )
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [other, *hers[::-1]]


async def test_a_rare_state_is_looked_for_a_window_at_a_time(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_search, "WINDOW", 4)
    token = await person(service)
    rare = await submit(service, "نادر")
    await service.call(
        "POST", f"/v1/comments/{rare}/decision", key=token, json={"verdict": "approve", "revision": 1}
    )
    for number in range(6):
        await submit(service, f"كثير {number}")
    await make_entries(service)
    params = {"site": service.site.name, "state": "approved"}
    pages = []
    while True:
        _, page = await service.call("GET", "/v1/search", key=token, params=params)
        pages.append([item["id"] for item in page["items"]])
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert pages == [[], [rare]]


async def test_what_is_audited_stays_blind_beside_others(service: RunningService) -> None:
    token, identity = await person(service), b"i" * 16
    kinds = [TaskKind.HELD, TaskKind.AUDIT, None]
    seeds = [
        Seed(
            f"كلام {kind}",
            state=State.HELD if kind is TaskKind.HELD else State.APPROVED,
            task=kind,
            identity=identity,
        )
        for kind in kinds
    ]
    held, audited, approved = map(str, await add_comments(service.database, service.site.id, seeds))
    await make_entries(service)
    _, author = await service.call("GET", f"/v1/comments/{held}/author", key=token)
    _, around = await service.call("GET", f"/v1/comments/{held}/thread", key=token)
    _, page = await service.call("GET", "/v1/search", key=token, params={"site": service.site.name})
    for shown in (author["comments"], around["after"], page["items"]):
        states = {one["id"]: one["state"] for one in shown}
        assert (states[audited], states[approved]) == (None, "approved")
    assert author["states"]["approved"] == 1
    assert await found(service, token, state="approved") == [approved]
    (one,) = (one for one in page["items"] if one["id"] == audited)
    assert (one["reasons"], one["scores"], one["verdict"], one["decided_at"]) == ([], None, None, None)


@pytest.mark.parametrize(
    "query",
    [
        {"q": "كلمة " * 2 + " ".join(f"كلمه{n}" for n in range(11))},
        {"q": "x" * 201},
        {"state": "deleted"},
        {"author": "x"},
        {"from": "yesterday"},
        {"limit": "101"},
        {"cursor": "x"},
        {"order": "oldest"},
    ],
)
async def test_a_wrong_parameter_is_named(service: RunningService, query: dict[str, str]) -> None:
    status, body = await service.call(
        "GET", "/v1/search", key=await person(service), params={"site": service.site.name, **query}
    )
    assert (status, body["parameter"]) == (400, next(iter(query))), body


async def test_an_edit_is_found_by_its_new_text_alone(service: RunningService) -> None:
    token, comment_id = await person(service), await submit(service, "النص الأول")
    await make_entries(service)
    path = f"/v1/comments/{comment_id}"
    status, _ = await service.call("PUT", path, json={"text": "شيء آخر"}, headers={"If-Match": '"1"'})
    assert status == 200
    await make_entries(service)
    assert await found(service, token, q="الاول") == []
    assert await found(service, token, q="آخر") == [comment_id]


async def test_the_same_text_sent_again_by_another_author_is_found_by_that_one(
    service: RunningService,
) -> None:
    token = await person(service)
    noura = {"name": "ليلى", "email": "noura@example.com"}
    hers = await submit(service, "كلام نورا", author=noura)
    corrected = await submit(service, "كلام", author=LAYLA, external_id="17")
    await make_entries(service)
    again = comment("كلام", author=noura, external_id="17")
    assert (await service.call("POST", "/v1/comments", json=again))[0] == 200
    assert await found(service, token, author=hers) == [corrected, hers]


async def test_a_clock_that_ran_ahead_once_skips_no_comment(service: RunningService) -> None:
    token, connection = await person(service), await connect(service.database_url)
    await submit(service, "قبل القفزة")
    await Indexer(service.database_url, clock=lambda: utc_now() + timedelta(days=1)).once(connection)
    after = await submit(service, "بعدها كلام")
    await make_entries(service)
    assert await found(service, token, q="بعدها") == [after]
    await connection.close()


async def test_the_place_is_not_written_at_every_look(service: RunningService) -> None:
    connection = await connect(service.database_url)
    await submit(service, "كلام")
    job = Indexer(service.database_url, clock=lambda: utc_now() + timedelta(days=1))
    while await job.once(connection):
        pass
    written = "SELECT xmin::text FROM search_progress"
    before = await connection.fetchval(written)
    await job.once(connection)
    assert await connection.fetchval(written) == before
    await connection.close()


async def test_whatever_is_committed_late_is_found_still(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comment whose id is older than others that were seen, as of a group that took its time."""
    token = await person(service)
    connection = await connect(service.database_url)
    late = await submit(service, "جاء متأخرا")
    await submit(service, "جاء قبله")
    job = Indexer(service.database_url, clock=utc_now)
    await make_entries(service)
    async with service.database.transaction() as other:
        await other.execute("DELETE FROM search_entries WHERE comment_id = $1", late)
    assert await job.once(connection) == 1
    assert late in await found(service, token, q="متأخرا")
    later = Indexer(service.database_url, clock=lambda: utc_now() + 3 * indexing.SETTLED)
    newer = UUID(int=first_uuid(utc_now() + 3 * indexing.SETTLED).int + 1)
    monkeypatch.setattr(seeding, "new_uuid", lambda: newer)
    await add_comments(service.database, service.site.id, [Seed()])
    await later.once(connection)
    async with service.database.transaction() as other:
        await other.execute("DELETE FROM search_entries WHERE comment_id = $1", late)
    assert await later.once(connection) == 0, "what is settled is not looked through again"
    await connection.close()


async def test_many_are_made_a_group_at_a_time(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "GROUP", 10)
    await add_comments(service.database, service.site.id, [Seed(f"نص {n}") for n in range(25)])
    connection = await connect(service.database_url)
    job = Indexer(service.database_url, clock=utc_now)
    assert [await job.once(connection) for _ in range(4)] == [10, 10, 5, 0]
    await connection.close()
    assert await entries(service) == 25


async def test_an_erased_comment_is_not_found_and_never_again(service: RunningService) -> None:
    token = await person(service)
    hers = await submit(service, "كلام يُمحى", author=LAYLA)
    kept = await submit(service, "كلام يبقى")
    await make_entries(service)
    await erase(
        service.database, service.vault, service.site.name, LAYLA["email"], clock=utc_now, actor="test"
    )
    assert await entries(service) == 1
    await make_entries(service)
    assert await entries(service) == 1
    assert await found(service, token, q="كلام") == [kept]
    status, _ = await service.call(
        "GET", "/v1/search", key=token, params={"site": service.site.name, "author": hers}
    )
    assert status == 404


async def test_no_entry_is_made_of_a_text_that_is_going_just_now(service: RunningService) -> None:
    """The job reads after it has the lock, and stays away while somebody empties comments."""
    comment_id = await submit(service, "نص على وشك الزوال")
    connection, eraser = await connect(service.database_url), await connect(service.database_url)
    transaction = eraser.transaction()
    await transaction.start()
    await empty_comments(eraser, [comment_id], now=utc_now())
    assert await Indexer(service.database_url, clock=utc_now).once(connection) == 0
    assert await entries(service) == 0
    await transaction.commit()
    await make_entries(service)
    assert await entries(service) == 0
    await connection.close()
    await eraser.close()


async def test_a_text_that_goes_while_its_words_are_written_down_is_not_found(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment_id = await submit(service, "نص يزول الآن")

    async def gone_once_read(connection: Any, ids: Sequence[UUID]) -> list[Any]:
        rows = await storage_search.read_texts(connection, ids)
        async with asyncio.timeout(15), service.database.transaction() as eraser:  # it waits for nobody
            await empty_comments(eraser, [CommentId(UUID(comment_id))], now=utc_now())
        return rows

    monkeypatch.setattr(indexing, "read_texts", gone_once_read)
    connection = await connect(service.database_url)
    while await Indexer(service.database_url, clock=utc_now).once(connection):
        pass
    await connection.close()
    assert await entries(service) == 0


async def test_a_withdrawn_comment_is_not_found(service: RunningService) -> None:
    token, comment_id = await person(service), await submit(service, "كلام مسحوب")
    await make_entries(service)
    await service.call("DELETE", f"/v1/comments/{comment_id}")
    assert await found(service, token, q="كلام") == []
    assert (await service.call("GET", f"/v1/comments/{comment_id}/author", key=token))[0] == 410
    assert (await service.call("GET", f"/v1/comments/{comment_id}/thread", key=token))[0] == 410


async def test_another_site_is_not_searched(service: RunningService) -> None:
    other = await seed_site(service.database, service.vault)
    foreign = await submit(service, "ترام الجيران", key=other.key, author=LAYLA)
    own = await submit(service, "ترامنا", author=LAYLA)
    await make_entries(service)
    token = await person(service)
    assert await found(service, token, q="ترام") == [own]
    status, _ = await service.call("GET", "/v1/search", key=token, params={"site": other.name})
    assert status == 404
    params = {"site": service.site.name, "author": foreign}
    assert (await service.call("GET", "/v1/search", key=token, params=params))[0] == 404
    _, author = await service.call("GET", f"/v1/comments/{own}/author", key=token)
    assert [one["id"] for one in author["comments"]] == [own]


async def test_an_author_is_shown_by_what_they_wrote_and_what_was_said(service: RunningService) -> None:
    token = await person(service)
    made = [await submit(service, f"كلام {number}", author=LAYLA) for number in range(22)]
    for comment_id, verdict in ((made[0], "approve"), (made[1], "reject")):
        await service.call(
            "POST", f"/v1/comments/{comment_id}/decision", key=token, json={"verdict": verdict, "revision": 1}
        )
    await submit(service, "غيرها", author={"name": "ليلى", "email": "another@example.com"})
    await make_entries(service)
    status, author = await service.call("GET", f"/v1/comments/{made[5]}/author", key=token)
    assert status == 200
    assert [one["id"] for one in author.pop("comments")] == made[:1:-1]
    assert author == {
        "name": "ليلى",
        "standings": {"email": "none", "name": "none", "address": "none"},
        "by_people": {"approved": 1, "rejected": 1},
        "states": {"approved": 1, "held": 20, "rejected": 1, "deleted": 0},
        "is_more": False,
    }
    for private in (LAYLA["email"], LAYLA["ip"], "identity"):
        assert private not in str(author)


async def test_an_author_is_shown_in_the_language_of_the_site(service: RunningService) -> None:
    token, comment_id = await person(service), await submit(service, "كلام", author=LAYLA)
    await make_entries(service)
    _, alone = await service.call("GET", f"/v1/comments/{comment_id}", key=token)
    _, author = await service.call("GET", f"/v1/comments/{comment_id}/author", key=token)
    assert author["comments"][0]["reasons"] == alone["reasons"] != []


async def standing(service: RunningService, **named: str) -> Standing:
    shown = await show_standing(service.database, service.vault, service.site.name, Author(**named))
    return shown.standing


async def test_a_lead_blocks_trusts_and_clears_as_the_command_does(service: RunningService) -> None:
    lead, comment_id = await person(service, "lead"), await submit(service, "كلام", author=LAYLA)
    path = f"/v1/comments/{comment_id}/author"
    status, said = await service.call("POST", path, key=lead, json={"standing": "blocked", "note": "إعلانات"})
    assert (status, said) == (200, {"comment_id": comment_id, "by": "email", "standing": "blocked"})
    assert await standing(service, email=LAYLA["email"]) is Standing.BLOCKED
    _, refused = await service.call("POST", "/v1/comments", json=comment("مرة أخرى", author=LAYLA))
    assert "blocked_author" in [reason["code"] for reason in refused["reasons"]]
    for by, named in (("name", {"name": "ليلى"}), ("address", {"address": LAYLA["ip"]})):
        await service.call("POST", path, key=lead, json={"standing": "blocked", "by": by})
        assert await standing(service, **named) is Standing.BLOCKED, by
    _, author = await service.call("GET", path, key=lead)
    assert author["standings"] == dict.fromkeys(("email", "name", "address"), "blocked")
    for wrong in ({"standing": "trusted", "by": "name"}, {"standing": "blocked", "by": "external_id"}):
        status, body = await service.call("POST", path, key=lead, json=wrong)
        assert (status, body["errors"][0]["pointer"]) == (422, "/by")
    for wrong in ({}, {"standing": ""}, {"standing": "king"}, {"standing": "none", "by": "phone"}):
        assert (await service.call("POST", path, key=lead, json=wrong))[0] == 422
    await service.call("POST", path, key=lead, json={"standing": "trusted"})
    assert await standing(service, email=LAYLA["email"]) is Standing.TRUSTED
    await service.call("POST", path, key=lead, json={"standing": "none"})
    assert await standing(service, email=LAYLA["email"]) is Standing.NONE


async def test_whoever_is_no_lead_of_the_site_changes_nothing(service: RunningService) -> None:
    other = await seed_site(service.database, service.vault)
    comment_id = await submit(service, "كلام", author=LAYLA)
    path, block = f"/v1/comments/{comment_id}/author", {"standing": "blocked"}
    for token, status in (
        (await person(service), 403),
        (await seed_moderator(service.database, {other.id: "admin"}), 404),
        (service.site.key, 403),
    ):
        assert (await service.call("POST", path, key=token, json=block))[0] == status
    assert await standing(service, email=LAYLA["email"]) is Standing.NONE


async def test_the_audit_has_who_and_why_and_loses_the_why_with_the_text(service: RunningService) -> None:
    lead, comment_id = await person(service, "lead"), await submit(service, "كلام", author=LAYLA)
    await service.call(
        "POST",
        f"/v1/comments/{comment_id}/author",
        key=lead,
        json={"standing": "blocked", "note": "لأنها ليلى"},
    )

    async def audited() -> Any:
        async with service.database.connection() as connection:
            return await connection.fetchrow("SELECT * FROM audit WHERE action = 'author.blocked'")

    row = await audited()
    assert (row["subject"], row["details"]) == (comment_id, {"by": "email", "note": "لأنها ليلى"})
    _, me = await service.call("GET", "/v1/me", key=lead)
    assert row["actor"] == me["id"]
    await erase(
        service.database, service.vault, service.site.name, LAYLA["email"], clock=utc_now, actor="test"
    )
    assert (await audited())["details"] == {"by": "email"}


async def test_an_authors_standing_by_command_is_seen(service: RunningService) -> None:
    token, comment_id = await person(service), await submit(service, "كلام", author=LAYLA)
    await set_standing(
        service.database,
        service.vault,
        service.site.name,
        Author(email=LAYLA["email"]),
        Standing.TRUSTED,
        actor="test",
    )
    _, author = await service.call("GET", f"/v1/comments/{comment_id}/author", key=token)
    assert author["standings"]["email"] == "trusted"


async def test_what_stands_around_a_comment_is_shown(service: RunningService) -> None:
    token = await person(service)
    first = await submit(service, "أول الكلام")
    many = [await submit(service, f"بعده {number}") for number in range(12)]
    elsewhere = await submit(service, "في مقال آخر", thread={"id": "13"})
    reply = await submit(service, "رد على الأول", parent_id=first)
    await make_entries(service)
    status, around = await service.call("GET", f"/v1/comments/{many[6]}/thread", key=token)
    assert status == 200
    assert around["thread"] == {"id": "12", "url": "https://news.example/12", "title": "خبر"}
    assert around["parent"] is None
    assert [one["id"] for one in around["before"]] == many[1:6]
    assert [one["id"] for one in around["after"]] == many[7:12]
    _, around = await service.call("GET", f"/v1/comments/{reply}/thread", key=token)
    assert around["parent"]["id"] == first
    assert [one["id"] for one in around["before"]] == many[7:]
    assert elsewhere not in [one["id"] for one in around["before"]]
    await service.call("DELETE", f"/v1/comments/{first}")
    _, around = await service.call("GET", f"/v1/comments/{reply}/thread", key=token)
    assert around["parent"] is None
