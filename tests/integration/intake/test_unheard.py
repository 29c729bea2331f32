"""A submission without any id that was answered 503 is there once, however late it comes again; a real repetition is a new one."""

import asyncio
import gc
import weakref
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from moderation.domain.clock import utc_now
from moderation.domain.errors import DependencyUnavailableError
from moderation.intake.candidates import Candidate, candidate
from moderation.intake.pipeline import Intake
from moderation.intake.recognition import recognise
from moderation.intake.unheard import HEARD_WITHIN
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.native import INTAKE
from tests.service import RunningService, comment


def intake_of(service: RunningService) -> Intake:
    app = service.client.app
    assert app is not None
    return app[INTAKE]


async def stored(service: RunningService) -> int:
    async with service.database.connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM comments"))


def lose_the_answer(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next commit succeed, its connection break off before it is confirmed, and the look-up afterwards fail."""
    commit = intake._commit

    async def broken(group: Sequence[Candidate]) -> None:
        monkeypatch.setattr(intake, "_commit", commit)
        await commit(group)
        intake.unheard.doubt(group, None)
        raise DependencyUnavailableError("postgresql")

    monkeypatch.setattr(intake, "_commit", broken)


def later(intake: Intake, monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    monkeypatch.setattr(intake, "_clock", lambda: utc_now() + timedelta(minutes=minutes))


async def test_what_was_stored_behind_a_503_gets_its_first_answer_once_and_then_a_repetition_is_new(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake, body = intake_of(service), comment("شكراً")
    lose_the_answer(intake, monkeypatch)
    assert (await service.call("POST", "/v1/comments", json=body))[0] == 503
    assert await stored(service) == 1
    later(intake, monkeypatch, 10)
    status, answer = await service.call("POST", "/v1/comments", json=body)
    assert (status, await stored(service)) == (200, 1)
    later(intake, monkeypatch, 10.5)
    assert (await service.call("POST", "/v1/comments", json=body))[0] == 200  # a double click on it
    later(intake, monkeypatch, 12)
    status, new = await service.call("POST", "/v1/comments", json=body)
    assert (status, await stored(service)) == (201, 2)
    assert new["id"] != answer["id"]


async def test_nobody_is_waited_for_longer_than_a_day(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake, body = intake_of(service), comment("شكراً")
    lose_the_answer(intake, monkeypatch)
    assert (await service.call("POST", "/v1/comments", json=body))[0] == 503
    async with service.database.connection() as connection:
        await intake.unheard.settle(connection)
    later(intake, monkeypatch, HEARD_WITHIN / timedelta(minutes=1) + 1)
    assert (await service.call("POST", "/v1/comments", json=body))[0] == 201


async def test_what_nobody_was_told_503_of_is_a_new_comment_after_a_minute(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake, body = intake_of(service), comment("شكراً")
    assert (await service.call("POST", "/v1/comments", json=body))[0] == 201
    later(intake, monkeypatch, 2)
    assert (await service.call("POST", "/v1/comments", json=body))[0] == 201


async def test_a_retry_that_was_answered_503_itself_has_not_heard(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = service.client.app
    assert app is not None
    intake, site, body = intake_of(service), await app[DIRECTORY].site(service.site.name), comment("شكراً")
    lose_the_answer(intake, monkeypatch)
    assert (await service.call("POST", "/v1/comments", json=body))[0] == 503
    retry = candidate(intake._vault, site, await intake.read(site, body), now=utc_now())
    retry.fail(DependencyUnavailableError("intake"))
    async with service.database.connection() as connection:
        await intake.unheard.settle(connection)
        await recognise(connection, [retry], now=utc_now())
    later(intake, monkeypatch, 10)
    assert (await service.call("POST", "/v1/comments", json=body))[0] == 200


async def test_a_doubt_keeps_nothing_of_the_group_that_failed(service: RunningService) -> None:
    app = service.client.app
    assert app is not None
    intake, site = intake_of(service), await app[DIRECTORY].site(service.site.name)
    entering = candidate(intake._vault, site, await intake.read(site, comment()), now=utc_now())
    intake._decide([entering])
    intake.unheard.doubt([entering], None)
    entering.fail(DependencyUnavailableError("intake"))
    answer = weakref.ref(entering.answer)
    del entering
    await asyncio.sleep(0)
    gc.collect()
    assert (len(intake.unheard), answer()) == (1, None)


@pytest.mark.parametrize(("fields", "expected"), [({}, 0), ({"external_id": "1"}, 1)])
async def test_who_is_told_503_before_the_commit_is_not_stored_behind_their_back_unless_recognised_by_an_id(
    service: RunningService, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], expected: int
) -> None:
    intake, decide = intake_of(service), Intake._decide

    def decide_too_late(allowed: Sequence[Candidate]) -> None:
        for entering in allowed:
            entering.fail(DependencyUnavailableError("intake"))
        decide(intake, allowed)

    monkeypatch.setattr(intake, "_decide", decide_too_late)
    assert (await service.submit(**fields))[0] == 503
    while intake._grouper._running:
        await asyncio.sleep(0.01)
    assert await stored(service) == expected


async def test_the_same_one_given_to_two_processes_as_a_minute_ends_is_stored_once(
    service: RunningService,
) -> None:
    app = service.client.app
    assert app is not None
    intake, site = intake_of(service), await app[DIRECTORY].site(service.site.name)
    body = comment()
    end_of_this_minute = utc_now().replace(
        second=59, microsecond=900_000
    )  # of one long past, housekeeping sweeps the keys

    async def entered(now: datetime) -> Candidate:
        entering = candidate(intake._vault, site, await intake.read(site, body), now=now)
        intake._decide([entering])
        return entering

    both = await entered(end_of_this_minute), await entered(end_of_this_minute + timedelta(seconds=0.2))
    outcomes: list[Any] = await asyncio.gather(
        *(intake._commit([each]) for each in both), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "NoneType",
        asyncpg.UniqueViolationError.__name__,
    ]


async def test_words_taken_back_and_given_to_two_processes_at_once_are_one_new_comment(
    service: RunningService,
) -> None:
    app = service.client.app
    assert app is not None
    intake, site = intake_of(service), await app[DIRECTORY].site(service.site.name)
    body = comment()
    _, first = await service.call("POST", "/v1/comments", json=body)
    await service.call("DELETE", f"/v1/comments/{first['id']}")
    submission = await intake.read(site, body)
    both = [candidate(intake._vault, site, submission, now=utc_now()) for _ in range(2)]
    for entering in both:  # neither knows of the other yet
        fresh, _ = await intake._recognise([entering])
        assert fresh == [entering]
        intake._decide(fresh)
    for entering in both:
        await intake._store([entering])
    assert both[1].answer.result().id == both[0].answer.result().id == both[0].id
    assert both[1].answer.result().is_replay
    assert await stored(service) == 2


async def test_a_doubt_stays_while_the_server_process_may_still_store(service: RunningService) -> None:
    app = service.client.app
    assert app is not None
    intake, site = intake_of(service), await app[DIRECTORY].site(service.site.name)
    entering = candidate(intake._vault, site, await intake.read(site, comment()), now=utc_now())
    intake._decide([entering])
    slow = await asyncpg.connect(service.database_url)
    async with service.database.connection() as connection:
        transaction = slow.transaction()
        await transaction.start()
        intake.unheard.doubt([entering], slow.get_server_pid())
        entering.fail(DependencyUnavailableError("intake"))
        for _ in range(5):
            await intake.unheard.settle(connection)
        assert len(intake.unheard) == 1
        await transaction.rollback()
        for _ in range(2):
            await intake.unheard.settle(connection)
        assert len(intake.unheard) == 0
    await slow.close()
