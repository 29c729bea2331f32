"""What a site's moderators say afterwards: matched with the check, whatever WordPress does to its quotes, or kept as a label."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from moderation.domain.rates import Limit
from moderation.protocols.authentication import DIRECTORY
from tests.akismet_site import (
    BLOG,
    CALM,
    DOUBTFUL,
    REJECTED,
    THANKS,
    WORDPRESS,
    AkismetSite,
    comment_fields,
    wordpress_body,
)
from tests.service import seed_moderator

QUOTED = "قال: \"لا\" ثم 'نعم' \\ ومضى"


async def check_by_wordpress(site: AkismetSite, fields: dict[str, Any]) -> str:
    body = wordpress_body(fields, site.key)
    return (await site.call("comment-check", body, headers={"User-Agent": WORDPRESS})).text


async def say(site: AkismetSite, name: str, fields: dict[str, Any], **more: Any) -> None:
    """Send feedback as WordPress does: without backslashes, with the number and who clicked."""
    sent = fields | {"comment_ID": "7", "reporter": "editor", "comment_date_gmt": _now(), **more}
    body = wordpress_body(sent, site.key, slashed=False)
    given = await site.call(name, body, headers={"User-Agent": WORDPRESS})
    assert (given.status, given.text) == (200, THANKS)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


async def decisions(site: AkismetSite) -> list[tuple[Any, ...]]:
    rows = await site.rows(
        "SELECT decided_by, verdict, actor, origin FROM decisions ORDER BY comment_id, sequence"
    )
    return [tuple(row) for row in rows]


async def test_feedback_without_backslashes_finds_the_check_that_had_them(site: AkismetSite) -> None:
    fields = comment_fields(QUOTED, comment_author="O'Brien")
    assert await check_by_wordpress(site, fields) == "false"
    await say(site, "submit-spam", fields)
    assert await decisions(site) == [
        ("service", "approve", None, "akismet"),
        ("site", "reject", "editor", "akismet"),
    ]
    (row,) = await site.rows("SELECT reasons FROM decisions WHERE decided_by = 'site'")
    assert row["reasons"] == [{"code": "spam"}]
    assert await site.count("labels") == 0
    (check,) = await site.rows("SELECT name, unconfirmed_until FROM akismet_checks")
    assert tuple(check) == ("news.example#7", None)


async def test_ham_approves_closes_the_task_and_may_be_said_twice_or_taken_back(site: AkismetSite) -> None:
    fields = comment_fields(DOUBTFUL)
    assert await check_by_wordpress(site, fields) == "true"
    assert await site.count("tasks") == 1
    for _ in range(2):
        await say(site, "submit-ham", fields)
    assert await site.count("tasks") == 0
    await say(site, "submit-spam", fields)
    assert [verdict for _, verdict, _, _ in await decisions(site)] == ["hold", "approve", "reject"]


async def test_feedback_on_what_we_never_saw_is_a_label_without_a_word_on_abuse(site: AkismetSite) -> None:
    spam, ham = comment_fields("لم نره من قبل قط"), comment_fields("ولا هذا النص أيضا")
    await say(site, "submit-spam", spam)
    await say(site, "submit-ham", ham)
    rows = await site.rows("SELECT * FROM labels ORDER BY spam")
    assert [(r["text"], r["spam"], r["reject"], r["abuse"]) for r in rows] == [
        (ham["comment_content"], 0, 0, None),
        (spam["comment_content"], 1, 1, None),
    ]
    assert {(r["source"], r["actor"], r["comment_id"]) for r in rows} == {("akismet", "editor", None)}
    assert all(r["email_hash"] for r in rows)
    await say(site, "submit-ham", spam)
    assert [row["spam"] for row in await site.rows("SELECT spam FROM labels")] == [0, 0]


async def test_a_label_needs_a_text(site: AkismetSite) -> None:
    await say(site, "submit-spam", comment_fields(" "))
    assert await site.count("labels") == 0


async def test_checks_without_a_text_are_never_taken_for_one_another(site: AkismetSite) -> None:
    blank = {"comment_author": "", "comment_author_email": "", "comment_type": "pingback"}
    assert (await site.check("", **blank, comment_author_url="https://one.example/")).text
    await say(site, "submit-spam", comment_fields("", **blank))
    assert [decided_by for decided_by, *_ in await decisions(site)] == ["service"]


async def test_of_several_alike_the_one_of_that_article_is_meant(
    site: AkismetSite,
) -> None:
    one = comment_fields(CALM + " نفسه")
    for post in ("1", "2", "3"):
        await check_by_wordpress(site, one | {"comment_post_ID": post})
    await say(site, "submit-spam", one | {"comment_post_ID": "2"})
    rows = await site.rows("SELECT thread_id, state FROM comments ORDER BY thread_id")
    assert [row["state"] == "rejected" for row in rows] == [False, True, False]
    await say(site, "submit-spam", one | {"comment_post_ID": "9"}, comment_ID="8")
    assert await site.count("labels") == 1  # another article: none of these


async def test_an_old_check_of_another_comment_is_never_taken_by_its_number(site: AkismetSite) -> None:
    first, second = comment_fields(CALM + " أول"), comment_fields(CALM + " ثان")
    await check_by_wordpress(site, first)
    await say(site, "submit-ham", first)
    await say(site, "submit-spam", second)  # the same number, after a new installation
    assert "reject" not in [verdict for _, verdict, _, _ in await decisions(site)]
    assert [row["text"] for row in await site.rows("SELECT text FROM labels")] == [second["comment_content"]]


async def test_another_sites_key_matches_nothing_here(site: AkismetSite) -> None:
    from moderation.storage.administration.site_keys import add_akismet_key
    from tests.service import seed_site

    service = site.service
    other = await seed_site(service.database, service.vault, policy={"mode": "post"})
    key = await add_akismet_key(service.database, service.vault, other.name, actor="test")
    fields = comment_fields()
    given = await site.check(**fields)
    guid = given.guid
    sent = fields | {"guid": guid, "api_key": key.key}
    assert (await site.call("submit-spam", key="", **sent)).text == THANKS
    assert [decided_by for decided_by, *_ in await decisions(site)] == ["service"]
    rows = await site.rows("SELECT site_id FROM labels")
    assert [row["site_id"] for row in rows] == [other.id]


async def test_a_guid_names_the_check_whatever_the_text(site: AkismetSite) -> None:
    fields = comment_fields()
    guid = (await site.check(**fields)).guid
    changed = fields | {"comment_content": "غير ما كان", "guid": guid}
    assert (await site.call("submit-spam", **changed)).text == THANKS
    assert [verdict for _, verdict, _, _ in await decisions(site)] == ["approve", "reject"]


async def test_a_word_on_a_comment_that_a_moderator_has_claimed_is_kept_beside(site: AkismetSite) -> None:
    service = site.service
    moderator = await seed_moderator(service.database, {service.site.id: "moderator"})
    fields = comment_fields(DOUBTFUL)
    await check_by_wordpress(site, fields)
    status, body = await service.call("POST", "/v1/queue/claim", key=moderator, json={"limit": 1})
    assert (status, len(body["items"])) == (200, 1)
    await say(site, "submit-spam", fields)
    assert [decided_by for decided_by, *_ in await decisions(site)] == ["service"]
    (label,) = await site.rows("SELECT comment_id, spam FROM labels")
    assert (str(label["comment_id"]), label["spam"]) == (body["items"][0]["comment"]["id"], 1)


async def test_a_withdrawn_comment_is_not_decided_on(site: AkismetSite) -> None:
    service, fields = site.service, comment_fields()
    await check_by_wordpress(site, fields)
    (row,) = await site.rows("SELECT id FROM comments")
    assert (await service.call("DELETE", f"/v1/comments/{row['id']}"))[0] == 204
    await say(site, "submit-spam", fields)
    assert "reject" not in [verdict for _, verdict, _, _ in await decisions(site)]


@pytest.mark.parametrize("reason", ["retry", "recheck_queue", "recheck"])
async def test_a_recheck_is_answered_as_the_comment_stands_and_shows_that_it_is_kept(
    site: AkismetSite, reason: str
) -> None:
    service, fields = site.service, comment_fields(QUOTED + " " + DOUBTFUL)
    assert await check_by_wordpress(site, fields) == "true"
    (row,) = await site.rows("SELECT id FROM comments")
    moderator = await seed_moderator(service.database, {service.site.id: "moderator"})
    decision = {"verdict": "approve", "revision": 1}
    path = f"/v1/comments/{row['id']}/decision"
    assert (await service.call("POST", path, key=moderator, json=decision))[0] == 200
    again = fields | {"recheck_reason": reason, "comment_ID": "7"}
    body = wordpress_body(again, site.key, slashed=False)
    given = await site.call("comment-check", body, headers={"User-Agent": WORDPRESS})
    assert given.text == "false"
    assert await site.count("comments") == 1
    checks = await site.rows("SELECT guid, name, unconfirmed_until FROM akismet_checks ORDER BY guid")
    assert [(check["name"], check["unconfirmed_until"]) for check in checks] == [("news.example#7", None)] * 2
    assert str(checks[1]["guid"]) == given.guid


async def test_a_recheck_of_an_edited_comment_judges_the_new_text(site: AkismetSite) -> None:
    fields = comment_fields(comment_ID="7", recheck_reason="recheck_queue")
    assert (await site.call("comment-check", **fields)).text == "false"
    edited = fields | {"comment_content": REJECTED, "recheck_reason": "edit"}
    assert (await site.call("comment-check", **edited)).text == "true"
    (row,) = await site.rows("SELECT text, revision FROM comments")
    assert tuple(row) == (REJECTED, 2)


async def test_a_recheck_of_what_we_never_saw_is_a_new_comment(site: AkismetSite) -> None:
    given = await site.check(recheck_reason="retry", comment_ID="9")
    assert given.text == "false"
    (check,) = await site.rows("SELECT name, unconfirmed_until FROM akismet_checks")
    assert tuple(check) == ("news.example#9", None)


async def test_the_same_check_twice_is_one_comment_with_two_guids(site: AkismetSite) -> None:
    fields = comment_fields()
    first, second = await asyncio.gather(*(site.call("comment-check", **fields) for _ in range(2)))
    assert (first.text, second.text) == ("false", "false")
    assert await site.count("comments") == 1
    guids = {str(row["guid"]) for row in await site.rows("SELECT guid FROM akismet_checks")}
    assert guids == {first.guid, second.guid}


class TestRates:
    """Authors have 20 checks a minute here; who has more is held, and only the site's ceiling refuses."""

    async def test_the_author_is_held_as_flood_after_twenty_checks_but_not_for_rechecks(
        self, fresh_database_url: str, running_engines: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from moderation.protocols import akismet_check
        from tests.akismet_site import akismet_site

        assert Limit(20, 60, 20) == akismet_check.AUTHOR_LIMIT
        # As many, and none of the places comes back while a busy machine goes through them.
        monkeypatch.setattr(akismet_check, "AUTHOR_LIMIT", Limit(20, 3600, 20))
        limits = {"author": {"count": 1, "period_s": 15, "burst": 3}, "address": 0, "thread": 0, "site": 1000}
        async with akismet_site(
            fresh_database_url, running_engines.redis_url, site={"limits": limits}
        ) as site:
            one = {"comment_author": "ليلى", "comment_author_email": "layla@example.com"}
            answers = [(await site.check(**one)).text for _ in range(22)]
            assert answers[:20] == ["false"] * 20
            assert answers[21] == "true"
            rows = await site.rows("SELECT reasons FROM decisions ORDER BY comment_id DESC LIMIT 1")
            assert [found["code"] for found in rows[0]["reasons"]] == ["flood"]
            again = await site.check(recheck_reason="recheck_queue", comment_ID="1", **one)
            assert again.text == "false"

    async def test_only_above_the_sites_ceiling_is_the_call_refused(
        self, fresh_database_url: str, running_engines: Any
    ) -> None:
        from tests.akismet_site import akismet_site

        limits = {"author": 0, "address": 0, "thread": 0, "site": {"count": 2, "period_s": 3600}}
        async with akismet_site(
            fresh_database_url, running_engines.redis_url, site={"limits": limits}
        ) as site:
            statuses = [(await site.check()).status for _ in range(2)]
            refused = await site.check()
            tried = await site.check(is_test="1")
            assert statuses == [200, 200]
            for given in (refused, tried):
                assert (given.status, given.text) == (429, "throttled")
                assert given.guid
                assert int(given.headers["Retry-After"]) > 0
                assert given.headers["X-akismet-error"]


class TestOutages:
    """Nobody is told spam or ham when we do not know; the plugin holds what it hears no word on."""

    async def test_without_postgresql_a_check_is_unavailable_and_a_word_is_not_thanked_for(
        self, site: AkismetSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from contextlib import asynccontextmanager

        from moderation.domain.errors import DependencyUnavailableError
        from moderation.storage.database import Database

        # What was changed by making the site is forgotten before, not while PostgreSQL is away.
        await site.service.client.server.app[DIRECTORY].refresh()  # type: ignore[union-attr]
        assert (await site.check()).text == "false"  # the key is known from here on

        @asynccontextmanager
        async def away(_self: Database) -> Any:
            raise DependencyUnavailableError("postgresql")
            yield

        monkeypatch.setattr(Database, "connection", away)
        for name in ("comment-check", "submit-spam", "usage-limit"):
            given = await site.call(name, **comment_fields())
            assert (given.status, given.text) == (503, "unavailable")
            assert given.guid
            assert given.headers["X-akismet-error"]
        assert (await site.call("verify-key", blog=BLOG)).text == "valid"

    async def test_what_takes_too_long_is_unavailable_in_time_and_may_be_asked_for_again(
        self, site: AkismetSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from moderation.intake.scoring import GroupScorer
        from moderation.protocols import akismet_calls

        held = asyncio.Event()
        judge = GroupScorer.assess

        async def slow(self: GroupScorer, *arguments: Any) -> Any:
            await held.wait()
            return await judge(self, *arguments)

        monkeypatch.setattr(GroupScorer, "assess", slow)
        monkeypatch.setattr(akismet_calls, "DEADLINE_S", 0.2)
        fields = comment_fields()
        given = await site.call("comment-check", **fields)
        assert (given.status, given.text) == (503, "unavailable")
        monkeypatch.setattr(akismet_calls, "DEADLINE_S", 30.0)
        held.set()
        again = await site.call("comment-check", **fields, recheck_reason="retry", comment_ID="3")
        assert again.text == "false"
        assert await site.count("comments") == 1

    async def test_a_fault_of_ours_still_has_a_guid(
        self, site: AkismetSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from moderation.protocols import akismet_check

        def broken(*_: Any, **__: Any) -> Any:
            raise ZeroDivisionError

        monkeypatch.setattr(akismet_check, "comment_of", broken)
        given = await site.check()
        assert (given.status, given.text) == (503, "unavailable")
        assert given.guid


async def test_statistics_are_counted_and_add_up(site: AkismetSite) -> None:
    import json

    from moderation.protocols.akismet import SERVICES

    usage = site.service.client.app[SERVICES].usage  # type: ignore[index]
    calm, wrong = comment_fields(), comment_fields(REJECTED)
    await site.call("comment-check", **calm)
    await site.call("comment-check", **wrong)
    await site.check(blog="https://Other.example/blog/")
    await site.check(is_test="1")
    await site.call("submit-spam", **calm)
    await site.call("submit-ham", **wrong)
    await site.call("submit-spam", **comment_fields("غريب عنا"), comment_check_response="false")
    await site.call("submit-spam", **comment_fields("غريب آخر"))
    await usage.flush()
    stats = json.loads((await site.call("get-stats", blog=BLOG, **{"from": "6-months"})).text)
    month = datetime.now(UTC).strftime("%Y-%m")
    counts = {"spam": 1, "ham": 2, "missed_spam": 2, "false_positives": 1}
    assert {name: stats[name] for name in counts} == counts
    assert stats["accuracy"] == 0.0
    assert stats["breakdown"][month] == counts | {"da": f"{month}-01"}
    assert json.loads((await site.call("get-stats", blog=BLOG, **{"from": "all"})).text) == stats
    limit = json.loads((await site.call("/1.2/usage-limit", method="GET", extended="true")).text)
    assert limit == {
        "limit": "none",
        "usage": 3,
        "percentage": "0.00",
        "throttled": False,
        "notice_level": "none",
        "upgrade": False,
    }
    sites = json.loads((await site.call("/1.2/key-sites", method="GET", order="spam")).text)
    assert [(line["site"], line["api_calls"], line["spam"]) for line in sites[month]] == [
        ("news.example", 2, 1),
        ("other.example/blog", 1, 0),
    ]
    assert (sites["limit"], sites["offset"], sites["total"]) == (500, 0, 2)
    [month] = [value for value in sites.values() if isinstance(value, list)]
    more = json.loads((await site.call("/1.2/key-sites", method="GET", extended="true")).text)
    lines = next(value for value in more.values() if isinstance(value, list))
    assert "hash" not in month[0]
    assert len({line["hash"] for line in lines}) == len(lines) > 0
    table = (await site.call("/1.2/key-sites", format="csv", limit="1", offset="1")).text.splitlines()
    assert table[1:] == [
        "Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked",
        "other.example/blog,1,0,1,0,0,false",
    ]
    assert (await site.call("/1.2/key-sites", month="2026-13")).text == "invalid"
    empty = json.loads((await site.call("/1.2/key-sites", month="2020-01")).text)
    assert empty == {"2020-01": [], "limit": 500, "offset": 0, "total": 0}


async def test_counts_are_kept_while_postgresql_is_away(
    site: AkismetSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moderation.domain.errors import DependencyUnavailableError
    from moderation.protocols import akismet_usage
    from moderation.protocols.akismet import SERVICES

    usage = site.service.client.app[SERVICES].usage  # type: ignore[index]
    await usage.flush()
    write = akismet_usage.count_usage

    async def away(*_: Any) -> None:
        raise DependencyUnavailableError("postgresql")

    monkeypatch.setattr(akismet_usage, "count_usage", away)
    await site.check()
    with pytest.raises(DependencyUnavailableError):
        await usage.flush()
    await site.check()
    monkeypatch.setattr(akismet_usage, "count_usage", write)
    await usage.flush()
    assert [row["ham"] for row in await site.rows("SELECT ham FROM akismet_usage")] == [2]
