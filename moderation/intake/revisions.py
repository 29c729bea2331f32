"""What happens to a comment after it was accepted: edited (a new revision, judged again), withdrawn, rescored.

Each takes the comment's row lock, so that an edit and a moderator's decision on the old text cannot cross.
"""

from collections.abc import Container, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from moderation.domain.clock import Clock
from moderation.domain.comment import Submission, Thread
from moderation.domain.decision import Decider, Decision, deletion
from moderation.domain.details import detail
from moderation.domain.errors import (
    ConflictError,
    FieldError,
    GoneError,
    InvalidCommentError,
    PreconditionFailedError,
    UnknownCommentError,
)
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.ports import Vault
from moderation.domain.site import Site
from moderation.domain.task import TaskKind
from moderation.domain.verdict import Assessment, ReasonCode, State
from moderation.intake.candidates import Candidate, Outcome, content_hash
from moderation.intake.rejudging import CURRENT, Content, Judge, carry_out
from moderation.intake.scoring import GroupScorer
from moderation.intake.validation import MAX_NAME, FieldReader, read_text, read_url
from moderation.storage.database import ANSWERED_WITHIN_S, Connection, Database
from moderation.storage.decisions import LockedComment, lock_comments, record
from moderation.storage.directory import load_site
from moderation.storage.search import reassign_entry
from moderation.storage.tasks import close_tasks
from moderation.telemetry import DECISIONS

RACES = 5
"""How often a partial edit is merged again because the comment was edited meanwhile."""

_KEEP_OLD = """
INSERT INTO revisions (comment_id, revision, text, author_name, author_url, replaced_at)
SELECT id, revision, text, author_name, author_url, $2 FROM comments WHERE id = $1
"""
_REPLACE = """
UPDATE comments SET revision = revision + 1, text = $2, author_name = $3, author_url = $4, content_hash = $5, language = $6
 WHERE id = $1
"""
_REMEMBER_CONTENT = """
UPDATE comments
   SET content_hash = $2, email_sealed = CASE WHEN email_sealed IS NOT NULL THEN $3::bytea END, email_hash = $4, identity = $5
 WHERE id = $1
"""
"""An address that retention removed does not come back with an edit."""
_REMEMBER_KEY = """
INSERT INTO recognitions (key, comment_id, revision, content_hash, expires_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (key) DO NOTHING
"""


class Reviser:
    """Edits, withdraws and rescores stored comments."""

    def __init__(self, database: Database, vault: Vault, scorer: GroupScorer, *, clock: Clock) -> None:
        self._database = database
        self._awaited = database.within(ANSWERED_WITHIN_S)
        self._vault = vault
        self._judge = Judge(vault, scorer)
        self._clock = clock

    @property
    def can_score(self) -> bool:
        """Whether there is a model to judge with."""
        return self._judge.can_score

    async def edit(
        self, site: Site, comment_id: CommentId, raw: Mapping[str, Any], *, if_match: Container[int] | None
    ) -> Outcome:
        """Replace the fields that ``raw`` has of text, author.name and author.url; the rest stays.

        Raises `InvalidCommentError`, `UnknownCommentError`, `GoneError` once withdrawn, and `PreconditionFailedError`
        when the current revision is not in ``if_match``. Content that is the same changes nothing.
        """
        for _ in range(RACES):
            row = await self._current(site, comment_id)
            before = Content.of(row)
            content = _read_edit(raw, site, before)
            assessment = await self._judge.assess(content, site.id)
            async with self._awaited.transaction() as connection:
                comment, row = await self._lock_for_edit(connection, site, comment_id)
                if if_match is not None and comment.revision not in if_match:
                    raise PreconditionFailedError("", revision=comment.revision)
                if Content.of(row) == before:  # else the fields that stay were edited meanwhile
                    return await self._revise(
                        connection, site, comment, row=row, content=content, assessment=assessment
                    )
        raise ConflictError(detail("edited_by_another"))

    async def resubmit(self, candidate: Candidate, comment_id: CommentId) -> Outcome:
        """Take a known ``external_id`` with other content as an edit, and remember it under its key."""
        author = candidate.submission.author
        content = Content(candidate.submission.text, author.name, author.url)
        assessment = await self._judge.assess(content, candidate.site.id)
        async with self._database.transaction() as connection:
            comment, row = await self._lock_for_edit(connection, candidate.site, comment_id)
            outcome = await self._revise(
                connection, candidate.site, comment, row=row, content=content, assessment=assessment
            )
            await self._remember(connection, candidate, outcome)
        return outcome

    async def withdraw(self, site: Site, comment_id: CommentId, *, origin: str) -> None:
        """Set the state to deleted, close its task, tell the site; doing it again is harmless. Raises `UnknownCommentError`."""
        async with self._awaited.transaction() as connection:
            comment = await self._lock(connection, site, comment_id)
            if comment.state is State.DELETED:
                return
            await close_tasks(connection, [comment.id])
            await record(connection, comment, _withdrawal(comment, origin, now=self._clock()))

    async def find_external(self, site: Site, external_id: str) -> CommentId:
        """Return our id for the site's. Raises `UnknownCommentError`."""
        async with self._awaited.connection() as connection:
            found = await connection.fetchval(
                "SELECT id FROM comments WHERE site_id = $1 AND external_id = $2", site.id, external_id
            )
        if found is None:
            raise UnknownCommentError
        return CommentId(found)

    async def rescore(self, comment_id: CommentId) -> bool:
        """Judge a comment that was held as `not_scored` again; tell whether it has scores now.

        Left alone when somebody edited, decided, claimed or escalated it meanwhile. Counts the try either way.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(CURRENT, comment_id)
        if row is None:
            return False
        scored = Content.of(row)
        assessment = await self._judge.assess(scored, SiteId(row["site_id"]))
        await self.count_try(comment_id)
        if assessment is None:
            return False
        async with self._database.transaction() as connection:
            comment = (await lock_comments(connection, [comment_id])).get(comment_id)
            row = await connection.fetchrow(CURRENT, comment_id)
            if comment is None or row is None or not _may_be_rescored(comment, self._clock()):
                return False
            if Content.of(row) != scored:
                return False  # an edit that could not be scored either: these scores are of another text
            site = await load_site(connection, comment.site_id)
            await self._judge_again(connection, site, comment, row=row, assessment=assessment)
        return True

    async def count_try(self, comment_id: CommentId) -> None:
        """Count one try to rescore."""
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE tasks SET rescored = rescored + 1 WHERE comment_id = $1", comment_id
            )

    async def _judge_again(
        self, connection: Connection, site: Site, comment: LockedComment, *, row: Any, assessment: Assessment
    ) -> None:
        decision = await self._judge.decide(
            connection,
            site,
            comment,
            row=row,
            content=Content.of(row),
            assessment=assessment,
            now=self._clock(),
        )
        await connection.execute(
            "UPDATE comments SET language = $2 WHERE id = $1", comment.id, assessment.language
        )
        await carry_out(connection, comment, decision, assessment)

    async def _revise(
        self,
        connection: Connection,
        site: Site,
        comment: LockedComment,
        *,
        row: Any,
        content: Content,
        assessment: Assessment | None,
    ) -> Outcome:
        if Content.of(row) == content:
            return _outcome(comment, comment.latest, row["external_id"]).changed(is_edit=True)
        now = self._clock()
        decision = await self._judge.decide(
            connection, site, comment, row=row, content=content, assessment=assessment, now=now
        )
        decision = replace(decision, revision=comment.revision + 1)
        await self._replace(connection, comment, row=row, content=content, assessment=assessment, now=now)
        await carry_out(connection, comment, decision, assessment)
        DECISIONS.labels(decision.verdict, "service").inc()
        return _outcome(comment, decision, row["external_id"]).changed(is_edit=True)

    async def _replace(
        self,
        connection: Connection,
        comment: LockedComment,
        *,
        row: Any,
        content: Content,
        assessment: Assessment | None,
        now: datetime,
    ) -> None:
        await connection.execute(_KEEP_OLD, comment.id, now)
        parent = str(row["parent_id"]) if row["parent_id"] else None
        author = self._judge.author_of(row, content)
        submission = Submission(Thread(row["thread_id"]), author, content.text, parent_id=parent)
        digest = content_hash(self._vault, submission)
        language = assessment.language if assessment else None
        await connection.execute(
            _REPLACE, comment.id, content.text, content.name, content.url, digest, language
        )

    async def _remember(self, connection: Connection, candidate: Candidate, outcome: Outcome) -> None:
        """Keep the content as the site sent it, so that the same edit sent again is recognised, also by its key."""
        email = candidate.submission.author.email
        await connection.execute(
            _REMEMBER_CONTENT,
            outcome.id,
            candidate.content_hash,
            self._vault.seal(email, "email") if email else None,
            candidate.identities.email,
            candidate.identities.author,
        )
        await reassign_entry(connection, candidate.site.id, outcome.id, candidate.identities.author)
        if candidate.remember_until > candidate.received_at:
            await connection.execute(
                _REMEMBER_KEY,
                candidate.recognition_key,
                outcome.id,
                outcome.revision,
                candidate.content_hash,
                candidate.remember_until,
            )

    async def _current(self, site: Site, comment_id: CommentId) -> Any:
        async with self._awaited.connection() as connection:
            row = await connection.fetchrow(CURRENT + " AND site_id = $2", comment_id, site.id)
        if row is None:
            raise UnknownCommentError
        if row["text_removed_at"] is not None:
            raise GoneError("", id=str(comment_id), state=row["state"])
        return row

    async def _lock(self, connection: Connection, site: Site, comment_id: CommentId) -> LockedComment:
        comment = (await lock_comments(connection, [comment_id])).get(comment_id)
        if comment is None or comment.site_id != site.id:
            raise UnknownCommentError
        return comment

    async def _lock_for_edit(
        self, connection: Connection, site: Site, comment_id: CommentId
    ) -> tuple[LockedComment, Any]:
        comment = await self._lock(connection, site, comment_id)
        if comment.state is State.DELETED or comment.is_emptied:
            raise GoneError("", id=str(comment_id), state=comment.state)
        return comment, await connection.fetchrow(CURRENT, comment_id)


def _read_edit(raw: Mapping[str, Any], site: Site, current: Content) -> Content:
    reader = FieldReader()
    author = reader.part(raw, "author")
    text = read_text(reader, raw, site.settings) if "text" in raw else current.text
    name = (
        reader.text(author, "name", at="/author/name", limit=MAX_NAME) if "name" in author else current.name
    )
    url = read_url(reader, author, "url", at="/author/url") if "url" in author else current.url
    faulty = {error.pointer for error in reader.errors}
    for field, value in (("author.name", name), ("author.url", url)):
        pointer = "/" + field.replace(".", "/")
        if field in site.settings.required and value is None and pointer not in faulty:
            reader.errors.append(FieldError(pointer, "missing"))
    if reader.errors:
        raise InvalidCommentError(reader.errors)
    return Content(text or "", name, url)


def _withdrawal(comment: LockedComment, origin: str, *, now: datetime) -> Decision:
    return deletion(
        sequence=comment.sequence + 1,
        revision=comment.revision,
        decided_by=Decider.SITE,
        decided_at=now,
        origin=origin,
    )


def _may_be_rescored(comment: LockedComment, now: datetime) -> bool:
    task = comment.task
    if task is None or task.kind is not TaskKind.HELD or (task.claim is not None and task.claim.is_live(now)):
        return False
    return (
        comment.state is State.HELD
        and comment.latest.decided_by is Decider.SERVICE
        and any(reason.code is ReasonCode.NOT_SCORED for reason in comment.latest.reasons)
    )


def _outcome(comment: LockedComment, decision: Decision, external_id: str | None) -> Outcome:
    return Outcome(
        id=comment.id,
        external_id=external_id,
        revision=decision.revision,
        state=decision.state,
        verdict=decision.verdict,
        reasons=decision.reasons,
        scores=decision.scores,
        model=decision.model,
        policy=decision.policy,
    )
