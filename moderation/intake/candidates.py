"""A submission on its way through intake: what is known of it so far, and the caller who waits for the answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct, field

from moderation.domain.comment import Submission
from moderation.domain.identity import Identities, identify
from moderation.domain.ids import CommentId, new_comment_id, new_uuid
from moderation.domain.policy import AuthorRecord, Ruling
from moderation.domain.ports import Vault
from moderation.domain.rates import Snapshot
from moderation.domain.site import Site
from moderation.domain.values import Value
from moderation.domain.verdict import Assessment, Reason, Scores, State, Verdict

SAME_SUBMISSION = timedelta(seconds=60)
"""Without any id, the same author, thread and content within this time is the same submission."""
REMEMBER_KEYS = timedelta(days=30)
"""How long an idempotency key is recognised."""


class Outcome(Value, frozen=True):
    """The answer to a submission."""

    id: CommentId
    external_id: str | None
    revision: int
    state: State
    verdict: Verdict | None
    reasons: tuple[Reason, ...]
    scores: Scores | None
    model: str | None
    policy: int | None
    is_replay: bool = False
    """The same submission had come before; this is its first answer."""
    is_edit: bool = False
    """A known ``external_id`` came with other content."""
    rates: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What the site did with a comment before it came to us."""

    ruling: Ruling
    decided_at: datetime
    actor: str | None = None


_NOBODY = AuthorRecord()


class Candidate(Struct, eq=False):
    """One submission of a group; steps of the pipeline fill it in from top to bottom."""

    site: Site
    submission: Submission
    identities: Identities
    content_hash: bytes
    text_hash: bytes
    """Of the text alone, whoever sends it: for counting duplicates."""
    recognition_key: bytes
    """Under which this submission is remembered."""
    earlier_key: bytes | None
    """For one without any id: the key of the minute before."""
    unheard_key: bytes | None
    """For one without any id: under which it is remembered beyond its minute where its caller was not told that it is stored."""
    external_key: bytes | None
    remember_until: datetime
    received_at: datetime
    answer: asyncio.Future[Outcome]
    foresee: Callable[[Outcome], None] | None = None
    """Told what the answer will be, if all goes well, while the comment is being stored: it must not be given away before."""
    history: History | None = None
    """Set for a comment that its site decided long ago."""
    instead_of: CommentId | None = None
    """The withdrawn comment whose words these are again: what was remembered of it is of this one from now on."""
    id: CommentId = field(default_factory=new_comment_id)
    parent_id: CommentId | None = None
    author: AuthorRecord = _NOBODY
    rates: Snapshot | None = None
    duplicates: int = 0
    is_flood: bool = False
    """Over a limit, and held for it because its dialect does not refuse."""
    assessment: Assessment | None = None
    ruling: Ruling | None = None
    foreseen: Outcome | None = None
    is_audited: bool = False
    """Drawn at random to be checked by a person although its verdict was automatic."""

    @property
    def keys(self) -> tuple[bytes, ...]:
        """What makes it the same submission as another one under way."""
        if self.unheard_key is not None:  # only where there is no id at all
            return (self.unheard_key,)
        if self.external_key is None or self.external_key == self.recognition_key:
            return (self.recognition_key,)
        return (self.recognition_key, self.external_key)

    @property
    def charge_key(self) -> bytes:
        """What a retry has in common with the first try: its id, or all of its content where it has none.

        Words written again are no retry of the comment that was withdrawn, and are charged again.
        """
        if self.instead_of is not None:
            return self.instead_of.bytes[8:]
        return self.recognition_key if self.earlier_key is None else self.content_hash

    @property
    def has_id(self) -> bool:
        """Whether its site gave it an id or a key, by which it is recognised however late it comes again."""
        return self.external_key is not None or self.submission.idempotency_key is not None

    @property
    def is_open(self) -> bool:
        """Whether the caller still waits."""
        return not self.answer.done()

    def fail(self, error: BaseException) -> None:
        """Answer with an error, unless answered already."""
        if not self.answer.done():
            if isinstance(error, asyncio.CancelledError):
                self.answer.cancel()
            else:
                self.answer.set_exception(error)

    def succeed(self, outcome: Outcome) -> None:
        """Answer, unless the caller went away."""
        if not self.answer.done():
            self.answer.set_result(outcome)

    def accepted(self) -> Outcome:
        """Return the answer to a new comment once it is stored."""
        if self.foreseen is not None:
            return self.foreseen
        assert self.ruling is not None
        assessed = self.assessment
        return Outcome(
            id=self.id,
            external_id=self.submission.external_id,
            revision=1,
            state=self.ruling.verdict.state,
            verdict=self.ruling.verdict,
            reasons=self.ruling.reasons,
            scores=assessed.scores if assessed else None,
            model=assessed.model if assessed else None,
            policy=None if self.history else self.site.policy.version,
            rates=self.rates,
        )


def candidate(
    vault: Vault,
    site: Site,
    submission: Submission,
    *,
    now: datetime,
    history: History | None = None,
    foresee: Callable[[Outcome], None] | None = None,
) -> Candidate:
    """Work out what a submission is recognised by; pure but for the waiting future."""
    identities = identify(vault, site.name, submission.author)
    content = content_hash(vault, submission)
    written_id = submission.external_id
    external = vault.fingerprint("recognition", site.name, "external", written_id) if written_id else None
    unheard = None
    if submission.idempotency_key is not None:
        key = vault.fingerprint("recognition", site.name, "key", submission.idempotency_key)
        earlier, until = None, now + REMEMBER_KEYS
    elif external is not None:
        key, earlier, until = external, None, now
    else:
        key, earlier, unheard, until = _recognition(vault, site, identities, content=content, now=now)
    return Candidate(
        site=site,
        submission=submission,
        identities=identities,
        content_hash=content,
        text_hash=vault.fingerprint("text", site.name, " ".join(submission.text.casefold().split())),
        recognition_key=key,
        earlier_key=earlier,
        unheard_key=unheard,
        external_key=external,
        remember_until=until,
        received_at=now,
        answer=asyncio.get_running_loop().create_future(),
        history=history,
        foresee=foresee,
    )


def content_hash(vault: Vault, submission: Submission) -> bytes:
    """Return what tells a repeated submission from an edited one."""
    author = submission.author
    return vault.fingerprint(
        "content",
        submission.thread.id,
        submission.parent_id,
        author.name,
        author.email,
        author.url,
        submission.text,
    )


def _recognition(
    vault: Vault, site: Site, identities: Identities, *, content: bytes, now: datetime
) -> tuple[bytes, bytes | None, bytes | None, datetime]:
    """Return the keys of one without any id: of this minute, of the one before, of no minute; and until when it is remembered."""
    who = identities.author or identities.address
    if who is None:  # nobody knows whether two of these are one person
        return vault.fingerprint("recognition", site.name, "once", str(new_uuid())), None, None, now
    minute = int(now.timestamp() // SAME_SUBMISSION.total_seconds())
    parts = ("recognition", site.name, "content", who.hex(), content.hex())
    current, earlier = (vault.fingerprint(*parts, str(minute - back)) for back in (0, 1))
    return current, earlier, vault.fingerprint(*parts, "unheard"), now + SAME_SUBMISSION
