"""The second step at the door: who comes in with a code, who does not, and how people set and lose what codes are checked by."""

import asyncio
import re
from datetime import datetime, timedelta

import pyotp
import pytest
import pytest_asyncio
from click.testing import CliRunner
from redis.asyncio import Redis

from moderation.cli.program import program
from moderation.console.entrance import ENTRANCE
from moderation.console.words import WORDS
from moderation.domain.clock import utc_now
from moderation.engines import EngineAddresses
from moderation.storage.administration import passwords
from moderation.storage.administration.moderators import add_token
from moderation.storage.sessions import Sessions
from tests.console import PASSWORD, Account, Browser, Reply, add_account, browser
from tests.integration.privacy.test_leaks import bind_keys, logged, outside
from tests.service import RunningService, running_service

API = "/v1/queue"
PAGE = "/console/second-factor"
STEP = timedelta(seconds=30)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nobody_tried_before(running_engines: EngineAddresses) -> None:
    redis = Redis.from_url(running_engines.redis_url or "")
    await redis.delete("rates:{*sign-in}:s")
    await redis.aclose()


class Hands:
    """What a person has at hand: a clock that they may put forward, and an authenticator."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.secret = ""

    def now(self) -> datetime:
        return utc_now() + self.ahead

    def code(self, *, later: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(self.now() + later * STEP)


@pytest.fixture
def hands(service: RunningService, monkeypatch: pytest.MonkeyPatch) -> Hands:
    found = Hands()
    monkeypatch.setattr(service.client.app[ENTRANCE].second, "_clock", found.now)
    return found


def hidden(reply: Reply, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', reply.body)
    assert found is not None, reply.body
    return found[1]


def secret_on(reply: Reply) -> str:
    (found,) = re.findall(r'<code dir="ltr">([A-Z2-7]{32})</code>', reply.body)
    return str(found)


def codes_on(reply: Reply) -> list[str]:
    return re.findall(r"<li><code>([a-z0-9-]{14})</code></li>", reply.body)


async def set_up(visitor: Browser, account: Account, hands: Hands) -> list[str]:
    """Sign in and set a second factor; return the recovery codes. The clock is put past the code that was used."""
    await visitor.sign_in(account)
    page = await visitor.send("GET", PAGE)
    hands.secret = secret_on(page)
    fields = {"do": "set", "offer": hidden(page, "offer"), "code": hands.code(), "password": PASSWORD}
    reply = await visitor.send("POST", PAGE, data=fields)
    assert reply.status == 200, reply.body
    hands.ahead += 2 * STEP
    return codes_on(reply)


async def show(visitor: Browser, account: Account, code: str, **fields: str) -> Reply:
    """Sign in with the password, and show a code."""
    page = await visitor.try_to_sign_in(account.email, PASSWORD, **fields)
    assert page.status == 200, page.body
    assert "moderation" not in visitor.cookies
    given = {"ticket": hidden(page, "ticket"), "next": hidden(page, "next"), "code": code}
    return await visitor.send("POST", "/console/sign-in/code", data=given)


async def test_who_has_a_second_factor_comes_in_by_password_and_code(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    async with browser(service) as elsewhere, browser(service) as later:
        await elsewhere.sign_in(account)
        codes = await set_up(visitor, account, hands)
        assert len(codes) == 10
        assert (await visitor.send("GET", API)).status == 200
        assert (await elsewhere.send("GET", API)).status == 401, "it had begun with a password alone"
        wrong = await show(later, account, "000000")
        assert wrong.status == 403
        assert WORDS["fault_code"][1] in wrong.body
        assert later.cookies == {}
        reply = await show(later, account, hands.code(), next="/console/search?q=x")
        assert (reply.status, reply.headers["Location"]) == (303, "/console/search?q=x")
        assert (await later.send("GET", API)).status == 200


async def test_a_code_is_good_once_and_so_is_every_one_before_it(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    await set_up(visitor, account, hands)
    used, before = hands.code(), hands.code(later=-1)
    async with browser(service) as first, browser(service) as second:
        replies = await asyncio.gather(show(first, account, used), show(second, account, used))
        assert sorted(reply.status for reply in replies) == [303, 403]
    async with browser(service) as third:
        given = {"ticket": hidden(await third.try_to_sign_in(account.email, PASSWORD), "ticket")}
        for code in (used, before):
            again = await third.send("POST", "/console/sign-in/code", data=given | {"code": code})
            assert again.status == 403
        hands.ahead += STEP
        arabic = hands.code().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
        reply = await third.send("POST", "/console/sign-in/code", data=given | {"code": arabic})
        assert reply.status == 303


async def test_a_recovery_code_is_good_once_and_for_nobody_else(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    codes = await set_up(visitor, account, hands)
    other = await add_account(service, {service.site.id: "moderator"})
    async with browser(service) as theirs:
        authenticator = Hands()
        authenticator.ahead = hands.ahead
        await set_up(theirs, other, authenticator)
    async with browser(service) as lost:
        assert (await show(lost, other, codes[0])).status == 403
        page = await lost.try_to_sign_in(account.email, PASSWORD)
        given = {"ticket": hidden(page, "ticket"), "recovery": codes[0].upper().replace("-", " ")}
        given["code"] = "12"  # begun, before they saw that the telephone is not there
        assert (await lost.send("POST", "/console/sign-in/code", data=given)).status == 303
        shown = await lost.send("GET", PAGE)
        assert f"{WORDS['codes_left'][1]} 9" in shown.body
    async with browser(service) as again:
        assert (await show(again, account, codes[0])).status == 403
        assert (await show(again, account, codes[1])).status == 303
    async with service.database.connection() as connection:
        stored = await connection.fetch("SELECT encode(code_hash, 'escape') AS kept FROM recovery_codes")
        used = await connection.fetchval(
            "SELECT count(*) FROM audit WHERE action = 'moderator.recovery_code_used'"
        )
    assert used == 2
    assert not any(code.replace("-", "") in row["kept"] for row in stored for code in codes)


async def test_guessing_codes_is_slowed_down_wherever_it_comes_from(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    await set_up(visitor, account, hands)
    async with browser(service) as stranger:
        page = await stranger.try_to_sign_in(account.email, PASSWORD)
        given = {"ticket": hidden(page, "ticket"), "code": "000000"}
        statuses = [
            (await stranger.send("POST", "/console/sign-in/code", data=given)).status for _ in range(7)
        ]
        assert statuses == [403] * 6 + [429]
        late = await stranger.send("POST", "/console/sign-in/code", data=given | {"code": hands.code()})
        assert (late.status, int(late.headers["Retry-After"]) > 60) == (429, True)
        assert WORDS["fault_throttled"][1] in late.body
    known = {"moderation-known": visitor.cookies["moderation-known"]}
    async with browser(service) as mine:
        mine.cookies |= known
        assert (await show(mine, account, hands.code())).status == 303, (
            "what strangers do keeps nobody waiting here"
        )


async def test_browsers_known_by_the_password_alone_are_no_more_chances_to_guess(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    collected = []
    for _ in range(3):
        async with browser(service) as thief:
            await thief.sign_in(account)
            collected.append({"moderation-known": thief.cookies["moderation-known"]})
    await set_up(visitor, account, hands)
    statuses = []
    for known in ({}, *collected):
        async with browser(service) as thief:
            thief.cookies |= known
            page = await thief.try_to_sign_in(account.email, PASSWORD)
            given = {"ticket": hidden(page, "ticket"), "code": "000000"}
            statuses += [
                (await thief.send("POST", "/console/sign-in/code", data=given)).status for _ in range(6)
            ]
    assert statuses == [403] * 6 + [429] * 18


async def test_a_ticket_is_over_with_time_a_new_password_and_a_reset(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    await set_up(visitor, account, hands)

    async def ticket() -> str:
        async with browser(service) as anew:
            return hidden(await anew.try_to_sign_in(account.email, PASSWORD), "ticket")

    async def status_of(given: str) -> tuple[int, bool]:
        async with browser(service) as anew:
            data = {"ticket": given, "code": hands.code()}
            reply = await anew.send("POST", "/console/sign-in/code", data=data)
            return reply.status, WORDS["fault_stale"][1] in reply.body and anew.cookies == {}

    old = await ticket()
    for damaged in ("", "x", old[:-4], old[:-2] + "AA", "é"):
        assert await status_of(damaged) == (403, True), damaged
    hands.ahead += timedelta(minutes=11)
    assert await status_of(old) == (403, True)
    fresh = await ticket()
    hashed = await service.client.app[ENTRANCE]._passwords.hash(PASSWORD)
    await passwords.set_password(service.database, service.vault, account.email, hashed, actor="test")
    assert await status_of(fresh) == (403, True), "the same password, but set anew"
    fresh = await ticket()
    await bind_keys(service)
    done = await asyncio.to_thread(
        CliRunner(env=outside(service)).invoke,
        program,
        ["moderator", "reset-second-factor", account.email, "--json"],
    )
    assert (done.exit_code, '"had_one": true' in done.output) == (0, True), done.output
    assert await status_of(fresh) == (403, True)
    async with browser(service) as anew:
        await anew.sign_in(account)
        assert secret_on(await anew.send("GET", PAGE)) != hands.secret
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM recovery_codes") == 0
        reset = await connection.fetchrow(
            "SELECT actor, subject FROM audit WHERE action = 'moderator.second_factor_reset'"
        )
    assert reset is not None
    assert (reset["subject"], reset["actor"] != str(account.id)) == (str(account.id), True)


async def test_a_link_to_set_a_password_takes_nobody_past_the_code(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    await set_up(visitor, account, hands)
    link = await passwords.invite(service.database, service.vault, account.email, actor="test", now=utc_now())
    async with browser(service) as anew:
        data = {"password": "كلمة مرور أخرى", "again": "كلمة مرور أخرى"}
        page = await anew.send("POST", f"/console/welcome/{link}", data=data)
        assert (page.status, anew.cookies) == (200, {})
        given = {"ticket": hidden(page, "ticket"), "code": hands.code()}
        assert (await anew.send("POST", "/console/sign-in/code", data=given)).status == 303


async def test_no_session_begins_past_a_factor_that_was_set_meanwhile(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    await set_up(visitor, account, hands)
    kept = Sessions(service.database, clock=utc_now)
    assert await kept.begin(account.id, password=account.encoded) is None


async def test_changing_it_takes_a_code_and_our_own_page(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    await visitor.sign_in(account)
    page = await visitor.send("GET", PAGE)
    hands.secret = secret_on(page)
    fields = {"do": "set", "offer": hidden(page, "offer"), "code": hands.code(), "password": PASSWORD}
    forged = await visitor.send("POST", PAGE, data=fields, headers={"X-CSRF-Token": None})
    assert forged.status == 403
    other = await add_account(service, {service.site.id: "moderator"})
    async with browser(service) as theirs:
        await theirs.sign_in(other)
        assert (await theirs.send("POST", PAGE, data=fields)).status == 403, "an offer is its person's own"
        assert secret_on(await theirs.send("GET", PAGE)) != hands.secret
    wrong = await visitor.send("POST", PAGE, data=fields | {"code": "12"})
    assert (wrong.status, secret_on(wrong)) == (403, hands.secret), (
        "the same picture, which is in the telephone by now"
    )
    codes = codes_on(await visitor.send("POST", PAGE, data=fields))
    hands.ahead += 2 * STEP
    assert (await visitor.send("POST", PAGE, data=fields | {"code": hands.code()})).status == 403, "it is set"
    for do in ("renew", "remove"):
        assert (await visitor.send("POST", PAGE, data={"do": do, "code": "000000"})).status == 403
    renewed = codes_on(await visitor.send("POST", PAGE, data={"do": "renew", "code": hands.code()}))
    assert len(renewed) == 10
    assert not set(renewed) & set(codes)
    hands.ahead += STEP
    assert (await visitor.send("POST", PAGE, data={"do": "remove", "code": hands.code()})).status == 303
    assert (await visitor.send("GET", API)).status == 200
    async with browser(service) as anew:
        await anew.sign_in(account)


async def test_who_finds_a_desk_open_sets_no_factor_on_it(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    async with browser(service) as elsewhere:
        await elsewhere.sign_in(account)
        await visitor.sign_in(account)
        page = await visitor.send("GET", PAGE)
        hands.secret = secret_on(page)
        fields = {"do": "set", "offer": hidden(page, "offer"), "code": hands.code()}
        for given in ({}, {"password": ""}, {"password": "a guess of theirs"}):
            reply = await visitor.send("POST", PAGE, data=fields | given)
            assert (reply.status, secret_on(reply)) == (403, hands.secret)
            assert WORDS["fault_password"][1] in reply.body
        replies = [await visitor.send("POST", PAGE, data=fields | {"password": "again"}) for _ in range(5)]
        assert replies[-1].status == 429, "as many guesses as at the door"
        assert (await elsewhere.send("GET", API)).status == 200
    since, _ = await service.client.app[ENTRANCE].second.since_and_left(account.id)
    assert since is None


async def test_who_takes_too_long_to_set_it_is_told_that_the_picture_is_another(
    visitor: Browser, account: Account, hands: Hands
) -> None:
    await visitor.sign_in(account)
    page = await visitor.send("GET", PAGE)
    hands.secret = secret_on(page)
    hands.ahead += timedelta(minutes=11)
    fields = {"do": "set", "offer": hidden(page, "offer"), "code": hands.code(), "password": PASSWORD}
    late = await visitor.send("POST", PAGE, data=fields)
    assert (late.status, secret_on(late) != hands.secret) == (403, True)
    assert WORDS["fault_offer"][1] in late.body


async def test_where_it_is_required_nobody_has_a_session_before_it_is_set(
    fresh_database_url: str, running_engines: EngineAddresses
) -> None:
    assert running_engines.redis_url is not None
    async with running_service(
        fresh_database_url, running_engines.redis_url, second_factor="required"
    ) as service:
        account, hands = await add_account(service, {service.site.id: "moderator"}), Hands()
        async with browser(service) as visitor:
            page = await visitor.try_to_sign_in(account.email, PASSWORD, next="/console/search")
            assert (page.status, visitor.cookies) == (200, {})
            assert WORDS["must_set"][1] in page.body
            hands.secret = secret_on(page)
            fields = {name: hidden(page, name) for name in ("ticket", "next", "offer", "do")}
            early = await visitor.send("POST", "/console/sign-in/code", data=fields | {"code": hands.code()})
            assert (early.status, visitor.cookies) == (403, {})
            wrong = await visitor.send("POST", PAGE, data=fields | {"code": "000000"})
            assert (wrong.status, secret_on(wrong), visitor.cookies) == (403, hands.secret, {})
            forged = await visitor.send("POST", PAGE, data=fields, headers={"Origin": "https://evil.example"})
            assert forged.status == 403
            done = await visitor.send("POST", PAGE, data=fields | {"code": hands.code()})
            assert (done.status, len(codes_on(done)), 'href="/console/search"' in done.body) == (
                200,
                10,
                True,
            )
            assert (await visitor.send("GET", API)).status == 200
            visitor.csrf = (await visitor.send("GET", "/console/")).csrf
            assert 'value="remove"' not in (await visitor.send("GET", PAGE)).body
            removing = {"do": "remove", "code": codes_on(done)[0]}
            assert (await visitor.send("POST", PAGE, data=removing)).status == 303
        async with browser(service) as anew:
            assert WORDS["second_step"][1] in (await anew.try_to_sign_in(account.email, PASSWORD)).body


async def test_tokens_of_persons_ask_for_no_code_and_nothing_secret_is_logged(
    service: RunningService, visitor: Browser, account: Account, hands: Hands
) -> None:
    with logged("debug") as log:
        codes = await set_up(visitor, account, hands)
        async with browser(service) as anew:
            shown = hands.code()
            page = await anew.try_to_sign_in(account.email, PASSWORD)
            ticket = hidden(page, "ticket")
            await anew.send("POST", "/console/sign-in/code", data={"ticket": ticket, "code": shown})
        async with asyncio.timeout(60):
            while b'"sign_in":"done"' not in log.getvalue().rpartition(b'"sign_in":"halfway"')[2]:
                await asyncio.sleep(0.01)  # lines are written a moment later
    lines = log.getvalue().decode()
    for secret in (hands.secret, *codes, ticket, account.email, f'"{shown}"'):
        assert secret not in lines
    async with service.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT m::text AS written FROM moderators m UNION ALL SELECT a::text FROM audit a"
        )
    assert not any(hands.secret in row["written"] for row in rows)
    token = await add_token(service.database, service.vault, account.email, actor="test")
    assert (await service.call("GET", "/v1/me", key=token))[0] == 200


async def test_each_page_of_it_forbids_scripts_and_keeping(
    visitor: Browser, account: Account, hands: Hands
) -> None:
    await visitor.sign_in(account)
    offer = await visitor.send("GET", PAGE)
    hands.secret = secret_on(offer)
    fields = {"do": "set", "offer": hidden(offer, "offer"), "code": hands.code(), "password": PASSWORD}
    for reply in (offer, await visitor.send("POST", PAGE, data=fields), await visitor.send("GET", PAGE)):
        assert (
            "default-src 'none'; script-src 'self'; style-src 'self';"
            in reply.headers["Content-Security-Policy"]
        )
        assert reply.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", reply.body)
        assert account.email not in reply.body
