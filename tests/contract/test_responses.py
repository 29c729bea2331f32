"""From the first comment to the last undo, with every answer held against the document."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest_asyncio
from blockbuster import blockbuster_ctx
from standardwebhooks import Webhook

from moderation.console.pages import FILES
from moderation.delivery.sequencer import Sequencer
from moderation.domain.clock import utc_now
from moderation.domain.ids import new_uuid
from moderation.engines import EngineAddresses
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.problems import PROBLEMS
from moderation.storage.administration import passwords
from moderation.storage.database import connect
from tests.console import PASSWORD, add_account, make_entries
from tests.contract.dialects import walk_akismet, walk_coral, walk_perspective, walk_static_site
from tests.contract.walk import Walker
from tests.service import comment, running_service, seed_moderator, seed_site

FORM = {
    "author": "ليلى",
    "email": "layla@example.com",
    "comment": "تعليق من النموذج",
    "comment_post_ID": "12",
}
NOT_WALKED = {
    "not-found",
    "internal",
    "unavailable",
    "invalid-configuration",
    "method-not-allowed",
    "expectation-failed",
    "address-too-long",
    "headers-too-large",
    "version-not-supported",
    "unknown-site",
    "conflict",
}
"""Problems that the walk may leave to other tests."""


@pytest_asyncio.fixture(loop_scope="session")
async def walker(fresh_database_url: str, running_engines: EngineAddresses):
    async with running_service(fresh_database_url, running_engines.redis_url) as service:
        roles = {
            name: await seed_moderator(service.database, {service.site.id: name})
            for name in ("moderator", "lead")
        }
        await add_demonstration(service)
        yield Walker(service, {"site": service.site.key, **roles})


async def add_demonstration(service: Any) -> None:
    """Name a site as the demonstration's, so that its pages are served."""
    demo = await seed_site(service.database, service.vault)
    async with service.database.transaction() as connection:
        await connection.execute("UPDATE sites SET name = 'demo' WHERE id = $1", demo.id)


def signed(walker: Walker, kind: str, data: dict[str, Any], message_id: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    body = json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data})
    signature = Webhook(walker.service.site.inbound_secret).sign(message_id, now, body)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    return {"data": body, "headers": headers}


async def walk_intake(walk: Walker) -> None:
    sent = comment(external_id="1", context={"section": "city"}, language="ar")
    _, first = await walk("POST", "/v1/comments", json=sent)
    await walk("POST", "/v1/comments", json=sent)
    path = f"/v1/comments/{first['id']}"
    await walk("PUT", path, json={"text": "نص آخر"}, headers={"If-Match": '"1"'})
    await walk("PUT", path, json={"text": "نص ثالث"}, headers={"If-Match": '"1"'})
    await walk("GET", path)
    await walk("GET", path, "moderator")
    await walk("GET", path + "/history")
    key = {"Idempotency-Key": "k"}
    await walk("POST", "/v1/comments", json=comment(), headers=key)
    await walk("POST", "/v1/comments", json=comment("غيره"), headers=key)
    await walk("POST", "/v1/comments", json={"author": {"email": "x"}}, headers={"Accept-Language": "en"})
    await walk("POST", "/v1/comments", data=b"{")
    await walk("POST", "/v1/comments", data=b"x" * 300_000)
    await walk("POST", "/v1/comments", data=b"{}", headers={"Content-Encoding": "gzip"})
    await walk("POST", "/v1/comments", None, json=sent)
    await walk("POST", "/v1/comments", "moderator", json=sent)
    await walk("DELETE", path)
    await walk("GET", path)
    await walk("GET", f"/v1/comments/{new_uuid()}")
    history = comment() | {"state": "rejected", "decided_at": "2025-01-01T00:00:00Z", "reason": "spam"}
    lines = [comment(), history, {"text": ""}, "not an object", comment(external_id="2")]
    body = "\n".join([*(json.dumps(line) for line in lines), "{", "x" * 300_000])
    _, answers = await walk("POST", "/v1/comments/batch", data=body)
    statuses = [json.loads(line)["status"] for line in answers.splitlines()]
    assert statuses == [201, 201, 422, 422, 201, 400, 413]


async def walk_webhook(walk: Walker) -> None:
    path = f"/v1/sites/{walk.service.site.name}/webhook"
    data = comment(external_id="w1")
    for _ in range(2):
        await walk("POST", path, None, **signed(walk, "comment.created", data, "m1"))
    await walk("POST", path, None, **signed(walk, "comment.deleted", {"external_id": "w1"}, "m2"))
    await walk("POST", path, None, **signed(walk, "comment.deleted", {"external_id": "nobody's"}, "m3"))
    await walk("POST", path, None, **signed(walk, "nonsense", {}, "m4"))
    await walk("POST", path, None, data=b"{}")


async def walk_form(walk: Walker) -> None:
    path = f"/sites/{walk.service.site.name}/comments"
    for accept in ("text/html", "application/json"):
        headers = {"Accept": accept, "Origin": "https://news.example"}
        fields = FORM | {"comment": f"من النموذج {accept}"}
        for _ in range(2):
            await walk("POST", path, None, data=fields, headers=headers)
        await walk("POST", path, None, data={}, headers=headers)
        await walk("POST", "/sites/no-such-site/comments", None, data=FORM, headers=headers)
        await walk("POST", path, None, data=b"x", headers=headers | {"Content-Type": "text/plain"})
        await walk("OPTIONS", path, None, headers=headers)


async def held(walk: Walker, text: str = "تعليق ينتظر") -> str:
    _, body = await walk("POST", "/v1/comments", json=comment(text))
    return str(body["id"])


async def walk_review(walk: Walker) -> None:
    await walk(
        "GET", "/v1/queue?order=uncertain&kind=held&reason=premoderation&language=ar&thread=12", "moderator"
    )
    await walk("GET", "/v1/queue?kind=escalated", "moderator")
    await walk("GET", "/v1/queue?limit=many", "moderator")
    for reader in ("moderator", "lead", "site"):
        await walk("GET", f"/v1/queue/counts?site={walk.service.site.name}", reader)
        await walk("GET", "/v1/me", reader)
    await walk("GET", "/v1/queue/counts?site=nobody", "lead")
    _, claimed = await walk("POST", "/v1/queue/claim", "moderator", json={"limit": 2})
    await walk("GET", "/v1/queue", "lead")
    await walk("POST", "/v1/queue/claim", "moderator", json={"limit": 0})
    own, other = (entry["claim"]["id"] for entry in claimed["items"])
    await walk("PUT", f"/v1/claims/{own}", "moderator")
    await walk("PUT", f"/v1/claims/{own}", "lead")
    await walk("DELETE", f"/v1/claims/{other}", "moderator")
    await walk("DELETE", f"/v1/claims/{other}", "moderator")
    taken, revision = claimed["items"][0]["comment"]["id"], claimed["items"][0]["comment"]["revision"]
    await walk(
        "POST", f"/v1/comments/{taken}/decision", "lead", json={"verdict": "approve", "revision": revision}
    )
    path = f"/v1/comments/{await held(walk)}"
    await walk("POST", path + "/decision", "moderator", json={"verdict": "approve", "revision": 7})
    await walk("POST", path + "/decision", "moderator", json={"verdict": "hold", "revision": 1})
    await walk("POST", path + "/decision", "moderator", json={})
    await walk("POST", path + "/escalate", "moderator", json={"revision": 1, "note": "للنظر"})
    await walk(
        "POST", path + "/decision", "lead", json={"verdict": "reject", "reason": "insult", "revision": 1}
    )
    await walk(
        "POST", path + "/decision", "site", json={"verdict": "approve", "revision": 1, "moderator": "desk"}
    )
    await walk("POST", path + "/undo", "lead")
    await walk("GET", path + "/history", "lead")
    items = [{"id": await held(walk, f"واحد من كثير {n}"), "revision": 1 + n} for n in range(2)]
    ruling = {"verdict": "approve", "items": [*items, {"id": "nonsense"}, 7]}
    _, results = await walk("POST", "/v1/decisions", "moderator", json=ruling)
    assert [result["status"] for result in results["results"]] == [200, 409, 422, 422]


async def walk_insight(walk: Walker) -> None:
    site = walk.service.site.name
    author = comment()["author"]
    made = [
        (await walk("POST", "/v1/comments", json=comment(f"ترام {n}", author=author)))[1]["id"]
        for n in range(3)
    ]
    await make_entries(walk.service)
    path = f"/v1/comments/{made[1]}"
    for reader in ("moderator", "lead", "site"):
        await walk("GET", path + "/author", reader)
        await walk("GET", path + "/thread", reader)
        await walk("GET", f"/v1/search?site={site}&q=الترام&state=held&author={made[0]}&limit=1", reader)
        await walk("POST", path + "/author", reader, json={"standing": "blocked", "note": "كثرة"})
    await walk("POST", path + "/author", "lead", json={"standing": "none"})
    await walk("POST", path + "/author", "lead", json={"standing": "trusted", "by": "address"})
    for query in (
        "site=nobody",
        f"site={site}&author={new_uuid()}",
        f"site={site}&cursor=x",
        f"site={site}&q=؟",
    ):
        await walk("GET", f"/v1/search?{query}", "lead")
    await walk("DELETE", path)
    await walk("GET", path + "/author", "lead")


async def walk_rights(walk: Walker) -> None:
    author = comment()["author"]
    _, body = await walk("POST", "/v1/comments", json=comment("تعليق يُمحى", author=author))
    path = f"/v1/comments/{body['id']}/records"
    for reader in ("site", "moderator"):
        await walk("GET", path, reader)
    await walk(
        "POST", "/v1/comments/" + body["id"] + "/decision", "lead", json={"verdict": "reject", "revision": 1}
    )
    await walk("POST", "/v1/erasures", json={"email": author["email"]})
    await walk("POST", "/v1/erasures", json={"email": "nobody"})
    await walk("POST", "/v1/erasures", json={})
    await walk("POST", "/v1/erasures", "lead", json={"email": author["email"]})
    _, body = await walk("GET", path)
    assert [record["measure"] for record in body["records"]] == ["withheld", "not_published", "withdrawn"]
    await walk("GET", f"/v1/comments/{new_uuid()}/records")


async def walk_learning(walk: Walker) -> None:
    site = walk.service.site.name
    for reader in ("lead", "moderator", "site"):
        await walk("GET", f"/v1/health?site={site}", reader)
    await walk("GET", "/v1/health?site=nobody", "lead")
    await walk("GET", f"/v1/colleagues?site={site}", "lead")
    await walk("GET", "/v1/colleagues?site=nobody", "lead")
    await walk("GET", "/v1/health", "lead")


async def walk_the_rest(walk: Walker) -> None:
    connection = await connect(walk.service.database.url)
    await Sequencer(walk.service.database.url, utc_now).number(connection)
    await connection.close()
    _, page = await walk("GET", "/v1/events?after=0&limit=1000")
    assert {event["type"] for event in page["events"]} == {"comment.decided", "comment.deleted"}
    await walk("GET", "/v1/events?after=999999999")
    await walk("GET", "/v1/events?after=x")
    for path in (
        "/livez",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/docs/docs.css",
        "/problems/gone",
    ):
        await walk("GET", path, None)
    assert (await walk("GET", "/", None, allow_redirects=False))[0] == 303
    await walk("GET", "/problems/nonsense", None)
    for path in ("/try", "/try?lang=en", "/try/static/try.js", "/try/static/try.css", "/try/static/nonsense"):
        await walk("GET", path, None)


async def walk_console(walk: Walker) -> None:
    account = await add_account(walk.service, {walk.service.site.id: "lead"})
    origin = {"Origin": str(walk.service.client.make_url("")).rstrip("/")}
    form = {"email": account.email, "password": PASSWORD}

    async def visit(method: str, path: str, **options: Any) -> tuple[int, Any]:
        headers = origin | options.pop("headers", {})
        found: tuple[int, Any] = await walk(
            method, path, None, headers=headers, allow_redirects=False, **options
        )
        return found

    for path in (
        "/console",
        "/console/",
        "/console/search",
        f"/console/comments/{new_uuid()}",
        "/console/sign-in",
    ):
        await visit("GET", path)
    await visit("GET", "/console/static/console.css")
    tag = {"If-None-Match": f'"{FILES["console.css"].tag}"', "Accept-Encoding": "identity"}
    await visit("GET", "/console/static/console.css", headers=tag)
    await visit("GET", "/console/static/nonsense")
    for accept in ("text/html", "application/json"):
        assert (await visit("GET", "/console/nowhere", headers={"Accept": accept}))[0] == 404
    await visit("POST", "/console/sign-in", data=b"{}", headers={"Content-Type": "application/json"})
    await visit("POST", "/console/sign-in", data=form, headers={"Origin": "https://evil.example"})
    token = await passwords.invite(
        walk.service.database, walk.service.vault, account.email, actor="test", now=utc_now()
    )
    path = f"/console/welcome/{token}"
    await visit("GET", path)
    await visit("POST", path, data=form, headers={"Origin": "https://evil.example"})
    await visit("POST", path, data={"password": "short", "again": "short"})
    await visit("POST", path, data={"password": PASSWORD, "again": PASSWORD})
    for method in ("GET", "POST"):
        await visit(method, path, **({} if method == "GET" else {"data": {"password": "x", "again": "x"}}))
    for path in ("/console/", "/console/search", f"/console/comments/{new_uuid()}"):
        assert (await visit("GET", path))[0] == 200, "the client keeps the cookie"
    assert (await visit("GET", "/console/sign-in"))[0] == 303
    assert (await visit("GET", "/console/sessions"))[0] == 200
    for path in ("/console/sessions", "/console/sign-out"):
        assert (await visit("POST", path))[0] == 403
    statuses = [(await visit("POST", "/console/sign-in", data=form))[0] for _ in range(6)]
    assert statuses == [303] * 5 + [429]
    walk.service.client.session.cookie_jar.clear()
    assert (await visit("POST", "/console/sign-out"))[0] == 303
    for method in ("GET", "POST"):
        assert (await visit(method, "/console/sessions"))[0] == 303
    await walk_second_factor(walk, visit)


async def walk_second_factor(walk: Walker, visit: Any) -> None:
    """Set a factor, be refused, come in by a recovery code, and remove it."""
    account = await add_account(walk.service, {walk.service.site.id: "lead"})
    form = {"email": account.email, "password": PASSWORD}
    for method in ("GET", "POST"):
        assert (await visit(method, "/console/second-factor"))[0] == 303
    assert (await visit("POST", "/console/sign-in", data=form))[0] == 303

    def hidden(page: str, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', page)
        assert found is not None
        return found[1]

    _, page = await visit("GET", "/console/second-factor")
    (secret,) = re.findall(r'<code dir="ltr">(\w+)</code>', page)
    proof = {"csrf_token": hidden(page, "csrf_token")}
    fields = proof | {"do": "set", "offer": hidden(page, "offer"), "password": PASSWORD}
    assert (await visit("POST", "/console/second-factor", data={"do": "set"}))[0] == 403
    assert (await visit("POST", "/console/second-factor", data=fields | {"code": "1"}))[0] == 403
    status, page = await visit(
        "POST", "/console/second-factor", data=fields | {"code": pyotp.TOTP(secret).now()}
    )
    assert status == 200
    first, second, third, *_ = re.findall(r"<li><code>([a-z0-9-]+)</code>", page)
    assert (await visit("GET", "/console/second-factor"))[0] == 200
    status, page = await visit("POST", "/console/sign-in", data=form)
    assert status == 200
    ticket = {"ticket": hidden(page, "ticket")}
    assert (await visit("POST", "/console/sign-in/code", data=ticket | {"code": "1"}))[0] == 403
    assert (await visit("POST", "/console/sign-in/code", data=ticket | {"recovery": first}))[0] == 303
    database, vault = walk.service.database, walk.service.vault
    link = await passwords.invite(database, vault, account.email, actor="test", now=utc_now())
    chosen = {"password": PASSWORD, "again": PASSWORD}
    status, page = await visit("POST", f"/console/welcome/{link}", data=chosen)
    assert status == 200
    again = {"ticket": hidden(page, "ticket"), "recovery": third}
    assert (await visit("POST", "/console/sign-in/code", data=again))[0] == 303
    _, page = await visit("GET", "/console/second-factor")
    proof = {"csrf_token": hidden(page, "csrf_token"), "do": "remove"}
    assert (await visit("POST", "/console/second-factor", data=proof | {"code": second}))[0] == 303
    assert (await visit("POST", "/console/sign-in/code", data=ticket | {"code": "1"}))[
        0
    ] == 403  # no factor, no ticket
    assert (await visit("POST", "/console/second-factor", data={"ticket": "x"}))[0] == 403
    walk.service.client.session.cookie_jar.clear()


async def walk_limits(walk: Walker) -> None:
    async with walk.service.database.transaction() as connection:
        await connection.execute(
            "UPDATE sites SET settings = jsonb_set(settings, '{limits,author}', $1::jsonb) WHERE id = $2",
            {"count": 1, "period_s": 60, "burst": 1},
            walk.service.site.id,
        )
        await connection.execute("UPDATE instance SET config_version = config_version + 1")
    await walk.service.client.server.app[DIRECTORY].refresh()
    author = comment()["author"]
    statuses = [
        (await walk("POST", "/v1/comments", json=comment(f"{n}", author=author)))[0] for n in range(3)
    ]
    assert 429 in statuses


@contextmanager
def nothing_blocks() -> Iterator[None]:
    """Let any call of the service fail that would hold up the event loop."""
    with blockbuster_ctx("moderation") as guard:
        # A new connection looks for a file of passwords, metrics of the process are read from /proc: neither waits for a disk.
        guard.functions["os.stat"].can_block_in("asyncpg/connect_utils.py", "_read_password_file")
        for function in guard.functions.values():
            function.can_block_in("prometheus_client/process_collector.py", "collect")
        yield


async def walk_every_route(walker: Walker) -> None:
    """Ask every route for each of its answers; fails where one was not seen, or is not as described."""
    dialects = (walk_akismet, walk_perspective, walk_coral, walk_static_site)
    for walk in (
        walk_intake,
        walk_webhook,
        walk_form,
        *dialects,
        walk_review,
        walk_insight,
        walk_rights,
        walk_learning,
        walk_the_rest,
        walk_console,
        walk_limits,
    ):
        await walk(walker)
    assert not walker.missing(), "let a walk of this module see these answers"
    assert not PROBLEMS.keys() - walker.problems - NOT_WALKED


async def test_every_answer_of_a_walk_through_every_route_is_as_described_and_blocks_nothing(walker: Walker):
    with nothing_blocks():
        await walk_every_route(walker)
