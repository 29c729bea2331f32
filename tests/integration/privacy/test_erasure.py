"""Erasing and exporting one person: complete, proven by planting and then looking through every table."""

import asyncio
from typing import Any

import pytest

from moderation.domain.clock import utc_now
from moderation.domain.comment import Author
from moderation.domain.errors import InvalidConfigurationError, UnknownSiteError
from moderation.domain.policy import Standing
from moderation.privacy import erasure
from moderation.privacy.erasure import Erasure, erase
from moderation.privacy.export import export
from moderation.storage.administration.authors import set_standing, show_standing
from moderation.storage.administration.sites import remove_site
from tests.integration.privacy.planting import everything, places, plant, planted
from tests.service import RunningService


async def content_hashes(service: RunningService, ids: list[str]) -> list[str]:
    async with service.database.connection() as connection:
        rows = await connection.fetch("SELECT content_hash FROM comments WHERE id = ANY($1)", ids)
    return [row["content_hash"].hex() for row in rows]


async def erase_person(service: RunningService, email: str) -> Erasure:
    return await erase(service.database, service.vault, service.site.name, email, clock=utc_now, actor="test")


async def test_nothing_of_the_person_is_left_in_any_table_and_everything_of_others_is(
    service: RunningService,
) -> None:
    person, neighbour = planted(), planted()
    ids = await plant(service, person)
    await plant(service, neighbour)
    before = await places(service, person.traces(service))
    assert {"comments", "revisions", "decisions", "authors", "labels"} <= before
    neighbours = await places(service, neighbour.traces(service))
    contents = await content_hashes(service, ids)

    done = await erase_person(service, person.email.upper())

    assert done == Erasure(comments=3, is_still_blocked=False)
    left = await places(service, person.traces(service))
    assert {name for name in left if not name.startswith("redis")} == set()
    # Redis forgets keyed hashes within minutes by itself; words it never had.
    assert await places(service, [person.mark, person.mark.encode().hex(), person.address]) == set()
    async with service.database.connection() as connection:
        evidence = await connection.fetch(
            "SELECT reasons::text AS r FROM decisions WHERE comment_id = ANY($1)", ids
        )
        assert not any("evidence" in row["r"] for row in evidence)
        assert await connection.fetchval("SELECT count(*) FROM tasks WHERE comment_id = ANY($1)", ids) == 0
        assert (
            await connection.fetchval("SELECT count(*) FROM recognitions WHERE comment_id = ANY($1)", ids)
            == 0
        )
    assert await places(service, contents) == set()
    # What comments are found by comes when the job comes by.
    assert await places(service, neighbour.traces(service)) | {"search_entries"} == neighbours | {
        "search_entries"
    }


async def test_a_planted_word_would_be_found_wherever_it_is(service: RunningService) -> None:
    """The search of the test above sees text, encrypted columns' neighbours, hashes and JSON alike."""
    person = planted()
    await plant(service, person)
    for trace in (person.word("first"), person.word("second"), person.word("note"), person.word("context")):
        assert await places(service, [trace]), trace
    assert await places(service, [person.email]) == set(), "the address itself is encrypted from the start"
    assert await places(service, [person.address]) == set()


async def test_the_site_hears_of_every_comment_that_was_not_withdrawn_before(service: RunningService) -> None:
    person = planted()
    first, waiting, withdrawn = await plant(service, person)
    await erase_person(service, person.email)
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while sum(event["type"] == "comment.deleted" for event in events) < 3:
            status, page = await service.call("GET", "/v1/events?limit=100")
            assert status == 200
            events = page.get("items") or page["events"]
            await asyncio.sleep(0.05)
    deleted = [event["data"] for event in events if event["type"] == "comment.deleted"]
    assert {event["id"] for event in deleted} == {first, waiting, withdrawn}
    assert len(deleted) == 3, "a comment withdrawn before is not deleted twice"
    assert {event["origin"] for event in deleted if event["id"] != withdrawn} == {"erasure"}
    assert person.mark not in str(events)


async def test_the_comment_is_gone_for_its_site_and_cannot_come_back_under_its_id(
    service: RunningService,
) -> None:
    person = planted()
    _, waiting, _ = await plant(service, person)
    await erase_person(service, person.email)
    status, _ = await service.call("GET", f"/v1/comments/{waiting}")
    assert status == 410
    status, _ = await service.call("POST", "/v1/comments", json=person.comment(external_id=person.number))
    assert status == 410


async def until_sequenced(service: RunningService) -> None:
    """Wait until every decision has its place in the feed, so that nothing but an erasure changes the tables."""
    async with asyncio.timeout(60), service.database.connection() as connection:
        while await connection.fetchval("SELECT count(*) FROM decisions WHERE position IS NULL"):
            await asyncio.sleep(0.02)


async def test_erasing_again_finds_nothing_and_changes_nothing(service: RunningService) -> None:
    person = planted()
    await plant(service, person)
    await erase_person(service, person.email)
    await until_sequenced(service)
    before = await everything(service)
    assert (await erase_person(service, person.email)).comments == 0
    after = await everything(service)
    for table in ("comments", "decisions", "revisions", "tasks", "authors", "recognitions"):
        assert after[table] == before[table]


async def test_a_block_outlives_it_and_trust_does_not(service: RunningService) -> None:
    blocked, trusted = planted(), planted()
    for person, standing in ((blocked, Standing.BLOCKED), (trusted, Standing.TRUSTED)):
        await plant(service, person)
        author = Author(email=person.email)
        await set_standing(service.database, service.vault, service.site.name, author, standing, actor="test")
        done = await erase_person(service, person.email)
        assert done.is_still_blocked == (standing is Standing.BLOCKED)
    found = await show_standing(
        service.database, service.vault, service.site.name, Author(email=blocked.email)
    )
    assert (found.standing, found.approved, found.rejected) == (Standing.BLOCKED, 0, 0)
    status, answer = await service.call("POST", "/v1/comments", json=blocked.comment(text="رجعت من جديد"))
    assert status == 201
    assert "blocked_author" in [reason["code"] for reason in answer["reasons"]]
    found = await show_standing(
        service.database, service.vault, service.site.name, Author(email=trusted.email)
    )
    assert found.standing is Standing.NONE


async def test_many_comments_are_erased_in_groups(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "GROUP", 2)
    person = planted()
    for number in range(5):
        status, _ = await service.call("POST", "/v1/comments", json=person.comment(text=f"رقم {number}"))
        assert status == 201
    assert (await erase_person(service, person.email)).comments == 5
    async with service.database.connection() as connection:
        groups = await connection.fetch(
            "SELECT details FROM audit WHERE action = 'comments.erased' ORDER BY id"
        )
    assert [len(row["details"]["comments"]) for row in groups] == [2, 2, 1]


async def test_another_site_keeps_what_it_holds_of_the_same_person(service: RunningService) -> None:
    person = planted()
    status, _ = await service.call("POST", "/v1/comments", json=person.comment())
    assert status == 201
    other = "another-site"
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO sites (name, title, url) VALUES ($1, $1, 'https://x.example')", other
        )
    done = await erase(service.database, service.vault, other, person.email, clock=utc_now, actor="test")
    assert done.comments == 0
    assert "comments" in await places(service, [person.word("first")])


@pytest.mark.parametrize("email", ["", "nobody", "a@b@c"])
async def test_what_is_no_address_is_refused(service: RunningService, email: str) -> None:
    with pytest.raises(InvalidConfigurationError):
        await erase_person(service, email)


async def test_an_unknown_site_is_refused(service: RunningService) -> None:
    with pytest.raises(UnknownSiteError):
        await erase(service.database, service.vault, "nowhere", "a@b.example", clock=utc_now, actor="test")


async def test_a_removed_site_still_answers_for_what_it_holds(service: RunningService) -> None:
    person = planted()
    await plant(service, person)
    async with service.database.connection() as connection:
        await connection.execute("UPDATE sites SET webhook_url = 'http://127.0.0.1:9/'")
    await remove_site(service.database, service.site.name, actor="test")
    found = await export(
        service.database, service.vault, service.site.name, person.email, clock=utc_now, actor="test"
    )
    assert len(found["comments"]) == 3
    assert (await erase_person(service, person.email)).comments == 3
    left = await places(service, person.traces(service))
    assert {name for name in left if not name.startswith("redis")} == set()
    async with service.database.connection() as connection:
        assert (
            await connection.fetchval("SELECT count(*) FROM deliveries") == 0
        )  # nobody is there to hear of it


class TestExport:
    """The person is told everything that is held of them, and nothing of anybody else."""

    async def get(self, service: RunningService, email: str) -> dict[str, Any]:
        return await export(
            service.database, service.vault, service.site.name, email, clock=utc_now, actor="test"
        )

    async def test_every_word_they_left_is_in_it(self, service: RunningService) -> None:
        person, neighbour = planted(), planted()
        ids = await plant(service, person)
        await plant(service, neighbour)
        found = await self.get(service, person.email.upper())
        assert [comment["id"] for comment in found["comments"]] == ids
        words = (
            "name",
            "newname",
            "mail",
            "web",
            "agent",
            "reader",
            "first",
            "second",
            "third",
            "context",
            "note",
            "labelled",
        )
        text = str(found)
        assert [word for word in words if person.word(word) not in text] == []
        assert person.address in text
        assert neighbour.mark not in text

    async def test_it_is_whole(self, service: RunningService) -> None:
        person = planted()
        await plant(service, person)
        first, waiting, withdrawn = (await self.get(service, person.email))["comments"]
        assert [revision["text"] for revision in first["revisions"]] == [person.comment()["text"]]
        assert [decision["state"] for decision in first["decisions"]] == ["held", "held", "approved"]
        assert any("evidence" in reason for decision in first["decisions"] for reason in decision["reasons"])
        assert [task["kind"] for task in waiting["open_tasks"]] == ["held"]
        assert (withdrawn["state"], withdrawn["email"]) == ("deleted", person.email)

    async def test_after_an_erasure_it_is_empty(self, service: RunningService) -> None:
        person = planted()
        await plant(service, person)
        await erase_person(service, person.email)
        found = await self.get(service, person.email)
        assert (found["comments"], found["author"]) == ([], None)

    async def test_asking_is_written_down_without_saying_for_whom(self, service: RunningService) -> None:
        person = planted()
        await plant(service, person)
        await self.get(service, person.email)
        async with service.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT action, actor, t::text AS row FROM audit t WHERE action = 'author.exported'"
            )
        assert [(row["action"], row["actor"]) for row in rows] == [("author.exported", "test")]
        assert not any(trace in rows[0]["row"] for trace in person.traces(service))
