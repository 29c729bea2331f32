"""What strangers learn: nothing of the libraries below, nothing that they sent themselves, and problems in their language."""

import asyncio
import json

from moderation.protocols.problem_words import ARABIC
from moderation.protocols.problems import PROBLEMS
from tests.service import RunningService

NO_HTTP = [
    b"NONSENSE\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: secret\r\n\r\n",
    b"GET /" + b"secret" * 2000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nsecret header: x\r\n\r\n",
]


async def told(service: RunningService, sent: bytes) -> tuple[bytes, bytes]:
    server = service.client.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(sent)
    head, _, body = (await asyncio.wait_for(reader.read(), 20)).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head, body


async def test_what_is_no_http_is_answered_without_naming_libraries_or_repeating_it(
    service: RunningService,
) -> None:
    for sent in NO_HTTP:
        head, body = await told(service, sent)
        assert head.split(b" ", 2)[1] == b"400"
        problem = json.loads(body)
        assert (problem["type"], problem["status"]) == ("/problems/malformed-request", 400)
        for word in (b"aiohttp", b"python", b"secret", b"nonsense", b"bytearray"):
            assert word not in (head + body).lower(), (sent[:30], word)


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
