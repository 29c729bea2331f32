"""The classic form, end to end on the real engines: what readers' browsers send, and what readers are told."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import FormData

from moderation.domain.ids import SiteId
from moderation.domain.policy import Signals
from moderation.domain.rates import Limit, Limits
from moderation.domain.verdict import ReasonCode
from moderation.engines import EmbeddedEngines, EngineAddresses
from moderation.storage.database import connect
from moderation.storage.migrate import migrate
from moderation.storage.past import read_past
from tests.service import RunningService, running_service

HTML = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "ar-EG,ar;q=0.9,en;q=0.5",
}
JSON = {"Accept": "application/json"}
TEXT = "خبر سار، ونتمنى أن تصل الخدمة إلى الأحياء البعيدة."
ARTICLE = "https://news.example/tram"
FORM_TYPE = "application/x-www-form-urlencoded"


def filled(**fields: str) -> dict[str, str]:
    """The fields of a form that is right in every one."""
    return {
        "author": "ليلى",
        "email": "layla@example.com",
        "url": "",
        "comment": TEXT,
        "comment_post_ID": "12",
        "comment_parent": "0",
        **fields,
    }


def path(service: RunningService) -> str:
    return f"/sites/{service.site.name}/comments"


async def send(
    service: RunningService, fields: Any, *, headers: dict[str, str] | None = None
) -> tuple[aiohttp.ClientResponse, Any]:
    """Send the form as a browser does, without a key; return the response, and its JSON or page."""
    async with service.client.post(path(service), data=fields, headers=headers or JSON) as response:
        is_json = "json" in response.content_type
        return response, await (response.json(content_type=None) if is_json else response.text())


def pointers(problem: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in problem["errors"]]


async def test_a_form_is_held_and_the_reader_is_told_no_more_than_that(service: RunningService) -> None:
    response, answer = await send(service, filled(url="layla.example"))
    assert response.status == 201
    assert answer == {
        "id": answer["id"],
        "state": "held",
        "message": "وصل تعليقك وهو بانتظار موافقة المشرف.",
    }
    assert response.cookies == {}
    async with service.database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM comments WHERE id = $1", answer["id"])
    assert (row["origin"], row["thread_id"], row["text"]) == ("form", "12", TEXT)
    assert (row["author_name"], row["author_url"]) == ("ليلى", "http://layla.example")
    assert row["parent_id"] is None
    assert "aiohttp" in row["user_agent"]
    assert service.vault.open(row["address_sealed"], "address") == "127.0.0.1"
    assert service.vault.open(row["email_sealed"], "email") == "layla@example.com"


@pytest.mark.parametrize("kind", ["multipart", "json"])
async def test_other_bodies_with_the_same_names_are_the_same_form(service: RunningService, kind: str) -> None:
    if kind == "multipart":
        data = FormData(filled(), default_to_multipart=True)
        response, answer = await send(service, data)
    else:
        body = {**filled(), "comment_post_ID": 12, "comment_parent": 0}
        async with service.client.post(path(service), json=body) as response:
            answer = await response.json()
    assert (response.status, answer["state"]) == (201, "held")
    again, same = await send(service, filled())
    assert (again.status, same["id"]) == (200, answer["id"])


async def test_a_double_click_is_one_comment(service: RunningService) -> None:
    first, answer = await send(service, filled(comment="سطر\r\nسطر"))
    again, page = await send(service, filled(comment="سطر\nسطر"), headers=HTML)
    assert (first.status, again.status) == (201, 200)
    assert "بانتظار" in page
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM comments") == 1
        assert await connection.fetchval("SELECT id::text FROM comments") == answer["id"]


async def test_a_reply_names_its_parent_by_either_id(service: RunningService) -> None:
    _, parent = await send(service, filled())
    response, answer = await send(service, filled(comment="رد على التعليق", comment_parent=parent["id"]))
    assert response.status == 201
    async with service.database.connection() as connection:
        found = await connection.fetchval("SELECT parent_id::text FROM comments WHERE id = $1", answer["id"])
    assert found == parent["id"]
    response, problem = await send(service, filled(comment="رد آخر", comment_parent="999"))
    assert (response.status, pointers(problem)) == (422, [("/comment_parent", "unknown_parent")])


async def test_every_faulty_field_is_named_as_the_form_names_it(service: RunningService) -> None:
    response, problem = await send(
        service, {"author": "  ", "email": "layla", "url": "ht!tp://", "comment": "\n"}
    )
    assert (response.status, response.content_type) == (422, "application/problem+json")
    assert sorted(pointers(problem)) == [
        ("/author", "missing"),
        ("/comment", "missing"),
        ("/comment_post_ID", "missing"),
        ("/email", "invalid_email"),
        ("/url", "invalid_url"),
    ]
    assert problem["message"] == "يُرجى تصحيح الحقول المبيّنة أدناه ثم إعادة الإرسال."
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert "عنوان البريد الإلكتروني غير صحيح." in {error["message"] for error in problem["errors"]}


async def test_the_language_is_the_pages_then_the_readers_then_the_sites(service: RunningService) -> None:
    english, arabic = "waiting for a moderator", "بانتظار موافقة المشرف"
    asked = [
        (filled(comment="1"), {}, arabic),
        (filled(comment="2"), {"Accept-Language": "en-GB,en;q=0.8"}, english),
        (filled(comment="3", lang="ar"), {"Accept-Language": "en-GB"}, arabic),
        (filled(comment="4", lang="en"), {"Accept-Language": "ar"}, english),
        (filled(comment="5", lang="xx"), {"Accept-Language": "fr"}, arabic),
    ]
    for fields, headers, expected in asked:
        _, answer = await send(service, fields, headers=JSON | headers)
        assert expected in answer["message"]


async def test_the_page_for_a_reader_without_javascript(service: RunningService) -> None:
    response, page = await send(service, filled(thread_url=ARTICLE), headers=HTML)
    assert (response.status, response.content_type) == (201, "text/html")
    assert '<html lang="ar" dir="rtl">' in page
    assert "وصل تعليقك وهو بانتظار موافقة المشرف." in page
    assert f'href="{ARTICLE}"' in page
    assert "layla@example.com" not in page
    assert "premoderation" not in page
    assert "not_scored" not in page
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers


async def test_the_policy_of_the_page_allows_its_own_style_and_nothing_else(service: RunningService) -> None:
    response, page = await send(service, filled(), headers=HTML)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = response.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "<script" not in page
    assert " style=" not in page


async def test_a_refused_form_comes_back_with_what_was_typed_in_it_escaped(service: RunningService) -> None:
    name, text = '"><script>alert(1)</script>', "</textarea><img src=x onerror=alert(1)> & نص"
    response, page = await send(
        service, filled(author=name, email="layla@", comment=text, thread_url=ARTICLE), headers=HTML
    )
    assert response.status == 422
    assert "<script" not in page
    assert "<img" not in page
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in page
    assert "&lt;/textarea&gt;&lt;img src=x onerror=alert(1)&gt; &amp; نص</textarea>" in page
    assert 'value="layla@"' in page
    (field,) = re.findall(r"<input id=\"comment-form-email\".*?>", page, re.DOTALL)
    assert 'aria-invalid="true"' in field
    assert "autofocus" in field
    assert re.search(r'id="comment-form-email-error">عنوان البريد الإلكتروني غير صحيح\.', page)
    assert page.count("autofocus") == 1
    assert f'name="thread_url" value="{ARTICLE}"' in page
    assert f'action="{path(service)}"' in page


async def test_links_lead_to_the_site_alone(service: RunningService) -> None:
    """Anybody can send the form: neither the reader's way back nor the moderators' link to the article may lead elsewhere."""
    foreign = [
        "https://evil.example/",
        "javascript:alert(1)",
        "//evil.example",
        "https://news.example@evil.example/",
    ]
    for number, url in enumerate(foreign):
        _, page = await send(
            service,
            filled(comment=f"نص {number}", thread_url=url, comment_post_ID=f"x{number}"),
            headers=HTML,
        )
        assert 'href="https://news.example"' in page
        assert "evil" not in page
    async with service.database.connection() as connection:
        assert await connection.fetch("SELECT FROM threads WHERE url IS NOT NULL") == []


async def test_a_rejection_is_polite_and_gives_no_reason(
    fresh_database_url: str, running_engines: EngineAddresses
) -> None:
    words = {"name": "سوق", "action": "reject", "words": ["كازينو"]}
    async with running_service(
        fresh_database_url, running_engines.redis_url, policy={"banned_words": [words]}
    ) as service:
        response, answer = await send(service, filled(comment="تعالوا إلى كازينو النورس"))
        assert (response.status, answer["state"]) == (201, "rejected")
        assert set(answer) == {"id", "state", "message"}
        _, page = await send(service, filled(comment="تعالوا إلى كازينو النورس"), headers=HTML)
        assert "لم يُقبل تعليقك للنشر." in page
        assert "محظورة" not in page
        assert "banned_word" not in page


BROKEN: dict[str, tuple[str | None, bytes, int]] = {
    "no content type": (None, b"comment=a", 415),
    "plain text": ("text/plain", b"comment=a", 415),
    "another encoding": (FORM_TYPE + "; charset=windows-1256", b"comment=a", 415),
    "an unheard-of encoding": (FORM_TYPE + "; charset=\xff", b"comment=a", 415),
    "percent-encoded windows-1256": (FORM_TYPE, b"comment=%E1%D3", 400),
    "raw windows-1256": (FORM_TYPE, "comment=سلام".encode("cp1256"), 400),
    "a field twice": (FORM_TYPE, b"comment=a&comment=b", 400),
    "a list": (FORM_TYPE, b"comment%5B%5D=a", 400),
    "ten thousand fields": (FORM_TYPE, b"a=1&" * 10_000, 400),
    "too large": (FORM_TYPE, b"comment=" + b"a" * 300_000, 413),
    "NUL": (FORM_TYPE, b"author=a&email=a%40b.example&comment_post_ID=1&comment=a%00b", 422),
    "multipart without boundary": ("multipart/form-data", b"--x", 400),
    "multipart cut off": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="comment"\r\n\r\nab',
        400,
    ),
    "multipart with a file": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.exe"\r\n\r\nab\r\n--x--',
        400,
    ),
    "JSON that is none": ("application/json", b"{", 400),
    "JSON list": ("application/json", b"[]", 400),
    "deep JSON": ("application/json", b"[" * 100_000, 400),
    "JSON of wrong types": ("application/json", b'{"comment": {"a": [1]}, "author": 5, "email": true}', 422),
    "lone surrogates": (
        "application/json",
        rb'{"comment": "\ud800", "author": "\udfff", "thread_url": "https://news.example/\ud800", "lang": "\ud800"}',
        422,
    ),
    "an empty body": (FORM_TYPE, b"", 422),
}


@pytest.mark.parametrize("accept", [JSON, HTML], ids=["json", "page"])
async def test_a_broken_form_is_refused_with_a_reason_and_harms_nothing(
    service: RunningService, accept: dict[str, str]
) -> None:
    for case, (content_type, body, status) in BROKEN.items():
        headers = accept | ({} if content_type is None else {"Content-Type": content_type})
        async with service.client.post(
            path(service), data=body, headers=headers, skip_auto_headers=["Content-Type"]
        ) as response:
            text = await response.text()
            assert response.status == status, (case, text)
            if accept is HTML:
                assert text.startswith("<!doctype html>"), case
            else:
                problem = await response.json(content_type=None)
                assert (problem["status"], bool(problem["detail"])) == (status, True), case
        after, _ = await send(service, filled(comment=f"بعد {case}"))
        assert after.status == 201, case


async def test_a_body_cut_off_by_the_network_stores_nothing(service: RunningService) -> None:
    import asyncio

    server = service.client.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = f"POST {path(service)} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: 500\r\n\r\n"
    writer.write(head.encode() + b"author=a&email=a%40example.com&comment_post_ID=1&comment=hello")
    writer.write_eof()
    await asyncio.wait_for(reader.read(), 60)
    writer.close()
    await writer.wait_closed()
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM comments") == 0


@pytest.mark.parametrize("accept", [JSON, HTML], ids=["json", "page"])
async def test_an_unknown_or_removed_site_is_a_404(service: RunningService, accept: dict[str, str]) -> None:
    async with service.client.post("/sites/nobody/comments", data=filled(), headers=accept) as response:
        assert response.status == 404
    async with service.database.connection() as connection:
        await connection.execute("UPDATE sites SET removed_at = now()")
    response, _ = await send(service, filled(), headers=accept)
    assert response.status == 404


async def test_only_a_script_on_the_site_itself_may_read_the_answer(service: RunningService) -> None:
    own = {"Origin": "https://news.example"}
    response, _ = await send(service, filled(), headers=JSON | own)
    assert response.headers["Access-Control-Allow-Origin"] == "https://news.example"
    assert "Origin" in response.headers["Vary"]
    response, _ = await send(service, {}, headers=JSON | own)
    assert response.headers["Access-Control-Allow-Origin"] == "https://news.example"
    for origin in ("https://evil.example", "http://news.example", "https://news.example:444", "null"):
        response, _ = await send(service, filled(), headers=JSON | {"Origin": origin})
        assert "Access-Control-Allow-Origin" not in response.headers
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    async with service.client.options(path(service), headers=own | asked) as preflight:
        assert preflight.status == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == "https://news.example"
        assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
        assert "Access-Control-Allow-Credentials" not in preflight.headers
    async with service.client.options(
        path(service), headers={"Origin": "https://evil.example"} | asked
    ) as refused:
        assert "Access-Control-Allow-Origin" not in refused.headers


async def test_too_many_comments_are_put_off_kindly(
    fresh_database_url: str, running_engines: EngineAddresses
) -> None:
    off = Limit(0, 1, 1)
    limits = Limits(author=Limit(1, 60, 1), address=off, thread=off, site=off).as_json()
    async with running_service(
        fresh_database_url, running_engines.redis_url, site={"limits": limits}
    ) as service:
        first, _ = await send(service, filled())
        assert first.status == 201
        response, problem = await send(service, filled(comment="تعليق ثانٍ"))
        assert response.status == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 60
        assert "كثيرة" in problem["message"]
        response, page = await send(service, filled(comment="تعليق ثالث"), headers=HTML)
        assert response.status == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 60
        assert "تعليق ثالث</textarea>" in page
        assert "layla@example.com" in page  # it stays in its field, for the reader to send again


@pytest_asyncio.fixture(loop_scope="session")
async def service_on_own_engine(
    engine_data: Path, running_engines: EngineAddresses
) -> AsyncIterator[tuple[RunningService, EmbeddedEngines]]:
    """The service on a PostgreSQL that a test may stop."""
    engines = EmbeddedEngines(engine_data, valkey=False)
    addresses = await engines.start()
    assert addresses.database_url is not None
    try:
        connection = await connect(addresses.database_url)
        await migrate(connection)
        await connection.close()
        async with running_service(addresses.database_url, running_engines.redis_url) as service:
            yield service, engines
    finally:
        await engines.stop()


async def test_without_postgresql_the_reader_is_asked_to_try_again_and_loses_nothing(
    service_on_own_engine: tuple[RunningService, EmbeddedEngines],
) -> None:
    service, engines = service_on_own_engine
    first, _ = await send(service, filled())
    assert first.status == 201
    await engines.stop()
    response, page = await send(service, filled(comment="نص لا يضيع"), headers=HTML)
    assert response.status == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert "نص لا يضيع</textarea>" in page
    response, problem = await send(
        service, filled(comment="نص لا يضيع"), headers=JSON | {"Accept-Language": "ar"}
    )
    assert (response.status, "غير متاحة مؤقتًا" in problem["message"]) == (503, True)
    await engines.start()
    response, _ = await send(service, filled(comment="نص لا يضيع"))
    assert response.status == 201


async def test_a_replay_knows_again_what_the_form_held_against_a_comment(service: RunningService) -> None:
    await send(service, filled(homepage_confirm="https://x.example"))
    async with service.database.connection() as connection:
        (one,) = await read_past(connection, SiteId(service.site.id), datetime(2020, 1, 1, tzinfo=UTC))
    assert one.signals == Signals(suspicions=(ReasonCode.HONEYPOT,))
