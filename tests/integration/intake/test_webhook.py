"""The signed webhook: judged as any comment, recognised when sent again, refused without a signature that holds."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from moderation.domain.signatures import new_secret
from tests.service import RunningService, comment


def message(kind: str, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": data})


def signed(secret: str, message_id: str, body: str, *, at: datetime | None = None) -> dict[str, str]:
    moment = at or datetime.now(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body),
    }


async def send(
    service: RunningService, kind: str, data: dict[str, Any], message_id: str, **signing: Any
) -> tuple[int, Any]:
    body = message(kind, data)
    headers = signed(signing.pop("secret", service.site.inbound_secret), message_id, body, **signing)
    async with service.client.post(
        f"/v1/sites/{service.site.name}/webhook", data=body, headers=headers
    ) as response:
        return response.status, await response.json(content_type=None)


async def test_a_comment_by_webhook_has_its_verdict_in_the_answer(service: RunningService) -> None:
    status, body = await send(service, "comment.created", comment(external_id="1"), "m1")
    assert (status, body["state"]) == (201, "held")


async def test_a_message_sent_again_late_does_not_undo_a_newer_edit(service: RunningService) -> None:
    created = comment("النص الأول", external_id="1")
    _, first = await send(service, "comment.created", created, "m1")
    _, edited = await send(service, "comment.updated", created | {"text": "النص الثاني"}, "m2")
    status, again = await send(service, "comment.created", created, "m1")
    assert (status, again["revision"], edited["revision"]) == (200, 1, 2)
    _, stored = await service.call("GET", f"/v1/comments/{first['id']}")
    assert stored["text"] == "النص الثاني"


async def test_a_deletion_withdraws_and_one_that_overtook_its_comment_is_asked_again(
    service: RunningService,
) -> None:
    status, _ = await send(service, "comment.deleted", {"external_id": "1"}, "m0")
    assert status == 404
    _, created = await send(service, "comment.created", comment(external_id="1"), "m1")
    status, body = await send(service, "comment.deleted", {"external_id": "1"}, "m2")
    assert (status, body) == (200, {"id": created["id"], "state": "deleted"})


async def test_what_comes_too_late_for_a_withdrawn_comment_does_not_end_the_senders_address(
    service: RunningService,
) -> None:
    sent = comment(external_id="1")
    _, created = await send(service, "comment.created", sent, "m1")
    await send(service, "comment.deleted", {"external_id": "1"}, "m2")
    stands = (200, {"id": created["id"], "state": "deleted"})
    assert await send(service, "comment.created", sent, "m1") == stands
    assert await send(service, "comment.updated", sent | {"text": "جديد"}, "m3") == stands
    assert await send(service, "comment.updated", sent, "m4") == stands


@pytest.mark.parametrize(
    ("signing", "why"),
    [
        ({"secret": new_secret()}, "no_match"),
        ({"off": timedelta(minutes=-6)}, "too_old"),
        ({"off": timedelta(minutes=6)}, "too_new"),
    ],
)
async def test_a_signature_that_does_not_hold_is_refused_and_says_why(
    service: RunningService, signing: dict[str, Any], why: str
) -> None:
    at = datetime.now(UTC) + signing.get("off", timedelta())  # now, not when the tests were collected
    chosen = {name: value for name, value in signing.items() if name != "off"}
    status, problem = await send(service, "comment.created", comment(), "m1", at=at, **chosen)
    assert (status, problem["signature"]) == (401, why)
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM comments") == 0


async def test_another_sites_secret_and_our_outgoing_one_do_not_open_the_door(
    service: RunningService,
) -> None:
    status, _ = await send(service, "comment.created", comment(), "m1", secret=service.site.webhook_secret)
    assert status == 401


async def test_a_changed_body_does_not_match_its_signature(service: RunningService) -> None:
    body = message("comment.created", comment())
    headers = signed(service.site.inbound_secret, "m1", body)
    url = f"/v1/sites/{service.site.name}/webhook"
    async with service.client.post(url, data=body + " ", headers=headers) as response:
        assert response.status == 401
    async with service.client.post("/v1/sites/nobody/webhook", data=body, headers=headers) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        ({"type": "comment.created"}, ["/data missing"]),
        ({"type": "x", "data": {}}, ["/type invalid_value"]),
        ([], [" wrong_type"]),
        (None, [" wrong_type"]),
        ({"data": 5}, ["/type missing", "/data wrong_type"]),
        ({"type": ["comment.created"], "data": {}}, ["/type invalid_value"]),
        ({"type": "comment.deleted", "data": {}}, ["/external_id missing"]),
        ({"type": "comment.deleted", "data": {"external_id": []}}, ["/external_id wrong_type"]),
        ({"type": "comment.created", "data": comment() | {"text": ""}}, ["/text missing"]),
    ],
)
async def test_a_signed_message_of_the_wrong_form_names_its_fault(
    service: RunningService, data: Any, faults: list[str]
) -> None:
    body = json.dumps(data)
    headers = signed(service.site.inbound_secret, "m1", body)
    async with service.client.post(
        f"/v1/sites/{service.site.name}/webhook", data=body, headers=headers
    ) as response:
        assert response.status == 422
        errors = (await response.json(content_type=None))["errors"]
        assert [f"{one['pointer']} {one['code']}" for one in errors] == faults
