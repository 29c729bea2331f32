"""Comments as an operator at the machine sees them: the text on purpose, the e-mail only when asked for, and audited."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from moderation.domain.comment import StoredComment
from moderation.domain.decision import Decision
from moderation.domain.errors import UnknownCommentError
from moderation.domain.ids import CommentId
from moderation.domain.ports import Vault
from moderation.domain.verdict import State
from moderation.storage.administration.changes import audit
from moderation.storage.administration.finding import find_site_id
from moderation.storage.comments import read_comment, read_comments
from moderation.storage.database import Database
from moderation.storage.decisions import read_histories

_LIST = """
SELECT id FROM comments
 WHERE site_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR thread_id = $3)
   AND ($4::uuid IS NULL OR id < $4)
 ORDER BY id DESC LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class CommentFilter:
    """Which comments of a site to list, newest first; ``before`` is the last one of the page before."""

    state: State | None = None
    thread: str | None = None
    before: UUID | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ShownComment:
    """A comment with every decision on it; ``email`` is None unless it was asked for and there is one."""

    comment: StoredComment
    history: Sequence[Decision]
    email: str | None = field(default=None, repr=False)


async def list_comments(database: Database, site: str, wanted: CommentFilter) -> list[StoredComment]:
    """Return a page of a site's comments. Raises `UnknownSiteError`."""
    async with database.connection() as connection:
        site_id = await find_site_id(connection, site)
        rows = await connection.fetch(
            _LIST, site_id, wanted.state, wanted.thread, wanted.before, wanted.limit
        )
        ids = [CommentId(row["id"]) for row in rows]
        found = await read_comments(connection, ids)
    return [found[comment_id] for comment_id in ids if comment_id in found]


async def show_comment(
    database: Database, vault: Vault, comment_id: CommentId, *, with_email: bool, actor: str
) -> ShownComment:
    """Return one comment; showing its e-mail is written to the audit first. Raises `UnknownCommentError`."""
    async with database.transaction() as connection:
        comment = await read_comment(connection, comment_id)
        if comment is None:
            raise UnknownCommentError(f"There is no comment {comment_id}.")
        history = (await read_histories(connection, [comment_id]))[comment_id]
        sealed = None
        if with_email:
            sealed = await connection.fetchval("SELECT email_sealed FROM comments WHERE id = $1", comment_id)
            await audit(
                connection,
                "comment.email_shown",
                actor=actor,
                site_id=comment.site_id,
                subject=str(comment_id),
            )
    return ShownComment(comment, history, None if sealed is None else vault.open(sealed, "email"))
