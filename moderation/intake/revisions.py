"""What happens to a comment after it was accepted: edited (a new revision, judged again), withdrawn, rescored.

Each takes the comment's row lock, so that an edit and a moderator's decision on the old text cannot cross.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from moderation.domain.clock import Clock
from moderation.domain.comment import Author, Submission, Thread
from moderation.domain.decision import Decider, Decision
from moderation.domain.errors import (
    FieldError,
    GoneError,
    InvalidCommentError,
    PreconditionFailedError,
    UnknownCommentError,
)
from moderation.domain.ids import CommentId
from moderation.domain.policy import AuthorRecord, Ruling, Signals, Standing, decide
from moderation.domain.ports import Vault
from moderation.domain.ranks import rank
from moderation.domain.site import Site
from moderation.domain.task import TaskKind
from moderation.domain.verdict import Assessment, Reason, ReasonCode, Scores, State, Verdict
from moderation.intake.candidates import Candidate, Outcome, content_hash
from moderation.intake.scoring import GroupScorer
from moderation.intake.validation import MAX_NAME, FieldReader, read_text, read_url
from moderation.storage.database import Connection, Database
from moderation.storage.decisions import LockedComment, lock_comments, record
from moderation.storage.directory import load_site
from moderation.storage.tasks import NewTask, close_tasks, open_tasks
from moderation.telemetry import DECISIONS

_CURRENT = """
SELECT text, author_name, author_url, email_sealed, thread_id, parent_id, content_hash, identity, external_id
  FROM comments WHERE id = $1
"""
_KEEP_OLD = """
INSERT INTO revisions (comment_id, revision, text, author_name, author_url, replaced_at)
SELECT id, revision, text, author_name, author_url, $2 FROM comments WHERE id = $1
"""
_REPLACE = """
UPDATE comments SET revision = revision + 1, text = $2, author_name = $3, author_url = $4, content_hash = $5, language = $6
 WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Edit:
    """The editable content of a comment after an edit."""

    text: str
    name: str | None
    url: str | None


class Reviser:
    """Edits, withdraws and rescores stored comments."""

    def __init__(self, database: Database, vault: Vault, scorer: GroupScorer, *, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._scorer = scorer
        self._clock = clock

    async def edit(
        self, site: Site, comment_id: CommentId, raw: Mapping[str, Any], *, if_match: int | None
    ) -> Outcome:
        """Replace the fields that ``raw`` has of text, author.name and author.url; the rest stays.

        Raises `InvalidCommentError`, `UnknownCommentError`, `GoneError` once withdrawn, and `PreconditionFailedError`
        when ``if_match`` is not the current revision. Content that is the same changes nothing.
        """
        current = await self._current(site, comment_id)
        edit = _read_edit(raw, site, current)
        return await self._revise(site, comment_id, edit, if_match=if_match)

    async def resubmit(self, candidate: Candidate, comment_id: CommentId) -> Outcome:
        """Take a known ``external_id`` with other content as an edit."""
        author = candidate.submission.author
        edit = Edit(candidate.submission.text, author.name, author.url)
        outcome = await self._revise(
            candidate.site, comment_id, edit, if_match=None, origin=candidate.submission.origin
        )
        await self._remember(candidate, outcome)
        return outcome

    async def withdraw(self, site: Site, comment_id: CommentId, *, origin: str) -> None:
        """Set the state to deleted, close its task, tell the site; again and again is harmless. Raises `UnknownCommentError`."""
        async with self._database.transaction() as connection:
            comment = await self._lock(connection, site, comment_id)
            if comment.state is State.DELETED:
                return
            await close_tasks(connection, [comment.id])
            await record(connection, comment, _withdrawal(comment, origin, now=self._clock()))

    async def withdraw_external(self, site: Site, external_id: str, *, origin: str) -> None:
        """Withdraw by the site's own id. Raises `UnknownCommentError`."""
        await self.withdraw(site, await self.find_external(site, external_id), origin=origin)

    async def find_external(self, site: Site, external_id: str) -> CommentId:
        """Return our id for the site's. Raises `UnknownCommentError`."""
        async with self._database.connection() as connection:
            found = await connection.fetchval(
                "SELECT id FROM comments WHERE site_id = $1 AND external_id = $2", site.id, external_id
            )
        if found is None:
            raise UnknownCommentError
        return CommentId(found)

    async def rescore(self, comment_id: CommentId) -> bool:
        """Judge a comment that was held as `not_scored` again; tell whether it has scores now.

        Left alone when somebody decided or claimed it meanwhile. Counts the try either way.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_CURRENT, comment_id)
        if row is None:
            return False
        (assessment,) = await self._scorer.assess([row["text"]], [row["author_url"]])
        async with self._database.transaction() as connection:
            comment = (await lock_comments(connection, [comment_id])).get(comment_id)
            if comment is None or not _may_be_rescored(comment, self._clock()):
                return False
            await connection.execute(
                "UPDATE tasks SET rescored = rescored + 1 WHERE comment_id = $1", comment_id
            )
            if assessment is None:
                return False
            await self._judge_again(connection, comment, row, assessment)
        return True

    async def _revise(
        self, site: Site, comment_id: CommentId, edit: Edit, *, if_match: int | None, origin: str = "native"
    ) -> Outcome:
        (assessment,) = await self._scorer.assess([edit.text], [edit.url])
        now = self._clock()
        async with self._database.transaction() as connection:
            comment = await self._lock(connection, site, comment_id)
            if comment.state is State.DELETED:
                raise GoneError
            if if_match is not None and if_match != comment.revision:
                raise PreconditionFailedError("", revision=comment.revision)
            row = await connection.fetchrow(_CURRENT, comment_id)
            assert row is not None
            if (row["text"], row["author_name"], row["author_url"]) == (edit.text, edit.name, edit.url):
                return _outcome(comment, comment.latest, row["external_id"])
            ruling = self._rule(site, edit, assessment, await _author_of(connection, comment))
            decision = _decision(
                comment, _no_milder_than_a_person(ruling, comment), assessment, site, origin, now=now
            )
            decision = replace(decision, revision=comment.revision + 1)
            await self._replace(connection, comment, edit, row, assessment, now=now)
            await _set_task(connection, comment, decision, assessment)
            await record(connection, comment, decision)
        DECISIONS.labels(decision.verdict, "service").inc()
        return replace(_outcome(comment, decision, row["external_id"]), is_edit=True)

    async def _judge_again(
        self, connection: Connection, comment: LockedComment, row: Any, assessment: Assessment
    ) -> None:
        site = await load_site(connection, comment.site_id)
        edit = Edit(row["text"], row["author_name"], row["author_url"])
        ruling = self._rule(site, edit, assessment, await _author_of(connection, comment))
        ruling = _no_milder_than_a_person(ruling, comment)
        decision = _decision(comment, ruling, assessment, site, comment.latest.origin, now=self._clock())
        await connection.execute(
            "UPDATE comments SET language = $2 WHERE id = $1", comment.id, assessment.language
        )
        await _set_task(connection, comment, decision, assessment)
        await record(connection, comment, decision)

    def _rule(self, site: Site, edit: Edit, assessment: Assessment | None, author: AuthorRecord) -> Ruling:
        ruling = decide(
            site.policy,
            text=edit.text,
            author_url=edit.url,
            author=author,
            assessment=assessment,
            signals=Signals(),
            default_thresholds=self._scorer.scorer.thresholds,
        )
        return replace(ruling, reasons=self._scorer.with_evidence(ruling.reasons, edit.text))

    async def _replace(
        self,
        connection: Connection,
        comment: LockedComment,
        edit: Edit,
        row: Any,
        assessment: Assessment | None,
        *,
        now: datetime,
    ) -> None:
        await connection.execute(_KEEP_OLD, comment.id, now)
        email = self._vault.open(row["email_sealed"], "email") if row["email_sealed"] else None
        parent = str(row["parent_id"]) if row["parent_id"] else None
        author = Author(name=edit.name, email=email, url=edit.url)
        content = Submission(Thread(row["thread_id"]), author, edit.text, parent_id=parent)
        language = assessment.language if assessment else None
        await connection.execute(
            _REPLACE, comment.id, edit.text, edit.name, edit.url, content_hash(self._vault, content), language
        )

    async def _remember(self, candidate: Candidate, outcome: Outcome) -> None:
        """Keep the content as the site sent it, so that the same edit sent again is recognised, also by its key."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE comments SET content_hash = $2 WHERE id = $1 AND revision = $3",
                outcome.id,
                candidate.content_hash,
                outcome.revision,
            )
            if candidate.remember_until > candidate.received_at:
                await connection.execute(
                    "INSERT INTO recognitions (key, comment_id, revision, content_hash, expires_at)"
                    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING",
                    candidate.recognition_key,
                    outcome.id,
                    outcome.revision,
                    candidate.content_hash,
                    candidate.remember_until,
                )

    async def _current(self, site: Site, comment_id: CommentId) -> Any:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_CURRENT + " AND site_id = $2", comment_id, site.id)
        if row is None:
            raise UnknownCommentError
        return row

    async def _lock(self, connection: Connection, site: Site, comment_id: CommentId) -> LockedComment:
        comment = (await lock_comments(connection, [comment_id])).get(comment_id)
        if comment is None or comment.site_id != site.id:
            raise UnknownCommentError
        return comment


def _read_edit(raw: Mapping[str, Any], site: Site, current: Any) -> Edit:
    reader = FieldReader()
    author = reader.part(raw, "author")
    text = read_text(reader, raw, site.settings) if "text" in raw else current["text"]
    name = (
        reader.text(author, "name", at="/author/name", limit=MAX_NAME)
        if "name" in author
        else current["author_name"]
    )
    url = read_url(reader, author, "url", at="/author/url") if "url" in author else current["author_url"]
    faulty = {error.pointer for error in reader.errors}
    for field, value in (("author.name", name), ("author.url", url)):
        pointer = "/" + field.replace(".", "/")
        if field in site.settings.required and value is None and pointer not in faulty:
            reader.errors.append(FieldError(pointer, "missing"))
    if reader.errors:
        raise InvalidCommentError(reader.errors)
    return Edit(text or "", name, url)


def _withdrawal(comment: LockedComment, origin: str, *, now: datetime) -> Decision:
    return Decision(
        sequence=comment.sequence + 1,
        revision=comment.revision,
        state=State.DELETED,
        verdict=None,
        reasons=(),
        scores=None,
        model=None,
        policy=None,
        decided_by=Decider.SITE,
        actor=None,
        note=None,
        decided_at=now,
        origin=origin,
    )


def _decision(
    comment: LockedComment,
    ruling: Ruling,
    assessment: Assessment | None,
    site: Site,
    origin: str,
    *,
    now: datetime,
) -> Decision:
    return Decision(
        sequence=comment.sequence + 1,
        revision=comment.revision,
        state=ruling.verdict.state,
        verdict=ruling.verdict,
        reasons=ruling.reasons,
        scores=assessment.scores if assessment else None,
        model=assessment.model if assessment else None,
        policy=site.policy.version,
        decided_by=Decider.SERVICE,
        actor=None,
        note=None,
        decided_at=now,
        origin=origin,
    )


def _no_milder_than_a_person(ruling: Ruling, comment: LockedComment) -> Ruling:
    """An edit of what a person rejected is never published by the service: at best somebody looks again."""
    by_person = [d for d in comment.history if d.decided_by is not Decider.SERVICE and d.verdict is not None]
    if by_person and by_person[-1].verdict is Verdict.REJECT and ruling.verdict is Verdict.APPROVE:
        return Ruling(Verdict.HOLD, (Reason(ReasonCode.PREMODERATION),))
    return ruling


def _may_be_rescored(comment: LockedComment, now: datetime) -> bool:
    task = comment.task
    is_waiting = task is not None and not (task.claim and task.claim.is_live(now))
    return (
        is_waiting
        and comment.state is State.HELD
        and comment.latest.decided_by is Decider.SERVICE
        and any(reason.code is ReasonCode.NOT_SCORED for reason in comment.latest.reasons)
    )


async def _set_task(
    connection: Connection, comment: LockedComment, decision: Decision, assessment: Assessment | None
) -> None:
    """Open the task that ``decision`` asks for, placed by its scores; close one that is no longer due.

    What a moderator passed on to the leads stays theirs, whatever the service says of the new text.
    """
    is_escalated = comment.task is not None and comment.task.kind is TaskKind.ESCALATED
    if decision.verdict is not Verdict.HOLD and not is_escalated:
        await close_tasks(connection, [comment.id])
        return
    scores = assessment.scores if assessment else Scores()
    task = NewTask(
        comment_id=comment.id,
        site_id=comment.site_id,
        kind=TaskKind.ESCALATED if is_escalated else TaskKind.HELD,
        revision=decision.revision,
        thread_id=comment.thread_id,
        language=assessment.language if assessment else comment.language,
        reasons=tuple(reason.code for reason in decision.reasons),
        ranks=rank(comment.received_at, abuse=scores.abuse, spam=scores.spam),
    )
    await open_tasks(connection, [task])


async def _author_of(connection: Connection, comment: LockedComment) -> AuthorRecord:
    if comment.identity is None:
        return AuthorRecord()
    row = await connection.fetchrow(
        "SELECT standing, approved, rejected FROM authors WHERE identity = $1", comment.identity
    )
    return (
        AuthorRecord(Standing(row["standing"]), row["approved"], row["rejected"]) if row else AuthorRecord()
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
