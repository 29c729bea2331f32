"""Review in the whole service: what intake took in is what moderators see, decide and answer for."""

from tests.service import RunningService, seed_moderator


async def test_a_submitted_comment_is_claimed_edited_and_decided_on_its_new_text(
    service: RunningService,
) -> None:
    token = await seed_moderator(service.database, {service.site.id: "moderator"})
    status, taken_in = await service.submit("الخبر ناقص، أين المصدر؟", external_id="wp-1")
    assert (status, taken_in["state"]) == (201, "held")

    status, queue = await service.call("GET", "/v1/queue", key=token)
    assert [item["comment"]["id"] for item in queue["items"]] == [taken_in["id"]]
    shown = queue["items"][0]["comment"]
    assert {name: shown[name] for name in taken_in} == taken_in

    _, claimed = await service.call(
        "POST", "/v1/queue/claim", key=token, json={"site": service.site.name, "limit": 5}
    )
    assert [item["comment"]["id"] for item in claimed["items"]] == [taken_in["id"]]

    path = f"/v1/comments/{taken_in['id']}"
    status, edited = await service.call(
        "PUT", path, json={"text": "الخبر ناقص، وشكرًا"}, headers={"If-Match": '"1"'}
    )
    assert (status, edited["revision"]) == (200, 2)
    decision = {"verdict": "approve", "revision": 1}
    status, problem = await service.call("POST", f"{path}/decision", key=token, json=decision)
    assert (status, problem["revision"]) == (409, 2)
    status, decided = await service.call(
        "POST", f"{path}/decision", key=token, json=decision | {"revision": 2}
    )
    assert (status, decided["state"], decided["text"]) == (200, "approved", "الخبر ناقص، وشكرًا")

    assert (await service.call("GET", path))[1] == decided
    _, history = await service.call("GET", f"{path}/history")
    assert [d["decided_by"] for d in history["decisions"]] == ["service", "service", "moderator"]
    assert [r["text"] for r in history["revisions"]] == ["الخبر ناقص، أين المصدر؟"]


async def test_a_withdrawn_comment_leaves_the_queue_and_is_gone(service: RunningService) -> None:
    token = await seed_moderator(service.database, {service.site.id: "lead"})
    _, taken_in = await service.submit()
    path = f"/v1/comments/{taken_in['id']}"
    assert (await service.call("DELETE", path))[0] == 204
    assert (await service.call("GET", "/v1/queue", key=token))[1]["items"] == []
    for method, where, body in (
        ("GET", path, None),
        ("GET", f"{path}/history", None),
        ("POST", f"{path}/decision", {"verdict": "approve", "revision": 1}),
        ("POST", f"{path}/undo", {}),
        ("POST", f"{path}/escalate", {"revision": 1}),
    ):
        status, problem = await service.call(method, where, key=token, json=body)
        assert (status, problem["type"].rpartition("/")[2]) == (410, "gone"), where


async def test_what_people_decide_counts_for_the_author_whom_intake_recognises(
    service: RunningService,
) -> None:
    token = await seed_moderator(service.database, {service.site.id: "moderator"})
    author = {"name": "قارئ دائم", "email": "regular@example.com"}
    for text, verdict in (
        ("تعليق أول هادئ", "approve"),
        ("تعليق ثان هادئ", "approve"),
        ("تعليق ثالث هادئ", "reject"),
    ):
        _, taken_in = await service.submit(text, author=author | {"email": author["email"].upper()})
        path = f"/v1/comments/{taken_in['id']}/decision"
        assert (await service.call("POST", path, key=token, json={"verdict": verdict, "revision": 1}))[
            0
        ] == 200
    async with service.database.connection() as connection:
        rows = await connection.fetch("SELECT approved, rejected FROM authors")
    assert [tuple(row) for row in rows] == [(2, 1)]
