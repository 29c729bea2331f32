"""Which of our comments is which of Coral's."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from moderation.domain.ids import CommentId, SiteId
from moderation.storage.database import Connection

EDITABLE_FOR = timedelta(hours=1)
"""An edit is of a comment that came no longer ago: Coral lets readers edit for minutes."""

_REMEMBER = """
INSERT INTO coral_comments AS known (comment_id, site_id, author_key, text_key, seen_at)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::bytea[], $4::bytea[], $5::timestamptz[]) AS given (id) ORDER BY given.id
    ON CONFLICT (comment_id) DO UPDATE SET text_key = excluded.text_key, seen_at = excluded.seen_at
"""
_OF_AUTHOR = """
SELECT comment_id FROM coral_comments
 WHERE site_id = $1 AND author_key = $2 AND seen_at > $3 ORDER BY seen_at DESC LIMIT 2
"""
_BY_ID = "SELECT comment_id FROM coral_comments WHERE site_id = $1 AND coral_id = $2"
_BY_TEXT = """
UPDATE coral_comments SET coral_id = $3
 WHERE comment_id = (SELECT comment_id FROM coral_comments
                      WHERE site_id = $1 AND text_key = $2 AND coral_id IS NULL ORDER BY seen_at LIMIT 1
                        FOR UPDATE)
   AND coral_id IS NULL
RETURNING comment_id
"""


@dataclass(frozen=True, slots=True)
class CoralKeys:
    """By which a comment is found again: keyed hashes of 16 bytes."""

    author: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class Sighting:
    """A comment of ours that Coral asked about."""

    comment_id: CommentId
    site_id: SiteId
    keys: CoralKeys
    seen_at: datetime


async def remember(connection: Connection, seen: Sequence[Sighting]) -> None:
    """Keep by what the comments will be found; each is named once. Waits for no disk: what a crash undoes costs a join."""
    async with connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = off")
        await connection.execute(
            _REMEMBER,
            [sighting.comment_id for sighting in seen],
            [sighting.site_id for sighting in seen],
            [sighting.keys.author for sighting in seen],
            [sighting.keys.text for sighting in seen],
            [sighting.seen_at for sighting in seen],
        )


async def find_edited(
    connection: Connection, site_id: SiteId, keys: CoralKeys, *, now: datetime
) -> CommentId | None:
    """Return the comment that an edit is of: the author's only one there of late; None where that cannot be told."""
    rows = await connection.fetch(_OF_AUTHOR, site_id, keys.author, now - EDITABLE_FOR)
    return CommentId(rows[0]["comment_id"]) if len(rows) == 1 else None


async def find_by_coral_id(connection: Connection, site_id: SiteId, coral_id: str) -> CommentId | None:
    """Return the comment that Coral's feedback was about before; None where there was none."""
    found = await connection.fetchval(_BY_ID, site_id, coral_id)
    return None if found is None else CommentId(found)


async def join(connection: Connection, site_id: SiteId, coral_id: str, text_key: bytes) -> CommentId | None:
    """Return the comment with Coral's id, or else give the id to the oldest one of that text and story that has none.

    Not for use inside a transaction: the same id told twice at once is refused by an index, and then looked up.
    """
    found = await find_by_coral_id(connection, site_id, coral_id)
    if found is None:
        with suppress(asyncpg.UniqueViolationError):
            found = await connection.fetchval(_BY_TEXT, site_id, text_key, coral_id)
    return await find_by_coral_id(connection, site_id, coral_id) if found is None else CommentId(found)
