"""What each retention clock removes, a bounded number of rows at a time.

A step is one transaction. `Step.place` is where the next one begins; it is stored in the same transaction, so that a killed
round goes on where it stopped. No clock needs an index that new comments would have to pay for: comments are walked by id
(UUIDv7: by time of receipt), decisions by feed position (by time of decision).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any
from uuid import UUID

from moderation.domain.ids import CommentId, first_uuid
from moderation.domain.verdict import State
from moderation.privacy.emptying import TextKeeper, empty_comments
from moderation.storage.database import Connection, row_count
from moderation.storage.search import sweep_entries

WINDOW = 2_000
"""Rows looked at in one step."""
BATCH = 500
"""Rows removed or emptied in one step."""
ENTRIES = 10_000
"""By which comments are found, looked at in one round of a site: some tens of milliseconds, a million in seventeen hours."""
START = bytes(16)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did: rows removed, where the next begins (None: nowhere, it looks again), whether there is more."""

    removed: int
    place: bytes | None = None
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """One clock of one site: what is older than ``cutoff`` may go; ``site_id`` is None for what belongs to no site."""

    site_id: int | None
    cutoff: datetime
    now: datetime
    place: bytes = START


_WINDOW_END = """
SELECT max(id::text)::uuid AS last, count(*) AS looked_at
  FROM (SELECT id FROM comments WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3) AS looked
"""
_FORGET = {
    "address": "address_sealed = NULL, user_agent = NULL",
    "email": "email_sealed = NULL",
}
_IS_KNOWN = {
    "address": "(address_sealed IS NOT NULL OR user_agent IS NOT NULL)",
    "email": "email_sealed IS NOT NULL",
}


async def sweep_search(connection: Connection, due: Due) -> Step:
    """Look through the next `ENTRIES` by which comments are found for those whose comment has no text; the cutoff plays no part.

    One step a round, and round and round: what it looks for is left by older programs alone.
    """
    assert due.site_id is not None
    removed, last = await sweep_entries(connection, due.site_id, UUID(bytes=due.place), ENTRIES)
    return Step(removed, START if last is None else last.bytes)


async def forget_columns(connection: Connection, clock: str, due: Due) -> Step:
    """Forget the sealed address and browser, or the sealed e-mail, of comments received before the cutoff."""
    after, before = UUID(bytes=due.place), first_uuid(due.cutoff)
    window = await connection.fetchrow(_WINDOW_END, after, before, WINDOW)
    assert window is not None
    if window["last"] is None:
        return Step(0)
    status = await connection.execute(
        f"WITH due AS (SELECT id FROM comments WHERE id > $1 AND id <= $2 AND site_id = $3 AND {_IS_KNOWN[clock]}"  # noqa: S608 - constants of our own
        f" ORDER BY id FOR UPDATE) UPDATE comments c SET {_FORGET[clock]} FROM due WHERE c.id = due.id",
        after,
        window["last"],
        due.site_id,
    )
    return Step(row_count(status), window["last"].bytes, has_more=window["looked_at"] == WINDOW)


_DECIDED = """
SELECT position, comment_id, state, decided_at FROM decisions
 WHERE site_id = $1 AND position > $2 AND position > 0 ORDER BY position LIMIT $3
"""
_STILL = """
SELECT c.id FROM comments c JOIN decisions d ON d.comment_id = c.id AND d.sequence = c.sequence
 WHERE c.id = ANY($1::uuid[]) AND c.state = $2 AND c.text_removed_at IS NULL AND d.decided_at < $3
 ORDER BY c.id FOR UPDATE OF c
"""


async def empty_decided(connection: Connection, state: State, due: Due, keeper: TextKeeper) -> Step:
    """Empty comments that have been rejected, or withdrawn, since before the cutoff."""
    old = await _decided_before(connection, due)
    if not old:
        return Step(0)
    ids = sorted({row["comment_id"] for row in old if row["state"] == state.value})
    removed = await _empty_those_still(connection, ids, state, due, keeper)
    return Step(removed, int(old[-1]["position"]).to_bytes(16), has_more=len(old) == BATCH)


async def _decided_before(connection: Connection, due: Due) -> list[Any]:
    """Return the next decisions in the feed's order, up to the first that is too young."""
    rows = await connection.fetch(_DECIDED, due.site_id, int.from_bytes(due.place), BATCH)
    return list(takewhile(lambda row: row["decided_at"] < due.cutoff, rows))


_IMPORTED = """
SELECT c.id FROM comments c JOIN decisions d ON d.comment_id = c.id AND d.sequence = c.sequence AND d.position = 0
 WHERE c.id > $1 AND c.id <= $2 AND c.site_id = $3 AND c.state = $4 AND c.text_removed_at IS NULL
"""


async def empty_imported(connection: Connection, state: State, due: Due, keeper: TextKeeper) -> Step:
    """Do the same for imported history, which has no place in the feed, by the time it came to us."""
    after = UUID(bytes=due.place)
    window = await connection.fetchrow(_WINDOW_END, after, first_uuid(due.cutoff), BATCH)
    assert window is not None
    if window["last"] is None:
        return Step(0)
    rows = await connection.fetch(_IMPORTED, after, window["last"], due.site_id, state.value)
    removed = await _empty_those_still(connection, sorted(row["id"] for row in rows), state, due, keeper)
    return Step(removed, window["last"].bytes, has_more=window["looked_at"] == BATCH)


async def _empty_those_still(
    connection: Connection, ids: Sequence[UUID], state: State, due: Due, keeper: TextKeeper
) -> int:
    # Locked in the order of ids, as everybody locks comments; what was decided anew meanwhile is left for its own time.
    await connection.fetch("SELECT 1 FROM comments WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE", ids)
    still = [CommentId(row["id"]) for row in await connection.fetch(_STILL, ids, state.value, due.cutoff)]
    if still:
        await keeper.keep(connection, still)
        await empty_comments(connection, still, now=due.now)
    return len(still)


_EARLIER = """
SELECT r.comment_id, r.revision FROM revisions r JOIN comments c ON c.id = r.comment_id
 WHERE r.replaced_at < $2 AND c.site_id = $1 ORDER BY r.replaced_at LIMIT $3
"""
_DROP_EARLIER = """
DELETE FROM revisions r USING unnest($1::uuid[], $2::integer[]) AS old (comment_id, revision)
 WHERE r.comment_id = old.comment_id AND r.revision = old.revision
"""


async def drop_earlier_texts(connection: Connection, due: Due, keeper: TextKeeper) -> Step:
    """Drop texts that an edit replaced before the cutoff."""
    rows = await connection.fetch(_EARLIER, due.site_id, due.cutoff, BATCH)
    ids = sorted({row["comment_id"] for row in rows})
    await keeper.keep(connection, [CommentId(comment_id) for comment_id in ids])
    await connection.execute(
        _DROP_EARLIER, [row["comment_id"] for row in rows], [row["revision"] for row in rows]
    )
    return Step(len(rows), has_more=len(rows) == BATCH)


_STRIP_DECIDERS = """
UPDATE decisions SET actor = NULL, note = NULL
 WHERE site_id = $1 AND position > $2 AND position <= $3 AND (actor IS NOT NULL OR note IS NOT NULL)
"""


async def strip_deciders(connection: Connection, due: Due) -> Step:
    """Forget which person decided, and their notes; that a person decided stays."""
    old = await _decided_before(connection, due)
    if not old:
        return Step(0)
    last = old[-1]["position"]
    status = await connection.execute(_STRIP_DECIDERS, due.site_id, int.from_bytes(due.place), last)
    return Step(row_count(status), int(last).to_bytes(16), has_more=len(old) == BATCH)


_STRIP_IMPORTED = """
UPDATE decisions SET actor = NULL, note = NULL
 WHERE comment_id > $2 AND comment_id <= $3 AND site_id = $1 AND position = 0 AND (actor IS NOT NULL OR note IS NOT NULL)
"""


async def strip_imported_deciders(connection: Connection, due: Due) -> Step:
    """Do the same for imported history, by the time it came to us."""
    after = UUID(bytes=due.place)
    window = await connection.fetchrow(_WINDOW_END, after, first_uuid(due.cutoff), BATCH)
    assert window is not None
    if window["last"] is None:
        return Step(0)
    status = await connection.execute(_STRIP_IMPORTED, due.site_id, after, window["last"])
    return Step(row_count(status), window["last"].bytes, has_more=window["looked_at"] == BATCH)


_RECEIPTS = {"akismet_checks": "guid", "coral_comments": "comment_id"}
"""Tables whose keys are UUIDv7 of the time at which the row was written."""


async def drop_receipts(connection: Connection, table: str, due: Due) -> Step:
    """Drop by what a client's later word is matched to a comment: then it becomes a label, and no callback is made any more."""
    key, after = _RECEIPTS[table], UUID(bytes=due.place)
    window = await connection.fetchrow(
        f"SELECT max({key}::text)::uuid AS last, count(*) AS looked_at FROM"  # noqa: S608 - constants of our own
        f" (SELECT {key} FROM {table} WHERE {key} > $1 AND {key} < $2 ORDER BY {key} LIMIT $3) AS looked",
        after,
        first_uuid(due.cutoff),
        WINDOW,
    )
    assert window is not None
    if window["last"] is None:
        return Step(0)
    status = await connection.execute(
        f"DELETE FROM {table} WHERE {key} > $1 AND {key} <= $2 AND site_id = $3",  # noqa: S608 - constants of our own
        after,
        window["last"],
        due.site_id,
    )
    return Step(row_count(status), window["last"].bytes, has_more=window["looked_at"] == WINDOW)


_IS_REMOVED = "SELECT EXISTS (SELECT FROM sites WHERE id = $1 AND removed_at < $2)"
_OF_REMOVED = """
SELECT id FROM comments WHERE id > $1 AND id <= $2 AND site_id = $3 AND text_removed_at IS NULL ORDER BY id FOR UPDATE
"""


async def empty_removed_site(connection: Connection, due: Due, keeper: TextKeeper) -> Step:
    """Empty whatever a site has left that was removed before the cutoff."""
    if not await connection.fetchval(_IS_REMOVED, due.site_id, due.cutoff):
        return Step(0)
    after = UUID(bytes=due.place)
    window = await connection.fetchrow(_WINDOW_END, after, first_uuid(due.now), BATCH)
    assert window is not None
    if window["last"] is None:
        return Step(0)
    rows = await connection.fetch(_OF_REMOVED, after, window["last"], due.site_id)
    ids = [CommentId(row["id"]) for row in rows]
    if ids:
        await keeper.keep(connection, ids)
        await empty_comments(connection, ids, now=due.now)
    return Step(len(ids), window["last"].bytes, has_more=window["looked_at"] == BATCH)


_DELETIONS = {
    "attempts": "DELETE FROM delivery_attempts WHERE id IN"
    " (SELECT id FROM delivery_attempts WHERE site_id = $1 AND attempted_at < $2 ORDER BY attempted_at LIMIT $3)",
    "dead_letters": "DELETE FROM dead_letters WHERE (comment_id, sequence) IN"
    " (SELECT comment_id, sequence FROM dead_letters WHERE site_id = $1 AND died_at < $2 ORDER BY died_at LIMIT $3)",
    "labels": "DELETE FROM labels WHERE (site_id, key) IN"
    " (SELECT site_id, key FROM labels WHERE site_id = $1 AND labelled_at < $2 ORDER BY labelled_at LIMIT $3)",
    # Which comment it is about stays: that row knows its author no longer than its own clocks let it, and a label that had
    # forgotten its comment would be learned from beside the decision on it, as if two texts had been judged.
    "label_identity": "UPDATE labels SET identity = NULL, email_hash = NULL, actor = NULL"
    " WHERE (site_id, key) IN (SELECT site_id, key FROM labels WHERE site_id = $1 AND labelled_at < $2"
    " AND (identity IS NOT NULL OR email_hash IS NOT NULL OR actor IS NOT NULL)"
    " ORDER BY labelled_at LIMIT $3)",
    "usage": "DELETE FROM akismet_usage WHERE (site_id, day, blog, key_id) IN (SELECT site_id, day, blog, key_id"
    " FROM akismet_usage WHERE site_id = $1 AND day < ($2::timestamptz AT TIME ZONE 'UTC')::date ORDER BY day LIMIT $3)",
    "authors": "DELETE FROM authors WHERE standing = 'none' AND decided_at < $2 AND identity IN (SELECT identity FROM authors"
    " WHERE site_id = $1 AND standing = 'none' AND decided_at < $2 ORDER BY decided_at LIMIT $3)",
    # Rows are numbered in the order of time: the oldest of a site stand first.
    "audit": "DELETE FROM audit WHERE at < $2 AND id IN"
    " (SELECT id FROM audit WHERE site_id = $1 ORDER BY id LIMIT $3)",
    "audit_of_no_site": "DELETE FROM audit WHERE at < $2 AND id IN"
    " (SELECT id FROM audit WHERE site_id IS NULL AND $1::int IS NULL ORDER BY id LIMIT $3)",
    "events": "DELETE FROM feed_days WHERE day < $2::timestamptz::date - 1 AND $1::int IS NULL AND $3 > 0",
}


async def delete(connection: Connection, what: str, due: Due) -> Step:
    """Delete, or strip, old rows of one of the tables that need no more than their time."""
    removed = row_count(await connection.execute(_DELETIONS[what], due.site_id, due.cutoff, BATCH))
    return Step(removed, has_more=removed >= BATCH)
