"""The Akismet dialect on the wire: bodies to the byte, headers, keys, versions, and whatever else may arrive."""

import json
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from moderation.engines import EngineAddresses
from moderation.protocols import akismet_calls, edge
from moderation.protocols.akismet_keys import Guesses
from tests.akismet_site import (
    BANNED,
    BLOG,
    CALM,
    DOUBTFUL,
    REJECTED,
    THANKS,
    WORDPRESS,
    AkismetSite,
    akismet_site,
    comment_fields,
    wordpress_body,
)

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.mark.parametrize("version", ["1.1", "1.2", "2.0"])
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("verify-key", "valid"),
        ("comment-check", "false"),
        ("submit-spam", THANKS),
        ("submit-ham", THANKS),
        ("deactivate", "deactivated"),
    ],
)
async def test_every_call_answers_its_exact_words_under_every_version(
    site: AkismetSite, version: str, name: str, body: str
) -> None:
    for method in ("POST", "GET"):
        given = await site.call(f"/{version}/{name}", method=method, key=site.key, **comment_fields())
        assert (given.status, given.text) == (200, body)
        assert given.headers["Content-Type"] == "text/plain; charset=utf-8"
    wrong = await site.call(f"/{version}/{name}", key="0123456789ab", **comment_fields())
    assert (wrong.status, wrong.text) == (200, "invalid")
    assert wrong.headers["X-akismet-debug-help"]


async def test_calls_without_a_key_of_their_own(site: AkismetSite) -> None:
    tested = await site.call("test", b"", method="GET")
    assert (tested.status, tested.text) == (200, "connected")
    plugins = await site.call("/1.2/compatible-plugins", b"", method="GET")
    assert (plugins.status, json.loads(plugins.text)) == (200, [])
    assert len((await site.call("token")).text) >= 32
    subscription = json.loads((await site.call("get-subscription", blog=BLOG)).text)
    assert subscription["status"] == "active"


async def test_each_verdict_has_its_word_and_every_check_a_guid_of_its_own(site: AkismetSite) -> None:
    answers = [await site.check(text) for text in (CALM, REJECTED, DOUBTFUL, CALM)]
    answers.append(await site.call("comment-check", key="0123456789ab", **comment_fields()))
    answers.append(await site.call("comment-check", user_ip="198.51.100.7"))
    assert [given.text for given in answers] == ["false", "true", "true", "false", "invalid", "invalid"]
    assert all(GUID.fullmatch(given.guid) for given in answers)
    assert len({given.guid for given in answers}) == len(answers)
    assert all(b"\n" not in given.text.encode() for given in answers)
    assert not any("X-akismet-pro-tip" in given.headers for given in answers)


@pytest.mark.parametrize(
    ("settings", "text", "word", "tip"),
    [
        ({"akismet_doubt": "ham"}, DOUBTFUL, "false", None),
        ({"akismet_doubt": "spam"}, DOUBTFUL, "true", None),
        ({"akismet_discard": True}, DOUBTFUL, "true", None),
        ({"akismet_discard": True}, REJECTED, "true", "discard"),
    ],
)
async def test_the_site_chooses_what_doubt_is_and_whether_sure_spam_may_be_dropped(
    fresh_database_url: str,
    running_engines: EngineAddresses,
    settings: dict[str, Any],
    text: str,
    word: str,
    tip: str | None,
) -> None:
    async with akismet_site(
        fresh_database_url, running_engines.redis_url, policy=BANNED, site=settings
    ) as site:
        given = await site.check(text)
        assert (given.text, given.headers.get("X-akismet-pro-tip")) == (word, tip)


@pytest.mark.parametrize("policy", [{"mode": "pre"}, {"mode": "post", "hold_first_comment": True}])
async def test_what_only_the_mode_holds_is_ham_and_waits_in_our_queue(
    fresh_database_url: str, running_engines: EngineAddresses, policy: dict[str, Any]
) -> None:
    async with akismet_site(fresh_database_url, running_engines.redis_url, policy=policy) as site:
        given = await site.check(CALM, callback=f"{BLOG}/wp-json/akismet/v1/webhook")
        assert (given.text, given.headers.get("X-akismet-recheck-after")) == ("false", None)
        assert await site.count("tasks") == 1


async def test_a_doubt_is_provisional_ham_for_a_client_that_can_be_called(site: AkismetSite) -> None:
    given = await site.check(DOUBTFUL, callback=f"{BLOG}/wp-json/akismet/v1/webhook")
    assert (given.text, given.headers["X-akismet-recheck-after"]) == ("false", "302400")


@pytest.mark.parametrize(
    "callback",
    [
        "https://evil.example/hook",
        "http://news.example/hook",
        "https://news.example:8443/hook",
        "https://news.example@evil.example/hook",
        "https://news.example.evil.example/",
        "ftp://news.example/hook",
        "https://169.254.169.254/latest",
        "https://",
        "x" * 5000,
    ],
)
async def test_a_callback_that_is_not_at_the_sites_registered_address_is_none(
    site: AkismetSite, callback: str
) -> None:
    given = await site.check(DOUBTFUL, callback=callback)
    assert (given.text, given.headers.get("X-akismet-recheck-after")) == ("true", None)
    assert [row["callback"] for row in await site.rows("SELECT callback FROM akismet_checks")] == [None]


async def test_the_key_may_stand_in_the_body_in_the_address_or_before_the_host(site: AkismetSite) -> None:
    fields = comment_fields()
    body = urlencode(fields)
    for host in (
        f"{site.key}.rest.akismet.com",
        f"{site.key}.localhost:8080",
        f"{site.key.upper()}.x.example",
    ):
        given = await site.call("comment-check", body, headers={"Host": host})
        assert given.text == "false"
    for name in ("api_key", "key", "api_key[]"):
        given = await site.call(
            "comment-check", f"{body}&{quote(name)}={site.key}", headers={"Host": "rest.akismet.com"}
        )
        assert given.text == "false"
    for host in ("rest.akismet.com", "0123456789ab.rest.akismet.com", ".", "[::1]:80"):
        assert (await site.call("comment-check", body, headers={"Host": host})).text == "invalid"


async def test_the_key_in_question_goes_before_the_one_in_use(site: AkismetSite) -> None:
    wrong = "0123456789ab"
    assert (await site.call("verify-key", key=wrong, blog=BLOG)).text == "invalid"
    both = f"blog={quote(BLOG)}&key={site.key}&api_key={wrong}"
    assert (await site.call("verify-key", both)).text == "valid"
    turned = f"blog={quote(BLOG)}&key={wrong}&api_key={site.key}"
    assert (await site.call("verify-key", turned)).text == "invalid"


async def test_an_akismet_key_opens_no_other_door_and_no_other_key_opens_this_one(site: AkismetSite) -> None:
    status, _ = await site.service.call("POST", "/v1/comments", key=site.key, json={})
    assert status == 401
    assert (await site.call("verify-key", key=site.service.site.key, blog=BLOG)).text == "invalid"


async def test_a_key_is_not_bound_to_its_blog(site: AkismetSite) -> None:
    for blog in ("https://other.example/blog", "http://xn--mgbh0fb.example", "not a url"):
        assert (await site.check(blog=blog)).text == "false"


@pytest.mark.parametrize("missing", ["blog", "user_ip"])
@pytest.mark.parametrize("name", ["comment-check", "submit-spam", "submit-ham"])
async def test_a_call_without_blog_or_user_ip_is_refused_by_name(
    site: AkismetSite, name: str, missing: str
) -> None:
    fields = comment_fields()
    del fields[missing]
    given = await site.call(name, **fields)
    assert (given.status, given.text) == (200, "invalid")
    assert given.headers["X-akismet-debug-help"] == f"Missing required field: {missing}."
    assert await site.count("comments") == 0
    assert await site.count("labels") == 0


async def test_an_empty_user_ip_is_accepted(site: AkismetSite) -> None:
    assert (await site.check(user_ip="")).text == "false"
    assert [row["address_sealed"] for row in await site.rows("SELECT address_sealed FROM comments")] == [None]


async def test_a_wordpress_body_is_kept_as_the_reader_wrote_it_and_nothing_else_of_it(
    site: AkismetSite,
) -> None:
    text = "قال: \"لا\" ثم 'نعم' \\ ومضى\nسطر"
    fields = comment_fields(
        text, comment_author="O'Brien", comment_author_url="", referrer="https://x.example/"
    )
    given = await site.call(
        "comment-check", wordpress_body(fields, site.key), headers={"User-Agent": WORDPRESS}
    )
    assert given.text == "false"
    (row,) = await site.rows("SELECT * FROM comments")
    assert (row["text"], row["author_name"], row["author_url"]) == (text, "O'Brien", None)
    assert (row["thread_id"], row["origin"], row["context"]) == ("12", "akismet", {"type": "comment"})
    stored = str(dict(row))
    assert "do not keep" not in stored
    assert "wp-comments-post" not in stored
    assert "x.example" not in stored


async def test_other_clients_backslashes_are_their_own(site: AkismetSite) -> None:
    text = 'C:\\\\temp and \\"quoted\\"'
    assert (await site.check(text)).text == "false"
    assert [row["text"] for row in await site.rows("SELECT text FROM comments")] == [text]


async def test_the_older_name_of_the_type_and_lists_of_tags_are_read(site: AkismetSite) -> None:
    fields = comment_fields() | {"comment_type": ""}
    body = urlencode({"api_key": site.key, **fields}) + (
        "&content_type=forum-post&comment_context%5B%5D=cairo&comment_context[1]=tram&comment_context=news"
    )
    assert (await site.call("comment-check", body)).text == "false"
    (row,) = await site.rows("SELECT context FROM comments")
    assert row["context"] == {"type": "forum-post", "tags": "cairo, tram, news"}


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"comment_author": "akismet-guaranteed-spam"}, "true"),
        ({"comment_author": "viagra-test-123"}, "true"),
        ({"comment_author_email": "akismet-guaranteed-spam@example.com"}, "true"),
        ({"user_role": "administrator", "comment_content": REJECTED}, "false"),
        ({"user_role": "subscriber, administrator", "comment_content": REJECTED}, "false"),
        ({"is_test": "1", "comment_content": REJECTED}, "true"),
        ({"is_test": "true"}, "false"),
    ],
)
async def test_trials_have_their_known_answers_and_leave_nothing_behind(
    site: AkismetSite, fields: dict[str, str], word: str
) -> None:
    tried = comment_fields(**fields)
    assert (await site.call("comment-check", **tried)).text == word
    for name in ("submit-spam", "submit-ham"):
        if "user_role" not in fields:
            assert (await site.call(name, **tried)).text == THANKS
    for table in ("comments", "tasks", "decisions", "labels", "akismet_checks"):
        assert await site.count(table) == 0, table


async def test_an_is_test_of_false_is_a_real_comment(site: AkismetSite) -> None:
    assert (await site.check(is_test="false")).text == "false"
    assert await site.count("comments") == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"POST_ak_hp_textarea": "x"},
        {"honeypot_field_name": "second_email", "second_email": "bot@example.com"},
    ],
)
async def test_a_filled_trap_holds_with_a_reason_that_can_be_read(
    site: AkismetSite, fields: dict[str, str]
) -> None:
    assert (await site.check(**fields)).text == "true"
    (row,) = await site.rows("SELECT reasons FROM decisions")
    assert [found["code"] for found in row["reasons"]] == ["honeypot"]
    assert await site.count("tasks") == 1
    for clean in (
        {"POST_ak_hp_textarea": ""},
        {"honeypot_field_name": "second_email", "second_email": " "},
        {"akismet_comment_nonce": "inactive"},
    ):
        assert (await site.check(**clean)).text == "false"


@pytest.mark.parametrize(("is_asked_for", "word"), [(True, "true"), (False, "false")])
async def test_a_failed_nonce_holds_only_where_the_site_asks_for_it(
    fresh_database_url: str, running_engines: EngineAddresses, is_asked_for: bool, word: str
) -> None:
    """It fails for every reader of a page from a cache that is older than a day."""
    settings = {"akismet_nonce": is_asked_for}
    async with akismet_site(fresh_database_url, running_engines.redis_url, site=settings) as site:
        assert (await site.check(akismet_comment_nonce="failed")).text == word
        (row,) = await site.rows("SELECT reasons FROM decisions")
        assert [found["code"] for found in row["reasons"]] == (["form_nonce"] if is_asked_for else [])


async def test_a_label_is_told_on_request(site: AkismetSite) -> None:
    told = [
        (await site.check(text, classify="1")).headers["X-akismet-classification"]
        for text in (CALM, REJECTED)
    ]
    assert told == ["ham", "banned_word"]
    assert "X-akismet-classification" not in (await site.check()).headers


def hostile_bodies() -> dict[str, bytes]:
    good = urlencode(comment_fields()).encode()
    return {
        "nothing": b"",
        "only ampersands": b"&" * 4000,
        "too many parameters": b"a=1&" * 6000,
        "no form at all": b'{"blog": "x"}',
        "binary": bytes(range(256)) * 40,
        "broken percent": good + b"&comment_content=%zz%&%=%",
        "one megabyte of others": good + b"&x=" + b"a" * 1_000_000,
        "duplicates": good + b"&" + good,
        "arrays": b"&".join(
            part.partition(b"=")[0] + b"[]=" + part.partition(b"=")[2] for part in good.split(b"&")
        ),
        "nested": good.replace(b"comment_content=", b"comment_content[a][b]="),
        "not utf-8": good + b"&comment_author=%ff%fe%00%ed%a0%80",
        "zero": good + b"&comment_content=%00",
        "wild urls": good
        + b"&permalink=http://[::1&comment_author_url=http://[&callback=http://[&blog=http://[",
        "wild numbers": good + b"&comment_date_gmt=99999999999999999999&comment_post_ID=%00&user_ip=999",
        "wild language": good + b"&blog_lang=%2C%2C%2C&blog_charset=rot13&user_role=%2C",
        "cut off in an escape": good + b"&comment_content=%D",
    }


@pytest.mark.parametrize("name", hostile_bodies())
@pytest.mark.parametrize("call", ["comment-check", "submit-spam", "verify-key", "key-sites", "get-stats"])
async def test_hostile_bodies_are_answered_in_the_dialects_own_words(
    site: AkismetSite, name: str, call: str
) -> None:
    body = hostile_bodies()[name]
    for content_type in ("application/x-www-form-urlencoded", "application/json; charset=utf-7", "x"):
        given = await site.call(call, body, headers={"Host": f"{site.key}.h", "Content-Type": content_type})
        assert given.status == 200
        assert given.guid
        if call in ("comment-check", "submit-spam", "verify-key"):
            assert given.text in {"true", "false", "invalid", "valid", THANKS}


async def test_none_of_several_texts_goes_unjudged(site: AkismetSite) -> None:
    for second in ("comment_content", "comment_content%5B%5D"):
        good = urlencode({"api_key": site.key, **comment_fields(REJECTED)})
        assert (await site.call("comment-check", f"{good}&{second}={quote(CALM)}")).text == "true"


async def test_texts_in_the_charset_that_the_client_names_are_read(site: AkismetSite) -> None:
    for charset in ("windows-1256", "iso-8859-6"):
        fields = {k: v for k, v in comment_fields().items() if k != "comment_content"}
        body = urlencode(
            {"api_key": site.key, **fields, "blog_charset": charset, "comment_author": "x"}
        ).encode()
        body += b"&comment_content=" + quote(REJECTED.encode(charset)).encode()
        assert (await site.call("comment-check", body)).text == "true"
    texts = {row["text"] for row in await site.rows("SELECT text FROM comments")}
    assert texts == {REJECTED}


async def test_a_long_arabic_comment_of_400_kb_is_judged(site: AkismetSite) -> None:
    fields = comment_fields("تعليق طويل جدا على الخبر " * 1300)
    body = wordpress_body(fields, site.key)
    assert len(body) > 300_000
    given = await site.call("comment-check", body, headers={"User-Agent": WORDPRESS})
    assert given.text in {"true", "false"}
    assert [row["text"] for row in await site.rows("SELECT text FROM comments")] == [
        fields["comment_content"].rstrip() + " "
    ]


async def test_what_is_longer_than_can_be_judged_is_held_not_published(site: AkismetSite) -> None:
    given = await site.check("word " * 20_000)
    assert given.text == "true"
    (row,) = await site.rows(
        "SELECT d.reasons, length(c.text) AS n FROM decisions d JOIN comments c ON c.id = d.comment_id"
    )
    assert "partly_read" in [found["code"] for found in row["reasons"]]
    assert row["n"] == 65_536


async def test_bodies_above_two_mebibytes_and_compressed_ones_are_refused_with_a_guid(
    site: AkismetSite,
) -> None:
    for body, headers in ((b"a" * (2 * 1024 * 1024 + 1), {}), (b"a=1", {"Content-Encoding": "gzip"})):
        given = await site.call("comment-check", body, headers=headers)
        assert (given.status, given.text) == (200, "invalid")
        assert given.guid
        assert given.headers["X-akismet-debug-help"]


async def test_multipart_is_read_too(site: AkismetSite) -> None:
    fields = {"api_key": site.key, **comment_fields(REJECTED)}
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    given = await site.call(
        "comment-check",
        (body + "--b--\r\n").encode(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert given.text == "true"


async def test_the_key_is_in_no_log_line(site: AkismetSite, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[dict[str, Any]] = []

    class Recorder:
        def __getattr__(self, level: str) -> Any:
            return lambda event, **fields: lines.append({"event": event, **fields})

    for module in (edge, akismet_calls):
        monkeypatch.setattr(module, "log", Recorder())
    monkeypatch.setattr(edge, "log_request", lambda **fields: lines.append(fields))
    await site.check()
    await site.call("usage-limit", method="GET")
    await site.call("comment-check", urlencode(comment_fields()), headers={"Host": f"{site.key}.h"})
    await site.call("verify-key", key="deadbeef0123", blog=BLOG)
    assert [line.get("answer") for line in lines] == ["false", None, "false", "invalid"]
    written = str(lines)
    for private in (site.key, "deadbeef0123", "reader", "198.51.100.7", "ترام"):
        assert private not in written


class TestGuesses:
    """Keys are short, so trying them out is throttled; good keys are not harmed by it."""

    def test_after_ten_wrong_keys_an_address_waits_and_others_do_not(self) -> None:
        now_s = 0.0
        guesses = Guesses(lambda: now_s)
        for _ in range(10):
            assert guesses.may_look_up("a", b"new")
            guesses.was_wrong("a")
        assert not guesses.may_look_up("a", b"new")
        assert guesses.may_look_up("b", b"new")
        now_s = 6.0
        assert guesses.may_look_up("a", b"new")

    def test_a_key_that_was_right_is_looked_up_whatever_was_tried(self) -> None:
        guesses = Guesses(lambda: 0.0)
        guesses.was_right(b"good")
        for _ in range(100):
            guesses.was_wrong("a")
        assert guesses.may_look_up("a", b"good")
        assert not guesses.may_look_up("a", b"new")

    async def test_a_guesser_is_told_invalid_even_when_at_last_right(self, site: AkismetSite) -> None:
        for number in range(10):
            assert (await site.call("verify-key", key=f"{number:012x}", blog=BLOG)).text == "invalid"
        assert (await site.call("verify-key", blog=BLOG)).text == "invalid"
