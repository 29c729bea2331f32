"""Which of our comments is which of Coral's; a new one is remembered by `intake.store`, with the comment itself."""

from contextlib import suppress
from datetime import datetime, timedelta

import asyncpg

from moderation.domain.comment import CoralKeys
from moderation.domain.ids import CommentId, SiteId
from moderation.storage.database import Connection

EDITABLE_FOR = timedelta(hours=1)
"""An edit is of a comment that came no longer ago: Coral lets readers edit for minutes."""

_REMEMBER = """
INSERT INTO coral_comments AS known (comment_id, site_id, author_key, text_key, seen_at)
VALUES ($1, $2, $3, $4, $5)
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


async def remember(
    connection: Connection, comment_id: CommentId, site_id: SiteId, keys: CoralKeys, *, now: datetime
) -> None:
    """Keep by what a stored comment will be found from now on: an edit has changed its text."""
    await connection.execute(_REMEMBER, comment_id, site_id, keys.author, keys.text, now)


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
