"""The table of open tasks: locking, opening and closing them; call only while their comments' rows are locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moderation.domain.ids import ClaimId, CommentId, ModeratorId, SiteId
from moderation.domain.ranks import Ranks
from moderation.domain.task import Claim, Task, TaskKind
from moderation.domain.verdict import ReasonCode
from moderation.storage.database import Connection

COLUMNS = "comment_id, kind, revision, claim_id, claimed_by, claim_expires_at"
"""What `task_from_row` reads."""

# An open task that is opened anew keeps its age and its count of rescorings, and loses its claim.
_OPEN = """
INSERT INTO tasks (comment_id, site_id, kind, revision, thread_id, language, reasons, rank, abuse_rank, uncertain_rank)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (comment_id) DO UPDATE SET kind = excluded.kind, revision = excluded.revision,
       language = excluded.language, reasons = excluded.reasons,
       abuse_rank = excluded.abuse_rank, uncertain_rank = excluded.uncertain_rank,
       claim_id = NULL, claimed_by = NULL, claim_expires_at = NULL
"""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task about to be opened, with what the queue orders and filters by."""

    comment_id: CommentId
    site_id: SiteId
    kind: TaskKind
    revision: int
    thread_id: str
    language: str | None
    reasons: tuple[ReasonCode, ...]
    ranks: Ranks


async def lock_tasks(connection: Connection, ids: Sequence[CommentId]) -> dict[CommentId, Task]:
    """Lock the open tasks of these comments until the transaction ends, so that nobody claims them meanwhile."""
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM tasks WHERE comment_id = ANY($1::uuid[]) ORDER BY comment_id FOR UPDATE",  # noqa: S608 - a constant
        ids,
    )
    return {CommentId(row["comment_id"]): task_from_row(row) for row in rows}


async def open_tasks(connection: Connection, tasks: Sequence[NewTask]) -> None:
    """Open tasks; where a comment has one already, that one changes kind and is free again."""
    await connection.executemany(_OPEN, [_values(task) for task in tasks])


async def close_tasks(connection: Connection, ids: Sequence[CommentId]) -> None:
    """Close the tasks of these comments, where there are any."""
    await connection.execute("DELETE FROM tasks WHERE comment_id = ANY($1::uuid[])", ids)


def task_from_row(row: Any) -> Task:
    """Read a row of `COLUMNS`."""
    claim = None
    if row["claim_id"] is not None:
        claim = Claim(ClaimId(row["claim_id"]), ModeratorId(row["claimed_by"]), row["claim_expires_at"])
    return Task(TaskKind(row["kind"]), row["revision"], claim)


def _values(task: NewTask) -> tuple[Any, ...]:
    return (
        task.comment_id,
        task.site_id,
        task.kind.value,
        task.revision,
        task.thread_id,
        task.language,
        [code.value for code in task.reasons],
        task.ranks.oldest,
        task.ranks.abuse,
        task.ranks.uncertain,
    )
