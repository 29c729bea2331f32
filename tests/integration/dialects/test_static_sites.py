"""What a page without a server uses: the form's checks, the approved comments, the script."""

import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from moderation.engines import EngineAddresses
from moderation.protocols.authentication import DIRECTORY
from moderation.storage.administration.sites import set_site
from tests.service import RunningService, comment, running_service

OWN = {"Origin": "https://news.example"}
FIELDS = {"author": "ليلى", "email": "layla@example.com", "comment": "خبر سار جدا", "comment_post_ID": "12"}
HTML = {"Accept": "text/html"}


@pytest_asyncio.fixture(loop_scope="session")
async def post_service(
    fresh_database_url: str, running_engines: EngineAddresses
) -> AsyncIterator[RunningService]:
    policy, site = {"mode": "post", "honeypot_action": "reject"}, {"form_min_s": 600}
    async with running_service(
        fresh_database_url, running_engines.redis_url, policy=policy, site=site
    ) as running:
        yield running


def place(service: RunningService, what: str) -> str:
    return f"/sites/{service.site.name}/{what}"


async def send(service: RunningService, headers: dict[str, str] | None = None, **fields: str) -> Any:
    return await service.client.post(
        place(service, "comments"), data=FIELDS | fields, headers=headers or OWN, allow_redirects=False
    )


async def reasons(service: RunningService) -> list[tuple[str, list[str]]]:
    async with service.database.connection() as connection:
        rows = await connection.fetch("SELECT verdict, reasons FROM decisions ORDER BY decided_at")
    return [(row["verdict"], [reason["code"] for reason in row["reasons"]]) for row in rows]


async def test_a_program_is_stopped_with_a_reason_that_moderators_read(post_service: RunningService) -> None:
    service = post_service
    async with service.client.get(place(service, "form"), headers=OWN) as response:
        config = await response.json()
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Access-Control-Allow-Origin"] == "https://news.example"
    assert config["required"] == ["author.name", "author.email", "text"]
    await send(service, form_stamp=config["stamp"])
    await send(service, comment="ثانٍ", form_stamp="1.forged")
    response = await send(service, comment="ثالث", homepage_confirm="x")
    assert (await response.json())["state"] == "rejected"
    await send(service, comment="رابع بلا ختم")
    assert await reasons(service) == [
        ("hold", ["too_fast"]),
        ("hold", ["too_fast"]),
        ("reject", ["honeypot"]),
        ("approve", []),
    ]
    await set_site(service.database, service.site.name, {"form_stamp_required": True}, actor="test")
    await service.client.server.app[DIRECTORY].refresh()  # type: ignore[union-attr]
    await send(service, comment="خامس بلا ختم")
    assert (await reasons(service))[-1] == ("hold", ["too_fast"])


async def test_what_was_found_against_the_sender_outlives_an_edit(post_service: RunningService) -> None:
    response = await send(post_service, form_stamp="x")
    comment_id = (await response.json())["id"]
    _, edited = await post_service.call("PUT", f"/v1/comments/{comment_id}", json={"text": "نص آخر"})
    assert [reason["code"] for reason in edited["reasons"]] == ["too_fast"]


async def test_after_sending_a_browser_without_scripts_goes_back_to_the_site_alone(
    service: RunningService,
) -> None:
    response = await send(service, HTML, redirect_to="https://news.example/شكرا?a=1#c")
    assert response.status == 303
    assert response.headers["Location"] == (
        "https://news.example/%D8%B4%D9%83%D8%B1%D8%A7?a=1&comment_state=held#c"
    )
    foreign = (
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "https://news.example@evil.example/",
        "https://news.example:8443/",
        "/relative",
        "https://news.example\\@evil.example",
        "https://news.example/\r\nX: y",
    )
    for number, url in enumerate(foreign):
        response = await send(service, HTML, comment=f"نص {number}", redirect_to=url)
        assert (response.status, response.headers.get("Location")) == (201, None), url
    response = await send(service, HTML, email="", redirect_to="https://news.example/")
    assert response.status == 422
    assert "form-action 'self' https://news.example;" in response.headers["Content-Security-Policy"]
    assert 'name="redirect_to" value="https://news.example/"' in await response.text()
    response = await send(service, comment="يُسأل عن JSON", redirect_to="https://news.example/")
    assert response.status == 201


async def listed(service: RunningService, thread: str = "12", **query: Any) -> Any:
    url = place(service, f"threads/{thread}/comments")
    async with service.client.get(url, params=query, headers=OWN) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def test_readers_see_names_texts_and_dates_of_approved_comments_and_nothing_more(
    post_service: RunningService,
) -> None:
    service = post_service
    _, first = await service.submit("الأول بين التعليقات")
    reply = comment("رد عليه", parent_id=first["id"])
    reply["author"] |= {"url": "https://me.example", "ip": "203.0.113.7", "external_id": "reader-7"}
    _, second = await service.call("POST", "/v1/comments", json=reply)
    _, gone = await service.submit("سيُحذف هذا")
    await service.call("DELETE", f"/v1/comments/{gone['id']}")
    await send(service, comment="مرفوض", homepage_confirm="x")
    found = await listed(service)
    assert [item["id"] for item in found["items"]] == [first["id"], second["id"]]
    assert found["next"] is None
    assert found["items"][1] == {
        "id": second["id"],
        "parent_id": first["id"],
        "author": {"name": reply["author"]["name"]},
        "text": "رد عليه",
        "edited": False,
        "created_at": found["items"][1]["created_at"],
    }
    written = str(found)
    for private in (reply["author"]["email"], "203.0.113.7", "reader-7", "me.example"):
        assert private not in written
    assert re.search(r"[0-9a-f]{32}", written.replace("-", " ")) is None


async def test_pages_follow_each_other_in_both_orders_without_gaps(post_service: RunningService) -> None:
    service = post_service
    texts = [f"التعليق رقم {number} في الصف" for number in range(7)]
    for text in texts:
        await service.submit(text)
    for order, expected in (("oldest", texts), ("newest", texts[::-1])):
        seen: list[str] = []
        cursor: dict[str, str] = {}
        for _ in range(4):
            found = await listed(service, order=order, limit=2, **cursor)
            seen += [item["text"] for item in found["items"]]
            cursor = {"cursor": found["next"]}
        assert (seen, found["next"]) == (expected, None)
    for query in (
        {"cursor": "nonsense"},
        {"cursor": "AAAA"},
        {"limit": "0"},
        {"limit": "x"},
        {"order": "best"},
    ):
        async with service.client.get(place(service, "threads/12/comments"), params=query) as response:
            assert response.status == 400, query
    page = await listed(service, order="oldest", limit=2)
    url = place(service, "threads/12/comments")
    async with service.client.get(url, params={"order": "newest", "cursor": page["next"]}) as response:
        assert response.status == 400


async def test_a_page_that_is_known_is_a_304_until_it_changes(post_service: RunningService) -> None:
    service = post_service
    url = place(service, "threads/12/comments")
    await service.submit("الأول بين التعليقات")
    async with service.client.get(url, headers=OWN) as response:
        tag = response.headers["ETag"]
        assert response.headers["Cache-Control"] == "public, max-age=15"
        assert "Origin" in response.headers["Vary"]
    for known in (tag, f'"x", W/{tag}', "*"):
        async with service.client.get(url, headers={"If-None-Match": known}) as response:
            assert (response.status, await response.read()) == (304, b"")
    await service.submit("الثاني بين التعليقات")
    async with service.client.get(url, headers={"If-None-Match": tag}) as response:
        assert (response.status, response.headers["ETag"] != tag) == (200, True)


async def test_only_the_sites_own_pages_may_read_and_only_its_own_comments(
    post_service: RunningService,
) -> None:
    await post_service.submit("الأول بين التعليقات")
    for what in ("threads/12/comments", "form"):
        for origin in ("https://evil.example", "http://news.example", "null", "https://x@news.example"):
            url = place(post_service, what)
            async with post_service.client.get(url, headers={"Origin": origin}) as response:
                assert "Access-Control-Allow-Origin" not in response.headers
    async with post_service.client.get("/sites/nobody/threads/12/comments") as response:
        assert response.status == 404
    for thread in ("13", "x" * 300, "%00", "%F0%9F%98%80", "..%2F12", "%0A"):
        assert (await listed(post_service, thread))["items"] == []


async def test_a_thread_may_be_named_by_an_address(post_service: RunningService) -> None:
    from urllib.parse import quote

    from yarl import URL

    address = "https://news.example/2026/خبر?page=1"
    address += "\u200c"  # as Persian addresses have, and no printable character
    sent = comment("تحت عنوان طويل")
    sent["thread"] = {"id": address}
    await post_service.call("POST", "/v1/comments", json=sent)
    path = place(post_service, f"threads/{quote(address, safe='')}/comments")
    url = URL(str(post_service.client.make_url("/")).rstrip("/") + path, encoded=True)
    async with post_service.client.session.get(url) as response:
        assert [item["text"] for item in (await response.json())["items"]] == ["تحت عنوان طويل"]


@pytest.mark.slow
async def test_a_page_deep_in_a_hundred_thousand_comments_reads_a_page_alone(
    post_service: RunningService,
) -> None:
    service = post_service
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO comments (id, site_id, thread_id, text, content_hash, state, sequence, origin, created_at, received_at)"
            " SELECT gen_random_uuid(), $1, '12', 'نص ' || n, '\\x00', CASE WHEN n % 10 = 0 THEN 'held' ELSE 'approved' END, 1,"
            " 'native', now() - n * interval '1 minute', now() FROM generate_series(1, 100000) AS n",
            service.site.id,
            timeout=120,
        )
        await connection.execute("ANALYZE comments")
        plan = await connection.fetch(
            "EXPLAIN (ANALYZE, BUFFERS, FORMAT TEXT) SELECT id FROM comments WHERE site_id = $1 AND thread_id = '12'"
            " AND state = 'approved' AND (created_at, id) > (now() - interval '40 days', '00000000-0000-0000-0000-000000000000')"
            " ORDER BY created_at, id LIMIT 51",
            service.site.id,
        )
    written = "\n".join(row[0] for row in plan)
    assert "comments_published" in written, written
    assert "Sort" not in written, written
    started = time.perf_counter()
    found = await listed(service, limit=100, order="newest")
    assert (len(found["items"]), time.perf_counter() - started < 30) == (100, True)


async def test_the_script_and_its_style_are_served_to_any_page(service: RunningService) -> None:
    for name, kind in (("embed.js", "text/javascript"), ("embed.css", "text/css")):
        async with service.client.get(f"/{name}") as response:
            written = await response.text()
            assert (response.status, response.content_type) == (200, kind)
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            tag = response.headers["ETag"]
        async with service.client.get(f"/{name}", headers={"If-None-Match": tag}) as response:
            assert response.status == 304
        assert len(written.encode()) < 13_000
        for forbidden in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            "Function(",
            "document.write",
            "http:",
            "https:",
            "cookie",
            "localStorage",
        ):
            assert forbidden not in written, (name, forbidden)
