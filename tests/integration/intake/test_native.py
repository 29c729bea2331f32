"""``/v1/comments`` on the real engines: accepted, recognised, refused with every faulty field named."""

import asyncio
import io
import json
from typing import Any

import pytest

from tests.service import RunningService, comment, running_service


async def test_a_clean_comment_is_held_for_approval_and_explained_in_arabic(service: RunningService) -> None:
    status, body = await service.submit()
    assert status == 201
    assert (body["state"], body["verdict"], body["revision"]) == ("held", "hold", 1)
    assert [reason["code"] for reason in body["reasons"]] == ["premoderation"]
    assert "المشرف" in body["reasons"][0]["message"]
    assert body["model"].startswith("shipped")
    assert 0 <= body["scores"]["spam"] <= 1
    assert 0 <= body["scores"]["abuse"] <= 1


async def test_every_faulty_field_is_named_at_once_in_the_callers_language(service: RunningService) -> None:
    faulty = {
        "thread": {"id": ""},
        "author": {"name": "  ", "email": "not an address", "url": "javascript:x"},
        "text": " ",
    }
    for language, word in (("ar", "مطلوب"), ("en", "required")):
        status, body = await service.call(
            "POST", "/v1/comments", json=faulty, headers={"Accept-Language": language}
        )
        assert status == 422
        found = {error["pointer"]: error for error in body["errors"]}
        assert set(found) == {"/thread/id", "/author/name", "/author/email", "/author/url", "/text"}
        assert word in found["/text"]["message"]


@pytest.mark.parametrize(
    "email", ["علي@مثال.السعودية", "user@xn--mgbh0fb.com", "дмитрий@пример.рф", "o'neil+news@example.com"]
)
async def test_internationalised_addresses_are_welcome(service: RunningService, email: str) -> None:
    status, body = await service.submit(author={"name": "علي", "email": email})
    assert status == 201, body


async def test_the_same_external_id_with_the_same_content_gets_the_first_answer_again(
    service: RunningService,
) -> None:
    body = comment(external_id="17")
    first_status, first = await service.call("POST", "/v1/comments", json=body)
    async with service.request("POST", "/v1/comments", json=body) as response:
        again = await response.json()
        assert response.headers["Idempotency-Replayed"] == "true"
        assert response.status == 200
    assert first_status == 201
    assert again == first


async def test_the_same_external_id_with_other_content_is_an_edit(service: RunningService) -> None:
    body = comment(external_id="18")
    _, first = await service.call("POST", "/v1/comments", json=body)
    status, edited = await service.call("POST", "/v1/comments", json=body | {"text": "نص آخر"})
    assert (status, edited["id"], edited["revision"]) == (200, first["id"], 2)
    status, again = await service.call("POST", "/v1/comments", json=body | {"text": "نص آخر"})
    assert (status, again["revision"]) == (200, 2)


async def test_an_idempotency_key_with_other_content_is_refused_and_the_first_stays(
    service: RunningService,
) -> None:
    key = {"Idempotency-Key": "k-1"}
    _, first = await service.call("POST", "/v1/comments", json=comment("أول"), headers=key)
    status, problem = await service.call("POST", "/v1/comments", json=comment("ثان"), headers=key)
    assert (status, problem["type"]) == (409, "/problems/idempotency-mismatch")
    status, stored = await service.call("GET", f"/v1/comments/{first['id']}")
    assert (status, stored["text"]) == (200, "أول")


async def test_an_idempotency_key_does_not_lose_another_comment_with_the_same_words(
    service: RunningService,
) -> None:
    key = {"Idempotency-Key": "k-3"}
    both = comment(external_id="k-3-first"), comment(external_id="k-3-second")
    status, _ = await service.call("POST", "/v1/comments", json=both[0], headers=key)
    assert status == 201
    status, problem = await service.call("POST", "/v1/comments", json=both[1], headers=key)
    assert (status, problem["type"]) == (409, "/problems/idempotency-mismatch")
    answers = await asyncio.gather(
        *(service.call("POST", "/v1/comments", json=each, headers=key) for each in both * 5)
    )
    assert sorted(status for status, _ in answers) == [200] * 5 + [409] * 5


async def test_fifty_racing_copies_of_one_submission_make_one_comment(service: RunningService) -> None:
    for body, headers in (
        (comment(external_id="19"), {}),
        (comment(), {"Idempotency-Key": "k-2"}),
        (comment(), {}),
    ):
        answers = await asyncio.gather(
            *(service.call("POST", "/v1/comments", json=body, headers=headers) for _ in range(50))
        )
        assert sorted(status for status, _ in answers) == [200] * 49 + [201]
        assert len({answer["id"] for _, answer in answers}) == 1


async def test_an_edit_judges_again_and_names_a_new_revision(service: RunningService) -> None:
    _, first = await service.submit("النص الأول")
    path = f"/v1/comments/{first['id']}"
    status, edited = await service.call(
        "PUT", path, json={"text": "النص الثاني"}, headers={"If-Match": '"1"'}
    )
    assert (status, edited["revision"]) == (200, 2)
    status, problem = await service.call("PUT", path, json={"text": "متأخر"}, headers={"If-Match": '"1"'})
    assert (status, problem["revision"]) == (412, 2)
    several = {"If-Match": '"1", W/"2"'}  # a list, as RFC 9110 has it: one that is current is enough
    status, again = await service.call("PUT", path, json={"text": "النص الثاني"}, headers=several)
    assert (status, again["revision"]) == (200, 2)
    status, stored = await service.call("GET", path)
    assert (stored["text"], stored["revision"]) == ("النص الثاني", 2)


async def test_withdrawing_closes_the_task_and_is_harmless_twice(service: RunningService) -> None:
    _, first = await service.submit()
    path = f"/v1/comments/{first['id']}"
    for _ in range(2):
        status, _ = await service.call("DELETE", path)
        assert status == 204
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM tasks") == 0
        assert await connection.fetchval("SELECT count(*) FROM decisions WHERE state = 'deleted'") == 1


@pytest.mark.parametrize("by", ["key", "external_id", "both"])
async def test_a_withdrawn_comment_sent_again_is_gone_and_not_said_to_wait(
    service: RunningService, by: str
) -> None:
    body = comment(**({} if by == "key" else {"external_id": "w1"}))
    headers = {} if by == "external_id" else {"Idempotency-Key": "w1"}
    _, first = await service.call("POST", "/v1/comments", json=body, headers=headers)
    status, _ = await service.call("DELETE", f"/v1/comments/{first['id']}")
    assert status == 204
    status, problem = await service.call("POST", "/v1/comments", json=body, headers=headers)
    assert (status, problem["type"]) == (410, "/problems/gone")
    assert (problem["id"], problem["state"]) == (first["id"], "deleted")
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM comments") == 1


async def test_words_taken_back_and_written_again_are_a_new_comment(service: RunningService) -> None:
    body = comment()
    _, first = await service.call("POST", "/v1/comments", json=body)
    await service.call("DELETE", f"/v1/comments/{first['id']}")
    for _ in range(2):  # and so once more: nothing keeps the words of the minute
        status, again = await service.call("POST", "/v1/comments", json=body)
        assert (status, again["state"]) == (201, "held")
        assert again["id"] != first["id"]
        status, same = await service.call("POST", "/v1/comments", json=body)  # a retry is one, as ever
        assert (status, same["id"]) == (200, again["id"])
        await service.call("DELETE", f"/v1/comments/{again['id']}")


async def test_words_written_again_are_charged_again(fresh_database_url: str, running_engines: Any) -> None:
    site = {"limits": {"author": {"count": 1, "period_s": 3600, "burst": 2}}}
    async with running_service(fresh_database_url, running_engines.redis_url, site=site) as service:
        body, seen = comment(), []
        for _ in range(3):
            status, answer = await service.call("POST", "/v1/comments", json=body)
            seen.append(status)
            if status == 201:
                await service.call("DELETE", f"/v1/comments/{answer['id']}")
        assert seen == [201, 201, 429]


async def test_a_time_without_its_offset_is_refused_in_two_languages(service: RunningService) -> None:
    for language, word in (("ar", "العالمي"), ("en", "offset")):
        body = comment(created_at="2026-03-01T12:00:00")
        status, problem = await service.call(
            "POST", "/v1/comments", json=body, headers={"Accept-Language": language}
        )
        (fault,) = problem["errors"]
        assert (status, fault["pointer"], fault["code"]) == (422, "/created_at", "missing_offset")
        assert word in fault["message"]
    status, answer = await service.submit(created_at="2026-03-01T12:00:00+03:00")
    assert status == 201
    _, stored = await service.call("GET", f"/v1/comments/{answer['id']}")
    assert stored["created_at"] == "2026-03-01T09:00:00.000Z"


async def test_a_reply_finds_its_parent_by_either_id_in_the_same_thread_only(service: RunningService) -> None:
    _, parent = await service.submit(external_id="p1")
    for written in (parent["id"], "p1"):
        status, _ = await service.submit(parent_id=written)
        assert status == 201
    status, problem = await service.submit(parent_id="p1", thread={"id": "another"})
    assert status == 422
    assert problem["errors"][0]["pointer"] == "/parent_id"


HOSTILE = {
    "cut off": b'{"text": "a',
    "not an object": b"[1, 2]",
    "nothing": b"",
    "NaN": b'{"text": NaN}',
    "not UTF-8": b'{"text": "\xff\xfe"}',
    "utf-16": '{"text": "a"}'.encode("utf-16"),
    "deep nesting": b'{"context": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep nesting with escapes": b'{"text": "\\u0041", "context": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "null": b"null",
    "wrong types": json.dumps({"thread": 5, "author": [], "text": {"a": 1}}).encode(),
    "NUL": json.dumps(comment("a\x00b")).encode(),
    "lone surrogate": json.dumps(comment("a\ud800b")).encode(),
    "NUL in an id": json.dumps(comment(external_id="a\x00b")).encode(),
    "NUL in a key of the context": json.dumps(comment(context={"a\x00": "b"})).encode(),
    "surrogate in the context": json.dumps(comment(context={"a": "\udfff"})).encode(),
    "huge number": json.dumps(comment(context={"a": 10**400})).encode(),
    "huge id": json.dumps(comment(external_id=10**400)).encode(),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_bodies_get_a_problem_and_store_nothing(service: RunningService, name: str) -> None:
    status, problem = await service.call("POST", "/v1/comments", data=HOSTILE[name])
    assert status in {400, 422}, problem
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM comments") == 0


async def test_a_body_of_ten_megabytes_is_refused_by_its_size(service: RunningService) -> None:
    for data in (io.BytesIO(b"x" * 10_000_000), _chunks(b"x" * 65536, 160)):
        status, problem = await service.call("POST", "/v1/comments", data=data)
        assert (status, problem["type"]) == (413, "/problems/too-large")


async def _chunks(chunk: bytes, count: int):
    for _ in range(count):
        yield chunk


async def test_unknown_fields_are_dropped_unread(service: RunningService) -> None:
    status, _ = await service.submit(
        password="hunter2", author={"name": "أ", "email": "a@example.com", "phone": "unread-phone"}
    )
    assert status == 201
    async with service.database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM comments")
    assert "hunter2" not in str(dict(row))
    assert "unread-phone" not in str(dict(row))


@pytest.mark.parametrize("key", ["", "mds_wrong", "mdu_wrong", "Basic x", "ключ"])
async def test_a_wrong_key_is_told_how_to_authenticate(service: RunningService, key: str) -> None:
    async with service.client.post(
        "/v1/comments", json=comment(), headers={"Authorization": f"Bearer {key}"} if key else {}
    ) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_one_bad_comment_harms_nobody_else_in_its_group(service: RunningService) -> None:
    good = [comment(external_id=f"g{i}") for i in range(20)]
    bad = [comment("\x00"), comment(author={"name": "x", "email": "nope"}), {"text": 5}]
    answers = await asyncio.gather(
        *(service.call("POST", "/v1/comments", json=body) for body in [*good, *bad])
    )
    assert [status for status, _ in answers] == [201] * 20 + [422] * 3


async def test_two_people_without_a_name_are_not_taken_for_one(
    fresh_database_url: str, running_engines: Any
) -> None:
    site = {"required": ["text"]}
    async with running_service(fresh_database_url, running_engines.redis_url, site=site) as service:
        body = {"thread": {"id": "1"}, "text": "شكرًا"}
        answers = [await service.call("POST", "/v1/comments", json=body) for _ in range(2)]
        assert [status for status, _ in answers] == [201, 201]


async def test_the_same_word_to_two_people_within_a_minute_is_two_comments(service: RunningService) -> None:
    for parent in ("p1", "p2"):
        await service.submit(external_id=parent)
    body = comment("شكرًا")
    answers = [
        await service.call("POST", "/v1/comments", json=body | {"parent_id": parent})
        for parent in ("p1", "p2")
    ]
    assert [status for status, _ in answers] == [201, 201]


@pytest.mark.parametrize("path", ["/sites/%00/comments", "/v1/sites/%00/webhook", "/sites/A%20b/comments"])
async def test_a_name_that_no_site_can_have_is_not_found(service: RunningService, path: str) -> None:
    async with service.client.post(
        path, data=b"{}", headers={"Content-Type": "application/json"}
    ) as response:
        assert response.status == 404


async def test_a_compressed_body_is_refused_by_name(service: RunningService) -> None:
    for path in ("/v1/comments", "/v1/comments/batch"):
        status, problem = await service.call(
            "POST", path, data=b"garbage", headers={"Content-Encoding": "gzip"}
        )
        assert (status, problem["type"]) == (415, "/problems/unsupported-media-type")
