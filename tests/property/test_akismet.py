"""What arrives from Akismet's clients: whatever it is, it becomes a form, and PHP's quoting is taken off as it was put on."""

from urllib.parse import quote_plus, unquote_to_bytes

from hypothesis import example, given
from hypothesis import strategies as st

from moderation.domain.errors import MalformedRequestError
from moderation.protocols.akismet_comments import read_said, unslashed
from moderation.protocols.akismet_form import NAMES, parse, unquoted

names = st.sampled_from(
    [*sorted(NAMES), "POST_comment", "HTTP_X", "trap", "comment_content[]", "blog[0]", "%", ""]
)
fragments = st.one_of(
    st.binary(max_size=40), st.text(max_size=40).map(lambda text: quote_plus(text, errors="replace").encode())
)
bodies = st.lists(st.tuples(names, st.sampled_from([b"=", b""]), fragments), max_size=12).map(
    lambda pairs: b"&".join(name.encode() + equals + value for name, equals, value in pairs)
)


@given(st.binary(max_size=200) | fragments)
@example(b"%d8%b9+%D9%8A%zz%%4")
@example(b"a=b%0A%41\r\n%\n%==%3D")
@example(b"%\r\n%")
@example(b"%E2%80%8F _x=%20 ")
def test_escapes_are_decoded_as_the_standard_library_does(written: bytes) -> None:
    assert unquoted(written) == unquote_to_bytes(written.replace(b"+", b" "))


@given(st.text(max_size=60).filter(lambda text: "\0" not in text))
@example("\\")
@example("\\\\0")
@example("'\"")
def test_quoting_is_taken_off_as_php_put_it_on(text: str) -> None:
    slashed = text.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')
    assert unslashed(slashed) == text


@given(
    bodies,
    st.sampled_from([None, "cp1256", "iso8859-6"]),
    st.sampled_from([None, "multipart/form-data; boundary=b"]),
)
def test_whatever_arrives_is_a_form_or_a_refusal(
    body: bytes, charset: str | None, multipart: str | None
) -> None:
    try:
        form = parse(b"", body, multipart, charset)
    except MalformedRequestError:
        return
    said = read_said(form, may_be_slashed=True)
    said.text.encode()
    said.name.encode()
    assert "\0" not in said.text
    assert set(form.values) <= NAMES
