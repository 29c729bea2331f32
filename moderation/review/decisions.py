"""Deciding, undoing, escalating: each call is one transaction under the comments' row locks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from moderation.domain.clock import Clock
from moderation.domain.comment import StoredComment
from moderation.domain.errors import ModerationError, StaleRevisionError, UnknownCommentError
from moderation.domain.ids import CommentId
from moderation.domain.site import Role
from moderation.domain.task import TaskKind
from moderation.domain.verdict import State, Verdict
from moderation.review.changes import count_decisions, new_task, write
from moderation.review.escalations import record_escalation
from moderation.review.reviewer import Reviewer, require_claimable, require_reachable
from moderation.review.rulings import Change, Ruling, Target, Undo, rule, take_back
from moderation.storage.comments import read_comment
from moderation.storage.database import COMMAND_TIMEOUT_S, Connection, Database
from moderation.storage.decisions import LockedComment, lock_comments
from moderation.storage.tasks import open_tasks

MAX_BULK = 500
"""Comments of one bulk decision; they share a transaction."""

_Weigh = Callable[[LockedComment, Target], Change | None]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one comment of a bulk: where it stands now, or the error that kept it as it was."""

    id: CommentId
    revision: int | None = None
    state: State | None = None
    verdict: Verdict | None = None
    sequence: int | None = None
    error: ModerationError | None = None


class Decisions:
    """What reviewers do to comments. Raises `DependencyUnavailableError`, with nothing changed, when PostgreSQL is away.

    Every call may be sent again after such an error: what was done before is recognised and not done twice.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._patient = database.within(COMMAND_TIMEOUT_S)
        self._clock = clock

    async def decide(self, reviewer: Reviewer, target: Target, ruling: Ruling) -> StoredComment:
        """Decide one comment and return it as it stands now; raises what `rule` raises."""
        now = self._clock()
        async with self._database.transaction() as connection:
            comment = await _lock(connection, target.id)
            change = rule(comment, target, ruling, reviewer=reviewer, now=now)
            changes = [] if change is None else [change]
            await write(connection, changes)
            stored = await _read(connection, target.id)
        _tell(changes)
        return stored

    async def decide_all(
        self, reviewer: Reviewer, targets: Sequence[Target], ruling: Ruling
    ) -> list[Outcome]:
        """Decide up to `MAX_BULK` comments, each for itself, in one transaction; return an outcome for each, in order.

        A comment that cannot be decided stays as it was and keeps no other from being decided. A comment named twice is
        decided once.
        """
        now = self._clock()

        def weigh(comment: LockedComment, target: Target) -> Change | None:
            return rule(comment, target, ruling, reviewer=reviewer, now=now)

        await (
            self._database.check()
        )  # one that hangs is told of soon; one that answers may take longer over 500
        async with self._patient.transaction() as connection:
            locked = await lock_comments(connection, list({target.id for target in targets}))
            changes: list[Change] = []
            outcomes = [_weigh(locked, changes, target, weigh) for target in targets]
            await write(connection, changes)
        _tell(changes)
        return outcomes

    async def undo(self, reviewer: Reviewer, comment_id: CommentId, undo: Undo) -> StoredComment:
        """Take the latest decision back by a new one that restores the one before; raises what `take_back` raises."""
        now = self._clock()
        async with self._database.transaction() as connection:
            comment = await _lock(connection, comment_id)
            change = take_back(comment, undo, reviewer=reviewer, now=now)
            changes = [] if change is None else [change]
            await write(connection, changes)
            stored = await _read(connection, comment_id)
        _tell(changes)
        return stored

    async def escalate(self, reviewer: Reviewer, target: Target, *, note: str | None) -> StoredComment:
        """Move the comment's task to the leads, or open one for them; the comment's state stays as it is.

        Raises `UnknownCommentError`, `GoneError`, `StaleRevisionError` or `ClaimLostError`. Escalating twice is once.
        """
        now = self._clock()
        async with self._database.transaction() as connection:
            comment = await _lock(connection, target.id)
            if _may_escalate(comment, target, reviewer, now=now):
                await open_tasks(connection, [new_task(comment, TaskKind.ESCALATED, comment.latest.reasons)])
                await record_escalation(connection, comment, actor=reviewer.actor, note=note, now=now)
                log.info("comment_escalated", comment_id=str(comment.id), site_id=comment.site_id)
            return await _read(connection, target.id)


def _weigh(
    locked: dict[CommentId, LockedComment], changes: list[Change], target: Target, weigh: _Weigh
) -> Outcome:
    """Weigh one comment of a bulk, and let a later mention of it see what was decided."""
    try:
        comment = locked.get(target.id)
        if comment is None:
            raise UnknownCommentError
        change = weigh(comment, target)
    except ModerationError as error:
        return Outcome(target.id, error=error)
    if change is not None:
        changes.append(change)
        comment = locked[target.id] = change.after
    latest = comment.latest
    return Outcome(comment.id, comment.revision, comment.state, latest.verdict, latest.sequence)


def _may_escalate(comment: LockedComment, target: Target, reviewer: Reviewer, *, now: datetime) -> bool:
    require_reachable(reviewer, comment)
    reviewer.require(comment.site_id, Role.MODERATOR)
    if target.revision != comment.revision:
        raise StaleRevisionError(revision=comment.revision)
    if comment.task is not None and comment.task.kind is TaskKind.ESCALATED:
        return False
    require_claimable(reviewer, comment.site_id, comment.task, now=now)
    return True


async def _lock(connection: Connection, comment_id: CommentId) -> LockedComment:
    comment = (await lock_comments(connection, [comment_id])).get(comment_id)
    if comment is None:
        raise UnknownCommentError
    return comment


async def _read(connection: Connection, comment_id: CommentId) -> StoredComment:
    stored = await read_comment(connection, comment_id)
    assert stored is not None, "locked, hence there"
    return stored


def _tell(changes: Sequence[Change]) -> None:
    """Count and log what was committed: ids and codes only."""
    count_decisions(changes)
    for change in changes[:1]:
        log.info(
            "comments_decided",
            comment_id=str(change.comment.id),
            site_id=change.comment.site_id,
            comments=len(changes),
            decided_by=change.decision.decided_by.value,
            verdict=change.decision.verdict,
            undoes=change.decision.undoes,
        )
