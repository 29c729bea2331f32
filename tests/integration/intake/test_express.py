"""The short way of `POST /v1/comments` answers as the ordinary one to the byte, takes what it should, and no more."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from structlog.testing import capture_logs

from moderation.app import server_options
from moderation.domain.rates import Limit, Limits
from moderation.intake.pipeline import Intake
from moderation.protocols import express, native
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.express import Express
from tests.service import RunningService, SeededSite, seed_moderator, seed_site

CHANGING = [
    (re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), b"ID"),
    (re.compile(rb"[0-9a-f]{12}7[0-9a-f]{19}"), b"HEX"),
    (re.compile(rb"Date: [^\r]+"), b"DATE"),
]
_OFF = Limit(0, 1, 1)
LIMITS = Limits(Limit(1, 3600, 3), _OFF, _OFF, _OFF).as_json()
BODY: dict[str, Any] = {
    "thread": {"id": "12", "url": "https://news.example/12", "title": "خبر"},
    "author": {"name": "قارئة", "email": "reader@example.com", "ip": "192.0.2.7", "user_agent": "Firefox"},
    "text": "تعليق هادئ على الخبر",
}


def body(**fields: Any) -> bytes:
    return json.dumps(BODY | fields, ensure_ascii=False).encode()


def by(name: str, **fields: Any) -> bytes:
    return body(author={"name": name, "email": f"{name}@example.com"}, text=f"رأي {name} في الخبر", **fields)


def whole(
    sent: bytes, *headers: str, first: str = "POST /v1/comments HTTP/1.1", kind: str = "application/json"
):
    lines = [first, "Host: news.example", "Authorization: Bearer KEY", f"Content-Type: {kind}", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(sent)}", "", ""]).encode() + sent


SHORT = {
    "a comment": whole(by("a")),
    "in English": whole(by("b"), "Accept-Language: en;q=0.9, ar;q=0.1"),
    "spam, with its evidence": whole(
        body(text="ربح سريع اتصل الآن http://a.example http://b.example http://c.example")
    ),
    "an id": whole(by("c", external_id="c-1")),
    "the same again": whole(by("c", external_id="c-1")),
    "an edit": whole(by("c", external_id="c-1", url="x").replace("رأي".encode(), "قول".encode())),
    "a key": whole(by("d"), "Idempotency-Key: once"),
    "its key again": whole(by("d"), "Idempotency-Key: once"),
    "its key with other content": whole(by("e"), "Idempotency-Key: once"),
    "a key that is none": whole(by("f"), f"Idempotency-Key: {'x' * 300}"),
    "every field faulty": whole(
        b'{"thread": 1, "author": {"email": "no", "ip": "no", "url": "no"}, "text": "", "created_at": "no"}'
    ),
    "the same in English": whole(b'{"thread": {}}', "Accept-Language: en"),
    "no object": whole(b"[]"),
    "an unknown parent": whole(by("g", parent_id="nobody")),
    "what cannot be stored": whole(by("h", external_id="a\x00b")),
    "too long": whole(body(text="ا" * 9000, author={"name": "i", "email": "i@example.com"})),
    "the last one": whole(by("j"), "Connection: close"),
    "the last one, faulty": whole(b"{}", "Connection: close"),
    "one of many": whole(by("k")),
    "two of many": whole(by("k", external_id="k2")),
    "three of many": whole(by("k", external_id="k3")),
    "one too many": whole(by("k", external_id="k4")),
    "no agent, two languages": whole(
        by("l"), "accept-language: fr", "ACCEPT-LANGUAGE: en", "X-Nothing: nothing"
    ),
}
"""What goes the short way. ``KEY`` stands for the site's."""

ORDINARY = {
    "no key": whole(by("m")).replace(b"Authorization: Bearer KEY\r\n", b""),
    "another scheme": whole(by("m")).replace(b"Bearer KEY", b"Basic KEY"),
    "an unknown key": whole(by("m")).replace(b"KEY", b"mds_nobody"),
    "a person's token": whole(by("m")).replace(b"KEY", b"PERSON"),
    "not JSON": whole(b'{"text": }'),
    "not UTF-8": whole(b'{"text": "\xe9"}'),
    "half a character": whole(rb'{"text": "\ud800"}'),
    "nothing": whole(b""),
    "a charset": whole(by("n"), kind="application/json; charset=utf-8"),
    "another charset": whole(by("n"), kind="application/json; charset=latin1"),
    "no type": whole(by("o")).replace(b"Content-Type: application/json\r\n", b""),
    "a query": whole(by("p"), first="POST /v1/comments?x=1 HTTP/1.1"),
    "an older version": whole(by("q"), first="POST /v1/comments HTTP/1.0"),
    "another method": whole(b"", first="GET /v1/comments HTTP/1.1"),
    "another path": whole(by("r"), first="POST /v1/commentz HTTP/1.1"),
    "an escaped path": whole(by("r"), first="POST /v1/comment%73 HTTP/1.1"),
    "a whole address": whole(by("r"), first="POST http://news.example/v1/comments HTTP/1.1"),
    "an upgrade": whole(by("s"), "Connection: Upgrade", "Upgrade: h2c"),
    "compressed": whole(by("t"), "Content-Encoding: gzip"),
    "an expectation": whole(by("u"), "Expect: 100-continue"),
    "another expectation": whole(by("u"), "Expect: coffee"),
    "above every bound": whole(body(text="ا" * 300_000)),
    "above the bound of the short way": whole(by("v", context={"a" * 60: "b"}) + b" " * 40_000),
    "in chunks": b"POST /v1/comments HTTP/1.1\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks and a length": whole(b"0\r\n\r\n", "Transfer-Encoding: chunked"),
    "two lengths": whole(by("w"), "Content-Length: 1"),
    "a length that is none": whole(by("w")).replace(b"Content-Length: ", b"Content-Length: +"),
    "a header without a name": whole(by("w"), ": x"),
    "a broken line": whole(by("w"), "X: a\r\n b"),
    "a NUL": whole(by("w"), "X: a\x00b"),
    "too many headers": whole(by("w"), *[f"X-{n}: x" for n in range(200)]),
    "a header too long": whole(by("w"), f"X: {'x' * 9000}"),
}
"""What does not, however like it is."""


async def exchange(service: RunningService, sent: bytes, site: SeededSite, person: str) -> bytes:
    """Ask on a connection that has been used, and return the answer up to its end, or to the end of the connection."""
    async with connected(service) as (reader, writer):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        await answer(reader)
        writer.write(sent.replace(b"KEY", site.key.encode()).replace(b"PERSON", person.encode()))
        found = await answer(reader)
        if b"100 Continue" in found:
            found += await answer(reader)
        return found


@asynccontextmanager
async def connected(
    service: RunningService,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(service.client.server.host, service.client.server.port)
    yield reader, writer
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(60):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        found = head + (await reader.readexactly(int(length[1])) if length else b"")
        return found + (await reader.read() if b"Connection: close" in head else b"")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def only_the_ordinary_way(service: RunningService) -> AsyncIterator[None]:
    options = service.client.server.runner.server._kwargs
    kept = options["express"]
    options["express"] = None
    yield
    options["express"] = kept


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that went the short way."""
    found: list[bytes] = []
    begin = Express.begin

    def noted(self: Express, message: Any, sent: bytes) -> Any:
        begun = begin(self, message, sent)
        if begun is not None:
            found.append(sent)
        return begun

    monkeypatch.setattr(Express, "begin", noted)
    return found


async def site_of(service: RunningService) -> SeededSite:
    """A site whose key the service knows already."""
    site = await seed_site(service.database, service.vault, settings={"limits": LIMITS})
    await service.client.app[DIRECTORY].refresh()
    status, problem = await service.call("POST", "/v1/comments", key=site.key, json={})
    assert (status, problem["type"]) == (422, "/problems/invalid-comment")
    return site


def held_back(service: RunningService, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let no group go on before the event is set."""
    grouper, held = service.client.app[native.INTAKE]._grouper, asyncio.Event()
    process = grouper._process

    async def waiting(group: Any) -> None:
        await held.wait()
        await process(group)

    monkeypatch.setattr(grouper, "_process", waiting)
    return held


def constant(found: bytes) -> bytes:
    for pattern, name in CHANGING:
        found = pattern.sub(name, found)
    return found


async def test_both_ways_answer_the_same_to_the_byte(service: RunningService, taken: list[bytes]) -> None:
    sites = [await site_of(service) for _ in range(2)]
    person = await seed_moderator(service.database, {site.id: "lead" for site in sites})
    await service.client.app[DIRECTORY].refresh()  # nothing is forgotten in the middle
    for site in sites:
        await service.call("POST", "/v1/comments", key=site.key, json={})
    for name, sent in (SHORT | ORDINARY).items():
        taken.clear()
        shortly = await exchange(service, sent, sites[0], person)
        assert bool(taken) == (name in SHORT), name
        async with only_the_ordinary_way(service):
            ordinarily = await exchange(service, sent, sites[1], person)
        assert constant(shortly) == constant(ordinarily), name
        assert len(taken) == (name in SHORT), "the second went the ordinary way"


async def test_the_requests_of_the_short_way_are_of_every_outcome(service: RunningService) -> None:
    """So that the test above cannot be content with one kind of answer."""
    site, found = await site_of(service), set()
    for sent in SHORT.values():
        found.add(int((await exchange(service, sent, site, ""))[9:12]))
    assert found == {200, 201, 400, 409, 422, 429}


async def test_what_comes_behind_is_answered_in_turn(
    service: RunningService, taken: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, held = await site_of(service), held_back(service, monkeypatch)
    taken.clear()
    async with connected(service) as (reader, writer):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        await answer(reader)
        for name in ("first", "second"):
            writer.write(whole(by(name, external_id=name)).replace(b"KEY", site.key.encode()))
            await asyncio.sleep(0.05)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + whole(b"{")[:60])
        await until(lambda: taken)
        await asyncio.sleep(0.05)
        assert len(taken) == 1, "the second waits for the answer to the first"
        held.set()
        answers = [await answer(reader) for _ in range(3)]
        assert [b'"external_id":"first"' in answers[0], b'"external_id":"second"' in answers[1]] == [
            True,
            True,
        ]
        assert answers[2].startswith(b"HTTP/1.1 200")
        assert b"external_id" not in answers[2]


async def test_a_body_in_two_parts_goes_the_ordinary_way(service: RunningService, taken: list[bytes]) -> None:
    site = await site_of(service)
    taken.clear()
    async with connected(service) as (reader, writer):
        sent = whole(by("parts")).replace(b"KEY", site.key.encode())
        writer.write(sent[:-20])
        await asyncio.sleep(0.05)
        writer.write(sent[-20:])
        assert (await answer(reader)).startswith(b"HTTP/1.1 201")
        assert taken == []


async def test_whoever_goes_away_before_the_answer_disturbs_nobody(
    service: RunningService, taken: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, held = await site_of(service), held_back(service, monkeypatch)
    taken.clear()
    async with connected(service) as (_, writer):
        writer.write(whole(by("gone", external_id="gone")).replace(b"KEY", site.key.encode()))
        await until(lambda: taken)
        writer.transport.abort()
        await asyncio.sleep(0.05)
    held.set()
    status, again = await service.call(
        "POST", "/v1/comments", key=site.key, json=json.loads(by("gone", external_id="gone"))
    )
    assert (status, again["external_id"]) == (200, "gone"), "it had been accepted"


async def test_an_answer_that_cannot_be_written_is_an_internal_error(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await site_of(service)

    def broken(*_: Any) -> Any:
        raise ArithmeticError

    for module in (express, native):
        monkeypatch.setattr(module, "outcome_answer", broken)
    found = [await exchange(service, whole(by(f"x{n}")), site, "") for n in (1, 2)]
    async with only_the_ordinary_way(service):
        ordinarily = await exchange(service, whole(by("y")), site, "")
    assert constant(found[0]) == constant(ordinarily)
    assert ordinarily.startswith(b"HTTP/1.1 500")


async def test_an_answer_that_fails_altogether_ends_the_connection(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await site_of(service)

    def broken(*_: Any, **__: Any) -> Any:
        raise ArithmeticError

    monkeypatch.setattr(express, "_written", broken)
    async with connected(service) as (reader, writer):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        await answer(reader)
        with capture_logs() as logs:
            writer.write(whole(by("lost")).replace(b"KEY", site.key.encode()))
            async with asyncio.timeout(30):
                assert await reader.read() == b""
    assert "express_failed" in [line["event"] for line in logs]


async def test_a_fault_in_the_short_way_itself_harms_no_comment(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await site_of(service)

    def broken(*_: Any, **__: Any) -> Any:
        raise ArithmeticError

    monkeypatch.setattr(Intake, "submit_at_once", broken)
    assert (await exchange(service, whole(by("z")), site, "")).startswith(b"HTTP/1.1 201")


def test_the_short_way_was_tried_with_this_aiohttp() -> None:
    """A new one: raise `TRIED_WITH` once the tests above pass on it."""
    assert express.fits_the_library()
    assert not express.fits_the_library("3.15.0")


async def test_with_an_aiohttp_that_was_not_tried_all_go_the_ordinary_way(
    service: RunningService, taken: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(express, "_LEANS_ON", ((express.StreamReader, "_buffer _gone"),))
    with capture_logs() as logs:
        options = server_options(service.client.app)
    assert options["express"] is None
    assert [line["event"] for line in logs] == ["express_left_out"]
    site = await site_of(service)
    taken.clear()
    async with only_the_ordinary_way(service):
        assert (await exchange(service, whole(by("aa")), site, "")).startswith(b"HTTP/1.1 201")
    assert taken == []
