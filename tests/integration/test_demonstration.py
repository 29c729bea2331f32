"""`serve --demo`: what it seeds, what it refuses, what it prints, and what its receiver hears."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from moderation.app import create_app
from moderation.demo import Demonstration, DemonstrationError, refuse_outside_database
from moderation.domain.clock import utc_now
from moderation.domain.signatures import new_secret, signed_headers
from moderation.engines import EngineAddresses
from moderation.privacy.keys import load_keyring
from moderation.privacy.vault import KeyedVault
from moderation.settings import Settings
from moderation.storage.administration.sites import (
    NewSite,
    SiteRecord,
    add_site,
    remove_site,
    renew_secret,
    show_site,
)
from moderation.storage.database import Database
from tests.demonstration import RunningDemonstration, demonstration_settings, running_demonstration

EVENT = {
    "type": "comment.decided",
    "timestamp": "2025-11-02T06:00:00.000Z",
    "data": {
        "id": "018f0000-0000-7000-8000-000000000001",
        "external_id": None,
        "sequence": 1,
        "revision": 1,
        "state": "held",
        "verdict": "hold",
        "reasons": [{"code": "premoderation", "message": "…"}],
        "decided_by": "service",
        "decided_at": "2025-11-02T06:00:00.000Z",
        "origin": "form",
    },
}


@pytest.fixture
def settings(fresh_database_url: str, running_engines: EngineAddresses, tmp_path: Path) -> Settings:
    assert running_engines.redis_url is not None
    return demonstration_settings(fresh_database_url, running_engines.redis_url, tmp_path)


def secret_of(announcement: str, label: str) -> str:
    (found,) = re.findall(rf"^  {label} +(\S+)", announcement, re.MULTILINE)
    return found


async def seeded_site(settings: Settings) -> SiteRecord:
    database = Database(settings.database_url or "")
    try:
        return await show_site(database, "demo")
    finally:
        await database.close()


async def fetch(method: str, url: str, **options: Any) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.request(method, url, **options) as answer:
        return answer.status, await (answer.json() if "json" in answer.content_type else answer.text())


async def heard_when(receiver: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until what the receiver heard fulfils a condition."""
    async with asyncio.timeout(60):
        while True:
            _, heard = await fetch("GET", receiver + "events.json")
            if condition(heard):
                return heard
            await asyncio.sleep(0.05)


async def send_event(demo: RunningDemonstration, secret: str, event: dict[str, Any], **late: float) -> int:
    body = json.dumps(event).encode()
    headers = signed_headers([secret], "evt_1", utc_now() - timedelta(**late), body)
    status, _ = await fetch("POST", demo.receiver + "events", data=body, headers=headers)
    return status


async def signs_in(demo: RunningDemonstration, password: str) -> bool:
    fields = {"email": "editor@example.org", "password": password}
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            demo.url + "/console/sign-in", data=fields, headers={"Origin": demo.url}, allow_redirects=False
        ) as answer,
    ):
        return answer.status == 303


async def test_the_first_start_shows_keys_that_work_and_the_second_none(settings: Settings) -> None:
    async with running_demonstration(settings) as demo:
        key, token = (secret_of(demo.announcement, label) for label in ("site key", "moderator token"))
        queue = f"{demo.url}/v1/queue?site=demo"
        status, answer = await fetch("GET", queue, headers={"Authorization": f"Bearer {token}"})
        assert (status, answer["items"]) == (200, [])
        assert await signs_in(demo, secret_of(demo.announcement, "moderator password"))
        assert f"the moderators' console   {demo.url}/console/" in demo.announcement
        site = await seeded_site(settings)
        assert (site.url, site.webhook_url) == (demo.url, demo.receiver + "events")
    async with running_demonstration(settings) as demo:
        assert not re.findall(r"mds_|mdu_|whsec_", demo.announcement)
        assert (
            f"moderation moderator token editor@example.org --data-dir {settings.data_dir}"
            in demo.announcement
        )
        status, _ = await fetch("GET", queue, headers={"Authorization": f"Bearer {token}"})
        assert status == 200
        status, _ = await fetch("GET", f"{demo.url}/v1/events", headers={"Authorization": f"Bearer {key}"})
        assert status == 200


async def test_a_later_start_on_other_ports_moves_the_site(settings: Settings) -> None:
    async with running_demonstration(settings) as first:
        pass
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    taken = server.sockets[0].getsockname()[1]
    async with server, Demonstration(replace(settings, port=taken - 1)) as second:
        site = await seeded_site(settings)
        assert site.url == f"http://127.0.0.1:{taken - 1}" != first.url
        assert site.webhook_url is not None
        assert site.webhook_url not in (first.receiver + "events", f"http://127.0.0.1:{taken}/events")
        assert site.webhook_url.removesuffix("events") in second.announcement(site.url)


async def test_a_database_with_other_sites_is_left_alone(settings: Settings) -> None:
    database = Database(settings.database_url or "")
    vault = KeyedVault(load_keyring(settings))
    await add_site(database, vault, NewSite("akhbar", url="https://akhbar.example"), actor="test")
    with pytest.raises(DemonstrationError, match="only an empty database"):
        async with Demonstration(settings):
            pass
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM sites") == 1
        assert await connection.fetchval("SELECT count(*) FROM moderators") == 0
    await database.close()


async def test_a_real_site_named_demo_is_left_alone_and_has_no_page_to_try(settings: Settings) -> None:
    database = Database(settings.database_url or "")
    vault = KeyedVault(load_keyring(settings))
    async with running_demonstration(settings) as demo:
        assert (await fetch("GET", demo.url + "/try"))[0] == 200
        await remove_site(database, "demo", actor="test")
        async with asyncio.timeout(60):
            while (await fetch("GET", demo.url + "/try"))[0] != 404:
                await asyncio.sleep(0.05)
        assert (await fetch("GET", demo.url + "/try/static/try.js"))[0] == 404
    with pytest.raises(DemonstrationError, match="was removed"):
        async with Demonstration(settings):
            pass
    async with database.transaction() as connection:
        await connection.execute("UPDATE sites SET name = 'old'")
    await add_site(database, vault, NewSite("demo", url="https://demo.example"), actor="test")
    with pytest.raises(DemonstrationError, match="is not the demonstration's"):
        async with Demonstration(settings):
            pass
    assert (await show_site(database, "demo")).url == "https://demo.example"
    async with TestClient(TestServer(create_app(settings, load_keyring(settings)))) as client:
        assert (await client.get("/try")).status == 404
        assert (await client.post("/sites/demo/comments", data={})).status == 422
    await database.close()


def test_an_outside_database_is_refused(settings: Settings) -> None:
    with pytest.raises(DemonstrationError, match="MODERATION_DATABASE_URL is set"):
        refuse_outside_database(settings)
    refuse_outside_database(replace(settings, database_url=None))


async def test_the_receiver_hears_every_decision_on_a_comment(settings: Settings) -> None:
    async with running_demonstration(settings) as demo:
        token = secret_of(demo.announcement, "moderator token")
        form = {
            "author": "ليلى",
            "email": "layla@example.com",
            "comment": "خبر سار لأهل المدينة.",
            "comment_post_ID": "1",
        }
        status, sent = await fetch("POST", f"{demo.url}/sites/demo/comments", data=form)
        assert (status, sent["state"]) == (201, "held")
        await heard_when(demo.receiver, lambda heard: heard["heard"] == 1)
        status, _ = await fetch(
            "POST",
            f"{demo.url}/v1/comments/{sent['id']}/decision",
            json={"verdict": "approve", "revision": 1},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert status == 200
        heard = await heard_when(demo.receiver, lambda heard: heard["heard"] == 2)
        told = [(e["id"], e["sequence"], e["state"], e["decided_by"]) for e in heard["events"]]
        assert told == [(sent["id"], 2, "approved", "moderator"), (sent["id"], 1, "held", "service")]
        assert heard["refused"] == 0
        _, page = await fetch("GET", demo.receiver, headers={"Accept-Language": "ar"})
        assert page.index("منشور") < page.index("قيد المراجعة")
        assert sent["id"] in page
        assert "layla" not in page


async def test_the_receiver_believes_no_unsigned_stale_or_repeated_event(settings: Settings) -> None:
    async with running_demonstration(settings) as demo:
        secret = secret_of(demo.announcement, "webhook secret")
        assert (await fetch("POST", demo.receiver + "events", json=EVENT))[0] == 401
        assert await send_event(demo, new_secret(), EVENT) == 401
        assert await send_event(demo, secret, EVENT, minutes=6) == 401
        assert await send_event(demo, secret, EVENT) == 204
        assert await send_event(demo, secret, EVENT) == 204
        heard = await heard_when(demo.receiver, lambda heard: heard["heard"] == 2)
        assert heard["refused"] == 3
        assert [event["is_new"] for event in heard["events"]] == [False, True]


async def test_the_receiver_follows_a_renewed_secret(settings: Settings) -> None:
    database = Database(settings.database_url or "")
    vault = KeyedVault(load_keyring(settings))
    async with running_demonstration(settings) as demo:
        old = secret_of(demo.announcement, "webhook secret")
        new = await renew_secret(database, vault, "demo", "webhook", actor="test", keep_old=False)
        assert await send_event(demo, new, EVENT) == 204
        assert await send_event(demo, old, EVENT) == 401
    await database.close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_the_announced_commands_run_as_they_are_printed(settings: Settings, tmp_path: Path) -> None:
    async with running_demonstration(settings) as demo:
        script = tmp_path / "commands.sh"
        script.write_text(demo.announcement[demo.announcement.index("# Send a comment") :])
        process = await asyncio.create_subprocess_exec(
            "bash", "-eu", str(script), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        answers = [json.loads(line) for line in output.decode().splitlines() if line.strip()]
        assert [answer.get("state") for answer in answers] == ["held", None, "approved"]
        await heard_when(demo.receiver, lambda heard: heard["heard"] == 2)


@pytest.mark.parametrize(("query", "language", "direction"), [("", "ar", "rtl"), ("?lang=en", "en", "ltr")])
async def test_the_page_to_try_it_is_all_its_own(
    settings: Settings, query: str, language: str, direction: str
) -> None:
    async with (
        running_demonstration(settings) as demo,
        aiohttp.ClientSession() as session,
        session.get(f"{demo.url}/try{query}") as answer,
    ):
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert f'<html lang="{language}" dir="{direction}">' in page
    assert "'unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", page)
    addresses = set(re.findall(r"(?:src|href|action)=\"([^\"]+)\"", page))
    assert all(a.startswith(("/", demo.receiver, "data:,")) for a in addresses), addresses
    assert 'action="/sites/demo/comments"' in page
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    assert labelled == {f"comment-form-{name}" for name in ("author", "email", "url", "comment")}
