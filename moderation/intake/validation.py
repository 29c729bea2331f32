"""From the fields of a request to a `Submission` that cannot be wrong, or every faulty field at once.

The input is the object of ``POST /v1/comments`` as decoded JSON; other dialects build the same object first.
Only the fields named here are read; what else the caller sent is dropped unread.
"""

import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from moderation.domain.comment import Author, Submission, Thread
from moderation.domain.errors import FieldError, InvalidCommentError
from moderation.domain.identity import is_ipv4
from moderation.domain.site import SiteSettings
from moderation.intake.emails import InvalidEmailError, canonical_email

MAX_NAME = 200
MAX_EMAIL = 254  # RFC 5321 §4.5.3.1.3 less the angle brackets
MAX_URL = 2000
MAX_ID = 255
MAX_TITLE = 500
MAX_USER_AGENT = 512
MAX_CONTEXT_ITEMS = 20

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL cannot hold."""
INVISIBLE = (
    r"\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
"""Blanks, controls, joiners, directions, fillers: of a text of these alone no reader sees anything. For a class of a pattern."""
_VISIBLE = re.compile(rf"[^{INVISIBLE}\U000e0000-\U000e0fff]")
_EXACT = 2**53
"""Below it every whole number that arrives as a float is the one that was sent (IEEE 754)."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


class FieldReader:
    """Reads fields out of one decoded object, and collects what is wrong with them."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def fail(self, pointer: str, code: str, **values: Any) -> None:
        """Note that the field at ``pointer`` is faulty."""
        self.errors.append(FieldError(pointer, code, values))

    def part(self, source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """Return the object ``name``; empty when absent or null; faulty when it is no object."""
        value = source.get(name)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.fail(f"/{name}", "wrong_type", expected="object")
        return {}

    def text(self, source: Mapping[str, Any], name: str, *, at: str, limit: int) -> str | None:
        """Return the string ``name``, or None when absent, null or without a visible character.

        Faulty when no string, unstorable or too long.
        """
        value = source.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fail(at, "wrong_type", expected="string")
            return None
        if UNSTORABLE.search(value):
            self.fail(at, "unstorable_text")
            return None
        if len(value) > limit:
            self.fail(at, "too_long", limit=limit)
            return None
        return value if _VISIBLE.search(value) else None

    def identifier(self, source: Mapping[str, Any], name: str, *, at: str) -> str | None:
        """Return an id: a string, or a whole number written as one (WordPress ids are numbers).

        Numbers beyond 64 bits arrive rounded, so that two ids would be one: they are faulty.
        """
        value = source.get(name)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            source = {name: str(value)}
        found = self.text(source, name, at=at, limit=MAX_ID)
        return found.strip() if found else None


def read_submission(
    raw: Any,
    settings: SiteSettings,
    *,
    now: datetime,
    idempotency_key: str | None = None,
    origin: str = "native",
) -> Submission:
    """Check every field of ``raw``. Raises `InvalidCommentError` that names all faulty ones."""
    reader = FieldReader()
    if not isinstance(raw, dict):
        raise InvalidCommentError([FieldError("", "wrong_type", {"expected": "object"})])
    submission = Submission(
        thread=_read_thread(reader, raw),
        author=read_author(reader, raw, settings),
        text=read_text(reader, raw, settings) or "",
        external_id=reader.identifier(raw, "external_id", at="/external_id"),
        parent_id=reader.identifier(raw, "parent_id", at="/parent_id"),
        language=_read_language(reader, raw),
        created_at=read_time(reader, raw, "created_at", now=now),
        context=_read_context(reader, raw),
        idempotency_key=idempotency_key,
        origin=origin,
    )
    if reader.errors:
        raise InvalidCommentError(reader.errors)
    return submission


def _read_thread(reader: FieldReader, raw: Mapping[str, Any]) -> Thread:
    part = reader.part(raw, "thread")
    url = read_url(reader, part, "url", at="/thread/url")
    thread_id = reader.identifier(part, "id", at="/thread/id") or (url[:MAX_ID] if url else None)
    if thread_id is None and not any(e.pointer.startswith("/thread") for e in reader.errors):
        reader.fail("/thread/id", "missing")
    title = reader.text(part, "title", at="/thread/title", limit=MAX_TITLE)
    return Thread(thread_id or "", url, title)


def read_author(reader: FieldReader, raw: Mapping[str, Any], settings: SiteSettings) -> Author:
    """Read the author's fields; those that the site requires are missed when blank."""
    part = reader.part(raw, "author")
    author = Author(
        name=reader.text(part, "name", at="/author/name", limit=MAX_NAME),
        email=_read_email(reader, part),
        url=read_url(reader, part, "url", at="/author/url"),
        address=_read_address(reader, part),
        user_agent=_cut(part.get("user_agent"), MAX_USER_AGENT),
        external_id=reader.identifier(part, "external_id", at="/author/external_id"),
    )
    if not reader.errors or not any(e.pointer == "/author" for e in reader.errors):
        _require(reader, settings, "author.name", author.name)
        _require(reader, settings, "author.email", author.email)
        _require(reader, settings, "author.url", author.url)
    return author


def _require(reader: FieldReader, settings: SiteSettings, field: str, value: str | None) -> None:
    if value is not None or field not in settings.required:
        return
    pointer = "/" + field.replace(".", "/")
    if not any(e.pointer == pointer for e in reader.errors):
        reader.fail(pointer, "missing")


def read_text(reader: FieldReader, raw: Mapping[str, Any], settings: SiteSettings) -> str | None:
    """Return the comment's text as received."""
    text = reader.text(raw, "text", at="/text", limit=settings.max_text_length)
    _require(reader, settings, "text", text)
    return text


def _read_email(reader: FieldReader, part: Mapping[str, Any]) -> str | None:
    written = reader.text(part, "email", at="/author/email", limit=MAX_EMAIL)
    if written is None:
        return None
    try:
        return canonical_email(written.strip())
    except InvalidEmailError:
        reader.fail("/author/email", "invalid_email")
        return None


def read_url(reader: FieldReader, part: Mapping[str, Any], name: str, *, at: str) -> str | None:
    """Return an http or https address; a bare host as readers type it gets ``http://`` in front."""
    written = reader.text(part, name, at=at, limit=MAX_URL)
    if written is None:
        return None
    url = written.strip()
    is_bare = "://" not in url
    if is_bare:
        url = "http://" + url
    if not is_web_url(url) or (is_bare and "." not in url):
        reader.fail(at, "invalid_url")
        return None
    return url


@lru_cache(maxsize=4096)
def is_web_url(url: str) -> bool:
    """Tell whether ``url`` is http or https with a host and without blanks, controls or credentials."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # reading the port checks it
    except ValueError:
        return False
    is_plain = not any(ch.isspace() or ord(ch) < 0x21 or ch in '<>"\\' for ch in url)
    return is_plain and parts.scheme in {"http", "https"} and bool(host) and "@" not in parts.netloc


def _read_address(reader: FieldReader, part: Mapping[str, Any]) -> str | None:
    written = reader.text(part, "ip", at="/author/ip", limit=64)
    if written is None:
        return None
    written = written.strip()
    if is_ipv4(written):
        return written
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        reader.fail("/author/ip", "invalid_address")
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def _read_language(reader: FieldReader, raw: Mapping[str, Any]) -> str | None:
    tag = reader.text(raw, "language", at="/language", limit=35)
    if tag is None:
        return None
    if not _LANGUAGE.fullmatch(tag):
        reader.fail("/language", "invalid_language")
        return None
    return tag.lower()


def read_time(reader: FieldReader, raw: Mapping[str, Any], name: str, *, now: datetime) -> datetime | None:
    """Return an RFC 3339 time as UTC; one from the future (a site's clock ahead of ours) becomes ``now``.

    One without an offset is faulty: nobody knows whether it is the clock on the sender's wall or UTC.
    """
    written = reader.text(raw, name, at=f"/{name}", limit=64)
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written.upper())  # RFC 3339 §5.6 allows small letters
        is_local = moment.tzinfo is None
        moment = moment.replace(tzinfo=UTC) if is_local else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        reader.fail(f"/{name}", "invalid_time")
        return None
    if is_local:
        reader.fail(f"/{name}", "missing_offset" if ":" in written else "invalid_time")
        return None
    if moment < _EARLIEST or moment > now + timedelta(days=1):
        reader.fail(f"/{name}", "invalid_time")
        return None
    return min(moment, now)


def _read_context(reader: FieldReader, raw: Mapping[str, Any]) -> dict[str, Any]:
    part = reader.part(raw, "context")
    if not part:
        return {}
    if len(part) > MAX_CONTEXT_ITEMS:
        reader.fail("/context", "too_many", limit=MAX_CONTEXT_ITEMS)
        return {}
    kept: dict[str, Any] = {}
    for key, value in part.items():
        pointer = "/context/" + key[:60].replace("~", "~0").replace("/", "~1")
        if not isinstance(value, str | int | float | bool | None) or (
            isinstance(value, int) and abs(value) > 2**53
        ):
            reader.fail(UNSTORABLE.sub("?", pointer), "wrong_type", expected="string, number or boolean")
        elif UNSTORABLE.search(key + (value if isinstance(value, str) else "")):
            reader.fail(UNSTORABLE.sub("?", pointer), "unstorable_text")
        elif len(key) > 60 or (isinstance(value, str) and len(value) > MAX_TITLE):
            reader.fail(pointer, "too_long", limit=MAX_TITLE)
        else:
            kept[key] = value
    return kept


def _cut(value: Any, limit: int) -> str | None:
    """Return a browser's self-description: never the reader's fault, so cut and cleaned rather than refused."""
    if not isinstance(value, str) or not value.strip():
        return None
    return UNSTORABLE.sub("", value)[:limit]
