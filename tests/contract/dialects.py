"""A walk through the dialects of other systems' clients."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from moderation.protocols.authentication import DIRECTORY
from moderation.storage.administration import site_keys
from moderation.storage.administration.policies import set_policy
from tests.contract.openapi import described
from tests.contract.walk import Walker

TEXT = "خبر جميل، متى يصل الخط إلى حيّنا؟"


async def walk_akismet(walk: Walker) -> None:
    service = walk.service
    made = await site_keys.add_akismet_key(service.database, service.vault, service.site.name, actor="test")
    asked = {"blog": "https://news.example", "user_ip": "203.0.113.7", "comment_content": TEXT}
    calls = {path.rpartition("/")[2] for _, path in described() if path.startswith("/{version}/")}
    for name in sorted(calls):
        for key in (made.key, "0123456789ab"):
            form = asked | {"api_key": key}
            await walk("POST", f"/1.1/{name}", None, data=form)
            await walk("GET", f"/1.2/{name}?{urlencode(form)}", None)
    await walk("GET", f"/1.2/key-sites?api_key={made.key}&format=csv", None)
    await walk("GET", f"/1.2/usage-limit?api_key={made.key}&extended=true", None)


async def walk_perspective(walk: Walker) -> None:
    site = walk.service.site.name
    made = await site_keys.add_key(walk.service.database, site, actor="test", dialect="perspective")
    asked = {"comment": {"text": TEXT}, "requestedAttributes": {"TOXICITY": {}, "SPAM": {}}}
    said = {"comment": {"text": TEXT}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}}
    analyze, suggest = (f"/v1alpha1/comments:{name}" for name in ("analyze", "suggestscore"))
    for more in ({}, {"spanAnnotations": True, "clientToken": "t", "languages": ["en"]}):
        await walk("POST", f"{analyze}?key={made.key}", None, json=asked | more)
    await walk("POST", f"{suggest}?key={made.key}", None, json=said | {"clientToken": "t"})
    for path in (analyze, suggest):
        await walk("POST", path, None, json=asked)
        await walk("POST", f"{path}?key=nonsense", None, json=asked)
        await walk("POST", f"{path}?key={made.key}", None, data=b"{")
    await walk("GET", "/$discovery/rest?version=v1alpha1", None)
    await walk("GET", "/$discovery/rest?version=v2", None)


async def walk_static_site(walk: Walker) -> None:
    place = f"/sites/{walk.service.site.name}"
    stored = await walk.service.submit("تعليق للنشر على الصفحة")
    decision = {"verdict": "approve", "revision": 1, "moderator": "desk"}
    await walk("POST", f"/v1/comments/{stored[1]['id']}/decision", json=decision)
    _, page = await walk("GET", f"{place}/threads/12/comments?limit=1", None)
    assert len(page["items"]) == 1
    await walk("GET", f"{place}/threads/12/comments", None, headers={"If-None-Match": "*"})
    await walk("GET", f"{place}/threads/12/comments?limit=0", None)
    await walk("GET", "/sites/nobody/threads/12/comments", None)
    for path in (f"{place}/form", "/sites/nobody/form", "/embed.js", "/embed.css"):
        await walk("GET", path, None)
    fields = {"author": "ليلى", "email": "layla@example.com", "comment": TEXT, "comment_post_ID": "12"}
    onward = {"redirect_to": "https://news.example/thanks"}
    headers = {"Accept": "text/html"}
    await walk(
        "POST", f"{place}/comments", None, data=fields | onward, headers=headers, allow_redirects=False
    )


async def walk_coral(walk: Walker) -> None:
    service = walk.service
    site = service.site.name
    made = await site_keys.add_signing_key(
        service.database, service.vault, site, actor="test", dialect="coral"
    )

    async def ask(path: str, message: Any, signature: str | None = None) -> int:
        body = message if isinstance(message, bytes) else json.dumps(message, indent=2).encode()
        made_here = "sha256=" + hmac.new(made.key.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Coral-Signature": signature or made_here}
        status, _ = await walk("POST", f"/coral/{site}/{path}", None, data=body, headers=headers)
        return int(status)

    def request(text: str) -> dict[str, Any]:
        return {"comment": {"body": text}, "author": {"id": "u"}, "story": {"id": "s"}}

    assert await ask("moderate", request(TEXT)) == 200
    await set_policy(
        service.database,
        site,
        {"mode": "post", "thresholds": {"*": {"spam": {"doubt": 0.3, "reject": 0.6}}}},
        actor="test",
    )
    await service.client.server.app[DIRECTORY].refresh()  # type: ignore[union-attr]
    assert await ask("moderate", request(TEXT + " !")) == 204
    await ask(
        "moderate", request("اربح 5000 دولار يوميا من المنزل، راسلني واتساب +201001234567 http://win.example")
    )
    await ask("moderate", b"{")
    for path in ("moderate", "webhooks"):
        await ask(path, {}, signature="sha256=00")
    await walk("POST", "/coral/nobody/moderate", None, data=b"{}")
    await ask("webhooks", {"id": "e", "type": "COMMENT_CREATED", "data": {"commentID": "c"}})
    await ask("webhooks", b"{")
    await set_policy(service.database, site, {"mode": "pre", "thresholds": None}, actor="test")
    await service.client.server.app[DIRECTORY].refresh()  # type: ignore[union-attr]
