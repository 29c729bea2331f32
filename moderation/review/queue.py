"""The queue: open tasks in one of three orders, a page at a time, as quick at a million tasks as at a thousand.

The index is the order, a position in it is a rank and an id, and nothing is ever counted or skipped over. A filter looks at
`WINDOW` tasks at most, so that a page may be short, even empty, and still have a next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from moderation.domain.comment import StoredComment
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.ranks import received_at
from moderation.domain.task import QueueOrder, Task, TaskKind
from moderation.domain.verdict import ReasonCode
from moderation.storage.comments import read_comments
from moderation.storage.database import Connection, Database
from moderation.storage.tasks import COLUMNS, task_from_row

MAX_PAGE = 100
WINDOW = 5_000
"""Tasks that one request may look at; about 5 ms of PostgreSQL's time."""

MAX_COUNTED = 10_000
"""Of each kind: what a desk shows as a number; about 5 ms of PostgreSQL's time."""

RANKS = {QueueOrder.OLDEST: "rank", QueueOrder.ABUSE: "abuse_rank", QueueOrder.UNCERTAIN: "uncertain_rank"}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in one order of the queue: everything above it comes later."""

    rank: int
    comment_id: UUID


START = Position(-1, UUID(int=0))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which tasks of one site, in which order; None leaves a filter out."""

    site_id: SiteId
    kinds: frozenset[TaskKind]
    order: QueueOrder = QueueOrder.OLDEST
    thread: str | None = None
    reason: ReasonCode | None = None
    language: str | None = None

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The values of ``$1`` to ``$5`` in `scanned` and `FILTER`."""
        return self.site_id, sorted(self.kinds), self.thread, self.reason, self.language

    @property
    def scanned(self) -> str:
        """The tasks looked at, without their order and bound, as SQL over ``$1``."""
        sql = "SELECT * FROM tasks WHERE site_id = $1"
        # Few among very many: for the usual order an index of their own finds them, wherever they stand.
        if self.order is QueueOrder.OLDEST and len(self.kinds) == 1 and TaskKind.HELD not in self.kinds:
            (kind,) = self.kinds
            sql += f" AND kind = '{kind.value}'"
        return sql

    @property
    def rank(self) -> str:
        """The column of the order."""
        return RANKS[self.order]


FILTER = (
    "kind = ANY($2::text[]) AND ($3::text IS NULL OR thread_id = $3)"
    " AND ($4::text IS NULL OR $4 = ANY(reasons)) AND ($5::text IS NULL OR language = $5)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An open task with its comment."""

    comment: StoredComment
    task: Task


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries in order, and where to go on; None at the end of the queue."""

    entries: tuple[Entry, ...]
    next: Position | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many tasks of one kind are open on a site, counted up to one above `MAX_COUNTED`, and since when the oldest waits."""

    kind: TaskKind
    open: int
    oldest_at: datetime | None


_COUNT = " UNION ALL ".join(
    f"""
SELECT {number}, '{kind.value}',
       (SELECT count(*) FROM (SELECT FROM tasks WHERE site_id = $1 AND kind = '{kind.value}' LIMIT {MAX_COUNTED + 1}) counted),
       (SELECT rank FROM tasks WHERE site_id = $1 AND kind = '{kind.value}' ORDER BY rank LIMIT 1)
 WHERE '{kind.value}' = ANY($2::text[])"""  # noqa: S608 - constants of this module
    for number, kind in enumerate(TaskKind, start=1)
)
"""Each kind is written out: by one that comes as a value PostgreSQL cannot choose the index of the rare kinds, and reads all tasks."""


class Queue:
    """Lists open tasks; who may see which is the caller's to say in the `Selection`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, selection: Selection, *, after: Position = START, limit: int = 50) -> Page:
        """Return up to ``limit`` entries after a position, claimed ones among them."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                page_sql(selection), *selection.parameters, after.rank, after.comment_id, limit + 1
            )
            if len(rows) > limit:
                following: Position | None = _position(rows[limit - 1])
            else:
                following = await _end_of_window(connection, selection, after)
            return Page(await entries(connection, rows[:limit]), following)

    async def count(self, site_id: SiteId, kinds: frozenset[TaskKind]) -> list[Count]:
        """Count the open tasks of each kind."""
        wanted = [kind.value for kind in TaskKind if kind in kinds]
        async with self._database.connection() as connection:
            rows = await connection.fetch(_COUNT, site_id, wanted)
        return [
            Count(TaskKind(kind), open_tasks, None if rank is None else received_at(rank))
            for _, kind, open_tasks, rank in sorted(rows, key=lambda row: int(row[0]))
        ]


async def entries(connection: Connection, rows: Sequence[Any]) -> tuple[Entry, ...]:
    """Return the tasks of ``rows`` with their comments, in order."""
    comments = await read_comments(connection, [CommentId(row["comment_id"]) for row in rows])
    return tuple(
        Entry(comments[row["comment_id"]], task_from_row(row))
        for row in rows
        if row["comment_id"] in comments
    )


def page_sql(selection: Selection) -> str:
    """Return the statement over the selection's parameters, the rank and comment id to go on from, and a limit."""
    rank = selection.rank
    return f"""
        SELECT {COLUMNS}, {rank} AS position FROM (
            {selection.scanned} AND ({rank}, comment_id) > ($6, $7) ORDER BY {rank}, comment_id LIMIT {WINDOW}
        ) scanned WHERE {FILTER} ORDER BY {rank}, comment_id LIMIT $8"""  # noqa: S608 - constants of this module


async def _end_of_window(connection: Connection, selection: Selection, after: Position) -> Position | None:
    """Return where the window ended, None if the queue did."""
    rank = selection.rank
    row = await connection.fetchrow(
        f"""
        SELECT comment_id, {rank} AS position FROM ({selection.scanned}) scanned
         WHERE ({rank}, comment_id) > ($2, $3) ORDER BY {rank}, comment_id OFFSET {WINDOW - 1} LIMIT 1""",  # noqa: S608 - constants of this module
        selection.site_id,
        after.rank,
        after.comment_id,
    )
    return None if row is None else _position(row)


def _position(row: Any) -> Position:
    return Position(row["position"], row["comment_id"])
