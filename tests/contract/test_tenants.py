"""Every route of the table, asked with another site's key, person and ids: refused, and no word of the other's data.

A new route fails here until `REACH` says how a stranger may try it.
"""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any
from urllib.parse import urlencode

import pytest_asyncio
from standardwebhooks import Webhook

from moderation.delivery.sequencer import Sequencer
from moderation.domain.clock import utc_now
from moderation.domain.ids import SiteId
from moderation.engines import EngineAddresses
from moderation.storage.administration import site_keys
from moderation.storage.database import connect
from tests.contract.openapi import Operation, described, routed
from tests.seeding import add_site_key
from tests.service import RunningService, SeededSite, comment, running_service, seed_moderator, seed_site

OTHER_DIALECTS = ("akismet", "perspective", "coral")


class Reach(Enum):
    """What a stranger can ask a route for."""

    FOREIGN = auto()
    """It names a comment, a claim or a site of somebody else: 401, 403 or 404."""
    OWN = auto()
    """It tells callers of their own site alone: whatever the status, no word of another's."""
    PUBLIC = auto()
    """It holds nobody's data, for it asks for no key; still no word of anybody's."""


REACH: dict[Operation, Reach] = {
    ("POST", "/v1/comments"): Reach.OWN,
    ("POST", "/v1/comments/batch"): Reach.OWN,
    ("GET", "/v1/comments/{id}"): Reach.FOREIGN,
    ("PUT", "/v1/comments/{id}"): Reach.FOREIGN,
    ("DELETE", "/v1/comments/{id}"): Reach.FOREIGN,
    ("GET", "/v1/comments/{id}/history"): Reach.FOREIGN,
    ("POST", "/v1/comments/{id}/decision"): Reach.FOREIGN,
    ("POST", "/v1/comments/{id}/undo"): Reach.FOREIGN,
    ("POST", "/v1/comments/{id}/escalate"): Reach.FOREIGN,
    ("POST", "/v1/decisions"): Reach.OWN,
    ("GET", "/v1/queue"): Reach.FOREIGN,
    ("GET", "/v1/queue/counts"): Reach.FOREIGN,
    ("GET", "/v1/comments/{id}/author"): Reach.FOREIGN,
    ("POST", "/v1/comments/{id}/author"): Reach.FOREIGN,
    ("GET", "/v1/comments/{id}/thread"): Reach.FOREIGN,
    ("GET", "/v1/search"): Reach.FOREIGN,
    ("GET", "/v1/me"): Reach.OWN,
    ("GET", "/v1/health"): Reach.FOREIGN,
    ("GET", "/v1/colleagues"): Reach.FOREIGN,
    ("POST", "/v1/queue/claim"): Reach.FOREIGN,
    ("PUT", "/v1/claims/{id}"): Reach.FOREIGN,
    ("DELETE", "/v1/claims/{id}"): Reach.FOREIGN,
    ("GET", "/v1/events"): Reach.OWN,
    ("GET", "/v1/comments/{id}/records"): Reach.FOREIGN,
    ("POST", "/v1/erasures"): Reach.OWN,
    ("GET", "/$discovery/rest"): Reach.PUBLIC,
    ("POST", "/v1alpha1/comments:analyze"): Reach.OWN,
    ("POST", "/v1alpha1/comments:suggestscore"): Reach.OWN,
    ("POST", "/coral/{site}/moderate"): Reach.FOREIGN,
    ("POST", "/coral/{site}/webhooks"): Reach.FOREIGN,
    ("POST", "/v1/sites/{site}/webhook"): Reach.FOREIGN,
    ("POST", "/sites/{site}/comments"): Reach.PUBLIC,
    ("OPTIONS", "/sites/{site}/comments"): Reach.PUBLIC,
    ("GET", "/sites/{site}/form"): Reach.PUBLIC,
    ("GET", "/sites/{site}/threads/{thread}/comments"): Reach.PUBLIC,
    ("GET", "/embed.js"): Reach.PUBLIC,
    ("GET", "/embed.css"): Reach.PUBLIC,
    ("GET", "/livez"): Reach.PUBLIC,
    ("GET", "/readyz"): Reach.PUBLIC,
    ("GET", "/metrics"): Reach.PUBLIC,
    ("GET", "/problems/{code}"): Reach.PUBLIC,
    ("GET", "/openapi.json"): Reach.PUBLIC,
    ("GET", "/"): Reach.PUBLIC,
    ("GET", "/docs"): Reach.PUBLIC,
    ("GET", "/docs/docs.css"): Reach.PUBLIC,
    ("GET", "/console"): Reach.PUBLIC,
    ("GET", "/console/"): Reach.PUBLIC,
    ("GET", "/console/comments/{id}"): Reach.PUBLIC,
    ("GET", "/console/search"): Reach.PUBLIC,
    ("GET", "/console/sign-in"): Reach.PUBLIC,
    ("POST", "/console/sign-in"): Reach.PUBLIC,
    ("POST", "/console/sign-out"): Reach.PUBLIC,
    ("POST", "/console/sign-in/code"): Reach.PUBLIC,
    ("GET", "/console/second-factor"): Reach.PUBLIC,
    ("POST", "/console/second-factor"): Reach.PUBLIC,
    ("GET", "/console/sessions"): Reach.PUBLIC,
    ("POST", "/console/sessions"): Reach.PUBLIC,
    ("GET", "/console/welcome/{token}"): Reach.PUBLIC,
    ("POST", "/console/welcome/{token}"): Reach.PUBLIC,
    ("GET", "/console/static/{name}"): Reach.PUBLIC,
    ("GET", "/console/{rest}"): Reach.PUBLIC,
    ("GET", "/try"): Reach.PUBLIC,
    ("GET", "/try/static/{name}"): Reach.PUBLIC,
}

AKISMET = (
    *("verify-key", "comment-check", "submit-spam", "submit-ham", "deactivate", "get-stats", "get-key-stats"),
    *("get-subscription", "token", "key-sites", "usage-limit", "test", "compatible-plugins"),
)
REACH |= {(method, f"/{{version}}/{name}"): Reach.OWN for name in AKISMET for method in ("GET", "POST")}
"""Asked with the stranger's key; the site is whose the key is, whatever else the call names."""

WORDS = {
    "text": "سرٌّ-قديم-لا-يقال",
    "name": "اسم-لا-يعرفه-أحد",
    "email": "known.to.nobody@hidden.example",
    "ip": "198.51.100.77",
    "external_id": "external-of-the-victim",
    "thread": "thread-of-the-victim",
    "title": "عنوان-لا-يراه-غريب",
    "note": "ملاحظة-بين-المشرفين",
}


@dataclass
class Victim:
    """A site with a decided, edited comment and one that is claimed."""

    site: SeededSite
    comment: str
    claim: str
    owner: str


@dataclass
class Scene:
    """The service, the victim, and a stranger with all that strangers can have."""

    service: RunningService
    victim: Victim
    stranger: SeededSite
    dialect_keys: dict[str, str]
    """Of the stranger's site."""
    callers: dict[str, str | None]

    @property
    def plants(self) -> list[str]:
        """What no answer to a stranger may hold."""
        return [
            *WORDS.values(),
            self.victim.site.key,
            self.victim.site.inbound_secret,
            self.victim.site.webhook_secret,
        ]


@pytest_asyncio.fixture(loop_scope="session")
async def scene(fresh_database_url: str, running_engines: EngineAddresses) -> AsyncIterator[Scene]:
    async with running_service(fresh_database_url, running_engines.redis_url) as service:
        victim = await _seed_victim(service)
        stranger = await seed_site(service.database, service.vault)
        callers: dict[str, str | None] = {
            "nobody": None,
            "a made-up key": "mds_" + "x" * 43,
            "another site": stranger.key,
            "another site's admin": await seed_moderator(service.database, {stranger.id: "admin"}),
            "somebody without a role": await seed_moderator(service.database, {}),
        }
        for dialect in OTHER_DIALECTS:
            key = await add_site_key(service.database, SiteId(victim.site.id), dialect=dialect)
            callers[f"the site's key for {dialect}"] = key
        yield Scene(service, victim, stranger, await _dialect_keys(service, stranger), callers)


async def _dialect_keys(service: RunningService, stranger: SeededSite) -> dict[str, str]:
    database, vault, name = service.database, service.vault, stranger.name
    akismet = await site_keys.add_akismet_key(database, vault, name, actor="test")
    perspective = await site_keys.add_key(database, name, actor="test", dialect="perspective")
    coral = await site_keys.add_signing_key(database, vault, name, actor="test", dialect="coral")
    return {"akismet": akismet.key, "perspective": perspective.key, "coral": coral.key}


async def _seed_victim(service: RunningService) -> Victim:
    owner = await seed_moderator(service.database, {service.site.id: "lead"})
    sent = comment(
        WORDS["text"],
        external_id=WORDS["external_id"],
        thread={"id": WORDS["thread"], "title": WORDS["title"]},
        author={"name": WORDS["name"], "email": WORDS["email"], "ip": WORDS["ip"]},
    )
    _, first = await service.call("POST", "/v1/comments", json=sent)
    path = f"/v1/comments/{first['id']}"
    ruling = {"verdict": "reject", "revision": 1, "note": WORDS["note"]}
    assert (await service.call("POST", path + "/decision", key=owner, json=ruling))[0] == 200
    await service.submit(WORDS["text"] + " ثانٍ")
    _, claimed = await service.call("POST", "/v1/queue/claim", key=owner, json={"limit": 1})
    connection = await connect(service.database.url)
    await Sequencer(service.database.url, utc_now).number(connection)
    await connection.close()
    return Victim(service.site, first["id"], claimed["items"][0]["claim"]["id"], owner)


def request(scene: Scene, operation: Operation) -> tuple[str, dict[str, Any]]:
    """Write the request by which a stranger would reach the victim: its ids in every place where an id can stand."""
    method, path = operation
    victim = scene.victim
    ids = {"id": victim.claim if "/claims/" in path else victim.comment, "site": victim.site.name}
    target = path.format_map(
        ids
        | {
            "code": "gone",
            "name": "try.js",
            "token": "mdi_x",
            "version": "1.1",
            "thread": WORDS["thread"],
            "rest": "nowhere",
        }
    )
    described_body = described()[operation].get("requestBody", {}).get("content", {})
    media, content = next(iter(described_body.items()), ("", {}))
    body: Any = content.get("example", {})
    if path in {"/v1/queue", "/v1/queue/counts", "/v1/health", "/v1/search"}:
        return f"{target}?site={victim.site.name}", {}
    if path == "/v1/queue/claim":
        body = {"site": victim.site.name}
    elif path == "/v1/decisions":
        body = {"verdict": "approve", "moderator": "x", "items": [{"id": victim.comment, "revision": 1}]}
    elif path.startswith("/v1/comments") and path.endswith(("comments", "batch")):
        body = comment(external_id=WORDS["external_id"] + "-not", parent_id=victim.comment)
    elif path.startswith("/{version}/"):
        return _akismet_call(scene, method, target)
    elif "/v1alpha1/" in path:
        target += f"?key={scene.dialect_keys['perspective']}"
    elif path.startswith("/coral/"):
        return target, _signed_for_coral(scene)
    elif path == "/v1/erasures":
        body = {"email": WORDS["email"]}
    elif path.endswith("/webhook"):
        return target, _signed_by_stranger(scene)
    elif media.endswith("urlencoded"):
        return target, {"data": body | {"comment_parent": victim.comment}}
    if path.endswith(("/decision", "/undo")):
        body = body | {"moderator": "x"}
    return target, {"data": json.dumps(body), "headers": {"Content-Type": media}} if media else {}


def _akismet_call(scene: Scene, method: str, target: str) -> tuple[str, dict[str, Any]]:
    form = {
        "api_key": scene.dialect_keys["akismet"],
        "blog": "https://news.example",
        "comment_content": WORDS["text"] + " ؟",
        "guid": scene.victim.comment,
        "comment_post_ID": WORDS["thread"],
    }
    return (target, {"data": form}) if method == "POST" else (f"{target}?{urlencode(form)}", {})


def _signed_for_coral(scene: Scene) -> dict[str, Any]:
    body = json.dumps(
        {"comment": {"body": "x", "id": scene.victim.comment}, "story": {"id": WORDS["thread"]}}
    ).encode()
    signature = hmac.new(scene.dialect_keys["coral"].encode(), body, hashlib.sha256).hexdigest()
    return {"data": body, "headers": {"X-Coral-Signature": f"sha256={signature}"}}


def _signed_by_stranger(scene: Scene) -> dict[str, Any]:
    now = datetime.now(UTC)
    data = {"external_id": WORDS["external_id"]}
    body = json.dumps({"type": "comment.deleted", "timestamp": now.isoformat(), "data": data})
    signature = Webhook(scene.stranger.inbound_secret).sign("m", now, body)
    headers = {
        "webhook-id": "m",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    return {"data": body, "headers": headers}


async def ask(scene: Scene, operation: Operation, token: str | None) -> tuple[int, str]:
    target, options = request(scene, operation)
    headers = dict(options.pop("headers", {}))
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    async with scene.service.client.request(operation[0], target, headers=headers, **options) as response:
        return response.status, f"{dict(response.headers)} {await response.text()}"


async def test_every_route_says_what_a_stranger_can_ask(scene: Scene):
    routes = routed(scene.service.client.server.app)  # type: ignore[union-attr]
    assert not routes - REACH.keys(), f"say in REACH how a stranger may try {sorted(routes - REACH.keys())}"
    assert not REACH.keys() - routes, f"no longer routed: {sorted(REACH.keys() - routes)}"


async def test_no_stranger_is_let_in_or_told_a_word(scene: Scene):
    faults = []
    before = await _state_of_victim(scene)
    for operation in described():
        for who, token in scene.callers.items():
            if operation not in REACH:
                continue
            status, answer = await ask(scene, operation, token)
            told = [word for word in scene.plants if word in answer or json.dumps(word)[1:-1] in answer]
            if told or (REACH[operation] is Reach.FOREIGN and status not in {401, 403, 404}):
                faults.append((who, operation, status, told))
            if status >= 500:
                faults.append((who, operation, status, []))
    assert not faults
    assert await _state_of_victim(scene) == before


async def _state_of_victim(scene: Scene) -> Any:
    """Everything of the victim's that a stranger could have changed."""
    victim, call = scene.victim, scene.service.call
    status, history = await call("GET", f"/v1/comments/{victim.comment}/history", key=victim.owner)
    assert status == 200
    _, queue = await call("GET", "/v1/queue", key=victim.owner)
    assert WORDS["text"] in json.dumps(queue, ensure_ascii=False), (
        "the owner sees the words that strangers must not"
    )
    claims = [entry.get("claim", {}).get("by") for entry in queue["items"]]
    return history, claims, len(queue["items"])
