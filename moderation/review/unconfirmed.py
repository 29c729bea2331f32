"""Comments that their site may never have kept: they leave the queue in time, and come back once the site shows that it did.

WordPress asks for a verdict first and refuses some comments afterwards, as duplicates or as too quick; nothing tells us. What
leaves is neither approved nor rejected, and no label comes of it. Several processes may do this at once: each comment is
handled under its row lock.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from moderation.domain.clock import Clock
from moderation.domain.decision import Decider, Decision
from moderation.domain.ids import CommentId, first_uuid
from moderation.domain.task import TaskKind
from moderation.domain.verdict import Reason, ReasonCode, State
from moderation.review.changes import new_task
from moderation.storage.akismet import confirm
from moderation.storage.database import Connection, Database, row_count
from moderation.storage.decisions import LockedComment, lock_comments, record
from moderation.storage.repetition import repeat
from moderation.storage.tasks import close_tasks, open_tasks

EVERY_S = 60.0
AT_ONCE = 200
POSTPONED_FOR = timedelta(hours=1)
"""How much later a comment is looked at again that somebody is working on."""
KEPT_FOR = timedelta(days=60)
"""How long a check can be named by feedback, and be told of a later verdict."""

# A comment has a row for each answer it got; one that shows that the site keeps it speaks for all.
_DUE = (
    "SELECT comment_id FROM akismet_checks WHERE unconfirmed_until <= $1 ORDER BY unconfirmed_until LIMIT $2"
)
_SETTLE = (
    "UPDATE akismet_checks SET unconfirmed_until = $2 WHERE comment_id = $1 AND unconfirmed_until IS NOT NULL"
)
# An array, for a subquery may be planned to run again for each row, and then takes more than its limit.
_FORGET = """
DELETE FROM akismet_checks WHERE guid = ANY (ARRAY(
    SELECT guid FROM akismet_checks WHERE guid < $1 AND due_at IS NULL AND unconfirmed_until IS NULL
     ORDER BY guid LIMIT $2 FOR UPDATE SKIP LOCKED))
"""


class Unconfirmed:
    """Takes comments out of the queue and back."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Work until cancelled; an absent PostgreSQL only delays it."""
        await repeat(self.once, job="unconfirmed", full_batch=AT_ONCE, every_s=EVERY_S)

    async def once(self) -> int:
        """Handle one batch, and forget one of checks that are too old; return the size of the larger, `AT_ONCE` where more may be left."""
        now = self._clock()
        async with self._database.connection() as connection:
            rows = await connection.fetch(_DUE, now, AT_ONCE)
            forgotten: str = await connection.execute(_FORGET, first_uuid(now - KEPT_FOR), AT_ONCE)
        for comment_id in dict.fromkeys(row["comment_id"] for row in rows):
            await self._settle(CommentId(comment_id), now)
        return max(len(rows), row_count(forgotten))

    async def confirm(self, comment_id: CommentId, name: str | None) -> None:
        """Note that the site keeps the comment, by which name; what had left the queue for want of that comes back."""
        async with self._database.transaction() as connection:
            # The comment's row first, as everywhere: a decision locks it before it makes the checks due.
            comment = (await lock_comments(connection, [comment_id])).get(comment_id)
            await confirm(connection, comment_id, name)
            if comment is not None and _has_left(comment):
                reasons = tuple(r for r in comment.latest.reasons if r.code is not ReasonCode.UNCONFIRMED)
                await open_tasks(connection, [new_task(comment, TaskKind.HELD, reasons)])
                await record(connection, comment, _next(comment, reasons, self._clock()))

    async def _settle(self, comment_id: CommentId, now: datetime) -> None:
        async with self._database.transaction() as connection:
            comment = (await lock_comments(connection, [comment_id])).get(comment_id)
            if comment is not None and _is_worked_on(comment, now):
                await connection.execute(_SETTLE, comment_id, now + POSTPONED_FOR)
                return
            if comment is not None:
                await _take_out(connection, comment, now)
            await connection.execute(_SETTLE, comment_id, None)


async def _take_out(connection: Connection, comment: LockedComment, now: datetime) -> None:
    if comment.task is None or comment.task.kind is TaskKind.ESCALATED:
        return
    await close_tasks(connection, [comment.id])
    if comment.state is State.HELD:
        reasons = (Reason(ReasonCode.UNCONFIRMED), *comment.latest.reasons)
        await record(connection, comment, _next(comment, reasons, now))


def _is_worked_on(comment: LockedComment, now: datetime) -> bool:
    claim = None if comment.task is None else comment.task.claim
    return claim is not None and claim.is_live(now)


def _has_left(comment: LockedComment) -> bool:
    codes = {reason.code for reason in comment.latest.reasons}
    return comment.state is State.HELD and comment.task is None and ReasonCode.UNCONFIRMED in codes


def _next(comment: LockedComment, reasons: Sequence[Reason], now: datetime) -> Decision:
    """Return the service's decision that the comment is held as before, for ``reasons``."""
    return replace(
        comment.latest,
        sequence=comment.sequence + 1,
        reasons=tuple(reasons),
        decided_by=Decider.SERVICE,
        actor=None,
        note=None,
        undoes=None,
        decided_at=now,
        task=None if comment.task is None else comment.task.kind,
    )
