"""Engines that are there and do not answer: stopped, slow, locked, out of connections, on a full disk."""

import asyncio
import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
import redis.asyncio

from moderation.engines import EmbeddedEngines
from tests.program import run, run_json
from tests.reliability.desk import BACK_WITHIN_S, Desk, running_desk, timed
from tests.service import comment

HANGS_AT_MOST_S = 25.0
"""For two rounds of requests that each wait for `ANSWERED_WITHIN_S`; what each statement is given is 15 s, and 5 to give it up."""

AWAITED_AT_MOST_S = 12.0
"""`ANSWERED_WITHIN_S` for one use of the database, the rest for a machine that is busy; a statement has 15 s by itself."""
READY_AT_MOST_S = 3.5

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """One service for all of them: each must leave it as well as it was."""
    async with running_desk(tmp_path_factory.mktemp("stalled") / "data") as running:
        yield running


async def statuses(desk: Desk, name: str, count: int) -> Counter[int]:
    """Post comments at once; every one gets an answer within the client's patience."""
    return Counter(await asyncio.gather(*(desk.post(f"{name}-{n}") for n in range(count))))


async def test_a_stopped_valkey_costs_no_comment(desk: Desk) -> None:
    with desk.stopped("valkey"):
        assert await statuses(desk, "stopped", 20) == {201: 20}
        await desk.until_ready((200, ["redis"]))
        assert await statuses(desk, "degraded", 20) == {201: 20}
    await desk.until_ready((200, []))
    assert await statuses(desk, "again", 5) == {201: 5}
    await desk.everything_is_there_once()


async def test_a_slow_valkey_costs_no_comment(desk: Desk) -> None:
    addresses = await EmbeddedEngines.attach(desk.data_dir, deadline_s=60)
    assert addresses is not None
    client = redis.asyncio.from_url(addresses.redis_url)
    await client.execute_command("CLIENT", "PAUSE", "3000", "ALL")
    await client.aclose()
    assert await statuses(desk, "slow", 20) == {201: 20}
    await desk.until_ready((200, []))
    await desk.everything_is_there_once()


async def test_a_stopped_postgresql_is_a_503_in_time_and_nothing_is_lost_or_doubled(desk: Desk) -> None:
    await desk.post_until_accepted("before")
    before = {event: said(desk, event) for event in ("postgresql_away", "postgresql_back")}
    with desk.stopped("postgres"):
        async with asyncio.timeout(HANGS_AT_MOST_S):
            during = await statuses(desk, "during", 20)
            later = await statuses(desk, "later", 200)  # more than wait in groups under way
        assert set(during) == {503}
        assert set(later) == {503}
        told = await asyncio.to_thread(run, "status", "--json", data_dir=desk.data_dir, check=False)
        well = {line["part"]: line["well"] for line in json.loads(told.stdout)}
        assert (told.returncode, well["postgresql"], well["valkey"]) == (1, False, True)
        shown = await asyncio.to_thread(run, "status", data_dir=desk.data_dir, check=False)
        assert str(desk.data_dir / "postgres.log") in shown.stdout  # whole: somebody has to open it
        assert (await desk.ready())[0] == 503
    for number in range(20):
        await desk.post_until_accepted(f"during-{number}")
        await desk.post_until_accepted(f"later-{number}")
    await desk.until_ready((200, []))
    await desk.everything_is_there_once()
    assert said(desk, "postgresql_away") == before["postgresql_away"] + 1
    async with asyncio.timeout(BACK_WITHIN_S):
        while said(desk, "postgresql_back") == before["postgresql_back"]:
            await asyncio.sleep(0.1)


async def test_what_has_no_id_and_was_stored_behind_a_503_is_there_once_however_late_it_is_sent_again(
    desk: Desk,
) -> None:
    bodies = [comment(f"بلا رقم {number}") for number in range(30)]
    connection = await asyncpg.connect(desk.database_url)
    async with connection.transaction():  # nobody can store, everybody can read
        await connection.execute("LOCK TABLE decisions IN EXCLUSIVE MODE")
        assert {status for status, _ in await asyncio.gather(*(sent(desk, body) for body in bodies))} == {503}
    behind = await looked_up(connection)
    assert behind > 0
    # A minute passes, for whatever is remembered for a minute.
    await connection.execute("UPDATE recognitions SET expires_at = now() WHERE expires_at < now() + '5 min'")
    again = Counter([(await sent(desk, body))[0] for body in bodies])
    assert again == Counter({200: behind, 201: 30 - behind}), (
        "what was stored after all gets its first answer"
    )
    assert await connection.fetchval("SELECT count(*) FROM comments WHERE text LIKE 'بلا رقم %'") == 30
    await connection.close()


async def sent(desk: Desk, body: dict[str, Any]) -> tuple[int, str | None]:
    """Send a comment as it is; return status and id."""
    headers = {"Authorization": f"Bearer {desk.site['key']}"}
    async with desk.session.post(f"{desk.service.url}/v1/comments", json=body, headers=headers) as answer:
        return answer.status, (await answer.json()).get("id")


async def looked_up(connection: asyncpg.Connection) -> int:
    """Return how many were stored behind their 503, once none can be any more and all of them are remembered."""
    asked = (
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
        "           AND query LIKE '%new_comments%') AS storing,"
        " (SELECT count(*) FROM comments WHERE text LIKE 'بلا رقم %') AS stored,"
        " (SELECT count(*) FROM recognitions WHERE expires_at > now() + '1 hour') AS remembered"
    )
    async with asyncio.timeout(BACK_WITHIN_S):
        while True:
            row = await connection.fetchrow(asked)
            assert row is not None
            if row["storing"] == 0 and row["stored"] == row["remembered"]:
                return int(row["stored"])
            await asyncio.sleep(0.2)


def said(desk: Desk, event: str) -> int:
    """Return how often the service's log has an event."""
    return (desk.data_dir.parent / f"{desk.data_dir.name}.log").read_text().count(f'"event":"{event}"')


async def test_whatever_else_asks_a_stopped_postgresql_hears_so_within_seconds(desk: Desk) -> None:
    await desk.post_until_accepted("stored")
    comment = f"/v1/comments/{desk.acknowledged['stored']}"
    run_json(
        "moderator", "add", "m@news.example", "--site", "akhbar", "--role", "lead", data_dir=desk.data_dir
    )
    token = run_json("moderator", "token", "m@news.example", data_dir=desk.data_dir)["token"]
    await asks(desk, "GET", "/v1/queue?site=akhbar", token)  # known before: else that alone would wait
    requests = [
        ("GET", "/v1/queue?site=akhbar", token, None),
        ("POST", "/v1/queue/claim", token, {"site": "akhbar"}),
        ("POST", f"{comment}/decision", token, {"verdict": "approve", "revision": 1}),
        ("POST", f"{comment}/undo", token, {}),
        (
            "POST",
            "/v1/decisions",
            token,
            {"verdict": "approve", "items": [{"id": comment[13:], "revision": 1}]},
        ),
        ("GET", f"{comment}/history", token, None),
        ("GET", "/v1/colleagues?site=akhbar", token, None),
        ("GET", "/v1/health?site=akhbar", token, None),
        ("GET", comment, desk.site["key"], None),
        ("PUT", comment, desk.site["key"], {"text": "غيرها"}),
        ("DELETE", comment, desk.site["key"], None),
        ("GET", f"{comment}/records", desk.site["key"], None),
        ("GET", "/v1/events?after=0", desk.site["key"], None),
        ("POST", "/v1/erasures", desk.site["key"], {"email": "nobody@example.com"}),
        ("GET", "/sites/akhbar/threads/12/comments", desk.site["key"], None),
        ("GET", "/v1/queue", "mdu_" + "x" * 43, None),
    ]
    with desk.stopped("postgres"):
        # Twice: the first find connections that were open, the second must make new ones.
        for _ in range(2):
            told = await asyncio.gather(*(asks(desk, *request) for request in requests))
            late = {request[:2]: answer for request, answer in zip(requests, told, strict=True)}
            assert {status for status, _ in told} == {503}, late
            assert max(took_s for _, took_s in told) < AWAITED_AT_MOST_S, late
        assert min([await timed(desk.ready()) for _ in range(3)]) < READY_AT_MOST_S
    await desk.until_ready((200, []))
    assert (await asks(desk, "GET", comment, desk.site["key"]))[0] == 200
    await desk.everything_is_there_once()


async def asks(
    desk: Desk, method: str, path: str, key: str, body: dict[str, Any] | None = None
) -> tuple[int, float]:
    """Send one request; return its status and how many seconds it took. A 503 says when to come back."""
    started_s = time.monotonic()
    url, headers = desk.service.url + path, {"Authorization": f"Bearer {key}"}
    async with desk.session.request(method, url, json=body, headers=headers) as answer:
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.content_type == "application/problem+json"
        return answer.status, time.monotonic() - started_s


async def test_a_slow_postgresql_is_waited_for(desk: Desk) -> None:
    connection = await asyncpg.connect(desk.database_url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE comments IN ACCESS EXCLUSIVE MODE")
        waiting = asyncio.create_task(statuses(desk, "locked", 20))
        await asyncio.sleep(2)
    await connection.close()
    assert set(await waiting) <= {201, 503}
    for number in range(20):
        await desk.post_until_accepted(f"locked-{number}")
    await desk.everything_is_there_once()


async def test_a_postgresql_without_a_free_connection_is_outlived(desk: Desk) -> None:
    taken: list[asyncpg.Connection] = []
    with suppress(asyncpg.TooManyConnectionsError):
        while len(taken) < 1000:
            taken.append(await asyncpg.connect(desk.database_url))
    assert len(taken) > 10
    assert set(await statuses(desk, "crowded", 40)) <= {201, 503}
    assert (await desk.ready())[0] in {200, 503}
    await asyncio.gather(*(connection.close() for connection in taken))
    for number in range(40):
        await desk.post_until_accepted(f"crowded-{number}")
    await desk.until_ready((200, []))
    await desk.everything_is_there_once()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of its own, of 250 MB."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o711)
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=250m,mode=711", "small", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


async def test_a_full_disk_refuses_and_recovers_by_itself(small_disk: Path) -> None:
    async with running_desk(small_disk) as desk:
        await desk.post_until_accepted("before")
        ballast = small_disk / "ballast"
        fill(ballast)
        async with asyncio.timeout(BACK_WITHIN_S):
            number, refused = 0, 0
            while refused < 3:  # what fits into files that are there already is still accepted
                refused += await desk.post(f"full-{number}", "س" * 9000) not in {200, 201}
                number += 1
                fill(ballast)
        assert (
            said(desk, "postgresql_away") == 1
        )  # not once a comment, with a "back" between: reading goes on
        ballast.unlink()
        for again in range(number):
            await desk.post_until_accepted(f"full-{again}")
        await desk.until_ready((200, []))
        await desk.everything_is_there_once()
        assert desk.service.stop() == 0


def fill(ballast: Path) -> None:
    """Take whatever room is left."""
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1024 * 1024))
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
