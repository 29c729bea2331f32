"""Two supervisors of two workers each on one outside database: every comment once, every decision once, every event heard."""

import asyncio
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from moderation.privacy.keyring import Keyring
from tests.engines_fixture import engine_owner, read_addresses
from tests.program import free_port, started
from tests.receiver import Receiver
from tests.reliability.desk import lift_limits
from tests.service import comment
from tests.terminal import Operator

COMMENTS = 30


class Call:
    """Sends requests to either service."""

    def __init__(self, session: aiohttp.ClientSession, urls: list[str]) -> None:
        self.session = session
        self.urls = urls

    async def __call__(self, at: int, path: str, key: str, body: object = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {key}"}
        method = "GET" if body is None else "POST"
        url = self.urls[at] + path
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()


async def submit_twice(call: Call, key: str, number: int) -> str:
    """Send one comment to both services at one moment, and once more, as a site that lost the answer does."""
    body = comment(f"تعليق {number}", external_id=f"two-{number}")
    answers = await asyncio.gather(*(call(at, "/v1/comments", key, body) for at in (0, 1, 0)))
    assert {status for status, _ in answers} <= {200, 201}, answers
    assert [status for status, _ in answers].count(201) == 1
    (comment_id,) = {answer["id"] for _, answer in answers}
    return str(comment_id)


async def decide_twice(call: Call, tokens: list[str], comment_id: str) -> list[int]:
    """Two moderators decide the same comment differently at one moment, each at another service."""
    path = f"/v1/comments/{comment_id}/decision"
    verdicts = (
        {"verdict": "approve", "revision": 1},
        {"verdict": "reject", "reason": "insult", "revision": 1},
    )
    answers = await asyncio.gather(*(call(at, path, tokens[at], verdicts[at]) for at in (0, 1)))
    return sorted(status for status, _ in answers)


async def claim_everything(call: Call, tokens: list[str]) -> list[str]:
    """Both moderators claim at both services until there is nothing free."""
    found: list[str] = []

    async def claim(at: int) -> None:
        while True:
            _, answer = await call(at, "/v1/queue/claim", tokens[at], {"limit": 7})
            if not answer["items"]:
                return
            found.extend(item["comment"]["id"] for item in answer["items"])

    await asyncio.gather(claim(0), claim(1))
    return found


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_two_of_everything(engine_data: Path, tmp_path: Path) -> None:
    keys = Keyring.new().as_text()
    with engine_owner(engine_data) as owner:
        engines = await asyncio.to_thread(read_addresses, owner)
        outside = {
            "database_url": engines.database_url,
            "redis_url": engines.redis_url,
            "secret_keys": keys,
        }
        operator = Operator(tmp_path / "none", **outside)
        site = operator.get("site", "add", "akhbar", "--url", "https://news.example")
        tokens = []
        for name in ("a", "b"):
            email = f"{name}@desk.example"
            operator.get("moderator", "add", email, "--site", "akhbar", "--role", "moderator")
            tokens.append(operator.get("moderator", "token", email)["token"])
        options = outside | {"workers": "2", "allow_private_endpoints": "true"}
        async with (
            Receiver() as receiver,
            started(tmp_path / "one", port=free_port(), **options) as one,
            started(tmp_path / "two", port=free_port(), **options) as two,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as session,
        ):
            await lift_limits(engines.database_url, receiver.url)
            call = Call(session, [one.url, two.url])
            ids = await asyncio.gather(*(submit_twice(call, site["key"], n) for n in range(COMMENTS)))
            assert len(set(ids)) == COMMENTS
            claimed = await claim_everything(call, tokens)
            assert Counter(claimed) == Counter(dict.fromkeys(ids, 1)), "each task goes to one of them"
            await release_all(engines.database_url)
            outcomes = [await decide_twice(call, tokens, comment_id) for comment_id in ids]
            assert {tuple(outcome) for outcome in outcomes} == {(200, 409)}
            await receiver.wait_for(lambda: heard(receiver, ids), timeout_s=60)
            in_usable_order(receiver)
            await the_feed_is_whole(call, site["key"], ids)
            assert one.stop() == 0
            assert two.stop() == 0
        owner.terminate()
        await asyncio.to_thread(owner.wait, 30)


async def release_all(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE tasks SET claim_id = NULL, claimed_by = NULL, claim_expires_at = NULL")
    await connection.close()


def heard(receiver: Receiver, ids: list[str]) -> bool:
    return {(comment_id, sequence) for comment_id in ids for sequence in (1, 2)} <= set(receiver.keys)


def in_usable_order(receiver: Receiver) -> None:
    """The first arrivals of one comment's events are in the order of its sequence, whatever is repeated."""
    first: dict[str, list[int]] = {}
    for comment_id, sequence in dict.fromkeys(receiver.keys):
        first.setdefault(comment_id, []).append(sequence)
    assert all(sequences == sorted(sequences) for sequences in first.values())


async def the_feed_is_whole(call: Call, key: str, ids: list[str]) -> None:
    async with asyncio.timeout(60):
        events: list[dict[str, Any]] = []
        while len(events) < 2 * len(ids):
            _, page = await call(0, "/v1/events?limit=1000", key)
            events = page["events"]
            await asyncio.sleep(0.1)
    positions = [event["position"] for event in events]
    assert all(before < after for before, after in itertools.pairwise(positions))
    assert Counter((event["data"]["id"], event["data"]["sequence"]) for event in events) == Counter(
        dict.fromkeys(((comment_id, sequence) for comment_id in ids for sequence in (1, 2)), 1)
    )
