"""The table that comments are found by. Entries are made of what is committed, and go with their comment's text.

An entry must not outlive the text: whoever empties comments holds `forget_entries`'s lock until the commit, and entries are kept
under the same lock, of comments that still have their text once it is taken. Nobody waits long: entries are kept in a moment, and
not at all while somebody empties comments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from moderation.domain.comment import StoredComment
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.searching import write_query
from moderation.domain.verdict import State
from moderation.storage.comments import read_comments
from moderation.storage.database import Connection

_LOCK = 0x6D64_730B
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
WINDOW = 5_000
"""Comments that one search may look at for their state."""
_NOT_AUDITED = "NOT EXISTS (SELECT FROM tasks t WHERE t.comment_id = c.id AND t.kind = 'audit')"
FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)

_FORGET = """
DELETE FROM search_entries e USING comments c
 WHERE c.id = ANY($1::uuid[]) AND e.site_id = c.site_id AND e.comment_id = c.id
"""
_SWEEP = """
WITH looked AS (
    SELECT comment_id FROM search_entries WHERE site_id = $1 AND comment_id > $2 ORDER BY comment_id LIMIT $3
), gone AS (
    DELETE FROM search_entries e USING looked l WHERE e.site_id = $1 AND e.comment_id = l.comment_id
       AND NOT EXISTS (SELECT FROM comments c WHERE c.id = l.comment_id AND c.text_removed_at IS NULL) RETURNING 1
)
SELECT (SELECT count(*) FROM gone) AS removed, count(*) AS seen, max(comment_id::text)::uuid AS last FROM looked
"""
_MISSING = """
SELECT c.id FROM comments c
 WHERE c.id > $1 AND c.text_removed_at IS NULL
   AND NOT EXISTS (SELECT FROM search_entries e WHERE e.site_id = c.site_id AND e.comment_id = c.id)
 ORDER BY c.id LIMIT $2
"""
_NEWEST = "SELECT id FROM comments ORDER BY id DESC LIMIT 1"
_OUTDATED = """
SELECT DISTINCT c.id FROM revisions r JOIN comments c ON c.id = r.comment_id
  JOIN search_entries e ON e.site_id = c.site_id AND e.comment_id = c.id
 WHERE r.replaced_at > $1 AND e.revision <> c.revision LIMIT $2
"""
_TEXTS = """
SELECT id, site_id, thread_id, identity, revision, text, author_name FROM comments
 WHERE id = ANY($1::uuid[]) AND text_removed_at IS NULL ORDER BY id
"""
_KEEP = """
INSERT INTO search_entries (site_id, comment_id, thread_id, identity, revision, words)
SELECT c.site_id, c.id, c.thread_id, c.identity, n.revision, array_to_tsvector(string_to_array(n.words, ' '))
  FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS n (id, revision, words)
  JOIN comments c ON c.id = n.id AND c.text_removed_at IS NULL
ON CONFLICT (site_id, comment_id) DO UPDATE
   SET identity = excluded.identity, revision = excluded.revision, words = excluded.words
"""
_REASSIGN = """
UPDATE search_entries SET identity = $3 WHERE site_id = $1 AND comment_id = $2 AND identity IS DISTINCT FROM $3
"""

_NOTE = """
INSERT INTO search_progress (place, edits_at) VALUES ($1, $2)
ON CONFLICT (only_row) DO UPDATE SET place = excluded.place, edits_at = excluded.edits_at
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for on one site; None and an empty list leave a condition out. Bounds are ids, which are times of receipt."""

    site_id: SiteId
    words: tuple[str, ...] = ()
    state: State | None = None
    identity: bytes | None = None
    first: UUID = FIRST
    before: UUID = LAST


async def forget_entries(connection: Connection, ids: Sequence[CommentId]) -> None:
    """Forget what these comments are found by; part of the transaction that empties them, before it does."""
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", _LOCK)
    await connection.execute(_FORGET, ids)


async def reassign_entry(
    connection: Connection, site_id: SiteId, comment_id: CommentId, identity: bytes | None
) -> None:
    """Let a comment be found by another author; part of the transaction that gives it one."""
    await connection.execute(_REASSIGN, site_id, comment_id, identity)


async def sweep_entries(
    connection: Connection, site_id: int, after: UUID, limit: int
) -> tuple[int, UUID | None]:
    """Forget entries of comments without a text, among the next ``limit`` of a site; return how many, and after which to go on.

    None where all were looked at. Nothing of this program leaves such an entry; one that knew no entries and erased beside it did.
    """
    row = await connection.fetchrow(_SWEEP, site_id, after, limit)
    assert row is not None
    return row["removed"], row["last"] if row["seen"] == limit else None


async def may_make_entries(connection: Connection) -> bool:
    """Take the lock until the transaction ends, unless somebody empties comments just now."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK))


async def read_progress(connection: Connection) -> tuple[UUID, datetime]:
    """Return up to where all comments, and all edits, were looked at."""
    row = await connection.fetchrow("SELECT place, edits_at FROM search_progress")
    return (FIRST, _BEFORE_ALL) if row is None else (row["place"], row["edits_at"])


async def note_progress(connection: Connection, place: UUID, edits_at: datetime) -> None:
    """Write both down."""
    await connection.execute(_NOTE, place, edits_at)


async def missing_entries(connection: Connection, after: UUID, limit: int) -> list[UUID]:
    """Return comments received after ``after`` that are not found by anything yet, in order."""
    return [row["id"] for row in await connection.fetch(_MISSING, after, limit)]


async def newest_comment(connection: Connection) -> UUID:
    """Return the comment received last; `FIRST` where there is none."""
    newest: UUID | None = await connection.fetchval(_NEWEST)
    return newest or FIRST


async def outdated_entries(connection: Connection, since: datetime, limit: int) -> list[UUID]:
    """Return comments edited after ``since`` that are found by an earlier text."""
    return [row["id"] for row in await connection.fetch(_OUTDATED, since, limit)]


async def read_texts(connection: Connection, ids: Sequence[UUID]) -> list[Any]:
    """Return id, revision, text and author_name of those that still have a text."""
    return await connection.fetch(_TEXTS, ids)


async def keep_entries(connection: Connection, entries: Sequence[tuple[UUID, int, Sequence[str]]]) -> None:
    """Make or renew entries: comment, revision, words of `words_of`; none of what has lost its text by now.

    An entry of a revision that was replaced meanwhile is one of `outdated_entries`.
    """
    await connection.execute(
        _KEEP,
        [comment_id for comment_id, _, _ in entries],
        [revision for _, revision, _ in entries],
        [" ".join(words) for _, _, words in entries],
    )


async def find_comments(
    connection: Connection, wanted: Wanted, limit: int
) -> tuple[list[StoredComment], UUID | None]:
    """Return up to ``limit`` comments that fit, the latest received first, and before which to go on; None at the end.

    At most `WINDOW` comments that fit by all but their state are looked at, so a page may be short, even empty, and still have a
    next one. Withdrawn and emptied comments are not among them; with a ``state`` those of an open audit neither, for that would
    say what the audit must not.
    """
    looked, values = _looked_at(wanted)
    state = "c.state <> 'deleted'"
    if wanted.state is not None:
        state = f"c.state = ${len(values) + 1} AND {_NOT_AUDITED}"
    rows = await connection.fetch(
        # One look-up a comment, in order, until the page is full: never a join over all comments of everybody.
        f"SELECT l.comment_id FROM ({looked} LIMIT {WINDOW}) l CROSS JOIN LATERAL"  # noqa: S608 - our own words
        f" (SELECT FROM comments c WHERE c.id = l.comment_id AND c.text_removed_at IS NULL AND {state} LIMIT 1) fits"
        f" ORDER BY l.comment_id DESC LIMIT {int(limit) + 1}",
        *values,
        *([] if wanted.state is None else [wanted.state]),
    )
    ids = [CommentId(row["comment_id"]) for row in rows]
    following: UUID | None = ids[limit - 1] if len(ids) > limit else None
    if len(ids) <= limit:
        following = await connection.fetchval(f"{looked} OFFSET {WINDOW - 1} LIMIT 1", *values)
    return await _in_order(connection, ids[:limit]), following


def _looked_at(wanted: Wanted) -> tuple[str, list[Any]]:
    """Return the entries that fit, as SQL without a bound, and its values."""
    conditions = ["site_id = $1", "comment_id < $2", "comment_id >= $3"]
    values: list[Any] = [wanted.site_id, wanted.before, wanted.first]
    for condition, value in (
        ("words @@ ${}::text::tsquery", write_query(list(wanted.words)) or None),
        ("identity = ${}", wanted.identity),
    ):
        if value is not None:
            values.append(value)
            conditions.append(condition.format(len(values)))
    found = f"SELECT comment_id FROM search_entries WHERE {' AND '.join(conditions)} ORDER BY comment_id DESC"  # noqa: S608 - our own words
    return found, values


async def open_audits(connection: Connection, ids: Sequence[CommentId]) -> frozenset[CommentId]:
    """Return those of ``ids`` that somebody is to judge without knowing what the service said."""
    rows = await connection.fetch(
        "SELECT comment_id FROM tasks WHERE comment_id = ANY($1::uuid[]) AND kind = 'audit'", ids
    )
    return frozenset(CommentId(row["comment_id"]) for row in rows)


_BEFORE = """
SELECT e.comment_id FROM search_entries e JOIN comments c ON c.id = e.comment_id
 WHERE e.site_id = $1 AND e.thread_id = $2 AND e.comment_id < $3 AND c.state <> 'deleted' AND c.text_removed_at IS NULL
 ORDER BY e.comment_id DESC LIMIT $4
"""
_AFTER = _BEFORE.replace("e.comment_id < $3", "e.comment_id > $3").replace("DESC", "ASC")


async def neighbours(
    connection: Connection, comment: StoredComment, limit: int
) -> tuple[list[StoredComment], list[StoredComment]]:
    """Return up to ``limit`` comments of the same thread received before, and after; both the earliest first."""
    values = (comment.site_id, comment.thread.id, comment.id, limit)
    before = [CommentId(row["comment_id"]) for row in await connection.fetch(_BEFORE, *values)][::-1]
    after = [CommentId(row["comment_id"]) for row in await connection.fetch(_AFTER, *values)]
    return await _in_order(connection, before), await _in_order(connection, after)


_STATES = f"""
SELECT c.state, count(*) AS size
  FROM (SELECT comment_id FROM search_entries WHERE identity = $1 AND site_id = $2 ORDER BY comment_id DESC LIMIT $3) e
  JOIN comments c ON c.id = e.comment_id
 WHERE {_NOT_AUDITED} GROUP BY c.state
"""  # noqa: S608 - our own words


async def count_states(
    connection: Connection, site_id: SiteId, identity: bytes, limit: int
) -> dict[State, int]:
    """Count the latest ``limit`` comments of an author by state, those of open audits left out."""
    rows = await connection.fetch(_STATES, identity, site_id, limit)
    return {State(row["state"]): row["size"] for row in rows}


async def _in_order(connection: Connection, ids: Sequence[CommentId]) -> list[StoredComment]:
    found = await read_comments(connection, ids)
    return [found[comment_id] for comment_id in ids if comment_id in found]
