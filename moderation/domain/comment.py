"""A comment on its way in, and a comment as stored."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from moderation.domain.ids import CommentId, SiteId
from moderation.domain.values import Value
from moderation.domain.verdict import Reason, ReasonCode, Scores, State, Verdict


class Thread(Value, frozen=True):
    """The article under which the comment stands."""

    id: str
    url: str | None = None
    title: str | None = None


class Author(Value, frozen=True):
    """Who wrote: ``email`` and ``address`` are private and leave the service only to a person with the right."""

    PRIVATE = frozenset({"email", "address", "user_agent"})

    name: str | None = None
    email: str | None = None
    url: str | None = None
    address: str | None = None
    """The reader's IP address in its canonical form."""
    user_agent: str | None = None
    external_id: str | None = None


class Terms(Value, frozen=True):
    """What a dialect's clients ask of intake besides the comment; `Terms()` is what the native API gives."""

    holds_denied: bool = False
    """Over a limit of its author, address or thread it is held as `flood` rather than refused; over its site's it is refused."""
    is_recheck: bool = False
    """The site asks about a comment that it has already: neither its author's limit nor duplicates count."""
    suspicions: tuple[ReasonCode, ...] = ()
    """As in `policy.Signals`."""


class Receipt(Value, frozen=True):
    """By what an Akismet client may name its check later, and where it wants to hear of another verdict."""

    PRIVATE = frozenset({"match_key", "callback"})

    guid: UUID
    key_id: UUID
    match_key: bytes
    """Keyed hash of what feedback repeats of a check: text, name and e-mail address."""
    callback: str | None = None
    name: str | None = None
    """The site's own name of the comment, where it gave one: then it is known that the site keeps it."""
    unconfirmed_until: datetime | None = None
    """When it leaves the queue unless the site shows that it keeps it; None once it has."""


class CoralKeys(Value, frozen=True):
    """By which a comment that Coral asked about is found again: keyed hashes of 16 bytes."""

    author: bytes
    text: bytes


class Submission(Value, frozen=True):
    """A valid comment as a protocol module hands it to intake; ``text`` is as received, trimmed of nothing."""

    PRIVATE = frozenset({"text"})

    thread: Thread
    author: Author
    text: str
    external_id: str | None = None
    parent_id: str | None = None
    """The parent's id here, or its external id."""
    language: str | None = None
    """The site's own word about the language: a hint only."""
    created_at: datetime | None = None
    context: dict[str, Any] = msgspec.field(default_factory=dict)
    idempotency_key: str | None = None
    """`Idempotency-Key` or `webhook-id`, prefixed by its kind."""
    origin: str = "native"
    """The dialect by which it came: native, webhook, form, batch, akismet, coral."""
    terms: Terms = Terms()
    receipt: Receipt | None = None
    coral_keys: CoralKeys | None = None


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
