"""What readers see: the approved comments of one article. The only columns that leave here are those fit to be published."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from moderation.domain.ids import CommentId, SiteId
from moderation.storage.database import Connection

_PAGE = """
SELECT id, parent_id, author_name, text, revision, created_at FROM comments
 WHERE site_id = $1 AND thread_id = $2 AND state = 'approved' AND (created_at, id) {after} ($3, $4)
 ORDER BY created_at {order}, id {order} LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two comments, by time and id."""

    created_at: datetime
    id: UUID


BEFORE_ALL = Place(datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
AFTER_ALL = Place(datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))


@dataclass(frozen=True, slots=True)
class PublishedComment:
    """A comment as any reader may see it."""

    id: CommentId
    parent_id: UUID | None
    author_name: str | None
    text: str
    is_edited: bool
    created_at: datetime


async def read_published(
    connection: Connection,
    site_id: SiteId,
    thread_id: str,
    *,
    place: Place,
    is_newest_first: bool,
    limit: int,
) -> list[PublishedComment]:
    """Return up to ``limit`` approved comments beyond ``place``."""
    query = _PAGE.format(after="<", order="DESC") if is_newest_first else _PAGE.format(after=">", order="ASC")
    rows = await connection.fetch(query, site_id, thread_id, place.created_at, place.id, limit)
    return [
        PublishedComment(
            CommentId(row["id"]),
            row["parent_id"],
            row["author_name"],
            row["text"],
            row["revision"] > 1,
            row["created_at"],
        )
        for row in rows
    ]
