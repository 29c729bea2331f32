"""From the parameters of an Akismet call to the object of ``POST /v1/comments``, and to what feedback is matched by.

A client waits for spam or ham and can do nothing about a faulty field: what cannot be used is left out, never refused.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from moderation.domain.clock import wire_time
from moderation.domain.identity import fold_email, fold_name, is_ipv4
from moderation.domain.ports import Vault
from moderation.domain.site import Site
from moderation.domain.verdict import ReasonCode
from moderation.intake.emails import InvalidEmailError, canonical_email
from moderation.intake.validation import MAX_EMAIL, MAX_ID, MAX_NAME, MAX_TITLE, MAX_URL, is_web_url
from moderation.protocols.akismet_form import Form

MAX_TEXT = 65_536
"""Code points judged and kept: more than WordPress stores of a comment."""
REMEMBERED = 1024
"""Of a blog's and callback's addresses, none longer than `MAX_URL`: the same few come with every call."""

_SLASHED = re.compile(r"""\\(["'\\0])""")
_BARE = re.compile(r"""(?:[^"'\\]|\\["'\\0])*""", re.DOTALL)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """What a call says of a comment."""

    text: str = field(repr=False)
    name: str = field(repr=False)
    email: str = field(repr=False)
    is_cut: bool = False
    """There was more text than `MAX_TEXT`."""


def read_said(form: Form, *, may_be_slashed: bool) -> Said:
    """Read text, name and address. ``may_be_slashed``: it is WordPress asking first, which escapes quotes in every text.

    A text sent several times, or as a list, is read whole: none of it may go unjudged.
    """
    text = "\n".join(form.all("comment_content")).replace("\r\n", "\n")
    is_cut = len(text) > 2 * MAX_TEXT
    text = text[: 2 * MAX_TEXT]  # with a backslash before each character it may still be whole
    name, email = form.get("comment_author"), form.get("comment_author_email")
    if may_be_slashed:
        text, name, email = unslashed(text), unslashed(name), unslashed(email)
    return Said(text[:MAX_TEXT], name, email, is_cut=is_cut or len(text) > MAX_TEXT)


def unslashed(text: str) -> str:
    """Take off the backslashes that PHP's `addslashes` put before quotes; a text that it has not been over stays as it is."""
    if "\\" not in text or _BARE.fullmatch(text) is None:
        return text
    return _SLASHED.sub(lambda match: "" if match[1] == "0" else match[1], text)


def match_key(vault: Vault, site: Site, said: Said) -> bytes:
    """Return the keyed hash by which feedback finds its check: the same whether quotes are escaped or not."""
    text = " ".join(said.text.replace("\\", "").split())
    name, email = (value.replace("\\", "") for value in (said.name, said.email))
    return vault.fingerprint("akismet_match", site.name, text, fold_name(name) or "", fold_email(email) or "")


def comment_of(form: Form, said: Said, site: Site, *, now: datetime) -> dict[str, Any]:
    """Return the object of ``POST /v1/comments``."""
    thread = thread_of(form, site)
    url = form.get("permalink")
    return {
        "thread": {
            "id": thread or blog_of(form)[:MAX_ID],
            "url": url if len(url) <= MAX_URL and is_web_url(url) else None,
        },
        "author": {
            "name": said.name[:MAX_NAME],
            "email": _email(said.email),
            "url": _url(form.get("comment_author_url")),
            "ip": _address(form.get("user_ip")),
            "user_agent": form.get("user_agent"),
        },
        "text": said.text,
        "language": _language(form.get("blog_lang")),
        "created_at": _time(form.get("comment_date_gmt"), now),
        "context": _context(form),
    }


def suspicions(site: Site, form: Form, said: Said) -> tuple[ReasonCode, ...]:
    """Return what the call itself holds against the comment."""
    found = {
        ReasonCode.HONEYPOT: form.is_trapped,
        ReasonCode.FORM_NONCE: site.settings.akismet_nonce
        and form.get("akismet_comment_nonce").lower() == "failed",
        ReasonCode.PARTLY_READ: said.is_cut,
    }
    return tuple(code for code, is_found in found.items() if is_found)


def thread_of(form: Form, site: Site) -> str | None:
    """Return the article: its number on the site's own blog, else its address; None where the call names none.

    The number alone would mix up the articles of several blogs that share a key.
    """
    number = form.get("comment_post_ID")
    if number and number != "0" and _host(form.get("blog")) == _host(site.url):
        return number[:MAX_ID]
    return form.get("permalink")[:MAX_ID] or None


def blog_of(form: Form) -> str:
    """Return the blog without scheme and closing slash, in small letters; what is no web address as ``unknown``."""
    blog = form.get("blog")
    return _blog(blog) if len(blog) <= MAX_URL else "unknown"


@lru_cache(maxsize=REMEMBERED)
def _blog(written: str) -> str:
    if not is_web_url(written):
        return "unknown"
    parts = urlsplit(written)
    return f"{parts.netloc}{parts.path}".rstrip("/").lower()[:MAX_ID]


def name_of(form: Form) -> str | None:
    """Return the client's own name of the comment, which the first check does not have yet."""
    number = form.get("comment_ID")
    return f"{blog_of(form)}#{number}"[:MAX_ID] if number and number != "0" else None


def callback_of(form: Form, site: Site) -> str | None:
    """Return where the client wants to be called, if that is at the site's registered address: same host, not less secure.

    Another port than the registered one or the usual ones is refused: whatever listens there is not the site.
    """
    callback = form.get("callback")
    return callback if 0 < len(callback) <= MAX_URL and _is_at(callback, site.url) else None


@lru_cache(maxsize=REMEMBERED)
def _is_at(callback: str, site_url: str) -> bool:
    if not is_web_url(callback):
        return False
    asked, registered = urlsplit(callback), urlsplit(site_url)
    is_same_host = asked.hostname == registered.hostname
    is_secure = asked.scheme == "https" or registered.scheme == "http"
    is_usual_port = (asked.port or 0) in {0, 80, 443} or asked.port == registered.port
    return is_same_host and is_secure and is_usual_port


def _context(form: Form) -> dict[str, str]:
    found: Mapping[str, str] = {
        "type": form.get("comment_type") or form.get("content_type"),
        "tags": ", ".join(form.all("comment_context")),
    }
    return {key: value[:MAX_TITLE] for key, value in found.items() if value}


def _email(written: str) -> str | None:
    try:
        return canonical_email(written) if 0 < len(written) <= MAX_EMAIL else None
    except InvalidEmailError:
        return None


def _url(written: str) -> str | None:
    if not written:
        return None
    url = written.replace(" ", "%20")
    url = url if "://" in url else "http://" + url
    return url if len(url) <= MAX_URL and is_web_url(url) else None


def _address(written: str) -> str | None:
    """Return the address without its zone (RFC 4007 §11), which may be of any length and says nothing elsewhere."""
    if is_ipv4(written):
        return written
    try:
        return str(ipaddress.ip_address(written.partition("%")[0]))
    except ValueError:
        return None


def _language(written: str) -> str | None:
    tag = written.split(",", maxsplit=1)[0].strip().replace("_", "-")
    return tag if len(tag) <= 35 and _LANGUAGE.fullmatch(tag) else None


def _time(written: str, now: datetime) -> str | None:
    if not written:
        return None
    try:
        is_unix = written.isascii() and written.isdigit()
        moment = datetime.fromtimestamp(int(written), UTC) if is_unix else datetime.fromisoformat(written)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return wire_time(moment) if _EARLIEST <= moment <= now + timedelta(days=1) else None


def _host(url: str) -> str | None:
    return _known_host(url) if len(url) <= MAX_URL else None


@lru_cache(maxsize=REMEMBERED)
def _known_host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
