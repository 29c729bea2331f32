"""Headers, query strings, webhooks, batch lines, configuration: each is read, or refused by one of our errors."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from moderation.domain.errors import ModerationError
from moderation.domain.policy import Policy
from moderation.domain.rates import Limits
from moderation.domain.site import SiteSettings
from moderation.intake.validation import FieldReader
from moderation.protocols import batch, feed, native, preferences, review_fields, webhook
from moderation.protocols.addresses import TRUSTED_PROXIES, client_address
from moderation.protocols.akismet_form import collect
from moderation.protocols.bodies import parse_json
from moderation.protocols.coral_feedback import read_word
from moderation.protocols.coral_requests import UnreadableRequestError, is_signed, read_comment
from moderation.protocols.perspective_errors import PerspectiveError
from moderation.protocols.perspective_requests import read_analyze, read_suggest
from tests.fuzz.values import NUMBERS, OTHERS, TEXTS
from tests.property.test_parsers import anything

OURS = (ModerationError, PerspectiveError, UnreadableRequestError)
odd = st.one_of(anything, st.sampled_from([*TEXTS, *NUMBERS, *OTHERS]))
header_text = st.text(
    st.characters(min_codepoint=1, blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=300
)


def named(*names: str, inner: st.SearchStrategy[Any] = odd) -> st.SearchStrategy[Any]:
    """Objects that often have these members, with anything in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, inner)) | odd


def reads(parse: Callable[[], Any]) -> Any:
    """Parse, or be refused; nothing else may come out."""
    try:
        return parse()
    except OURS as error:
        return error


def storable(value: Any) -> None:
    """Whatever text was let through has an encoding, and PostgreSQL can hold it."""
    for text in value if isinstance(value, list | tuple) else [value]:
        if isinstance(text, str):
            text.encode()
            assert "\x00" not in text


@given(header_text)
@example('"1"')
@example('W/"٣"')
@example('"99999999999999999999"')
@example('"1", "2"')
def test_any_if_match_names_a_revision_or_fails_the_precondition(written: str):
    request = make_mocked_request("PUT", "/", headers=CIMultiDict({"If-Match": written}))
    found = reads(lambda: native.if_match(request))
    assert found is None or isinstance(found, frozenset) or found.code == "precondition-failed"


@given(header_text)
def test_any_idempotency_key_is_kept_or_refused(written: str):
    request = make_mocked_request("POST", "/", headers=CIMultiDict({"Idempotency-Key": written}))
    found = reads(lambda: native.idempotency_key(request.headers))
    storable(found)
    assert isinstance(found, str) or found.code == "malformed-request"


@given(header_text)
@example("text/html;q=nan, application/json;q=-1")
def test_any_accept_prefers_something(written: str):
    request = make_mocked_request("POST", "/", headers=CIMultiDict({"Accept": written}))
    assert preferences.prefers_html(request) in {True, False}


@given(header_text | st.sampled_from(["::1%eth0", "1.2.3.4:80, x", "[::1]", "unknown", "," * 80]))
def test_any_forwarded_address_leaves_an_address(written: str):
    request = make_mocked_request("POST", "/", headers=CIMultiDict({"X-Forwarded-For": written}))
    request.app[TRUSTED_PROXIES] = ()
    with patch.object(type(request), "remote", "127.0.0.1"):
        assert client_address(request) == "127.0.0.1"


query_names = st.sampled_from(
    ["site", "limit", "after", "cursor", "order", "kind", "reason", "language", "x"]
)
queries = st.lists(st.tuples(query_names, st.text(max_size=30) | st.sampled_from(TEXTS[:20])), max_size=6)


@given(queries)
@example([("limit", "٣")])
@example([("limit", "1"), ("limit", "2")])
def test_any_query_string_is_read_or_names_the_parameter(pairs: list[tuple[str, str]]):
    written = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in pairs)
    assume(len(written) < 4000)
    request = make_mocked_request("GET", f"/v1/queue?{written}")

    def read() -> list[Any]:
        raw, reader = review_fields.query_as_body(request), FieldReader()
        found = [
            review_fields.read_kind(reader, raw),
            review_fields.read_order(reader, raw),
            review_fields.read_reason(reader, raw),
            review_fields.read_number(reader, raw, "limit", high=200),
            reader.text(raw, "site", at="/site", limit=255),
        ]
        review_fields.refuse_parameters(reader, "ar")
        return found

    storable(reads(read))
    after = reads(lambda: feed._whole(request, "after", low=0, high=2**63 - 2, default=0))
    assert isinstance(after, int) or after.code == "malformed-request"


@settings(max_examples=60)
@given(named("type", "data", "timestamp"))
def test_any_webhook_message_is_read_or_names_its_faults(message: Any):
    found = reads(lambda: webhook._read_message(message))
    assert isinstance(found, tuple) or found.errors


@settings(max_examples=60)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("state", "decided_at", "reason", "moderator"), odd)))
@example({"state": "approved", "decided_at": "9999-12-31T23:59:59-23:59"})
@example({"state": ["approved"], "reason": {}, "moderator": "\ud800"})
def test_any_history_line_is_read_or_names_its_faults(raw: dict[str, Any]):
    found = reads(lambda: batch.read_history(raw))
    assert found.errors if isinstance(found, ModerationError) else found.decided_at


@given(st.binary(max_size=300) | odd.map(lambda value: json.dumps(value).encode()))
def test_any_line_is_json_or_one_of_our_errors(line: bytes):
    parsed = batch._parsed(line)
    if not isinstance(parsed, ModerationError):
        assert isinstance(batch._id(parsed, "external_id"), str)


POLICY = (
    "mode",
    "thresholds",
    "banned_words",
    "link_limit",
    "audit_share",
    "trust",
    "duplicates",
    "first_comment",
)
THRESHOLDS = st.dictionaries(
    st.sampled_from(["*", "ar", "en", "\ud800"]), named("spam", "abuse", inner=named("doubt", "reject"))
)
LISTS = st.lists(
    named("name", "action", "words", "leetspeak", inner=odd | st.lists(odd, max_size=4)), max_size=4
)


@settings(max_examples=80)
@given(named(*POLICY, inner=odd | THRESHOLDS | LISTS))
@example({"banned_words": [{"name": "x", "action": "reject", "words": ["", "\x00", "ـ", "(" * 500]}]})
@example({"thresholds": {"ar": {"spam": {"doubt": float("nan"), "reject": 10**400}}}})
def test_any_policy_is_read_or_names_its_keys(value: Any):
    found = reads(lambda: Policy.from_json(value, 1))
    assert found.errors if isinstance(found, ModerationError) else found.version == 1


RULES = named("author", "address", "thread", "site", inner=named("count", "period_s", "burst"))


@settings(max_examples=60)
@given(RULES, named("required", "max_text_length", "check_dns", "limits", "retention", inner=odd | RULES))
def test_any_limits_and_settings_are_read_or_name_their_keys(limits: Any, chosen: Any):
    for found in (reads(lambda: Limits.from_json(limits)), reads(lambda: SiteSettings.from_json(chosen))):
        assert not isinstance(found, ModerationError) or found.errors  # type: ignore[attr-defined]


RULING = ("verdict", "reason", "note", "moderator", "revision", "sequence", "items", "id")


@settings(max_examples=80)
@given(named(*RULING, inner=odd | st.lists(named("id", "revision", "sequence"), max_size=4)))
@example({"verdict": "hold", "revision": 7.0, "sequence": 1e308})
@example({"items": [{"id": "01950000-0000-7000-8000-00000000000\u0660", "revision": 1}]})
def test_any_ruling_is_read_or_names_its_faults(raw: Any):
    assume(isinstance(raw, dict))
    reader = FieldReader()
    ruling = review_fields.read_ruling(reader, raw)
    review_fields.read_login(reader, raw)
    storable([ruling.note])
    assert reader.errors or ruling.verdict == raw["verdict"]
    items = reads(lambda: review_fields.read_targets(raw))
    assert isinstance(items, list) or items.errors


WANTED = named(
    "TOXICITY",
    "SPAM",
    "\x00",
    inner=named("scoreThreshold", "scoreType", "summaryScore", "spanScores", inner=named("value")),
)
PERSPECTIVE = (
    "comment",
    "requestedAttributes",
    "attributeScores",
    "languages",
    "clientToken",
    "context",
    "communityId",
)
ENTRY = st.fixed_dictionaries({"Coral_comment_id": odd, "url": odd}).map(json.dumps)
CONTEXT = st.fixed_dictionaries({"entries": st.lists(st.fixed_dictionaries({"text": ENTRY}), max_size=2)})


@settings(max_examples=80)
@given(named(*PERSPECTIVE, inner=odd | WANTED | CONTEXT | st.fixed_dictionaries({"text": odd})))
@example({"comment": {"text": "a\x00b"}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}})
def test_any_perspective_call_is_read_or_refused(raw: Any):
    asked, said = reads(lambda: read_analyze(raw)), reads(lambda: read_suggest(raw))
    if not isinstance(asked, PerspectiveError):
        storable([asked.text, asked.client_token, *asked.languages])
    if not isinstance(said, PerspectiveError):
        storable([said.text, said.client_token, said.community, *said.languages])
        word = read_word(said)
        storable([] if word is None else [word.coral_id, word.story_url])


@settings(max_examples=60)
@given(
    named(
        "comment",
        "author",
        "story",
        "site",
        "tenantID",
        "action",
        inner=named("id", "body", "url", "role", "parentID"),
    )
)
def test_any_coral_request_is_read_or_refused(raw: Any):
    found = reads(lambda: read_comment(raw))
    if not isinstance(found, UnreadableRequestError):
        storable([found.text, found.parent, found.author, found.story, found.story_url])


@given(header_text, st.binary(max_size=50))
@example("sha256=\u00e9", b"")
def test_any_coral_signature_is_judged(header: str, body: bytes):
    assert is_signed(header, body, ["secret"]) is False


NAMES = st.sampled_from(
    ["blog", "comment_content", "comment_author", "honeypot_field_name", "blog_charset", "x[0]"]
)


@given(
    st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=8), st.none() | st.sampled_from(["cp1256"])
)
def test_any_akismet_form_gives_storable_text(pairs: list[tuple[str, bytes]], charset: str | None):
    form = collect(pairs, charset)
    storable([form.get(name) for name, _ in pairs])
    assert form.is_trapped in {True, False}


@pytest.mark.parametrize("body", [b"9" * 5000, b'{"a":' + b"9" * 5000 + b', "b": "\\u0041"}'])
def test_numbers_beyond_reason_are_read_or_malformed(body: bytes):
    found = reads(lambda: parse_json(body))
    assert not isinstance(found, Exception) or found.code == "malformed-request"
