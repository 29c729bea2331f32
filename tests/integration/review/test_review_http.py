"""Review over HTTP: what goes over the wire, to whom, and how wrong requests are answered."""

from typing import Any

import pytest

from moderation.domain.ids import new_uuid
from moderation.domain.task import TaskKind
from moderation.domain.verdict import ReasonCode, Scores, State
from tests.integration.review.conftest import Desk
from tests.seeding import Seed, add_comment, add_comments, edit_comment, open_task

SPAM = Seed(reasons=(ReasonCode.SPAM,), scores=Scores(spam=0.81234, abuse=0.1))


async def test_the_queue_shows_comments_with_reasons_in_the_readers_language(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id, SPAM)
    status, body = await desk.call("GET", "/v1/queue")
    assert status == 200
    assert body["next"] is None
    (item,) = body["items"]
    assert item["task"] == {"kind": "held", "revision": 1}
    assert "claim" not in item
    comment = item["comment"]
    assert comment["reasons"] == [{"code": "spam", "message": "يبدو إعلانًا أو رسالة مزعجة.", "evidence": []}]
    assert comment["scores"]["spam"] == 0.8123
    assert comment["scores"]["threat"] is None
    assert {
        name: comment[name] for name in ("id", "site", "author", "state", "verdict", "revision", "sequence")
    } == {
        "id": str(comment_id),
        "site": "paper",
        "author": {"name": "ليلى", "url": "https://layla.example"},
        "state": "held",
        "verdict": "hold",
        "revision": 1,
        "sequence": 1,
    }
    assert comment["received_at"] == "2025-03-01T12:00:00.000Z"
    assert comment["links"]["self"] == f"/v1/comments/{comment_id}"
    _, english = await desk.call("GET", "/v1/queue?site=paper", headers={"Accept-Language": "en"})
    assert english["items"][0]["comment"]["reasons"][0]["message"] == "Looks like spam."


async def test_an_audit_does_not_lead_whoever_looks(desk: Desk) -> None:
    audited = Seed(
        state=State.REJECTED, reasons=(ReasonCode.SPAM,), scores=Scores(spam=0.99), task=TaskKind.AUDIT
    )
    await add_comment(desk.database, desk.site_id, audited)
    _, listed = await desk.call("GET", "/v1/queue?kind=audit")
    _, claimed = await desk.call("POST", "/v1/queue/claim", json={"site": "paper", "kind": "audit"})
    for (item,) in (listed["items"], claimed["items"]):
        hidden = {
            name: item["comment"][name]
            for name in ("scores", "verdict", "model", "state", "reasons", "decided_by")
        }
        assert not any(hidden.values()), hidden
        assert item["comment"]["text"] == audited.text


async def test_who_may_yet_judge_an_audit_is_not_told_by_its_own_address(desk: Desk) -> None:
    audited = Seed(
        state=State.REJECTED, reasons=(ReasonCode.SPAM,), scores=Scores(spam=0.99), task=TaskKind.AUDIT
    )
    comment_id = await add_comment(desk.database, desk.site_id, audited)
    address = f"/v1/comments/{comment_id}"
    for by in ("moderator", "lead"):
        _, shown = await desk.call("GET", address, by=by)
        told = ("scores", "verdict", "model", "policy", "state", "reasons", "decided_by", "decided_at")
        assert not any(shown[name] for name in told)
        assert shown["text"] == audited.text
        _, history = await desk.call("GET", f"{address}/history", by=by)
        assert (history["state"], history["decisions"]) == (None, [])
    _, decided = await desk.call("POST", f"{address}/decision", json={"verdict": "approve", "revision": 1})
    assert (decided["state"], decided["verdict"]) == ("approved", "approve")
    _, history = await desk.call("GET", f"{address}/history")
    assert (history["state"], len(history["decisions"])) == ("approved", 2)
    assert history["decisions"][0]["scores"]["spam"] == 0.99
    _, undone = await desk.call("POST", f"{address}/undo")  # which opens the audit again
    assert (undone["state"], undone["scores"]) == (None, None)
    _, history = await desk.call("GET", f"{address}/history")
    assert [one["decided_by"] for one in history["decisions"]] == ["moderator", "moderator"]


async def test_pages_follow_each_other_by_cursor(desk: Desk) -> None:
    ids = await add_comments(desk.database, desk.site_id, [Seed() for _ in range(5)])
    seen: list[str] = []
    query = "/v1/queue?limit=2&order=abuse"
    for _ in range(3):
        _, page = await desk.call("GET", query)
        seen += [item["comment"]["id"] for item in page["items"]]
        query = f"/v1/queue?limit=2&order=abuse&cursor={page['next']}"
    assert page["next"] is None
    assert sorted(seen) == sorted(map(str, ids))


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("cursor=AAAA", "cursor"),
        ("cursor=%00", "cursor"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("order=newest", "order"),
        ("lanugage=ar", "lanugage"),
        ("kind=spam", "kind"),
        ("reason=ugly", "reason"),
        ("thread=a%00b", "thread"),
        ("site=paper&site=other", "site"),
        ("language=" + "x" * 300, "language"),
    ],
)
async def test_a_faulty_parameter_is_named(desk: Desk, query: str, parameter: str) -> None:
    status, problem = await desk.call("GET", f"/v1/queue?{query}", headers={"Accept-Language": "en"})
    assert (status, problem["parameter"]) == (400, parameter)
    assert problem["type"].endswith("/malformed-request")
    assert f"`{parameter}`" in problem["detail"]


async def test_the_site_is_named_by_those_who_work_for_several(desk: Desk) -> None:
    await add_comment(desk.database, desk.other_id)
    assert (await desk.call("GET", "/v1/queue", by="both"))[1]["parameter"] == "site"
    status, problem = await desk.call("POST", "/v1/queue/claim", by="both", json={})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/site")
    assert len((await desk.call("GET", "/v1/queue?site=other", by="both"))[1]["items"]) == 1


@pytest.mark.parametrize("site", ["other", "nowhere"])
async def test_a_site_without_a_role_is_unknown_whether_or_not_it_exists(desk: Desk, site: str) -> None:
    for request in (
        desk.call("GET", f"/v1/queue?site={site}"),
        desk.call("POST", "/v1/queue/claim", json={"site": site}),
    ):
        status, problem = await request
        assert (status, problem["type"].rpartition("/")[2]) == (404, "unknown-site")


async def test_escalated_tasks_are_asked_for_by_leads_alone(desk: Desk) -> None:
    await add_comment(desk.database, desk.site_id, Seed(task=TaskKind.ESCALATED))
    status, problem = await desk.call("GET", "/v1/queue?kind=escalated")
    assert (status, problem["required_role"]) == (403, "lead")
    assert (await desk.call("GET", "/v1/queue"))[1]["items"] == []
    assert len((await desk.call("GET", "/v1/queue?kind=escalated", by="lead"))[1]["items"]) == 1


async def test_a_claim_is_renewed_and_released_by_its_holder_who_alone_knows_its_id(desk: Desk) -> None:
    await add_comment(desk.database, desk.site_id)
    _, claimed = await desk.call("POST", "/v1/queue/claim", json={"site": "paper", "limit": 1})
    claim = claimed["items"][0]["claim"]
    assert claim["expires_at"] == "2025-03-01T13:05:00.000Z"
    _, seen = await desk.call("GET", "/v1/queue", by="colleague")
    assert seen["items"][0]["claim"] == {"by": str(desk.moderator.id), "expires_at": claim["expires_at"]}
    desk.clock.advance(minutes=1)
    status, renewed = await desk.call("PUT", f"/v1/claims/{claim['id']}")
    assert (status, renewed["id"], renewed["expires_at"]) == (200, claim["id"], "2025-03-01T13:06:00.000Z")
    for by, method in (("colleague", "PUT"), ("colleague", "DELETE"), ("lead", "DELETE")):
        assert (await desk.call(method, f"/v1/claims/{claim['id']}", by=by))[0] == 404
    assert await desk.call("DELETE", f"/v1/claims/{claim['id']}") == (204, None)
    assert (await desk.call("DELETE", f"/v1/claims/{claim['id']}"))[0] == 404
    assert "claim" not in (await desk.call("GET", "/v1/queue"))[1]["items"][0]


async def test_an_expired_claim_is_not_shown(desk: Desk) -> None:
    await add_comment(desk.database, desk.site_id)
    await desk.call("POST", "/v1/queue/claim", json={})
    desk.clock.advance(minutes=5)
    assert "claim" not in (await desk.call("GET", "/v1/queue"))[1]["items"][0]


@pytest.mark.parametrize("limit", [0, 21, "5", True, 1.5])
async def test_a_claim_is_for_one_to_twenty_tasks(desk: Desk, limit: Any) -> None:
    status, problem = await desk.call("POST", "/v1/queue/claim", json={"limit": limit})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/limit")


async def test_approving_answers_with_the_comment(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id)
    status, comment = await desk.decide(comment_id, note="ok")
    assert (status, comment["state"], comment["verdict"], comment["reasons"]) == (
        200,
        "approved",
        "approve",
        [],
    )
    assert (comment["decided_by"], comment["decided_at"]) == ("moderator", "2025-03-01T13:00:00.000Z")
    assert comment["sequence"] == 2
    assert (await desk.decide(comment_id, note="ok"))[1] == comment


async def test_rejecting_takes_a_reason_that_a_person_may_give(desk: Desk) -> None:
    first, second = await add_comments(desk.database, desk.site_id, [Seed(), Seed()])
    assert (await desk.decide(first, verdict="reject", reason="hate"))[1]["reasons"][0]["code"] == "hate"
    assert (await desk.decide(second, verdict="reject"))[1]["reasons"][0]["code"] == "other"


async def test_a_reason_left_empty_is_none(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id)
    status, decided = await desk.decide(comment_id, verdict="reject", reason="", note="")
    assert (status, [reason["code"] for reason in decided["reasons"]]) == (200, ["other"])
    status, problem = await desk.decide(comment_id, verdict="")
    assert (status, problem["errors"][0]["pointer"]) == (422, "/verdict")


async def test_every_faulty_field_of_a_decision_is_named_at_once(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id)
    body = {
        "revision": "1",
        "verdict": "publish",
        "reason": "premoderation",
        "note": "x" * 2001,
        "sequence": -1,
    }
    status, problem = await desk.decide(comment_id, **body)
    assert status == 422
    assert {error["pointer"]: error["code"] for error in problem["errors"]} == {
        "/revision": "wrong_type",
        "/sequence": "out_of_range",
        "/verdict": "invalid_value",
        "/reason": "invalid_value",
        "/note": "too_long",
    }
    status, problem = await desk.call("POST", f"/v1/comments/{comment_id}/decision", json={})
    assert {error["pointer"] for error in problem["errors"]} == {"/revision", "/verdict"}
    assert await open_task(desk.database, comment_id) is TaskKind.HELD


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"revision": NaN}', b"\xff", b"[" * 2000])
async def test_a_body_that_cannot_be_read_says_so(desk: Desk, body: bytes) -> None:
    comment_id = await add_comment(desk.database, desk.site_id)
    for path in (
        f"/v1/comments/{comment_id}/decision",
        f"/v1/comments/{comment_id}/escalate",
        "/v1/decisions",
    ):
        status, problem = await desk.call("POST", path, data=body)
        assert (status, problem["type"].rpartition("/")[2]) == (400, "malformed-request")


async def test_text_that_cannot_be_stored_is_a_fault_of_its_field(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id)
    path = f"/v1/comments/{comment_id}/decision"
    for written in (b'"\\u0000"', b'"\\ud800"'):
        body = b'{"revision": 1, "verdict": "approve", "note": ' + written + b"}"
        status, problem = await desk.call("POST", path, data=body)
        assert (status, problem["errors"][0]["code"]) == (422, "unstorable_text")
    item = b'{"verdict": "approve", "items": [{"id": "\\ud800", "revision": 1}]}'
    status, body_ = await desk.call("POST", "/v1/decisions", data=item)
    assert (status, body_["results"][0]["status"], body_["results"][0]["id"]) == (200, 422, None)


async def test_conflicts_say_who_and_what(desk: Desk) -> None:
    comment_id, claimed = await add_comments(desk.database, desk.site_id, [Seed(), Seed(thread="t-2")])
    await desk.call("POST", "/v1/queue/claim", json={"thread": "t-2"})
    status, problem = await desk.decide(claimed, by="colleague")
    assert (status, problem["type"].rpartition("/")[2]) == (409, "claim-lost")
    assert (problem["claimed_by"], problem["expires_at"]) == (
        str(desk.moderator.id),
        "2025-03-01T13:05:00.000Z",
    )
    await desk.decide(comment_id)
    status, problem = await desk.decide(comment_id, by="colleague", verdict="reject")
    assert (status, problem["verdict"], problem["moderator"]) == (409, "approve", str(desk.moderator.id))
    assert (await desk.decide(comment_id, by="colleague", verdict="reject", sequence=problem["sequence"]))[
        0
    ] == 200
    await edit_comment(desk.database, comment_id, "نص آخر")
    status, problem = await desk.decide(comment_id)
    assert (status, problem["type"].rpartition("/")[2], problem["revision"]) == (409, "stale-revision", 2)


async def test_a_sites_own_desk_decides_under_its_own_login(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id)
    status, problem = await desk.decide(comment_id, by="site")
    assert (status, problem["errors"][0]["pointer"]) == (422, "/moderator")
    status, comment = await desk.decide(comment_id, by="site", moderator="editor@desk")
    assert (status, comment["decided_by"]) == (200, "site")
    _, history = await desk.call("GET", f"/v1/comments/{comment_id}/history", by="site")
    assert history["decisions"][-1]["moderator"] == "editor@desk"
    status, comment = await desk.call(
        "POST", f"/v1/comments/{comment_id}/undo", by="site", json={"moderator": "editor@desk"}
    )
    assert (status, comment["state"]) == (200, "held")


async def test_undo_takes_no_body_and_is_shown_in_the_history(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id)
    await desk.decide(comment_id, verdict="reject", reason="insult")
    assert (await desk.call("POST", f"/v1/comments/{comment_id}/undo", by="colleague"))[0] == 403
    status, comment = await desk.call("POST", f"/v1/comments/{comment_id}/undo")
    assert (status, comment["state"], comment["reasons"][0]["code"]) == (200, "held", "premoderation")
    assert (await desk.call("POST", f"/v1/comments/{comment_id}/undo"))[0] == 409
    _, history = await desk.call("GET", f"/v1/comments/{comment_id}/history")
    told = [
        (d["sequence"], d["state"], d["decided_by"], d["undoes"], d["task"]) for d in history["decisions"]
    ]
    assert told == [
        (1, "held", "service", None, None),
        (2, "rejected", "moderator", None, "held"),
        (3, "held", "moderator", 2, None),
    ]


async def test_escalating_tells_the_leads_why(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id)
    path = f"/v1/comments/{comment_id}/escalate"
    assert (await desk.call("POST", path, by="site", json={"revision": 1}))[0] == 403
    assert (await desk.call("POST", path, json={}))[1]["errors"][0]["pointer"] == "/revision"
    status, comment = await desk.call("POST", path, json={"revision": 1, "note": "a threat"})
    assert (status, comment["state"]) == (200, "held")
    assert (await desk.decide(comment_id))[0] == 403
    _, history = await desk.call("GET", f"/v1/comments/{comment_id}/history", by="lead")
    assert [(e["note"], e["moderator"]) for e in history["escalations"]] == [
        ("a threat", str(desk.moderator.id))
    ]
    assert (await desk.decide(comment_id, by="lead"))[0] == 200


async def test_bulk_answers_each_item_in_order(desk: Desk) -> None:
    good, foreign = (
        await add_comment(desk.database, desk.site_id),
        await add_comment(desk.database, desk.other_id),
    )
    items = [
        {"id": str(foreign), "revision": 1},
        {"id": "seven", "revision": 1},
        17,
        {"id": str(good), "revision": 2},
        {"id": str(good)},
        {"id": str(good), "revision": 1},
        {"id": str(new_uuid()), "revision": 1},
    ]
    status, body = await desk.call(
        "POST", "/v1/decisions", json={"items": items, "verdict": "reject", "reason": "spam"}
    )
    assert status == 200
    told = [(r["id"], r["status"], r.get("code")) for r in body["results"]]
    assert told == [
        (str(foreign), 404, "unknown-comment"),
        ("seven", 422, "invalid-comment"),
        (None, 422, "invalid-comment"),
        (str(good), 409, "stale-revision"),
        (str(good), 422, "invalid-comment"),
        (str(good), 200, None),
        (items[6]["id"], 404, "unknown-comment"),  # type: ignore[index]
    ]
    assert body["results"][4]["errors"][0]["pointer"] == "/items/4/revision"
    assert body["results"][3]["revision"] == 1
    assert {k: body["results"][5][k] for k in ("state", "sequence", "revision")} == {
        "state": "rejected",
        "sequence": 2,
        "revision": 1,
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"verdict": "approve"}, "/items"),
        ({"verdict": "approve", "items": {}}, "/items"),
        ({"verdict": "approve", "items": [{}] * 501}, "/items"),
        ({"items": []}, "/verdict"),
        ({"verdict": "reject", "reason": 7, "items": []}, "/reason"),
    ],
)
async def test_a_bulk_that_cannot_be_used_as_a_whole(desk: Desk, body: Any, pointer: str) -> None:
    status, problem = await desk.call("POST", "/v1/decisions", json=body)
    assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


async def test_a_comment_is_read_by_its_site_and_its_people_alone(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id, Seed(external_id="wp-9", text="نص سري"))
    for path in (f"/v1/comments/{comment_id}", f"/v1/comments/{comment_id}/history"):
        for by in ("site", "moderator", "lead", "both"):
            status, body = await desk.call("GET", path, by=by)
            assert (status, body["external_id"]) == (200, "wp-9")
        for by in ("other site", "stranger", "nobody"):
            status, body = await desk.call("GET", path, by=by)
            assert (status, body["type"].rpartition("/")[2]) == (404, "unknown-comment")
        assert (await desk.call("GET", path, by="akismet"))[0] == 403
        assert (await desk.call("GET", path, by="mds_wrong"))[0] == 401


async def test_nobody_else_changes_or_learns_anything(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id, Seed(text="نص سري"))
    _, claimed = await desk.call("POST", "/v1/queue/claim", json={})
    claim_id = claimed["items"][0]["claim"]["id"]
    body = {
        "revision": 1,
        "verdict": "approve",
        "moderator": "x",
        "items": [{"id": str(comment_id), "revision": 1}],
    }
    requests = [
        ("POST", f"/v1/comments/{comment_id}/decision"),
        ("POST", f"/v1/comments/{comment_id}/undo"),
        ("POST", f"/v1/comments/{comment_id}/escalate"),
        ("POST", "/v1/decisions"),
        ("PUT", f"/v1/claims/{claim_id}"),
        ("DELETE", f"/v1/claims/{claim_id}"),
        ("GET", "/v1/queue?site=paper"),
        ("POST", "/v1/queue/claim"),
    ]
    for by in ("stranger", "nobody", "other site", "akismet"):
        for method, path in requests:
            status, answer = await desk.call(
                method, path, by=by, json=None if method == "GET" else body | {"site": "paper"}
            )
            statuses = {r["status"] for r in answer["results"]} if status == 200 else {status}
            assert statuses <= {403, 404}, (by, method, path, answer)
            assert "سري" not in str(answer)
    assert await open_task(desk.database, comment_id) is TaskKind.HELD


async def test_no_answer_holds_what_is_private(desk: Desk) -> None:
    comment_id = await add_comment(desk.database, desk.site_id)
    async with desk.database.connection() as connection:
        await connection.execute(
            "UPDATE comments SET email_sealed = 'sealed-mail', address_sealed = 'sealed-ip', user_agent = 'Unique/7',"
            " author_external_id = 'reader-77', identity = 'identity-bytes-1'"
        )
    answers = [
        await desk.call("GET", "/v1/queue"),
        await desk.call("POST", "/v1/queue/claim", json={}),
        await desk.call("GET", f"/v1/comments/{comment_id}"),
        await desk.decide(comment_id),
        await desk.call("GET", f"/v1/comments/{comment_id}/history"),
    ]
    for status, answer in answers:
        assert status == 200
        for private in ("sealed", "Unique/7", "reader-77", "identity", "email", "desk.example"):
            assert private not in str(answer)


async def test_ids_that_cannot_be_are_unknown(desk: Desk) -> None:
    for method, path, code in (
        ("GET", "/v1/comments/7", "unknown-comment"),
        ("POST", "/v1/comments/7/decision", "unknown-comment"),
        ("PUT", "/v1/claims/%00", "unknown-claim"),
    ):
        status, problem = await desk.call(method, path, json={"revision": 1, "verdict": "approve"})
        assert (status, problem["type"].rpartition("/")[2]) == (404, code)
