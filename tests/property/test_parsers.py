"""Every parser at the edge returns, or raises one of our errors: never anything else, whatever arrives."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from moderation.domain.errors import ModerationError
from moderation.domain.site import SiteSettings
from moderation.intake.validation import read_submission
from moderation.protocols.bodies import parse_json
from moderation.protocols.languages import _choose

NOW = datetime(2026, 11, 1, tzinfo=UTC)
FIELDS = ("thread", "author", "text", "id", "url", "title", "name", "email", "ip", "external_id", "parent_id", "language", "context", "created_at", "user_agent")  # fmt: skip

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=8)
    ),
    max_leaves=30,
)
author = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("name", "email", "url", "ip", "user_agent", "external_id"), anything)
)
comments = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, anything) | {"author": author | anything})


@settings(max_examples=300)
@given(comments | anything)
@example({"author": {"url": "http://[", "email": "a@b.c"}, "text": "x", "thread": {"id": 1}})
@example({"author": {"url": "http://a:99999999/"}, "thread": {"url": "//x"}})
@example({"created_at": "9999-12-31T23:59:59-23:59", "thread": {"id": "1"}})
@example({"created_at": "0001-01-01T00:00:00+23:59"})
@example({"context": {"\ud800": 1, "a/~b": float("nan")}})
def test_any_object_is_a_submission_or_names_its_faults(raw: Any) -> None:
    try:
        submission = read_submission(raw, SiteSettings(), now=NOW)
    except ModerationError as error:
        assert getattr(error, "errors", None)
        json.dumps([e.pointer for e in error.errors]).encode()  # type: ignore[attr-defined]
        return
    assert submission.text.strip()
    for kept in (submission.text, submission.external_id, submission.author.name, submission.thread.title):
        (kept or "").encode("utf-8")
        assert "\x00" not in (kept or "")


@settings(max_examples=300)
@given(
    st.binary(max_size=200)
    | st.text().map(str.encode)
    | anything.map(lambda value: json.dumps(value).encode())
)
@example(b'{"a": "\\ud800"}')
@example(b"\xef\xbb\xbf{}")
@example(b'{"a": NaN, "b": "\\u0041"}')
@example(b"[" * 5000)
@example(b'"\\u0041' + b"[" * 5000)
def test_any_bytes_are_json_or_malformed(body: bytes) -> None:
    try:
        parse_json(body)
    except ModerationError as error:
        assert error.code == "malformed-request"


@given(st.text(max_size=600), st.sampled_from(["ar", "en", "fr"]))
@example("ar;q=nan, en;q=inf", "ar")
def test_any_accept_language_gives_a_language(header: str, default: str) -> None:
    assert _choose(header, default) in {"ar", "en"}
