"""Reading one comment and its history, as far as the reader may."""

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moderation.domain.comment import StoredComment
from moderation.domain.decision import Decision
from moderation.domain.errors import GoneError, UnknownCommentError
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.verdict import State
from moderation.review.escalations import Escalation, read_escalations
from moderation.storage.comments import read_comment
from moderation.storage.database import Connection, Database
from moderation.storage.decisions import read_histories
from moderation.storage.search import open_audits


@dataclass(frozen=True, slots=True)
class Revision:
    """An earlier text of an edited comment."""

    revision: int
    text: str = field(repr=False)
    author_name: str | None
    author_url: str | None
    replaced_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """Everything that was decided about a comment, and on which texts; each part oldest first."""

    comment: StoredComment
    decisions: tuple[Decision, ...]
    revisions: tuple[Revision, ...]
    escalations: tuple[Escalation, ...]
    is_audited: bool
    """Whether somebody is to judge the comment without knowing what the service said."""


class Archive:
    """Comments by id. ``sites`` are those whose comments the reader may see; others' raise `UnknownCommentError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def comment(self, comment_id: CommentId, sites: Container[SiteId]) -> StoredComment:
        """Return the comment. Raises `UnknownCommentError`, or `GoneError` once withdrawn."""
        async with self._database.connection() as connection:
            return await reachable(connection, comment_id, sites)

    async def is_audited(self, comment_id: CommentId) -> bool:
        """Tell whether somebody is to judge the comment without knowing what the service said."""
        async with self._database.connection() as connection:
            return bool(await open_audits(connection, [comment_id]))

    async def history(self, comment_id: CommentId, sites: Container[SiteId]) -> History:
        """Return the comment with its past, as of one moment. Raises as `comment` does."""
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read"),
        ):
            comment = await reachable(connection, comment_id, sites)
            histories = await read_histories(connection, [comment_id])
            return History(
                comment=comment,
                decisions=histories[comment_id],
                revisions=await _revisions(connection, comment_id),
                escalations=await read_escalations(connection, comment_id),
                is_audited=bool(await open_audits(connection, [comment_id])),
            )


async def reachable(connection: Connection, comment_id: CommentId, sites: Container[SiteId]) -> StoredComment:
    """Return a comment as far as the reader may see it. Raises `UnknownCommentError` and `GoneError`."""
    comment = await read_comment(connection, comment_id)
    if comment is None or comment.site_id not in sites:
        raise UnknownCommentError
    if comment.state is State.DELETED or comment.is_emptied:
        raise GoneError
    return comment


async def _revisions(connection: Connection, comment_id: CommentId) -> tuple[Revision, ...]:
    rows: list[Any] = await connection.fetch(
        "SELECT revision, text, author_name, author_url, replaced_at FROM revisions WHERE comment_id = $1"
        " ORDER BY revision",
        comment_id,
    )
    return tuple(Revision(*row) for row in rows)
