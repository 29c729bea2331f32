"""What strangers learn: nothing of the libraries below, nothing that they sent themselves, and problems in their language."""

import asyncio
import json
from contextlib import suppress

import pytest

from moderation.protocols.problem_words import ARABIC
from moderation.protocols.problems import PROBLEMS
from tests.service import RunningService, comment

NO_HTTP = [
    b"NONSENSE\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: secret\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nsecret header: x\r\n\r\n",
]

TOO_MUCH = {
    "an address": (b"GET /" + b"secret" * 2000 + b" HTTP/1.1\r\n\r\n", 414, "address-too-long"),
    "a header": (
        b"GET /livez HTTP/1.1\r\nHost: x\r\nCookie: " + b"secret" * 2000 + b"\r\n\r\n",
        431,
        "headers-too-large",
    ),
    "a header's name": (
        b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"secret" * 2000 + b": x\r\n\r\n",
        431,
        "headers-too-large",
    ),
    "a header of a comment": (
        b"POST /v1/comments HTTP/1.1\r\nHost: x\r\nX: "
        + b"secret" * 2000
        + b"\r\nContent-Length: 2\r\n\r\n{}",
        431,
        "headers-too-large",
    ),
}

BODY = b'{"text": "x"}'
FRAMED_IN_TWO_WAYS = {
    "a length and chunks": b"Content-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n"
    + BODY
    + b"\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 13\r\nContent-Length: 13\r\n\r\n" + BODY,
    "two different lengths": b"Content-Length: 13\r\nContent-Length: 3\r\n\r\n" + BODY,
    "a name with a space": b"Transfer-Encoding : chunked\r\nContent-Length: 13\r\n\r\n" + BODY,
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n" + BODY,
    "a folded line": b"X: a\r\n Content-Length: 1\r\nContent-Length: 13\r\n\r\n" + BODY,
    "a bare line feed": b"X: a\nContent-Length: 13\r\n\r\n" + BODY,
    "a bare carriage return": b"X: a\rContent-Length: 1\r\nContent-Length: 13\r\n\r\n" + BODY,
    "a chunk without its carriage return": b"Transfer-Encoding: chunked\r\n\r\nd\n" + BODY + b"\r\n0\r\n\r\n",
    "two hosts": b"Host: y\r\nContent-Length: 13\r\n\r\n" + BODY,
    "ten thousand headers": b"".join(b"X-%d: y\r\n" % n for n in range(10_000))
    + b"Content-Length: 13\r\n\r\n"
    + BODY,
    "endless trailers": b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    + b"X: yyyyyyyyyyyyyyyy\r\n" * 2_000
    + b"\r\n",
}
"""What a server in front may read as another request than this one: each must be refused, and end the connection."""


async def told(service: RunningService, sent: bytes) -> tuple[bytes, bytes]:
    """Return head and body of the one answer; a connection that ends with bytes unread may be reset before the answer was read."""
    server = service.client.server
    for _ in range(10):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        with suppress(ConnectionError):
            writer.write(sent)
            head, _, body = (await asyncio.wait_for(reader.read(), 60)).partition(b"\r\n\r\n")
            writer.close()
            await writer.wait_closed()
            return head, body
    raise AssertionError("each connection was reset before its answer was read")


async def test_what_is_no_http_is_answered_without_naming_libraries_or_repeating_it(
    service: RunningService,
) -> None:
    for sent in NO_HTTP:
        head, body = await told(service, sent)
        assert head.startswith(b"HTTP/1.1 400 ")
        problem = json.loads(body)
        assert (problem["type"], problem["status"]) == ("/problems/malformed-request", 400)
        for word in (b"aiohttp", b"python", b"secret", b"nonsense", b"bytearray"):
            assert word not in (head + body).lower(), (sent[:30], word)


@pytest.mark.parametrize(("sent", "status", "code"), TOO_MUCH.values(), ids=TOO_MUCH)
async def test_what_is_too_long_before_the_body_is_named(
    service: RunningService, sent: bytes, status: int, code: str
) -> None:
    head, body = await told(service, sent)
    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in head
    assert (problem["type"], problem["status"]) == (f"/problems/{code}", status)
    assert problem["request_id"]
    assert b"secret" not in body
    async with service.client.get("/metrics") as response:
        metrics = await response.text()
    assert f'moderation_requests_total{{method="any",route="none",status="{status}"}}' in metrics


@pytest.mark.parametrize("length", [8000, 8180])
async def test_what_is_just_not_too_long_is_served(service: RunningService, length: int) -> None:
    async with service.client.get("/livez", params={"x": "y" * (length - len("/livez?x="))}) as response:
        assert response.status == 200
    async with service.client.get("/livez", headers={"Cookie": "y" * (length - len("Cookie"))}) as response:
        assert response.status == 200


@pytest.mark.parametrize("version", ["0.9", "2.0"])
@pytest.mark.parametrize("line", ["GET /livez", "GET /nowhere", "POST /v1/comments"])
async def test_a_version_that_is_not_spoken_is_refused_in_ours(
    service: RunningService, line: str, version: str
) -> None:
    head, body = await told(
        service, f"{line} HTTP/{version}\r\nHost: x\r\nAccept-Language: ar\r\n\r\n".encode()
    )
    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.1 505 ")
    assert (problem["type"], problem["status"]) == ("/problems/version-not-supported", 505)
    assert problem["title"] == ARABIC["version-not-supported"][0]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_the_versions_that_are_spoken_are_served(service: RunningService, version: str) -> None:
    head, _ = await told(
        service, f"GET /livez HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    assert head.split(b" ", 2)[1] == b"200"


@pytest.mark.parametrize("framing", FRAMED_IN_TWO_WAYS.values(), ids=FRAMED_IN_TWO_WAYS)
async def test_what_can_be_read_as_two_requests_is_refused_and_nothing_behind_it_is_answered(
    service: RunningService, framing: bytes
) -> None:
    begin = b"POST /v1/comments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head, body = await told(service, begin + framing + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert head.split(b" ", 2)[1] == b"400"
    assert (head + body).count(b"HTTP/1.") == 1


async def test_a_body_that_was_coded_for_the_way_is_refused(service: RunningService) -> None:
    sent = comment()
    body = json.dumps(sent).encode()
    head = (
        f"POST /v1/comments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.site.key}\r\n"
        "Connection: close\r\nAccept-Language: en\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
    )
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    answer, problem = await told(service, head.encode() + chunked)
    assert answer.split(b" ", 2)[1] == b"415"
    assert json.loads(problem)["detail"] == "Send the body with no Transfer-Encoding but chunked."


@pytest.mark.parametrize("line", ["POST /v1/comments", "GET /nowhere", "PUT /livez"])
async def test_an_expectation_that_cannot_be_met_is_a_problem_and_counted(
    service: RunningService, line: str
) -> None:
    head = f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Language: ar\r\nExpect: secret\r\n\r\n"
    answer, body = await told(service, head.encode())
    problem = json.loads(body)
    assert answer.split(b" ", 2)[1] == b"417"
    assert (problem["type"], problem["status"]) == ("/problems/expectation-failed", 417)
    assert problem["title"] == ARABIC["expectation-failed"][0]
    assert problem["request_id"].encode() in answer
    assert b"secret" not in body


async def test_who_waits_to_be_asked_for_the_body_is_asked(service: RunningService) -> None:
    body = json.dumps(comment()).encode()
    server = service.client.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = (
        f"POST /v1/comments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.site.key}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nExpect: 100-Continue\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode())
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await asyncio.wait_for(reader.read(), 60)).startswith(b"HTTP/1.1 201 ")
    writer.close()


async def test_no_answer_names_the_libraries(service: RunningService) -> None:
    for path in ("/livez", "/nowhere", "/v1/queue", "/1.1/test", "/docs"):
        async with service.client.get(path) as response:
            assert response.headers["Server"] == "moderation", path


async def test_a_problem_is_named_in_the_callers_language_under_the_same_type(
    service: RunningService,
) -> None:
    found = {}
    for language in ("ar", "en", "fr"):
        async with service.client.get("/v1/events", headers={"Accept-Language": language}) as response:
            found[language] = await response.json()
    assert {problem["type"] for problem in found.values()} == {"/problems/not-authenticated"}
    assert found["ar"]["title"] == "هوية غير معروفة"
    assert found["en"]["title"] == found["fr"]["title"] == "Not authenticated"


def test_every_problem_has_arabic_words() -> None:
    assert set(ARABIC) == set(PROBLEMS)
