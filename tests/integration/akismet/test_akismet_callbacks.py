"""What our moderators decide reaches the plugin's webhook, at least once, whatever fails or is killed in between."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from moderation.delivery.callbacks import MAX_UNKNOWN, PER_SITE, Callbacks, Notice
from moderation.delivery.endpoint import EndpointClient
from moderation.domain.clock import utc_now
from moderation.protocols.authentication import DIRECTORY
from moderation.review.unconfirmed import Unconfirmed
from moderation.storage.administration.site_keys import add_akismet_key, list_keys, revoke_key
from tests.akismet_site import DOUBTFUL, REJECTED, AkismetSite, comment_fields
from tests.receiver import Hang, Received, Receiver, answer, flap
from tests.seeding import SteppedClock
from tests.service import rest, seed_moderator, seed_site

RUN = Callbacks.run


class Plugin(Receiver):
    """WordPress's REST route: answers for each comment whether it knows it."""

    known = True

    def __init__(self) -> None:
        super().__init__()
        self.behaviour = self.hear

    async def hear(self, received: Received) -> web.StreamResponse:
        guid = received.event["comments"][0]["guid"]
        status = "success" if self.known else "error"
        return web.json_response({"comments": {guid: {"status": status, "message": ""}}})

    @property
    def told(self) -> list[tuple[str, str]]:
        """Guid and result of every call."""
        return [
            (comment["guid"], comment["result"])
            for received in self.requests
            for comment in received.event["comments"]
        ]

    def callback(self) -> str:
        return f"http://127.0.0.1:{self.port}/wp-json/akismet/v1/webhook"


@asynccontextmanager
async def plugin_of(site: AkismetSite, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Plugin]:
    """Run the plugin's side at the site's registered address; the service's own job sleeps, so that tests make the calls."""
    async with Plugin() as plugin:
        service = site.service
        async with service.database.transaction() as connection:
            url = f"http://127.0.0.1:{plugin.port}"
            await connection.execute("UPDATE sites SET url = $1", url)
            await connection.execute("UPDATE instance SET config_version = config_version + 1")
        await service.client.app[DIRECTORY].refresh()  # type: ignore[index]
        yield plugin


@pytest.fixture(autouse=True)
def no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    rest(monkeypatch, Callbacks, Unconfirmed)


async def make_calls(site: AkismetSite, clock: SteppedClock | None = None) -> int:
    callbacks = Callbacks(site.service.database, site.service.vault, clock or utc_now, draw=lambda: 0.5)
    async with EndpointClient(utc_now) as client:
        return await callbacks.once(client)


async def decide(site: AkismetSite, verdict: str, **more: Any) -> None:
    service = site.service
    moderator = await seed_moderator(service.database, {service.site.id: "lead"})
    (row,) = await site.rows("SELECT id, revision, sequence FROM comments")
    body = {"verdict": verdict, "revision": row["revision"], "sequence": row["sequence"], **more}
    status, _ = await service.call("POST", f"/v1/comments/{row['id']}/decision", key=moderator, json=body)
    assert status == 200


async def test_a_moderators_word_is_told_with_the_key_the_guid_and_nothing_else(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        given = await site.check(DOUBTFUL, callback=plugin.callback())
        assert (given.text, "X-akismet-recheck-after" in given.headers) == ("false", True)
        assert await make_calls(site) == 0  # nobody has decided
        await decide(site, "reject", reason="spam")
        assert await make_calls(site) == 1
        (received,) = plugin.requests
        assert received.path == "/wp-json/akismet/v1/webhook"
        assert received.headers["content-type"] == "application/json"
        assert json.loads(received.body) == {
            "key": site.key,
            "endpoint": "comment-check",
            "comments": [{"guid": given.guid, "result": "true"}],
        }
        assert await make_calls(site) == 0
        await decide(site, "approve")
        await make_calls(site)
        assert plugin.told == [(given.guid, "true"), (given.guid, "false")]


async def test_every_guid_that_the_plugin_may_hold_is_told(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        fields = comment_fields(DOUBTFUL, callback=plugin.callback())
        first = await site.call("comment-check", **fields)
        del fields["callback"]
        again = await site.call("comment-check", **fields, recheck_reason="recheck_queue", comment_ID="1")
        assert "X-akismet-recheck-after" in again.headers
        await decide(site, "approve")
        assert await make_calls(site) == 2
        assert sorted(plugin.told) == sorted([(first.guid, "false"), (again.guid, "false")])


async def test_a_rejected_comment_that_a_moderator_approves_comes_back(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        given = await site.check(REJECTED, callback=plugin.callback())
        assert given.text == "true"
        await decide(site, "approve")
        await make_calls(site)
        assert plugin.told == [(given.guid, "false")]


async def test_what_the_site_said_itself_is_not_echoed(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        fields = comment_fields(DOUBTFUL, callback=plugin.callback())
        await site.call("comment-check", **fields)
        await site.call("submit-spam", **fields)
        assert await make_calls(site) == 0
        assert plugin.requests == []


async def test_a_hold_and_a_withdrawal_are_not_told(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        await site.check(DOUBTFUL, callback=plugin.callback())
        await decide(site, "hold")
        assert await make_calls(site) == 0
        await decide(site, "approve")
        (row,) = await site.rows("SELECT id FROM comments")
        await site.service.call("DELETE", f"/v1/comments/{row['id']}")
        await make_calls(site)
        assert plugin.requests == []
        assert await make_calls(site) == 0


async def test_a_failing_endpoint_is_tried_again_with_growing_pauses_and_hears_the_present_state(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        given = await site.check(DOUBTFUL, callback=plugin.callback())
        await decide(site, "reject", reason="spam")
        plugin.behaviour = flap([500, 404])
        clock = SteppedClock(utc_now())
        assert await make_calls(site, clock) == 1
        assert await make_calls(site, clock) == 0
        clock.advance(seconds=6)
        assert await make_calls(site, clock) == 1
        clock.advance(seconds=6)
        assert await make_calls(site, clock) == 0
        clock.advance(seconds=30)
        plugin.behaviour = plugin.hear
        await decide(site, "approve")
        assert await make_calls(site, clock) == 1
        assert plugin.told[-1] == (given.guid, "false")
        clock.advance(days=1)
        assert await make_calls(site, clock) == 0


async def test_a_call_whose_outcome_was_not_written_down_is_made_again(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        given = await site.check(DOUBTFUL, callback=plugin.callback())
        await decide(site, "reject", reason="spam")
        clock = SteppedClock(utc_now())

        async def killed(_self: Callbacks, _notice: Notice, _retry_at: Any) -> None:
            raise SystemError

        with monkeypatch.context() as patch:
            patch.setattr(Callbacks, "_settle", killed)
            with pytest.raises(SystemError):
                await make_calls(site, clock)
        assert len(plugin.requests) == 1
        assert await make_calls(site, clock) == 0  # the lease stands for those who died
        clock.advance(seconds=31)
        assert await make_calls(site, clock) == 1
        assert plugin.told == [(given.guid, "true")] * 2


async def test_a_site_that_hangs_holds_up_no_other(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, hang = site.service, Hang()
    dead_site = await seed_site(service.database, service.vault)
    async with plugin_of(site, monkeypatch) as plugin, Receiver() as dead:
        dead.behaviour = hang
        given = await site.check(DOUBTFUL, callback=plugin.callback())
        await decide(site, "reject", reason="spam")
        made = await add_akismet_key(service.database, service.vault, dead_site.name, actor="test")
        async with service.database.transaction() as connection:
            await connection.execute(
                "INSERT INTO akismet_checks (guid, comment_id, site_id, key_id, match_key, callback, checked_at, due_at)"
                " SELECT gen_random_uuid(), k.comment_id, $1, $2, k.match_key, $3, k.checked_at, now() - interval '1 day'"
                "   FROM akismet_checks k, generate_series(1, 40)",
                dead_site.id,
                made.id,
                dead.url,
            )
        callbacks = Callbacks(service.database, service.vault, utc_now, draw=lambda: 0.5)
        running = asyncio.create_task(RUN(callbacks))
        await dead.wait_for_requests(PER_SITE)
        await plugin.wait_for_requests(1)
        assert plugin.told == [(given.guid, "true")]
        assert (hang.most, len(dead.requests)) == (PER_SITE, PER_SITE)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        hang.release.set()


async def test_a_decision_made_during_a_call_is_told_next(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        given = await site.check(DOUBTFUL, callback=plugin.callback())
        await decide(site, "reject", reason="spam")

        async def decided_meanwhile(received: Received) -> web.StreamResponse:
            plugin.behaviour = plugin.hear
            await decide(site, "approve")
            return await plugin.hear(received)

        plugin.behaviour = decided_meanwhile
        assert await make_calls(site) == 1
        assert await make_calls(site) == 1
        assert plugin.told == [(given.guid, "true"), (given.guid, "false")]


async def test_a_comment_that_the_plugin_does_not_know_is_given_up_after_some_minutes(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        plugin.known = False
        await site.check(DOUBTFUL, callback=plugin.callback())
        await decide(site, "reject", reason="spam")
        clock = SteppedClock(utc_now())
        for _ in range(MAX_UNKNOWN):
            assert await make_calls(site, clock) == 1
            clock.advance(hours=1)
        assert await make_calls(site, clock) == 0


async def test_an_endpoint_that_is_gone_is_left_alone(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        await site.check(DOUBTFUL, callback=plugin.callback())
        await decide(site, "reject", reason="spam")
        plugin.behaviour = answer(410)
        clock = SteppedClock(utc_now())
        assert await make_calls(site, clock) == 1
        clock.advance(days=2)
        assert await make_calls(site, clock) == 0


async def test_after_a_change_of_keys_the_call_carries_a_live_one(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = site.service
    async with plugin_of(site, monkeypatch) as plugin:
        await site.check(DOUBTFUL, callback=plugin.callback())
        old = next(
            line for line in await list_keys(service.database, service.site.name) if line.dialect == "akismet"
        )
        new = await add_akismet_key(service.database, service.vault, service.site.name, actor="test")
        await revoke_key(service.database, service.site.name, old.id, actor="test")
        await decide(site, "approve")
        await make_calls(site)
        assert [received.event["key"] for received in plugin.requests] == [new.key]
        await revoke_key(service.database, service.site.name, new.id, actor="test")
        await decide(site, "reject", reason="spam")
        clock = SteppedClock(utc_now())
        await make_calls(site, clock)
        clock.advance(days=1)
        assert await make_calls(site, clock) == 0
        assert len(plugin.requests) == 1


async def test_a_private_address_is_not_called_unless_allowed(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plugin_of(site, monkeypatch) as plugin:
        await site.check(DOUBTFUL, callback=plugin.callback())
        async with site.service.database.transaction() as connection:
            await connection.execute("UPDATE sites SET settings = settings - 'allow_private_endpoint'")
        await decide(site, "approve")
        assert await make_calls(site) == 1
        assert plugin.requests == []


async def test_erasing_a_person_forgets_their_checks(site: AkismetSite) -> None:
    from moderation.privacy.erasure import erase

    service = site.service
    await site.check(comment_author_email="gone@example.com")
    await site.check(comment_author_email="stays@example.com")
    await erase(
        service.database, service.vault, service.site.name, "gone@example.com", clock=utc_now, actor="test"
    )
    assert await site.count("akismet_checks") == 1


class TestUnconfirmed:
    """What WordPress never shows to have kept leaves the queue after seven days, and comes back when it does."""

    async def tend(self, site: AkismetSite, **later: float) -> None:
        clock = SteppedClock(utc_now())
        clock.advance(**later)
        await Unconfirmed(site.service.database, clock=clock).once()

    async def test_it_leaves_the_queue_after_a_week_with_a_reason_and_no_label(
        self, site: AkismetSite
    ) -> None:
        await site.check(DOUBTFUL)
        await self.tend(site, days=6.9)
        assert await site.count("tasks") == 1
        await self.tend(site, days=7.1)
        assert await site.count("tasks") == 0
        (row,) = await site.rows(
            "SELECT decided_by, state, reasons, scores FROM decisions ORDER BY sequence DESC LIMIT 1"
        )
        assert (row["decided_by"], row["state"]) == ("service", "held")
        assert [found["code"] for found in row["reasons"]] == ["unconfirmed", "link_limit"]
        assert await site.count("labels") == 0
        await self.tend(site, days=8)
        assert await site.count("decisions") == 2

    async def test_what_was_confirmed_stays(self, site: AkismetSite) -> None:
        fields = comment_fields(DOUBTFUL)
        await site.call("comment-check", **fields)
        await site.call("comment-check", **fields, recheck_reason="recheck_queue", comment_ID="1")
        await self.tend(site, days=30)
        assert await site.count("tasks") == 1

    async def test_it_comes_back_when_the_site_asks_about_it(self, site: AkismetSite) -> None:
        fields = comment_fields(DOUBTFUL)
        await site.call("comment-check", **fields)
        await self.tend(site, days=7.1)
        again = await site.call("comment-check", **fields, recheck_reason="recheck_queue", comment_ID="1")
        assert again.text == "true"
        (row,) = await site.rows("SELECT kind, reasons FROM tasks")
        assert (row["kind"], row["reasons"]) == ("held", ["link_limit"])
        await self.tend(site, days=30)
        assert await site.count("tasks") == 1

    async def test_somebody_at_work_on_it_is_not_disturbed(self, site: AkismetSite) -> None:
        service = site.service
        moderator = await seed_moderator(service.database, {service.site.id: "moderator"})
        await site.check(DOUBTFUL)
        await service.call("POST", "/v1/queue/claim", key=moderator, json={"limit": 1})
        async with service.database.connection() as connection:
            await connection.execute("UPDATE tasks SET claim_expires_at = now() + interval '10 days'")
        await self.tend(site, days=7.1)
        assert await site.count("tasks") == 1
        async with service.database.connection() as connection:
            await connection.execute("UPDATE tasks SET claim_expires_at = now()")
        await self.tend(site, days=7.2)
        assert await site.count("tasks") == 0

    async def test_a_decided_comment_is_left_as_it_is_and_old_checks_are_forgotten(
        self, site: AkismetSite
    ) -> None:
        await site.check()
        await self.tend(site, days=7.1)
        (row,) = await site.rows("SELECT state FROM comments")
        assert row["state"] == "approved"
        assert await site.count("decisions") == 1
        await self.tend(site, days=59)
        assert await site.count("akismet_checks") == 1
        await self.tend(site, days=61)
        assert await site.count("akismet_checks") == 0
