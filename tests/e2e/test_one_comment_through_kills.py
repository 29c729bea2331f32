"""The main job under the worst operator: one Arabic comment in by webhook, held, approved, heard, all killed in between."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from standardwebhooks import Webhook

from tests.program import Service, free_port, run_json, started
from tests.receiver import Receiver, accept, answer

TEXT = "الخبر مهم، ونتمنى أن تصل الخدمة إلى كل الأحياء قريبًا."


def signed(secret: str, message_id: str, body: str) -> dict[str, str]:
    moment = datetime.now(UTC)
    signature = Webhook(secret).sign(message_id, moment, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
        "Content-Type": "application/json",
    }


async def send_comment(service: Service, secret: str) -> tuple[int, dict]:
    body = json.dumps(
        {
            "type": "comment.created",
            "timestamp": datetime.now(UTC).isoformat(),
            "data": {
                "external_id": "77",
                "thread": {"id": "12", "url": "https://news.example/12", "title": "خبر"},
                "author": {"name": "ليلى", "email": "layla@example.com"},
                "text": TEXT,
            },
        }
    )
    async with aiohttp.ClientSession() as session:
        url = service.url + "/v1/sites/akhbar/webhook"
        async with session.post(url, data=body, headers=signed(secret, "msg_1", body)) as answer:
            return answer.status, await answer.json()


async def api(service: Service, method: str, path: str, token: str, body: object = None) -> dict:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, service.url + path, headers=headers, json=body) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return await answer.json()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_one_comment_goes_the_whole_way_with_everything_killed_between_two_steps(
    tmp_path: Path,
) -> None:
    data_dir, port = tmp_path / "data", free_port()
    async with Receiver() as receiver:
        site = run_json(
            "site",
            "add",
            "akhbar",
            "--url",
            "https://news.example",
            "--webhook-url",
            receiver.url,
            data_dir=data_dir,
        )
        run_json(
            "moderator",
            "add",
            "editor@example.com",
            "--site",
            "akhbar",
            "--role",
            "moderator",
            data_dir=data_dir,
        )
        token = run_json("moderator", "token", "editor@example.com", data_dir=data_dir)["token"]
        settings = {"allow_private_endpoints": "true"}

        async with started(data_dir, port=port, **settings) as service:
            status, first = await send_comment(service, site["inbound_secret"])
            assert (status, first["state"], first["verdict"]) == (201, "held", "hold")
            service.kill_all()

        async with started(data_dir, port=port, **settings) as service:
            status, again = await send_comment(service, site["inbound_secret"])
            assert (status, again["id"]) == (200, first["id"])
            queue = await api(service, "GET", "/v1/queue?site=akhbar", token)
            (item,) = queue["items"]
            assert item["comment"]["text"] == TEXT
            service.kill_all()

        async with started(data_dir, port=port, **settings) as service:
            receiver.behaviour = answer(503)
            decision = {"verdict": "approve", "revision": item["comment"]["revision"]}
            approved = await api(service, "POST", f"/v1/comments/{first['id']}/decision", token, decision)
            assert approved["state"] == "approved"
            service.kill_all()

        receiver.behaviour = accept
        async with started(data_dir, port=port, **settings) as service:
            await heard_approval(receiver, site["webhook_secret"])
            queue = await api(service, "GET", "/v1/queue?site=akhbar", token)
            assert queue["items"] == []
            assert service.stop() == 0


async def heard_approval(receiver: Receiver, secret: str) -> None:
    """Wait for the event of the approval, and check every event with the published library."""
    async with asyncio.timeout(60):
        while not any(received.data["state"] == "approved" for received in receiver.accepted):
            await asyncio.sleep(0.05)
    for message in receiver.accepted:
        Webhook(secret).verify(message.body, dict(message.headers))
        assert TEXT not in message.body.decode()
        assert "layla" not in message.body.decode()
