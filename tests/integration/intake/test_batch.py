"""The batch: one answer a line, in order; history is kept as it was decided and told to nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from moderation.protocols.reader_words import duration
from tests.receiver import Receiver
from tests.service import RunningService, comment, running_service


async def send(service: RunningService, lines: list[Any]) -> list[dict[str, Any]]:
    written = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    async with service.request("POST", "/v1/comments/batch", data=b"\n".join(written)) as response:
        assert response.status == 200
        return [json.loads(line) for line in (await response.text()).splitlines()]


async def test_each_line_is_answered_in_order_and_faulty_ones_harm_nobody(service: RunningService) -> None:
    lines: list[Any] = [comment(external_id=str(n)) for n in range(150)]
    lines[10] = b'{"text": '
    lines[20] = comment("\x00")
    lines[30] = b"x" * 300_000
    answers = await send(service, [*lines[:5], b"", *lines[5:]])
    assert [answer["line"] for answer in answers] == [1, 2, 3, 4, 5, *range(7, 152)]  # the sixth is blank
    statuses = {answer["line"] - 2: answer["status"] for answer in answers if answer["status"] != 201}
    assert statuses == {10: 400, 20: 422, 30: 413}
    assert answers[0]["external_id"] == "0"
    assert answers[149]["external_id"] == "149"


async def test_history_is_kept_as_the_site_decided_it_without_limits_scores_or_events(
    fresh_database_url: str, running_engines: Any
) -> None:
    async with (
        Receiver() as receiver,
        running_service(
            fresh_database_url, running_engines.redis_url, site={"limits": {}}, webhook_url=receiver.url
        ) as service,
    ):
        author = {"name": "قارئ واحد"}
        past = [
            {"thread": {"id": "1"}, "author": author, "text": f"قديم {n}", "external_id": str(n), "state": state,
             "decided_at": "2024-05-01t10:00:00z", "reason": "spam" if state == "rejected" else ""}
            for n, state in enumerate(["approved", "rejected", "held"] * 10)
        ]  # fmt: skip
        answers = await send(service, past)
        assert [answer["status"] for answer in answers] == [201] * 30
        assert [answer["state"] for answer in answers[:3]] == ["approved", "rejected", "held"]
        again = await send(service, past)
        assert {answer["status"] for answer in again} == {200}
        async with service.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT DISTINCT decided_by, position, decided_at::date::text AS day FROM decisions"
            )
            assert [tuple(row.values()) for row in rows] == [("site", 0, "2024-05-01")]
            assert await connection.fetchval("SELECT count(*) FROM tasks") == 10
            assert await connection.fetchval("SELECT count(*) FROM deliveries") == 0
        _, feed = await service.call("GET", "/v1/events")
        assert feed["events"] == []
        assert receiver.accepted == []


async def test_a_history_line_names_its_faults(service: RunningService) -> None:
    line = comment() | {"state": "lost", "decided_at": "yesterday", "reason": "because"}
    (answer,) = await send(service, [line])
    assert answer["status"] == 422
    assert {error["pointer"] for error in answer["errors"]} == {"/state", "/decided_at", "/reason"}


async def test_half_a_line_of_history_is_no_new_comment(service: RunningService) -> None:
    when = {"decided_at": "2024-05-01T10:00:00Z"}
    halves = [{"state": "rejected"}, {"state": "rejected", "decided_at": ""}, when, when | {"state": None}]
    answers = await send(service, [comment() | half for half in halves])
    assert [answer["status"] for answer in answers] == [422] * 4
    named = [error["pointer"] for answer in answers for error in answer["errors"]]
    assert named == ["/decided_at", "/decided_at", "/state", "/state"]


async def test_a_line_above_a_limit_says_when_to_send_it_again(
    fresh_database_url: str, running_engines: Any
) -> None:
    limits = {"site": {"count": 1, "period_s": 60}}
    async with running_service(
        fresh_database_url, running_engines.redis_url, site={"limits": limits}
    ) as service:
        answers = await send(service, [comment(f"سطر {n}") for n in range(2)])
        taken, denied = sorted(answers, key=lambda answer: int(answer["status"]))  # read at once, in no order
        assert (taken["status"], denied["status"], denied["rule"]) == (201, 429, "site"), answers
        assert isinstance(denied["retry_after"], int)
        assert 1 <= denied["retry_after"] <= 60
        assert f"بعد {duration(denied['retry_after'], 'ar')}." in denied["detail"]


async def test_a_reply_finds_its_parent_a_line_before_it(service: RunningService) -> None:
    lines = [
        comment(f"رد {n}", external_id=str(n), **({"parent_id": str(n - 1)} if n else {})) for n in range(40)
    ]
    assert {answer["status"] for answer in await send(service, lines)} == {201}


async def test_an_answer_comes_before_the_next_line_is_sent(service: RunningService) -> None:
    first_answered = asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        yield json.dumps(comment(external_id="1")).encode() + b"\n"
        await first_answered.wait()
        yield json.dumps(comment(external_id="2")).encode()

    async with service.request("POST", "/v1/comments/batch", data=lines()) as response:
        async with asyncio.timeout(60):
            assert json.loads(await response.content.readline())["external_id"] == "1"
        first_answered.set()
        assert json.loads(await response.content.readline())["external_id"] == "2"


async def test_history_says_in_which_offset_its_times_are(service: RunningService) -> None:
    line = comment() | {"state": "approved", "decided_at": "2024-05-01T10:00:00"}
    (answer,) = await send(service, [line])
    assert [(e["pointer"], e["code"]) for e in answer["errors"]] == [("/decided_at", "missing_offset")]
