"""An audit is judged without knowing what the service said: no filter, order, cursor, record, undo or refusal tells of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from moderation.domain.task import QueueOrder
from moderation.domain.verdict import ReasonCode
from moderation.engines import EngineAddresses
from moderation.protocols.cursors import read_cursor
from tests.service import RunningService, running_service, seed_moderator

POLICY = {
    "mode": "post",
    "audit_share": 1.0,
    "banned_words": [{"name": "none", "action": "reject", "words": ["قزح"]}],
}
TEXTS = ("شكرًا على الخبر", "قزح في السماء", "مقال جيد ومفيد", "يا سلام على الخبر", "قزح مرة أخرى")


@pytest_asyncio.fixture(loop_scope="session")
async def audited(
    fresh_database_url: str, running_engines: EngineAddresses
) -> AsyncIterator[tuple[RunningService, str, list[str]]]:
    """A service whose every automatic verdict is audited, a moderator, and comments approved and rejected in turn."""
    async with running_service(fresh_database_url, running_engines.redis_url, policy=POLICY) as service:
        token = await seed_moderator(service.database, {service.site.id: "lead"})
        made = [(await service.submit(text, external_id=str(n)))[1] for n, text in enumerate(TEXTS)]
        assert {one["state"] for one in made} == {"approved", "rejected"}
        yield service, token, [one["id"] for one in made]


async def ids(service: RunningService, token: str, **query: Any) -> list[str]:
    status, page = await service.call("GET", "/v1/queue", key=token, params=query)
    assert status == 200, page
    return [item["comment"]["id"] for item in page["items"]]


async def test_no_reason_finds_an_audit(audited: tuple[RunningService, str, list[str]]) -> None:
    service, token, made = audited
    assert await ids(service, token, kind="audit") == made
    for reason in ReasonCode:
        assert await ids(service, token, reason=reason) == []
        body = {"site": service.site.name, "reason": reason}
        _, claimed = await service.call("POST", "/v1/queue/claim", key=token, json=body)
        assert claimed == {"items": []}


async def test_its_place_in_the_queue_says_when_it_came_and_nothing_else(
    audited: tuple[RunningService, str, list[str]],
) -> None:
    service, token, made = audited
    assert await told_by_cursors(service, token) == made
    for comment_id in made:  # an undo opens the audit again, with what the service said at hand
        path = f"/v1/comments/{comment_id}"
        decided = await service.call(
            "POST", f"{path}/decision", key=token, json={"verdict": "hold", "revision": 1}
        )
        assert decided[0] == 200, decided
        undone = await service.call("POST", f"{path}/undo", key=token, json={})
        assert undone[0] == 200, undone
    assert await told_by_cursors(service, token) == made
    assert await ids(service, token, reason="banned_word") == []


async def told_by_cursors(service: RunningService, token: str) -> list[str]:
    """Return the audits in the order of abuse, which is theirs of uncertainty; each cursor's rank has the same level."""
    for order in (QueueOrder.ABUSE, QueueOrder.UNCERTAIN):
        cursor, seen, levels = None, list[str](), set[int]()
        for _ in TEXTS:
            query = {"order": order, "limit": "1"} | ({} if cursor is None else {"cursor": cursor})
            _, page = await service.call("GET", "/v1/queue", key=token, params=query)
            seen += [item["comment"]["id"] for item in page["items"]]
            cursor = page["next"]
            if cursor is not None:
                levels.add(read_cursor(order, cursor).rank >> 49)
        assert len(levels) == 1, (order, levels)
    return seen


async def test_records_wait_for_the_verdict(audited: tuple[RunningService, str, list[str]]) -> None:
    service, token, made = audited
    path = f"/v1/comments/{made[1]}"
    status, told = await service.call("GET", f"{path}/records", key=token)
    assert (status, told) == (200, {"comment_id": made[1], "records": []})
    _, told = await service.call("GET", f"{path}/records")  # the site's own key decides no audit
    assert told["records"][0]["reasons"] == ["banned_word"]
    await service.call("POST", f"{path}/decision", key=token, json={"verdict": "approve", "revision": 1})
    _, told = await service.call("GET", f"{path}/records", key=token)
    assert [one["reasons"] for one in told["records"]] == [["banned_word"], []]


async def test_nothing_else_a_moderator_may_read_tells_of_it(
    audited: tuple[RunningService, str, list[str]],
) -> None:
    """Every GET that names the comment says the same of one that was approved and of one that was rejected."""
    service, token, made = audited
    approved, rejected = made[0], made[1]
    for path in ("", "/history", "/records", "/author", "/thread"):
        told = []
        for comment_id in (approved, rejected):
            status, body = await service.call("GET", f"/v1/comments/{comment_id}{path}", key=token)
            assert status == 200, path
            told.append(_said(body))
        assert told[0] == told[1], path


async def test_an_undo_that_opens_it_again_does_not_tell_either(
    audited: tuple[RunningService, str, list[str]],
) -> None:
    service, token, (approved, rejected, *_) = audited
    told = []
    for comment_id in (approved, rejected):
        path = f"/v1/comments/{comment_id}"
        decision = {"verdict": "hold", "revision": 1, "note": "later"}
        assert (await service.call("POST", f"{path}/decision", key=token, json=decision))[0] == 200
        assert (await service.call("POST", f"{path}/undo", key=token, json={}))[0] == 200
        _, history = await service.call("GET", f"{path}/history", key=token)
        assert [(one["sequence"], one["undoes"], one["note"]) for one in history["decisions"]] == [
            (2, None, "later"),
            (3, 2, None),
        ]
        told.append([entry for entry in _said(history) if entry[0] != "decided_at"])
        _, whole = await service.call("GET", f"{path}/history")
        assert whole["decisions"][2]["scores"]  # the site's own key sees all
    assert told[0] == told[1]


async def test_no_refusal_tells_of_it(audited: tuple[RunningService, str, list[str]]) -> None:
    service, token, (approved, rejected, *_) = audited
    named = {"verdict": "approve", "revision": 1, "sequence": 9}
    for path, body in (("undo", {}), ("undo", {"own": True}), ("undo", {"sequence": 9}), ("decision", named)):
        for comment_id in (approved, rejected):
            refused = await service.call("POST", f"/v1/comments/{comment_id}/{path}", key=token, json=body)
            assert (refused[0], refused[1]["verdict"]) == (409, None), (path, body)
    bulk = {"verdict": "approve", "items": [{"id": rejected, "revision": 1, "sequence": 9}]}
    _, answer = await service.call("POST", "/v1/decisions", key=token, json=bulk)
    assert [(one["status"], one["verdict"]) for one in answer["results"]] == [(409, None)]
    by_site = {"moderator": "editor-7", "sequence": 9}
    _, refused = await service.call("POST", f"/v1/comments/{rejected}/undo", json=by_site)
    assert refused["verdict"] == "reject"  # the site's own key sees all


_OURS = (
    "state",
    "verdict",
    "reasons",
    "scores",
    "model",
    "policy",
    "decided_by",
    "decided_at",
    "states",
    "by_people",
)


def _said(body: Any) -> list[Any]:
    """Return whatever the answer says of verdicts, wherever it stands."""
    if isinstance(body, list):
        return [word for one in body for word in _said(one)]
    if not isinstance(body, dict):
        return []
    found = [(name, value) for name, value in body.items() if name in _OURS and value and any(_leaves(value))]
    return found + [word for value in body.values() for word in _said(value)]


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    return [value]
