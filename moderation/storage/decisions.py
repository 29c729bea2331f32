"""Recording decisions: always under the comment's row lock, with the next sequence, and on their way to the site.

Locks are taken in one order everywhere, so that nobody waits in a circle: comments by id, then tasks by comment id,
then deliveries, then authors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moderation.domain.decision import Decider, Decision
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.task import Task, TaskKind
from moderation.domain.verdict import Scores, State, Verdict
from moderation.storage.database import Connection
from moderation.storage.reasons import reasons_from_json, reasons_to_json
from moderation.storage.tasks import lock_tasks

_LOCK = """
SELECT id, site_id, thread_id, language, identity, revision, state, sequence, received_at,
       text_removed_at IS NOT NULL AS is_emptied
  FROM comments WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
"""
_HISTORY = "SELECT * FROM decisions WHERE comment_id = ANY($1::uuid[]) ORDER BY comment_id, sequence"
_MOVE = """
UPDATE comments c SET state = d.state, sequence = d.sequence
  FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS d (comment_id, sequence, state)
 WHERE c.id = d.comment_id AND c.sequence = d.sequence - 1
"""
_INSERT = """
INSERT INTO decisions (comment_id, sequence, site_id, revision, state, verdict, reasons, scores, model, policy,
                       decided_by, actor, note, undoes, task, origin, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""
# The update changes nothing but locks the row: the delivery worker, which deletes a row under its lock once everything
# was sent, then either sees this decision or has already made room for a new row. DO NOTHING would lose the event.
_QUEUE = """
INSERT INTO deliveries (comment_id, site_id, next_sequence, next_attempt_at, first_due_at)
SELECT d.comment_id, d.site_id, d.sequence, d.decided_at, d.decided_at
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::timestamptz[]) AS d (comment_id, site_id, sequence, decided_at)
  JOIN sites s ON s.id = d.site_id AND s.webhook_url IS NOT NULL AND s.removed_at IS NULL
 ORDER BY d.comment_id
ON CONFLICT (comment_id) DO UPDATE SET next_sequence = deliveries.next_sequence
"""
# An Akismet client hears of every later verdict at its callback, but not of what it said itself.
_TELL_AKISMET = """
UPDATE akismet_checks k SET due_at = d.due_at, attempts = 0
  FROM unnest($1::uuid[], $2::timestamptz[]) AS d (comment_id, due_at)
 WHERE k.comment_id = d.comment_id AND k.callback IS NOT NULL
"""
AKISMET = "akismet"
"""The origin of comments and of site's decisions that came by that dialect."""


@dataclass(frozen=True, slots=True)
class LockedComment:
    """A comment whose row is locked until the transaction ends, with every decision on it and its open task."""

    id: CommentId
    site_id: SiteId
    thread_id: str
    language: str | None
    identity: bytes | None = field(repr=False)
    revision: int
    state: State
    sequence: int
    received_at: datetime
    history: tuple[Decision, ...]
    """From the first to the latest; never empty."""
    task: Task | None
    is_emptied: bool = False
    """Text and author are gone, by retention or erasure; nobody can judge it any more."""

    @property
    def latest(self) -> Decision:
        """The decision in force."""
        return self.history[-1]


async def lock_comments(connection: Connection, ids: Sequence[CommentId]) -> dict[CommentId, LockedComment]:
    """Lock those of ``ids`` that exist, and their open tasks, until the transaction ends; waits for other holders."""
    rows = await connection.fetch(_LOCK, ids)
    found = [CommentId(row["id"]) for row in rows]
    # Read after the locks are held, hence in later statements: what they see cannot change any more.
    tasks = await lock_tasks(connection, found)
    histories = await read_histories(connection, found)
    return {
        CommentId(row["id"]): LockedComment(
            id=CommentId(row["id"]),
            site_id=SiteId(row["site_id"]),
            thread_id=row["thread_id"],
            language=row["language"],
            identity=row["identity"],
            revision=row["revision"],
            state=State(row["state"]),
            sequence=row["sequence"],
            received_at=row["received_at"],
            history=histories[CommentId(row["id"])],
            task=tasks.get(CommentId(row["id"])),
            is_emptied=row["is_emptied"],
        )
        for row in rows
    }


async def read_histories(
    connection: Connection, ids: Sequence[CommentId]
) -> dict[CommentId, tuple[Decision, ...]]:
    """Return every decision on each of ``ids`` that has any, oldest first."""
    histories: dict[CommentId, list[Decision]] = {}
    for row in await connection.fetch(_HISTORY, ids) if ids else []:
        histories.setdefault(CommentId(row["comment_id"]), []).append(_decision(row))
    return {comment_id: tuple(history) for comment_id, history in histories.items()}


async def record(connection: Connection, comment: LockedComment, decision: Decision) -> None:
    """Write one decision; see `record_all`."""
    await record_all(connection, [(comment, decision)])


async def record_all(connection: Connection, entries: Sequence[tuple[LockedComment, Decision]]) -> None:
    """Write decisions on locked comments, at most one a comment: history, the comment's state, and the event for its site.

    Each decision's sequence is the comment's plus one; raises `RuntimeError`, writing nothing that commits, for another.
    Must run in the transaction of `lock_comments`. Tasks and author records are the caller's.
    """
    ids = [comment.id for comment, _ in entries]
    sites = [comment.site_id for comment, _ in entries]
    sequences = [decision.sequence for _, decision in entries]
    moved = await connection.execute(_MOVE, ids, sequences, [decision.state.value for _, decision in entries])
    if moved != f"UPDATE {len(entries)}":
        raise RuntimeError("a decision was to be recorded out of sequence")
    await connection.executemany(_INSERT, [_values(comment, decision) for comment, decision in entries])
    await connection.execute(_QUEUE, ids, sites, sequences, [decision.decided_at for _, decision in entries])
    await _tell_akismet(connection, entries)


async def _tell_akismet(connection: Connection, entries: Sequence[tuple[LockedComment, Decision]]) -> None:
    told = {
        comment.id: None
        if decision.origin == AKISMET and decision.decided_by is Decider.SITE
        else decision.decided_at
        for comment, decision in entries
        if comment.history[0].origin == AKISMET and decision.state in {State.APPROVED, State.REJECTED}
    }
    if told:
        await connection.execute(_TELL_AKISMET, list(told), list(told.values()))


def _values(comment: LockedComment, decision: Decision) -> tuple[Any, ...]:
    return (
        comment.id,
        decision.sequence,
        comment.site_id,
        decision.revision,
        decision.state.value,
        None if decision.verdict is None else decision.verdict.value,
        reasons_to_json(decision.reasons),
        None if decision.scores is None else decision.scores.as_list(),
        decision.model,
        decision.policy,
        decision.decided_by.value,
        decision.actor,
        decision.note,
        decision.undoes,
        None if decision.task is None else decision.task.value,
        decision.origin,
        decision.decided_at,
    )


def _decision(row: Any) -> Decision:
    return Decision(
        sequence=row["sequence"],
        revision=row["revision"],
        state=State(row["state"]),
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        reasons=reasons_from_json(row["reasons"]),
        scores=Scores.from_list(row["scores"]),
        model=row["model"],
        policy=row["policy"],
        decided_by=Decider(row["decided_by"]),
        actor=row["actor"],
        note=row["note"],
        decided_at=row["decided_at"],
        origin=row["origin"],
        undoes=row["undoes"],
        task=None if row["task"] is None else TaskKind(row["task"]),
    )
