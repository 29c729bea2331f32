"""What Coral sends: signatures over raw bytes, and the body of a moderation request."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from moderation.domain.comment import CoralKeys
from moderation.domain.html_text import text_of_html
from moderation.domain.ports import Vault
from moderation.domain.site import Site
from moderation.intake.validation import MAX_URL, is_web_url

SIGNATURE_HEADER = "X-Coral-Signature"
MAX_SIGNATURES = 20
MAX_ID = 200


class UnreadableRequestError(ValueError):
    """A signed request is not of the form that we know; its message names the field."""


def is_signed(header: str, body: bytes, secrets: Sequence[str]) -> bool:
    """Tell whether one of the ``sha256=<hex>`` in ``header`` is of ``body`` under one of ``secrets``; in constant time."""
    offered = [
        value.strip().lower()
        for name, _, value in (part.strip().partition("=") for part in header.split(",")[:MAX_SIGNATURES])
        if name == "sha256"
    ]
    expected = [hmac.digest(secret.encode(), body, "sha256").hex() for secret in secrets]
    matches = [
        hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogateescape"))
        for ours in expected
        for theirs in offered
    ]
    return any(matches)


@dataclass(frozen=True, slots=True)
class CoralComment:
    """A comment that Coral asks about: it says who, where and what, and not which."""

    is_edit: bool
    text: str = field(repr=False)
    parent: str | None
    author: str
    role: str | None
    story: str
    story_url: str | None
    tenant: str
    coral_site: str | None

    def as_submission(self) -> dict[str, Any]:
        """Return the object of ``POST /v1/comments`` that it stands for; Coral's parent is no comment that we can find."""
        context = {
            "coral_parent": self.parent,
            "coral_role": self.role,
            "coral_site": self.coral_site,
            "coral_tenant": self.tenant,
        }
        return {
            "thread": {"id": self.story, "url": self.story_url},
            "author": {"external_id": f"{self.tenant}:{self.author}"},
            "text": self.text,
            "context": {name: value for name, value in context.items() if value},
        }

    def keys(self, vault: Vault, site: Site) -> CoralKeys:
        """Return by what the comment is found again."""
        who = (self.tenant, self.author, self.story, self.parent or "")
        return CoralKeys(
            vault.fingerprint("coral author", site.name, *who),
            text_key(vault, site, self.story_url or "", self.text),
        )


def text_key(vault: Vault, site: Site, story_url: str, text: str) -> bytes:
    """Hash a story's address and a text so that the same comment is found, whichever of Coral's services wrote them down."""
    plain = "".join(text_of_html(text, with_links=False).casefold().split())
    return vault.fingerprint("coral text", site.name, _story(story_url), plain)


def read_comment(raw: Any) -> CoralComment:
    """Read the body of a moderation request. Raises `UnreadableRequestError`."""
    body = _part(raw, "")
    comment, author = _part(body.get("comment"), "comment"), _part(body.get("author"), "author")
    story, coral_site = _part(body.get("story"), "story"), _part(body.get("site") or {}, "site")
    written = comment.get("body")
    if not isinstance(written, str):
        raise UnreadableRequestError("comment.body")
    return CoralComment(
        is_edit=body.get("action") == "EDIT",
        text=text_of_html(_storable(written)),
        parent=_optional(comment, "parentID"),
        author=_id(author, "id", "author.id"),
        role=_optional(author, "role"),
        story=_id(story, "id", "story.id"),
        story_url=_web_address(story.get("url")),
        tenant=_optional(body, "tenantID") or "",
        coral_site=_optional(coral_site, "id"),
    )


def _part(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableRequestError(at or "the body")
    return value


def _id(source: Mapping[str, Any], name: str, at: str) -> str:
    value = _optional(source, name)
    if value is None:
        raise UnreadableRequestError(at)
    return value


def _optional(source: Mapping[str, Any], name: str) -> str | None:
    value = source.get(name)
    if not isinstance(value, str) or not value.strip():
        return None
    return _storable(value).strip()[:MAX_ID] or None


def _web_address(value: Any) -> str | None:
    """Return the story's address if it is one: a comment is not lost over a link."""
    return (
        value if isinstance(value, str) and len(value) <= MAX_URL and is_web_url(_storable(value)) else None
    )


def _storable(text: str) -> str:
    """Replace what PostgreSQL cannot hold: such a comment is to be judged, not refused."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


def _story(url: str) -> str:
    """Return the address without what Coral's feedback adds to it."""
    try:
        parts = urlsplit(url)
        query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "commentID"]
    except ValueError:
        return url
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}?{urlencode(query)}"
