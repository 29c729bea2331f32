"""A site's rules at work on the way in: words, links, duplicates, authors, modes."""

import asyncio
from typing import Any

import pytest

from moderation.domain.comment import Author
from moderation.domain.identity import identify
from tests.service import RunningService, running_service, seed_moderator

CALM = "شكرًا على هذا التقرير المفيد عن خط الترام الجديد في المدينة."


async def codes(service: RunningService, text: str, **fields: Any) -> tuple[str, list[str]]:
    status, body = await service.submit(text, **fields)
    assert status == 201, body
    return body["verdict"], [reason["code"] for reason in body["reasons"]]


async def set_standing(service: RunningService, standing: str, author: Author) -> None:
    identities = identify(service.vault, service.site.name, author)
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO authors (identity, site_id, standing) VALUES ($1, $2, $3)",
            identities.author or identities.address,
            service.site.id,
            standing,
        )


async def test_a_clean_comment_is_published_at_once_after_moderation_and_held_before(
    fresh_database_url: str, running_engines: Any
) -> None:
    for mode, verdict in (("post", "approve"), ("pre", "hold")):
        async with running_service(
            fresh_database_url, running_engines.redis_url, policy={"mode": mode}
        ) as service:
            assert (await codes(service, CALM))[0] == verdict


async def test_a_trusted_author_is_published_in_pre_moderation_and_a_blocked_one_rejected(
    service: RunningService,
) -> None:
    email = "known@example.com"
    author = {"name": "ليلى", "email": email}
    assert await codes(service, CALM, author=author) == ("hold", ["premoderation"])
    await set_standing(service, "trusted", Author(email=email))
    assert await codes(service, CALM + " 2", author=author | {"email": "KNOWN@example.com"}) == (
        "approve",
        [],
    )
    await set_standing(service, "blocked", Author(address="192.0.2.7"))
    verdict, reasons = await codes(service, CALM + " 3", author=author | {"ip": "192.0.2.7"})
    assert (verdict, reasons) == ("reject", ["blocked_author"])


async def test_a_borrowed_name_is_not_trusted(service: RunningService) -> None:
    await set_standing(service, "trusted", Author(name="ليلى"))
    assert (await codes(service, CALM, author={"name": "ليلى", "email": "other@example.com"}))[0] == "hold"


@pytest.mark.parametrize("text", ["هذا حديث عن المقاول نفسه", "وبالمُقاوِل", "للمقـــاول"])
async def test_a_banned_word_is_found_behind_prefixes_and_spellings(
    fresh_database_url: str, running_engines: Any, text: str
) -> None:
    policy = {"banned_words": [{"action": "reject", "words": ["مقاول"]}]}
    async with running_service(fresh_database_url, running_engines.redis_url, policy=policy) as service:
        status, body = await service.submit(text)
        assert (status, body["verdict"]) == (201, "reject")
        (reason,) = [r for r in body["reasons"] if r["code"] == "banned_word"]
        (evidence,) = reason["evidence"]
        assert "ق" in text[evidence["start"] : evidence["end"]]
        assert evidence["message"] == "كلمة محظورة في هذا الموقع"
        assert (await codes(service, "هذا حديث عن المقاولات"))[0] == "hold"


async def test_the_same_text_from_many_authors_is_held_as_a_duplicate(service: RunningService) -> None:
    assert "duplicate" not in (await codes(service, CALM))[1]
    assert "duplicate" in (await codes(service, "  " + CALM))[1]


async def test_too_many_links_are_held(service: RunningService) -> None:
    text = " ".join(f"https://example{n}.com/a" for n in range(4))
    assert "link_limit" in (await codes(service, text))[1]


async def test_an_edit_of_an_approved_comment_waits_again(service: RunningService) -> None:
    _, body = await service.submit(CALM)
    path = f"/v1/comments/{body['id']}"
    decision = {"verdict": "approve", "revision": 1, "moderator": "editor"}
    status, approved = await service.call("POST", f"{path}/decision", json=decision)
    assert (status, approved["state"]) == (200, "approved")
    status, edited = await service.call("PUT", path, json={"text": CALM + " ولكن"})
    assert (status, edited["state"]) == (200, "held")


async def test_an_edit_of_what_a_person_rejected_is_never_published_by_the_service(
    fresh_database_url: str, running_engines: Any
) -> None:
    async with running_service(
        fresh_database_url, running_engines.redis_url, policy={"mode": "post"}
    ) as service:
        _, body = await service.submit(CALM)
        path = f"/v1/comments/{body['id']}"
        await service.call(
            "POST", f"{path}/decision", json={"verdict": "reject", "revision": 1, "moderator": "e"}
        )
        status, edited = await service.call("PUT", path, json={"text": CALM + " معدل"})
        assert (status, edited["state"]) == (200, "held")


async def test_an_edit_leaves_an_escalated_task_with_the_leads(service: RunningService) -> None:
    _, body = await service.submit(CALM)
    path = f"/v1/comments/{body['id']}"
    moderator = await seed_moderator(service.database, {service.site.id: "moderator"})
    status, _ = await service.call("POST", f"{path}/escalate", key=moderator, json={"revision": 1})
    assert status == 200
    status, _ = await service.call("PUT", path, json={"text": CALM + " معدل"})
    assert status == 200
    async with service.database.connection() as connection:
        task = await connection.fetchrow("SELECT kind, revision FROM tasks")
        assert tuple(task) == ("escalated", 2)


async def test_a_readers_form_may_name_an_article_but_not_rename_it(service: RunningService) -> None:
    form = {"author": "أ", "email": "a@example.com", "comment": CALM, "comment_post_ID": "7"}
    url = f"/sites/{service.site.name}/comments"
    for title in ("العنوان", "عنوان مزوّر"):
        async with service.client.post(
            url, data=form | {"thread_title": title, "comment": CALM + title}
        ) as response:
            assert response.status == 201
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT title FROM threads WHERE id = '7'") == "العنوان"
    await service.submit(thread={"id": "7", "title": "العنوان الجديد"})
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT title FROM threads WHERE id = '7'") == "العنوان الجديد"


async def test_an_edit_does_not_slip_past_a_block_or_an_earlier_duplicate(
    fresh_database_url: str, running_engines: Any
) -> None:
    async with running_service(
        fresh_database_url, running_engines.redis_url, policy={"mode": "post"}
    ) as service:
        author = {"name": "ليلى", "email": "l@example.com", "ip": "192.0.2.9"}
        _, body = await service.submit(CALM, author=author)
        assert body["verdict"] == "approve"
        _, copy = await service.submit(CALM, author={"name": "منى", "email": "m@example.com"})
        assert copy["verdict"] == "hold"
        await set_standing(service, "blocked", Author(address="192.0.2.9"))
        for first in (body, copy):
            status, edited = await service.call(
                "PUT", f"/v1/comments/{first['id']}", json={"text": CALM + "!"}
            )
            assert (status, edited["verdict"]) != (200, "approve"), edited


async def test_partial_edits_at_once_both_stay(service: RunningService) -> None:
    _, body = await service.submit(CALM)
    path = f"/v1/comments/{body['id']}"
    answers = await asyncio.gather(
        service.call("PUT", path, json={"text": "نص جديد"}),
        service.call("PUT", path, json={"author": {"name": "اسم جديد"}}),
    )
    assert [status for status, _ in answers] == [200, 200]
    _, stored = await service.call("GET", path)
    assert (stored["text"], stored["author"]["name"]) == ("نص جديد", "اسم جديد")
