"""What of a comment counts as given, and which numbers are ids."""

from datetime import UTC, datetime
from typing import Any

import pytest

from moderation.domain.errors import InvalidCommentError
from moderation.domain.site import SiteSettings
from moderation.intake.validation import read_submission
from moderation.protocols.bodies import parse_json

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def a_comment(**fields: Any) -> dict[str, Any]:
    return {
        "thread": {"id": "1"},
        "author": {"name": "ليلى", "email": "layla@example.com"},
        "text": "خبر جميل",
    } | fields


def faults(raw: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidCommentError) as caught:
        read_submission(raw, SiteSettings(), now=NOW)
    return [(error.pointer, error.code) for error in caught.value.errors]


@pytest.mark.parametrize(
    "unseen",
    [" \u00a0\t", "\u200b", "\ufeff", "\u2060\u200d", "\u00ad", "\u202e", "\u2800", "\u3164", "\ufe0f", "\U000e0041"],
    ids=ascii,
)  # fmt: skip
def test_what_nobody_can_see_counts_as_missing(unseen: str) -> None:
    author = {"name": unseen, "email": "layla@example.com"}
    assert faults(a_comment(text=unseen, author=author)) == [
        ("/author/name", "missing"),
        ("/text", "missing"),
    ]


@pytest.mark.parametrize("seen", ["ـ", "؟", "🙂", "\u200b.\u200b", "م\u200cن", "ً"], ids=ascii)
def test_a_single_mark_is_a_text_and_stays_as_it_was_sent(seen: str) -> None:
    assert read_submission(a_comment(text=seen), SiteSettings(), now=NOW).text == seen


@pytest.mark.parametrize(
    ("written", "read"),
    [("7", "7"), ("-5", "-5"), ("7.0", "7"), ("18446744073709551615", "18446744073709551615"), ('"18446744073709551616"', "18446744073709551616")],
)  # fmt: skip
def test_whole_numbers_are_ids(written: str, read: str) -> None:
    raw = a_comment(external_id=parse_json(written.encode()))
    assert read_submission(raw, SiteSettings(), now=NOW).external_id == read


@pytest.mark.parametrize("written", ["18446744073709551616", "18446744073709551617", "-9223372036854775809", "1e17", "1.5", "true"])  # fmt: skip
def test_a_number_that_arrives_rounded_is_no_id(written: str) -> None:
    number = parse_json(written.encode())
    raw = a_comment(external_id=number, parent_id=number, thread={"id": number})
    assert faults(raw) == [(at, "wrong_type") for at in ("/thread/id", "/external_id", "/parent_id")]


def test_too_many_values_of_context_are_called_entries() -> None:
    assert faults(a_comment(context={str(n): n for n in range(21)})) == [("/context", "too_many")]
