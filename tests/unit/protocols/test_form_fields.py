"""The form's body: whatever arrives becomes fields or one of our errors."""

import inspect
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moderation.domain.errors import MalformedRequestError, RateLimitedError
from moderation.domain.messages import codes
from moderation.intake import validation
from moderation.protocols.form_fields import (
    FIELDS,
    MAX_FIELDS,
    collect,
    json_fields,
    multipart_pairs,
    urlencoded_pairs,
)
from moderation.protocols.problems import PROBLEMS
from moderation.protocols.reader_words import duration, problem_message

CONTENT_TYPE = "multipart/form-data; boundary=xyz"


def part(name: str, value: bytes, more: str = "") -> bytes:
    return b'--xyz\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (
        name.encode(),
        more.encode(),
        value,
    )


def test_percent_encoded_arabic_is_read_and_what_is_not_ours_is_dropped() -> None:
    body = (
        b"author=%D9%84%D9%8A%D9%84%D9%89+%D8%A3&comment=a%26b%3Dc&wpnonce=1&akismet%5B%5D=2&comment_parent="
    )
    assert collect(urlencoded_pairs(body)) == {"author": "ليلى أ", "comment": "a&b=c", "comment_parent": ""}


def test_the_line_ends_of_the_transport_are_not_the_readers() -> None:
    assert collect(urlencoded_pairs(b"comment=a%0D%0Ab%0Ac")) == {"comment": "a\nb\nc"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"comment=%E1%D3%E1%C7%E3", "`comment` is not in UTF-8"),  # windows-1256, percent-encoded
        ("comment=سلام".encode("cp1256"), "`comment` is not in UTF-8"),
        (b"comment=%ED%A0%80", "`comment` is not in UTF-8"),  # a lone surrogate, written as UTF-8 would
        (b"comment=a&comment=b", "`comment` must be sent once"),
        (b"comment%5B%5D=a", "`comment` must be sent once, as plain text"),
        (b"author[name]=a", "`author` must be sent once, as plain text"),
        (b"&".join([b"x=1"] * (MAX_FIELDS + 1)), "more than 200 fields"),
    ],
)
def test_a_form_that_cannot_be_read_says_why(body: bytes, said: str) -> None:
    with pytest.raises(MalformedRequestError) as caught:
        collect(urlencoded_pairs(body))
    assert said in caught.value.detail


def test_multipart_is_read() -> None:
    body = part("author", "ليلى".encode()) + part("comment", b"one\r\n\r\ntwo --xyz") + b"--xyz--\r\n"
    assert collect(multipart_pairs(body, CONTENT_TYPE)) == {"author": "ليلى", "comment": "one\n\ntwo --xyz"}
    assert collect(multipart_pairs(body, 'multipart/form-data; charset=utf-8; boundary="xyz"')) == {
        "author": "ليلى",
        "comment": "one\n\ntwo --xyz",
    }


@pytest.mark.parametrize(
    ("content_type", "body", "said"),
    [
        ("multipart/form-data", part("comment", b"a") + b"--xyz--", "no boundary"),
        (CONTENT_TYPE, part("comment", b"a"), "cut off"),
        (CONTENT_TYPE, part("comment", b"a")[:-9], "cut off"),
        (CONTENT_TYPE, b"", "cut off"),
        (CONTENT_TYPE, part("comment", b"a", '; filename="a.png"') + b"--xyz--", "Files are not accepted"),
        (
            CONTENT_TYPE,
            part("picture", b"", "; filename*=utf-8''a.png") + b"--xyz--",
            "Files are not accepted",
        ),
        (CONTENT_TYPE, b"--xyz\r\nContent-Disposition: form-data\r\n\r\na\r\n--xyz--", "cannot be read"),
        (
            CONTENT_TYPE,
            b'--xyz\r\nContent-Disposition: form-data; name="comment"\r\n--xyz--',
            "cannot be read",
        ),
        (CONTENT_TYPE, part("comment", "سلام".encode("cp1256")) + b"--xyz--", "not in UTF-8"),
        (CONTENT_TYPE, part("comment", b"a") * 2 + b"--xyz--", "must be sent once"),
        (CONTENT_TYPE, part("x", b"") * (MAX_FIELDS + 1) + b"--xyz--", "more than 200 fields"),
    ],
)
def test_a_multipart_form_that_cannot_be_read_says_why(content_type: str, body: bytes, said: str) -> None:
    with pytest.raises(MalformedRequestError) as caught:
        collect(multipart_pairs(body, content_type))
    assert said in caught.value.detail


@given(st.binary(max_size=400))
@example(b"%=%&%zz=%&comment=%f")
def test_any_urlencoded_bytes_become_text_or_our_error(body: bytes) -> None:
    try:
        fields = collect(urlencoded_pairs(body))
    except MalformedRequestError:
        return
    assert set(fields) <= set(FIELDS)
    assert all(isinstance(value, str) for value in fields.values())


@given(st.lists(st.sampled_from([b"--xyz", b"\r\n", b"--", b"Content-Disposition: form-data", b'; name="comment"', b"a", b"\xe1", b";", b"\r\n\r\n"]), max_size=20))  # fmt: skip
def test_any_multipart_bytes_become_text_or_our_error(pieces: list[bytes]) -> None:
    try:
        fields = collect(multipart_pairs(b"".join(pieces), CONTENT_TYPE))
    except MalformedRequestError:
        return
    assert set(fields) <= {"comment"}


@pytest.mark.parametrize("body", [b"[]", b'"comment"', b"{", b'{"comment": NaN}', b"\xff", b"[" * 5000])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        json_fields(body)


@pytest.mark.parametrize(
    ("seconds", "arabic", "english"),
    [
        (1, "ثانية واحدة", "1 second"),
        (2, "ثانيتين", "2 seconds"),
        (3, "3 ثوانٍ", "3 seconds"),
        (10, "10 ثوانٍ", "10 seconds"),
        (11, "11 ثانية", "11 seconds"),
        (100, "100 ثانية", "100 seconds"),
        (119, "119 ثانية", "119 seconds"),
        (120, "دقيقتين", "2 minutes"),
        (121, "3 دقائق", "3 minutes"),
        (3600, "60 دقيقة", "60 minutes"),
    ],
)
def test_waiting_times_are_said_as_people_say_them(seconds: int, arabic: str, english: str) -> None:
    assert (duration(seconds, "ar"), duration(seconds, "en")) == (arabic, english)
    assert arabic in problem_message(RateLimitedError("author", seconds), "ar")


def test_the_guide_names_every_field_every_field_error_and_only_real_problems() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "news-sites.md").read_text("utf-8")
    assert [name for name in FIELDS if f"`{name}`" not in guide] == []
    table = guide[guide.index("| `code` of a field") : guide.index("| status |")]
    named = set(re.findall(r"`(\w+)`", table)) - {"code"}
    assert named <= codes()
    raised = set(re.findall(r'fail\([^\n]*?, "([a-z_]+)"', inspect.getsource(validation)))
    assert {"missing", "invalid_url", "wrong_type"} <= raised <= named
    problems = guide[guide.index("| status |") : guide.index("## Retries")]
    assert set(re.findall(r"`([a-z-]+)`", problems)) - {"type"} <= set(PROBLEMS)
