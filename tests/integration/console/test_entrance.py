"""Signing in and out, and setting a password: who comes in, who does not, and what a forged request is worth."""

import asyncio
import io
import json
import re
from datetime import timedelta

import argon2
import pytest
import pytest_asyncio
from click.testing import CliRunner, Result
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from yarl import URL

from moderation.cli.program import program
from moderation.console import entrance
from moderation.console.words import WORDS
from moderation.domain.clock import utc_now
from moderation.domain.errors import DependencyUnavailableError
from moderation.domain.rates import Limit, Limits
from moderation.engines import EngineAddresses
from moderation.storage import sessions
from moderation.storage.administration import moderators, passwords
from moderation.storage.database import Database
from moderation.storage.sessions import Sessions, sweep_sessions
from moderation.telemetry import configure_logging
from tests.console import PASSWORD, Account, Browser, add_account, begin_session, browser
from tests.integration.privacy.test_leaks import bind_keys, logged, outside
from tests.service import RunningService, comment, running_service, seed_site

WRONG = "البريد الإلكتروني أو كلمة المرور غير صحيحة."
ARABIC = {"Accept-Language": "ar"}
API = "/v1/queue"


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nobody_tried_before(running_engines: EngineAddresses) -> None:
    """The cell of all attempts together is that of every test on the same Redis."""
    await forget_attempts(running_engines)


async def forget_attempts(running_engines: EngineAddresses) -> None:
    redis = Redis.from_url(running_engines.redis_url or "")
    await redis.delete("rates:{*sign-in}:s")
    await redis.aclose()


async def sessions_kept(service: RunningService) -> int:
    async with service.database.connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM sessions"))


async def held(service: RunningService) -> str:
    return str((await service.call("POST", "/v1/comments", json=comment()))[1]["id"])


async def test_whoever_is_not_signed_in_is_led_to_the_form(visitor: Browser) -> None:
    assert (await visitor.send("GET", "/console")).headers["Location"] == "/console/"
    assert (await visitor.send("GET", "/console/")).headers["Location"] == "/console/sign-in"
    onward = (await visitor.send("GET", "/console/?lang=en")).headers["Location"]
    assert onward == "/console/sign-in?next=/console/%3Flang%3Den&lang=en"  # asked for, so spoken there, too
    form = await visitor.send("GET", onward)
    assert 'name="next" value="/console/?lang=en"' in form.body
    assert (await visitor.send("GET", API)).status == 401
    assert (await visitor.send("GET", "/")).headers["Location"] == "/docs"
    assert '<a href="/console/">' in (await visitor.send("GET", "/docs")).body, "whoever has the bare address"


async def test_a_signed_in_person_works_by_the_same_api_as_everybody(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    comment_id = await held(service)
    await visitor.sign_in(account)
    queue = await visitor.send("GET", API)
    assert [item["comment"]["id"] for item in queue.body["items"]] == [comment_id]
    decided = await visitor.send(
        "POST", f"/v1/comments/{comment_id}/decision", json={"verdict": "approve", "revision": 1}
    )
    assert (decided.status, decided.body["state"]) == (200, "approved")
    assert queue.headers["Cache-Control"] == decided.headers["Cache-Control"] == "no-store"
    history = await visitor.send("GET", f"/v1/comments/{comment_id}/history")
    assert history.body["decisions"][-1]["moderator"] == str(account.id)
    assert "هدى" in (await visitor.send("GET", "/console/")).body


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(
    visitor: Browser, account: Account
) -> None:
    reply = await visitor.try_to_sign_in(account.email, PASSWORD)
    written, known = reply.headers.getall("Set-Cookie")
    assert re.fullmatch(
        r"moderation-known=[\w-]{16}\.[0-9a-f]{32}; HttpOnly; Max-Age=15552000; Path=/console/sign-in; SameSite=Lax",
        known,
    ), known
    assert re.fullmatch(
        r"moderation=mdc_[\w-]{43}; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax", written
    ), written
    elsewhere, _ = (
        await visitor.send(
            "POST",
            "/console/sign-in",
            data={"email": account.email, "password": PASSWORD},
            headers={"Host": "desk.example", "Origin": "https://desk.example"},
        )
    ).headers.getall("Set-Cookie")
    assert re.fullmatch(
        r"__Host-moderation=mdc_[\w-]{43}; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax; Secure", elsewhere
    ), elsewhere


async def test_the_name_of_the_cookie_goes_by_the_connection(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    """One that another page of this machine could have planted is not read where there is a better one."""
    token = await begin_session(Sessions(service.database, clock=utc_now), account)
    for host, name, status in (
        (None, "moderation", 200),
        (None, "__Host-moderation", 401),
        ("desk.example", "moderation", 401),
        ("desk.example", "__Host-moderation", 200),
    ):
        headers = {"Cookie": f"{name}={token}"} | ({"Host": host} if host else {})
        assert (await visitor.send("GET", API, headers=headers)).status == status, (host, name)


@pytest.mark.parametrize("lead", ["nobody@desk.example", "no address", ""])
async def test_an_unknown_address_is_answered_as_a_wrong_password_is(
    visitor: Browser, account: Account, lead: str
) -> None:
    wrong = await visitor.send(
        "POST", "/console/sign-in", data={"email": account.email, "password": "x"}, headers=ARABIC
    )
    unknown = await visitor.send(
        "POST", "/console/sign-in", data={"email": lead, "password": PASSWORD}, headers=ARABIC
    )
    assert wrong.status == unknown.status == 403
    assert WRONG in wrong.body
    assert WRONG in unknown.body
    if lead:  # an empty field has the focus instead
        assert wrong.body.replace(account.email, "") == unknown.body.replace(lead, "")
    assert visitor.cookies == {}


async def test_an_unknown_address_costs_as_much_as_a_wrong_password(
    visitor: Browser, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = []
    monkeypatch.setattr(entrance.Passwords, "_work", _counting(worked, entrance.Passwords._work))
    await visitor.try_to_sign_in(
        "nobody@desk.example", PASSWORD
    )  # hashes for nobody once more, the first time
    worked.clear()
    for email in (account.email, "nobody@desk.example", "no address"):
        await visitor.try_to_sign_in(email, "not the password")
    assert worked == ["_holds"] * 3


def _counting(worked: list[str], work):
    async def count(self, function, *values):
        worked.append(function.__name__)
        return await work(self, function, *values)

    return count


async def test_somebody_without_a_password_or_disabled_cannot_come_in(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    newcomer = await add_account(service, {service.site.id: "lead"}, password=None)
    assert (await visitor.try_to_sign_in(newcomer.email, "")).status == 403
    await moderators.disable_moderator(service.database, service.vault, account.email, actor="test")
    assert (await visitor.try_to_sign_in(account.email, PASSWORD)).status == 403


async def test_a_session_given_to_somebody_beforehand_is_worth_nothing(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    """No fixation: signing in makes a new token, and ends the one that the browser came with."""
    planted = await begin_session(Sessions(service.database, clock=utc_now), account)
    visitor.cookies["moderation"] = planted
    await visitor.sign_in(account)
    assert visitor.cookies["moderation"] != planted
    visitor.cookies["moderation"] = planted
    assert (await visitor.send("GET", API)).status == 401
    visitor.cookies["moderation"] = "made-up"
    assert (await visitor.send("GET", API)).status == 401


FORGERIES = {
    "without the token": {"X-CSRF-Token": None},
    "with another session's token": {"X-CSRF-Token": "0" * 64},
    "with nonsense": {"X-CSRF-Token": "é"},
    "from another site": {"Origin": "https://evil.example"},
    "from another port": {"Origin": "http://127.0.0.1:1"},
    "from a sandbox": {"Origin": "null"},
    "as the browser says": {"Sec-Fetch-Site": "cross-site"},
    "from a site beside it": {"Sec-Fetch-Site": "same-site", "Origin": None},
    "without a word of where from": {"Origin": None},
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_request_changes_nothing(
    service: RunningService, visitor: Browser, account: Account, forgery: dict[str, str | None]
) -> None:
    comment_id = await held(service)
    await visitor.sign_in(account)
    ruling = {"verdict": "approve", "revision": 1}
    for method, path, body in (
        ("POST", f"/v1/comments/{comment_id}/decision", ruling),
        ("POST", "/v1/queue/claim", {}),
        ("DELETE", "/v1/claims/01950000-0000-7000-8000-000000000009", None),
    ):
        reply = await visitor.send(method, path, json=body, headers=forgery)
        assert (reply.status, reply.body["type"]) == (403, "/problems/not-permitted"), path
    out = await visitor.send("POST", "/console/sign-out", headers=forgery)
    assert out.status == 403
    assert (await service.call("GET", f"/v1/comments/{comment_id}"))[1]["state"] == "held"
    assert (await visitor.send("GET", API)).status == 200


async def test_nobody_is_signed_in_by_another_sites_form(visitor: Browser, account: Account) -> None:
    for origin in ("https://evil.example", "null", None):
        reply = await visitor.send(
            "POST",
            "/console/sign-in",
            data={"email": account.email, "password": PASSWORD},
            headers={"Origin": origin},
        )
        assert reply.status == 403
    assert visitor.cookies == {}


async def test_a_bearer_needs_no_proof_and_no_cookie_stands_in_for_a_wrong_one(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    token = await moderators.add_token(service.database, service.vault, account.email, actor="test")
    bearer = {"Authorization": f"Bearer {token}", "Origin": "https://anywhere.example"}
    assert (await visitor.send("POST", "/v1/queue/claim", json={}, headers=bearer)).status == 200
    await visitor.sign_in(account)
    wrong = {"Authorization": "Bearer mdu_" + "x" * 43}
    assert (await visitor.send("GET", API, headers=wrong)).status == 401


async def test_a_session_is_a_person_and_never_a_site(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    await visitor.sign_in(account)
    assert (await visitor.send("POST", "/v1/comments", json=comment())).status == 403
    assert (await visitor.send("GET", "/v1/events")).status == 403
    assert (await visitor.send("POST", "/v1/erasures", json={"email": "a@b.example"})).status == 403
    visitor.cookies["moderation"] = service.site.key
    assert (await visitor.send("POST", "/v1/comments", json=comment())).status == 401


async def test_a_session_does_not_reach_another_site(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    other = await seed_site(service.database, service.vault)
    status, foreign = await service.call("POST", "/v1/comments", key=other.key, json=comment())
    assert status == 201
    await visitor.sign_in(account)
    path = f"/v1/comments/{foreign['id']}"
    for method, asked, body in (
        ("GET", path, None),
        ("GET", path + "/history", None),
        ("GET", f"/v1/queue?site={other.name}", None),
        ("POST", path + "/decision", {"verdict": "approve", "revision": 1}),
    ):
        assert (await visitor.send(method, asked, json=body)).status == 404, asked


async def test_people_see_a_page_and_no_json_when_something_is_wrong(
    service: RunningService, visitor: Browser, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await visitor.sign_in(account)
    old = await visitor.send(
        "POST", "/console/sign-out", data={"csrf_token": "old"}, headers={"X-CSRF-Token": None}
    )
    assert old.status == 403
    assert WORDS["fault_origin"][1] in old.body

    async def away(*_args: object, **_kwargs: object) -> None:
        raise DependencyUnavailableError("postgresql")

    monkeypatch.setattr(Sessions, "find", away)
    monkeypatch.setattr(entrance, "invited_account", away)
    before = counted("unavailable")
    for method, path in (
        ("GET", "/console/"),
        ("GET", "/console/sign-in"),
        ("POST", "/console/sign-out"),
        ("POST", "/console/sessions"),
        ("GET", "/console/welcome/mdi_x"),
    ):
        reply = await visitor.send(method, path)
        assert (reply.status, reply.headers["Retry-After"]) == (503, "2"), path
        assert WORDS["fault_unavailable"][1] in reply.body, path
    assert counted("unavailable") == before + 1, "looking at a page, or ending a session, is no attempt"


async def test_an_address_that_leads_nowhere_is_a_page_to_a_browser_and_a_problem_to_a_program(
    visitor: Browser, account: Account
) -> None:
    wanted = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for language, column in (("ar", 0), ("en", 1)):
        for path in ("/console/nowhere", "/console/comments/", "/console/search/more"):
            reply = await visitor.send("GET", path, headers=wanted | {"Accept-Language": language})
            assert (reply.status, reply.headers["Content-Language"]) == (404, language)
            assert WORDS["no_page"][column] in reply.body
            assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    plain = await visitor.send("GET", "/console/nowhere", headers={"Accept": "*/*"})
    assert (plain.status, plain.body["status"]) == (404, 404)
    assert (await visitor.send("POST", "/console/search", data={"q": "x"})).status == 405
    await visitor.sign_in(account)
    assert (await visitor.send("GET", "/console/nowhere", headers=wanted)).status == 404


async def test_it_is_said_where_the_browser_would_not_keep_the_session(visitor: Browser) -> None:
    desk = {"Host": "desk.example", "Sec-Fetch-Site": None}
    said = WORDS["insecure"][1]
    assert said in (await visitor.send("GET", "/console/sign-in", headers=desk)).body
    assert said not in (await visitor.send("GET", "/console/sign-in")).body
    fetched = desk | {"Sec-Fetch-Mode": "navigate"}  # as browsers say on https alone, whatever a proxy says
    assert said not in (await visitor.send("GET", "/console/sign-in", headers=fetched)).body


async def test_signing_out_ends_the_session_here_and_with_everywhere_all_of_them(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    async with browser(service) as second, browser(service) as third:
        for each in (visitor, second, third):
            await each.sign_in(account)
        token = visitor.cookies["moderation"]
        out = await visitor.send("POST", "/console/sign-out")
        assert (out.status, out.headers["Location"]) == (303, "/console/sign-in")
        assert "moderation" not in visitor.cookies
        visitor.cookies["moderation"] = token
        assert (await visitor.send("GET", API)).status == 401
        assert (await second.send("GET", API)).status == 200
        form = {"csrf_token": second.csrf, "everywhere": "1"}
        out = await second.send("POST", "/console/sign-out", data=form, headers={"X-CSRF-Token": None})
        assert out.status == 303
        assert (await third.send("GET", API)).status == 401
    assert await sessions_kept(service) == 0


async def test_a_disabled_person_is_out_at_once(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    await visitor.sign_in(account)
    await moderators.disable_moderator(service.database, service.vault, account.email, actor="test")
    assert (await visitor.send("GET", API)).status == 401
    assert (await visitor.send("GET", "/console/")).status == 303
    assert await sessions_kept(service) == 0


async def test_no_session_of_a_disabled_person_counts_and_none_begins(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    """Also where the row is still there, and where the password was looked at before the change."""
    await visitor.sign_in(account)
    kept = Sessions(service.database, clock=utc_now)
    async with service.database.connection() as connection:
        await connection.execute("UPDATE moderators SET disabled_at = now()")
        assert (await visitor.send("GET", API)).status == 401
        assert await kept.begin(account.id, password=account.encoded) is None
        await connection.execute("UPDATE moderators SET disabled_at = NULL")
    assert (await visitor.send("GET", API)).status == 200
    await passwords.set_password(service.database, service.vault, account.email, "another", actor="test")
    assert await kept.begin(account.id, password=account.encoded) is None
    assert await sessions_kept(service) == 0


async def test_a_hash_of_yesterday_is_made_anew_at_the_next_sign_in(
    service: RunningService, visitor: Browser
) -> None:
    account = await add_account(service, {service.site.id: "lead"})
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    async with service.database.connection() as connection:
        await connection.execute("UPDATE moderators SET password = $1", old)
        await visitor.sign_in(account)
        made = await connection.fetchval("SELECT password FROM moderators")
    assert made.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert (await visitor.send("GET", API)).status == 200
    async with browser(service) as second:
        await second.sign_in(account)


async def test_whose_hash_cannot_be_made_anew_just_now_is_in_nevertheless(
    service: RunningService, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await add_account(service, {service.site.id: "lead"})
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)

    async def away(*_: object) -> None:
        raise DependencyUnavailableError("postgresql")

    monkeypatch.setattr(entrance, "renew_hash", away)
    async with service.database.connection() as connection:
        await connection.execute("UPDATE moderators SET password = $1", old)
    await visitor.sign_in(account)
    assert (await visitor.send("GET", API)).status == 200


async def test_a_role_that_was_taken_away_is_gone_at_the_next_request(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    await visitor.sign_in(account)
    comment_id = await held(service)
    assert (await visitor.send("GET", f"/v1/comments/{comment_id}")).status == 200
    await moderators.remove_role(
        service.database, service.vault, account.email, site=service.site.name, actor="test"
    )
    assert (await visitor.send("GET", f"/v1/comments/{comment_id}")).status == 404


async def test_a_session_ends_when_idle_and_when_old(service: RunningService, account: Account) -> None:
    now = utc_now()
    moments = [now]
    kept = Sessions(service.database, clock=lambda: moments[-1])
    idle, used = await begin_session(kept, account), await begin_session(kept, account)
    moments.append(now + sessions.IDLE - timedelta(seconds=1))
    assert await kept.find(idle) is not None
    assert await kept.find(used) is not None
    moments.append(moments[-1] + sessions.IDLE)
    assert await kept.find(idle) is None
    async with service.database.connection() as connection:
        await sweep_sessions(connection, moments[-1])
        assert await connection.fetchval("SELECT count(*) FROM sessions") == 0
    moments[:] = [now]
    old = await begin_session(kept, account)
    while moments[-1] < now + sessions.LONGEST - timedelta(hours=6):
        moments.append(moments[-1] + timedelta(hours=6))
        assert await kept.find(old) is not None
    moments.append(now + sessions.LONGEST)
    assert await kept.find(old) is None


async def test_a_session_is_written_to_once_a_minute_at_most(
    service: RunningService, account: Account
) -> None:
    now = utc_now()
    moments = [now]
    kept = Sessions(service.database, clock=lambda: moments[-1])
    token = await begin_session(kept, account)
    async with service.database.connection() as connection:
        for seconds, seen in ((59, 0), (61, 61), (100, 61)):
            moments.append(now + timedelta(seconds=seconds))
            assert await kept.find(token) is not None
            assert await connection.fetchval("SELECT seen_at FROM sessions") == now + timedelta(seconds=seen)


async def test_who_is_signed_in_may_read_while_nothing_can_be_written(
    service: RunningService, account: Account
) -> None:
    token = await begin_session(Sessions(service.database, clock=utc_now), account)
    url = str(URL(service.database_url).update_query(default_transaction_read_only="on"))
    read_only = Database(url, size=1)
    later = Sessions(read_only, clock=lambda: utc_now() + 2 * sessions.TOUCHED_EVERY)
    assert await later.find(token) is not None
    await read_only.close()


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("moderation_sign_ins_total", {"outcome": outcome}) or 0.0


async def test_guessing_is_slowed_down_and_says_for_how_long(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    before = [counted(outcome) for outcome in ("wrong", "rate-limited", "done")]
    for _ in range(5):
        assert (await visitor.try_to_sign_in(account.email, "wrong")).status == 403
    refused = await visitor.send(
        "POST", "/console/sign-in", data={"email": account.email, "password": PASSWORD}, headers=ARABIC
    )
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert "محاولات كثيرة" in refused.body
    assert "ثانية" in refused.body
    other = await add_account(service, {service.site.id: "moderator"})
    assert (await visitor.try_to_sign_in(other.email, PASSWORD)).status == 303
    after = [counted(outcome) for outcome in ("wrong", "rate-limited", "done")]
    assert [count - first for count, first in zip(after, before, strict=True)] == [5, 1, 1]


async def test_one_network_cannot_try_many_addresses(visitor: Browser) -> None:
    statuses = [
        (await visitor.try_to_sign_in(f"{number}@desk.example", "wrong")).status for number in range(45)
    ]
    assert statuses[:30] == [403] * 30
    assert 429 in statuses, "a machine under load gets a place back every 10 s"


async def test_one_address_spelled_in_many_ways_is_one(visitor: Browser, service: RunningService) -> None:
    account = await add_account(service, {service.site.id: "lead"})
    name = account.email.partition("@")[0]
    spelled = (
        "dⓔsk.example",
        "ｄesk.example",
        "DESK.example",
        "ⓓⓔsk.example",
        "desk.ⓔxample",
        "desk.example",
    )
    statuses = [(await visitor.try_to_sign_in(f"{name}@{domain}", "wrong")).status for domain in spelled]
    assert statuses == [403] * 5 + [429]


async def test_strangers_do_not_keep_a_known_browser_waiting(
    service: RunningService,
    running_engines: EngineAddresses,
    visitor: Browser,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever cell they fill: of all together, of the network, of the person."""
    await visitor.sign_in(account)
    await forget_attempts(
        running_engines
    )  # what is left of that one would be over before the hour that `full` lasts
    (known,) = (value for name, value in visitor.cookies.items() if name == "moderation-known")
    full = Limit(1, 3600, 1)
    for limits in (
        Limits(author=entrance._OFF, thread=entrance._OFF, address=entrance._OFF, site=full),
        Limits(author=entrance._OFF, thread=entrance._OFF, address=full, site=entrance._OFF),
        Limits(author=entrance._OFF, thread=full, address=entrance._OFF, site=entrance._OFF),
    ):
        monkeypatch.setattr(entrance, "STRANGERS", limits)
        async with browser(service) as stranger:
            for _ in range(2):
                status = (await stranger.try_to_sign_in(account.email, "wrong")).status
            assert status == 429
            other = await add_account(service, {service.site.id: "lead"})
            stranger.cookies["moderation-known"] = known
            status = (await stranger.try_to_sign_in(other.email, "wrong")).status
            assert status == 429 or limits.thread is full, "known for another person is not known"
            stranger.cookies["moderation-known"] = known[:-1] + ("0" if known[-1] != "0" else "1")
            assert (await stranger.try_to_sign_in(account.email, PASSWORD)).status == 429
        async with browser(service) as back:
            back.cookies["moderation-known"] = known
            assert (await back.try_to_sign_in(account.email, PASSWORD)).status == 303


async def test_a_known_browser_may_not_guess_for_ever(visitor: Browser, account: Account) -> None:
    await visitor.sign_in(account)
    statuses = [(await visitor.try_to_sign_in(account.email, "wrong")).status for _ in range(6)]
    assert statuses == [403] * 5 + [429]


@pytest.mark.parametrize(
    ("address", "home"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:5:6:7::1", "2001:db8:5::/48"),
        ("2001:db8:5:ffff::1", "2001:db8:5::/48"),
        (None, ""),
    ],
)
def test_all_networks_of_one_customer_are_one(address: str | None, home: str) -> None:
    assert entrance._home_of(address) == home


async def test_guessing_is_slowed_down_without_redis_too(
    fresh_database_url: str, running_engines: EngineAddresses
) -> None:
    async with running_service(fresh_database_url, "redis://127.0.0.1:1") as service:
        account = await add_account(service, {service.site.id: "moderator"})
        async with browser(service) as visitor:
            for _ in range(5):
                assert (await visitor.try_to_sign_in(account.email, "wrong")).status == 403
            assert (await visitor.try_to_sign_in(account.email, PASSWORD)).status == 429


async def test_losing_redis_signs_nobody_out(
    fresh_database_url: str, running_engines: EngineAddresses
) -> None:
    async with running_service(fresh_database_url, "redis://127.0.0.1:1") as service:
        account = await add_account(service, {service.site.id: "moderator"})
        async with browser(service) as visitor:
            await visitor.sign_in(account)
            assert (await visitor.send("GET", API)).status == 200


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/console/?lang=en", "/console/?lang=en"),
        ("/console/#queue", "/console/#queue"),
        ("https://evil.example/", "/console/"),
        ("//evil.example/", "/console/"),
        ("/console//evil.example", "/console//evil.example"),
        ("/console/../v1/queue", "/console/"),
        ("/console/\\evil.example", "/console/"),
        ("/console/\r\nSet-Cookie: a=b", "/console/"),
        ("/console/sign-out", "/console/"),
        ("javascript:alert(1)", "/console/"),
        ("/docs", "/console/"),
        ("", "/console/"),
    ],
)
async def test_nobody_is_sent_elsewhere(
    visitor: Browser, account: Account, wanted: str, location: str
) -> None:
    reply = await visitor.try_to_sign_in(account.email, PASSWORD, next=wanted)
    assert reply.headers["Location"] == location
    again = await visitor.send("GET", "/console/sign-in?" + "next=" + wanted.replace("\r\n", "%0D%0A"))
    assert (again.status, again.headers["Location"]) == (303, location.partition("#")[0])


async def test_what_was_typed_is_text_on_the_page(visitor: Browser) -> None:
    nasty = '"><script>alert(1)</script>'
    reply = await visitor.try_to_sign_in(nasty, "x", next=nasty)
    assert "<script" not in reply.body
    assert "&lt;script&gt;" in reply.body


async def test_a_name_is_text_on_the_page(service: RunningService, visitor: Browser) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    await visitor.sign_in(await add_account(service, {service.site.id: "lead"}, name=nasty))
    body = (await visitor.send("GET", "/console/")).body
    assert nasty not in body
    assert "&lt;img src=x" in body


async def test_every_page_forbids_frames_inline_scripts_and_keeping(
    visitor: Browser, account: Account
) -> None:
    replies = [
        await visitor.send("GET", "/console/sign-in"),
        await visitor.send("GET", "/console/welcome/mdi_x"),
        await visitor.try_to_sign_in(account.email, "x"),
    ]
    await visitor.sign_in(account)
    replies.append(await visitor.send("GET", "/console/"))
    for reply in replies:
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert reply.headers["X-Frame-Options"] == "DENY"
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Referrer-Policy"] == "same-origin"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", reply.body)


async def test_files_are_kept_by_the_address_that_names_their_content(visitor: Browser) -> None:
    page = (await visitor.send("GET", "/console/sign-in")).body
    (address,) = re.findall(r'href="(/console/static/console\.css\?v=\w+)"', page)
    file = await visitor.send("GET", address)
    assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert file.headers["Content-Type"].startswith("text/css")
    plain = await visitor.send("GET", "/console/static/console.css?v=old")
    assert plain.headers["Cache-Control"] == "no-cache"
    kept = {"If-None-Match": file.headers["ETag"]}
    assert (await visitor.send("GET", "/console/static/console.css", headers=kept)).status == 304
    plain = await visitor.send("GET", address, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert file.headers["Content-Encoding"] == "gzip"
    assert plain.body == file.body
    assert plain.headers["ETag"] != file.headers["ETag"]
    for name in ("nonsense", "..%2F__init__.py", "__init__.py"):
        assert (await visitor.send("GET", f"/console/static/{name}")).status == 404


async def test_a_page_speaks_the_language_asked_for_and_remembers_it(visitor: Browser) -> None:
    assert 'lang="ar" dir="rtl"' in (await visitor.send("GET", "/console/sign-in", headers=ARABIC)).body
    assert 'lang="en" dir="ltr"' in (await visitor.send("GET", "/console/sign-in?lang=en")).body
    for path in ("/console/sign-in", "/console/sign-in?lang=xx"):
        assert 'lang="en" dir="ltr"' in (await visitor.send("GET", path, headers=ARABIC)).body


async def invitation(service: RunningService, account: Account) -> str:
    return await passwords.invite(service.database, service.vault, account.email, actor="test", now=utc_now())


async def choose(visitor: Browser, token: str, password: str, again: str | None = None):
    fields = {"password": password, "again": password if again is None else again}
    return await visitor.send("POST", f"/console/welcome/{token}", data=fields)


async def test_a_link_sets_a_password_once(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    async with browser(service) as before:
        await before.sign_in(account)
        token = await invitation(service, account)
        for _ in range(2):  # looking at it, as programs do that show what a link leads to, does not use it up
            assert (await visitor.send("GET", f"/console/welcome/{token}")).status == 200
        reply = await choose(visitor, token, "كلمة جديدة طويلة")
        assert (reply.status, reply.headers["Location"]) == (303, "/console/")
        assert (await visitor.send("GET", API)).status == 200
        assert (await before.send("GET", API)).status == 401, "whoever had the old password is out"
    assert (await choose(visitor, token, "كلمة أخرى طويلة")).status == 404
    over = await visitor.send("GET", f"/console/welcome/{token}")
    assert over.status == 404
    assert '<a href="/console/sign-in">' in over.body  # whoever keeps the old link by them has a password
    assert (await visitor.try_to_sign_in(account.email, PASSWORD)).status == 403
    assert (await visitor.try_to_sign_in(account.email, "كلمة جديدة طويلة")).status == 303


async def test_of_two_who_use_one_link_at_once_one_comes_in(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    token = await invitation(service, account)
    async with browser(service) as other:
        replies = await asyncio.gather(
            choose(visitor, token, "الأول بكلمته الطويلة"), choose(other, token, "الثاني بكلمته الطويلة")
        )
    assert sorted(reply.status for reply in replies) == [303, 404]


async def test_a_link_ends_with_the_next_one_with_time_and_with_its_person(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    first = await invitation(service, account)
    second = await invitation(service, account)
    assert (await visitor.send("GET", f"/console/welcome/{first}")).status == 404
    assert (await visitor.send("GET", f"/console/welcome/{second}")).status == 200
    late = utc_now() + passwords.INVITED_FOR
    assert await passwords.invited_account(service.database, service.vault, second, now=late) is None
    assert await passwords.accept_invitation(service.database, second, "x", now=late) is None
    await moderators.disable_moderator(service.database, service.vault, account.email, actor="test")
    assert (await visitor.send("GET", f"/console/welcome/{second}")).status == 404


async def test_a_poor_password_is_refused_and_the_link_stays_good(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    token = await invitation(service, account)
    for password, again, words in (
        ("قصيرة جدا", None, "أقصر من ١٢"),
        (" " * 20, None, "أقصر من ١٢"),
        (account.email.upper(), None, "عنوان بريدك"),
        ("x" * 257, None, "أطول من ٢٥٦"),
        ("الأولى طويلة جدا", "الثانية طويلة جدا", "مختلفتان"),
    ):
        fields = {"password": password, "again": password if again is None else again}
        reply = await visitor.send("POST", f"/console/welcome/{token}", data=fields, headers=ARABIC)
        assert (reply.status, words in reply.body) == (422, True), password
    forged = await visitor.send(
        "POST",
        f"/console/welcome/{token}",
        data={"password": PASSWORD, "again": PASSWORD},
        headers={"Origin": "https://evil.example"},
    )
    assert forged.status == 403
    assert (await choose(visitor, token, "اثنا عشر حرفا")).status == 303


async def test_a_password_is_the_same_however_its_letters_are_composed(
    service: RunningService, visitor: Browser
) -> None:
    account = await add_account(service, {service.site.id: "lead"}, password="caf\u00e9 au lait noir")
    assert (await visitor.try_to_sign_in(account.email, "cafe\u0301 au lait noir")).status == 303


async def test_no_password_token_or_address_comes_into_the_log(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    token = await invitation(service, account)
    with logged("debug") as log:
        await visitor.try_to_sign_in(account.email, "a wrong password")
        await visitor.sign_in(account)
        session = visitor.cookies["moderation"]
        await choose(visitor, token, "كلمة لا تقال لأحد")
        await visitor.send("POST", "/console/sign-out")
    lines = _text(log)
    assert str(account.id) in lines
    for secret in (account.email, "a wrong password", PASSWORD, session, visitor.csrf, token, "كلمة لا تقال"):
        assert secret not in lines


def _text(log: io.BytesIO) -> str:
    return log.getvalue().decode()


async def test_what_happened_at_the_door_is_in_the_audit(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    token = await invitation(service, account)
    await choose(visitor, token, "كلمة جديدة طويلة")
    async with service.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT action, actor FROM audit WHERE subject = $1 ORDER BY id", str(account.id)
        )
    person = str(account.id)
    assert [tuple(row) for row in rows] == [
        ("moderator.invited", "test"),
        ("moderator.password_set", person),
        ("moderator.signed_in", person),
    ]


async def run(service: RunningService, *words: str, typed: str = "") -> Result:
    runner = CliRunner(env=outside(service) | {"MODERATION_PUBLIC_URL": "https://desk.example"})
    try:
        return await asyncio.to_thread(runner.invoke, program, words, input=typed)
    finally:
        configure_logging("json", "warning")  # a command writes to what is captured of it alone


async def test_commands_hand_out_links_and_set_passwords(service: RunningService, visitor: Browser) -> None:
    await bind_keys(service)
    added = await run(
        service,
        "moderator",
        "add",
        "new@desk.example",
        "--site",
        service.site.name,
        "--role",
        "lead",
        "--json",
    )
    first = json.loads(added.stdout)["link"]
    assert re.fullmatch(r"https://desk\.example/console/welcome/mdi_[\w-]{43}", first)
    link = (await run(service, "moderator", "invite", "New@desk.example")).stdout.strip()
    assert (await visitor.send("GET", URL(first).path)).status == 404
    assert (await choose(visitor, URL(link).name, PASSWORD)).status == 303
    again = await run(
        service,
        "moderator",
        "add",
        "new@desk.example",
        "--site",
        service.site.name,
        "--role",
        "admin",
        "--json",
    )
    assert json.loads(again.stdout)["link"] is None, "a password stays"
    for typed in ("short\n", "new@desk.example\n", ""):
        refused = await run(service, "moderator", "password", "new@desk.example", typed=typed)
        assert (refused.exit_code, refused.stdout) == (2, ""), typed
    assert (await visitor.send("GET", API)).status == 200
    done = await run(service, "moderator", "password", "new@desk.example", typed="أربع كلمات طويلة جدا\r\n")
    assert (done.exit_code, done.stdout) == (0, "new@desk.example has a new password\n")
    assert (await visitor.send("GET", API)).status == 401
    assert (await visitor.try_to_sign_in("new@desk.example", "أربع كلمات طويلة جدا")).status == 303
    missing = await run(service, "moderator", "invite", "nobody@desk.example")
    assert (missing.exit_code, "no moderator" in missing.stderr) == (1, True)


FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0"


async def test_somebody_ends_one_session_of_their_own_and_no_others(
    service: RunningService, visitor: Browser, account: Account
) -> None:
    colleague = await add_account(service, {service.site.id: "moderator"})
    async with browser(service) as telephone, browser(service) as theirs:
        await telephone.send(
            "POST",
            "/console/sign-in",
            data={"email": account.email, "password": PASSWORD},
            headers={"User-Agent": FIREFOX},
        )
        await theirs.sign_in(colleague)
        await visitor.sign_in(account)
        shown = await visitor.send("GET", "/console/sessions?lang=en")
        assert shown.status == 200
        assert "Firefox · Android" in shown.body
        assert shown.body.count("This one") == 1
        (stay,) = re.findall(r'name="session" value="([0-9a-f]{64})"', shown.body)
        foreign = await theirs.send("POST", "/console/sessions", data={"session": stay})
        assert foreign.status == 303
        assert (await telephone.send("GET", API)).status == 200, "a colleague's request ends nothing"
        unproven = await visitor.send(
            "POST", "/console/sessions", data={"session": stay}, headers={"X-CSRF-Token": "0" * 64}
        )
        assert unproven.status == 403
        for odd in ("\0", stay.upper(), f"{stay}\n", ""):
            assert (await visitor.send("POST", "/console/sessions", data={"session": odd})).status == 303
        ended = await visitor.send("POST", "/console/sessions", data={"session": stay})
        assert (ended.status, ended.headers["Location"]) == (303, "/console/sessions")
        assert (await telephone.send("GET", API)).status == 401
        assert [(await one.send("GET", API)).status for one in (visitor, theirs)] == [200, 200]
    assert "Firefox" not in (await visitor.send("GET", "/console/sessions")).body


async def test_whoever_is_signed_out_is_shown_no_sessions(visitor: Browser, account: Account) -> None:
    for method in ("GET", "POST"):
        reply = await visitor.send(method, "/console/sessions", **({"data": {}} if method == "POST" else {}))
        assert reply.status == 303
    assert (await visitor.send("GET", "/console/sessions")).headers["Location"] == (
        "/console/sign-in?next=/console/sessions"
    )
    reply = await visitor.try_to_sign_in(account.email, PASSWORD, next="/console/sessions")
    assert reply.headers["Location"] == "/console/sessions"
