"""Finding comments of a site by their words, state, author and time; and what stands around one in its thread."""

from collections.abc import Container
from dataclasses import dataclass
from uuid import UUID

from moderation.domain.comment import StoredComment
from moderation.domain.errors import UnknownCommentError
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.verdict import State
from moderation.review.archive import reachable
from moderation.storage.comments import read_comment
from moderation.storage.database import Connection, Database
from moderation.storage.search import Wanted, find_comments, neighbours, open_audits

MAX_FOUND = 100
BESIDE = 5
"""Comments before, and after, one that is looked at."""

_IDENTITY = "SELECT identity FROM comments WHERE id = $1 AND site_id = $2"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what fits, the latest received first; ``next`` is the comment to go on before, None at the end.

    A page may be short, even empty, and still have a next one.
    """

    comments: tuple[StoredComment, ...]
    next: UUID | None
    audited: frozenset[CommentId]
    """Those to be shown without what the service said of them."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a comment, published or not; ``before`` and ``after`` the earliest received first."""

    comment: StoredComment
    parent: StoredComment | None
    before: tuple[StoredComment, ...]
    after: tuple[StoredComment, ...]
    audited: frozenset[CommentId]
    """Those to be shown without what the service said of them."""


class Search:
    """Reads what the `Indexer` made: a comment of the last seconds may be missing. Withdrawn and emptied ones are not found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, wanted: Wanted, limit: int) -> Found:
        """Return up to ``limit`` comments that fit."""
        async with self._database.connection() as connection:
            found, following = await find_comments(connection, wanted, limit)
            audited = await open_audits(connection, [comment.id for comment in found])
        return Found(tuple(found), following, audited)

    async def identity_of(self, site_id: SiteId, comment_id: CommentId) -> bytes:
        """Return by what the author of a comment of that site is known. Raises `UnknownCommentError`."""
        async with self._database.connection() as connection:
            identity: bytes | None = await connection.fetchval(_IDENTITY, comment_id, site_id)
        if identity is None:
            raise UnknownCommentError
        return identity

    async def around(self, comment_id: CommentId, sites: Container[SiteId]) -> Surroundings:
        """Return what stands around a comment. Raises `UnknownCommentError`, and `GoneError` for a withdrawn one."""
        async with self._database.connection() as connection:
            comment = await reachable(connection, comment_id, sites)
            before, after = await neighbours(connection, comment, BESIDE)
            parent = await _parent(connection, comment)
            shown = [*before, *after, *([] if parent is None else [parent])]
            audited = await open_audits(connection, [one.id for one in shown])
            return Surroundings(comment, parent, tuple(before), tuple(after), audited)


async def _parent(connection: Connection, comment: StoredComment) -> StoredComment | None:
    if comment.parent_id is None:
        return None
    parent = await read_comment(connection, CommentId(comment.parent_id))
    is_shown = (
        parent is not None
        and parent.site_id == comment.site_id
        and parent.state is not State.DELETED
        and not parent.is_emptied
    )
    return parent if is_shown else None
