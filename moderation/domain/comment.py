"""A comment on its way in, and a comment as stored."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from moderation.domain.ids import CommentId, SiteId
from moderation.domain.verdict import Reason, Scores, State, Verdict


@dataclass(frozen=True, slots=True)
class Thread:
    """The article under which the comment stands."""

    id: str
    url: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote: ``email`` and ``address`` are private and leave the service only to a person with the right."""

    name: str | None = None
    email: str | None = field(default=None, repr=False)
    url: str | None = None
    address: str | None = field(default=None, repr=False)
    """The reader's IP address in its canonical form."""
    user_agent: str | None = field(default=None, repr=False)
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A valid comment as a protocol module hands it to intake; ``text`` is as received, trimmed of nothing."""

    thread: Thread
    author: Author
    text: str = field(repr=False)
    external_id: str | None = None
    parent_id: str | None = None
    """The parent's id here, or its external id."""
    language: str | None = None
    """The site's own word about the language: a hint only."""
    created_at: datetime | None = None
    context: dict[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    """`Idempotency-Key` or `webhook-id`, prefixed by its kind."""
    origin: str = "native"
    """The dialect by which it came: native, webhook, form, batch."""


@dataclass(frozen=True, slots=True)
class StoredComment:
    """A comment as reviewers and its site may see it: no e-mail, no address."""

    id: CommentId
    site_id: SiteId
    site: str
    external_id: str | None
    thread: Thread
    parent_id: UUID | None
    author_name: str | None
    author_url: str | None
    text: str = field(repr=False)
    language: str | None
    revision: int
    state: State
    sequence: int
    created_at: datetime
    received_at: datetime
    verdict: Verdict | None
    """The latest decision's verdict; None once deleted."""
    reasons: tuple[Reason, ...]
    scores: Scores | None
    model: str | None
    policy: int | None
    decided_by: str
    decided_at: datetime
    is_emptied: bool = False
    """Text and author are gone, by retention or erasure."""
