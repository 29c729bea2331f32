"""Writing what reviewers changed: decisions and events, tasks, and the authors' records, in the caller's transaction."""

from collections.abc import Sequence

from moderation.domain.ids import SiteId
from moderation.domain.ranks import rank
from moderation.domain.task import TaskKind
from moderation.domain.verdict import Reason, Scores, Verdict
from moderation.review.rulings import Change, standing_verdict
from moderation.storage.database import Connection
from moderation.storage.decisions import LockedComment, record_all
from moderation.storage.tasks import NewTask, close_tasks, open_tasks
from moderation.telemetry import DECISIONS

_COUNT = """
INSERT INTO authors AS a (identity, site_id, approved, rejected) VALUES ($1, $2, greatest($3, 0), greatest($4, 0))
ON CONFLICT (identity) DO UPDATE SET approved = greatest(a.approved + $3, 0), rejected = greatest(a.rejected + $4, 0),
                                     decided_at = now()
"""


async def write(connection: Connection, changes: Sequence[Change]) -> None:
    """Record ``changes``, at most one a comment, on comments locked in this transaction."""
    if not changes:
        return
    await record_all(connection, [(change.comment, change.decision) for change in changes])
    await close_tasks(connection, [change.comment.id for change in changes if change.opens is None])
    opened = [new_task(c.comment, c.opens, c.decision.reasons) for c in changes if c.opens is not None]
    if opened:
        await open_tasks(connection, opened)
    await _count(connection, changes)


def count_decisions(changes: Sequence[Change]) -> None:
    """Count what was committed."""
    for change in changes:
        verdict = change.decision.verdict
        if verdict is not None:
            DECISIONS.labels(verdict.value, change.decision.decided_by.value).inc()


def new_task(comment: LockedComment, kind: TaskKind, reasons: Sequence[Reason]) -> NewTask:
    """Build the task of a comment that needs another look; it stands in the queue by the comment's age and scores.

    An audit stands there by its age alone and is found by no reason: either would say what the audit must not.
    """
    if kind is TaskKind.AUDIT:
        scores, reasons = Scores(), ()
    else:
        scores = comment.latest.scores or Scores()
    return NewTask(
        comment_id=comment.id,
        site_id=comment.site_id,
        kind=kind,
        revision=comment.revision,
        thread_id=comment.thread_id,
        language=comment.language,
        reasons=tuple(reason.code for reason in reasons),
        ranks=rank(comment.received_at, abuse=scores.abuse, spam=scores.spam),
    )


async def _count(connection: Connection, changes: Sequence[Change]) -> None:
    """Move the authors' counts: each comment counts once, by the last word of a person that was not taken back."""
    totals: dict[tuple[bytes, SiteId], list[int]] = {}
    for change in changes:
        comment = change.comment
        before, after = standing_verdict(comment.history), standing_verdict(change.after.history)
        if comment.identity is not None and before is not after:
            total = totals.setdefault((comment.identity, comment.site_id), [0, 0])
            total[0] += (after is Verdict.APPROVE) - (before is Verdict.APPROVE)
            total[1] += (after is Verdict.REJECT) - (before is Verdict.REJECT)
    rows = sorted((identity, site_id, *total) for (identity, site_id), total in totals.items())
    await connection.executemany(
        _COUNT, rows
    )  # one by one in order of identity, so that no two bulks wait in a circle
