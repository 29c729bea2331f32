"""The parameters of an Akismet call, out of the address and the body; what is not listed here is dropped unread.

The WordPress plugin sends every field and header of its reader's request along (``POST_email``, ``HTTP_…``): none of it is
needed but the trap field, so none of it is decoded. Whatever arrives, the outcome is a `Form` or `MalformedRequestError`.
"""

import asyncio
import binascii
import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from aiohttp import web

from moderation.domain.details import detail
from moderation.domain.errors import MalformedRequestError
from moderation.protocols.bodies import read_body
from moderation.protocols.form_fields import MULTIPART, Pair, multipart_pairs

BODY_BYTES = 2 * 1024 * 1024
"""48 KB of Arabic make 306 KB on the wire: percent-encoded, and all of it twice."""
INLINE_BYTES = 128 * 1024
"""A larger body is taken apart in a thread: some 0.4 ms for each 100 KB of percent-encoded Arabic."""
MAX_PARAMETERS = 5_000

NAMES = frozenset(
    {
        "akismet_comment_nonce",
        "api_key",
        "blog",
        "blog_charset",
        "blog_lang",
        "callback",
        "classify",
        "comment_ID",
        "comment_author",
        "comment_author_email",
        "comment_author_url",
        "comment_check_response",
        "comment_content",
        "comment_context",
        "comment_date_gmt",
        "comment_post_ID",
        "comment_type",
        "content_type",
        "extended",
        "filter",
        "format",
        "from",
        "guid",
        "honeypot_field_name",
        "is_test",
        "key",
        "limit",
        "month",
        "offset",
        "order",
        "permalink",
        "POST_ak_hp_textarea",
        "recheck_reason",
        "reporter",
        "user_agent",
        "user_ip",
        "user_role",
    }
)
_KNOWN = {name.encode(): name for name in NAMES}
_TRUE = frozenset({"1", "true", "yes", "on"})
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_LEGACY_CHARSETS = frozenset(
    {"cp1256", "iso8859-6", "cp1252", "iso8859-1", "cp1250", "cp1251", "cp1254", "koi8-r"}
)
"""Read where a text is not UTF-8 and its sender says that it is one of these."""
_MAX_CHARSET = 40


@dataclass(frozen=True, slots=True)
class Form:
    """The values of each known parameter, in the order they came; a blank one without ``=`` is the empty string.

    Every text in it can be stored.
    """

    values: Mapping[str, list[str]] = field(repr=False)
    has_trap: bool = False
    """Whether the field named by ``honeypot_field_name`` is filled in."""

    def has(self, name: str) -> bool:
        """Tell whether the parameter came, blank or not."""
        return name in self.values

    def get(self, name: str) -> str:
        """Return the parameter, trimmed; the last one where it came several times, as PHP reads it; blank without any."""
        found = self.values.get(name)
        return found[-1].strip() if found else ""

    def all(self, name: str) -> list[str]:
        """Return every value of the parameter that is not blank."""
        return [text for text in self.values.get(name, ()) if text.strip()]

    def is_set(self, name: str) -> bool:
        """Tell whether the parameter says yes."""
        return self.get(name).lower() in _TRUE

    @property
    def is_trapped(self) -> bool:
        """Whether a field is filled in that only programs see."""
        return self.has_trap or bool(self.get("POST_ak_hp_textarea"))


async def read_form(request: web.Request) -> Form:
    """Read address and body. Raises `MalformedRequestError`, `TooLargeError` above 2 MiB, `UnsupportedMediaTypeError`."""
    query = request.rel_url.raw_query_string.encode("ascii", "replace")
    body = b"" if request.method == "GET" else await read_body(request, BODY_BYTES)
    kind = request.headers["Content-Type"] if request.content_type == MULTIPART else None
    charset = known_charset(request.charset or "")
    if len(body) <= INLINE_BYTES:
        return parse(query, body, kind, charset)
    return await asyncio.to_thread(parse, query, body, kind, charset)


def parse(query: bytes, body: bytes, multipart: str | None, charset: str | None) -> Form:
    """Read both parts; whatever the body is called: some clients send no content type, or a broken one."""
    if multipart is None:
        return collect(_split(b"&".join((query, body)) if query else body), charset)
    return collect([*_split(query), *multipart_pairs(body, multipart)], charset)


def _split(written: bytes) -> list[Pair]:
    """Split after the URL Standard §5.1; only the values of known names are decoded."""
    if written.count(b"&") >= MAX_PARAMETERS:
        raise MalformedRequestError(detail("too_many_parameters", limit=MAX_PARAMETERS))
    split = [pair.partition(b"=") for pair in written.split(b"&")]
    trap = _trap_name(split) if b"honeypot_field_name" in written else ""
    pairs = []
    for name, _, value in split:
        known = _KNOWN.get(name)
        if known is None and (trap or b"[" in name or b"%" in name):
            known = _odd_name(name, trap)
        if known is not None:
            pairs.append((known, unquoted(value)))
    return pairs


def _odd_name(written: bytes, trap: str) -> str | None:
    """Return a name that is escaped, has a bracket behind it, or is the trap's; None for all others."""
    name = _name(written)
    return name if name in NAMES or name == trap else None


def unquoted(written: bytes) -> bytes:
    """Decode percent escapes and ``+``: what is well-formed by C code made for quoted-printable, ten times as quick on Arabic.

    That code and ours differ on escapes that are none, which shows in the length, and before a line's end.
    """
    if b"+" in written:
        written = written.replace(b"+", b" ")
    if b"%" not in written:
        return written
    quoted = written.replace(b"=", b"=3D").replace(b"%", b"=")
    if b"\n" not in quoted and b"\r" not in quoted:
        decoded = binascii.a2b_qp(quoted)
        if len(quoted) - len(decoded) == 2 * quoted.count(b"="):
            return decoded
    return _ESCAPES.sub(_unescape, written)


def _unescape(run: re.Match[bytes]) -> bytes:
    return bytes.fromhex(run[0].replace(b"%", b"").decode())


def _name(written: bytes) -> str:
    """Return the name of a parameter; of ``name[]`` and ``name[0]`` what stands before the bracket."""
    return unquoted(written).partition(b"[")[0].decode(errors="replace")


def _trap_name(written: Iterable[tuple[bytes, bytes, bytes]]) -> str:
    for name, _, value in written:
        if name == b"honeypot_field_name":
            return unquoted(value).decode(errors="replace").strip()
    return ""


def collect(pairs: Iterable[Pair], charset: str | None = None) -> Form:
    """Gather the pairs by name; the sender's charset counts where a value is not UTF-8."""
    found: dict[str, list[bytes]] = {}
    for name, value in pairs:
        found.setdefault(name.partition("[")[0] if "[" in name else name, []).append(value)
    if charset is None and "blog_charset" in found:
        charset = known_charset(found["blog_charset"][-1].decode(errors="replace").strip())
    texts = {
        name: [_text(value, charset) for value in values] for name, values in found.items() if name in NAMES
    }
    named = texts.get("honeypot_field_name")
    trap = found.get(named[-1].strip(), []) if named else []
    return Form(texts, has_trap=any(value.strip() for value in trap))


def _text(value: bytes, charset: str | None) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode(charset or "utf-8", errors="replace")
    return text.replace("\x00", "") if "\x00" in text else text


def known_charset(name: str) -> str | None:
    """Return Python's name of an older encoding that we read; None for UTF-8, and for what is none."""
    return _known_charset(name) if 0 < len(name) <= _MAX_CHARSET else None


@lru_cache(maxsize=256)
def _known_charset(name: str) -> str | None:
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return found if found in _LEGACY_CHARSETS else None
