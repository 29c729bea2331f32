"""Reading a `StoredComment`: the one list of columns, so that an e-mail or an address cannot slip out by another query."""

from collections.abc import Sequence
from typing import Any

from moderation.domain.comment import StoredComment, Thread
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.verdict import Scores, State, Verdict
from moderation.storage.database import Connection
from moderation.storage.reasons import reasons_from_json

_READ = """
SELECT c.id, c.site_id, s.name AS site, c.external_id, c.thread_id, t.url AS thread_url, t.title AS thread_title,
       c.parent_id, c.author_name, c.author_url, c.text, c.language, c.revision, c.state, c.sequence,
       c.created_at, c.received_at, c.text_removed_at IS NOT NULL AS is_emptied,
       d.verdict, d.reasons, d.scores, d.model, d.policy, d.decided_by, d.decided_at
  FROM comments c
  JOIN sites s ON s.id = c.site_id
  JOIN decisions d ON d.comment_id = c.id AND d.sequence = c.sequence
  LEFT JOIN threads t ON t.site_id = c.site_id AND t.id = c.thread_id
 WHERE c.id = ANY($1::uuid[])
"""


async def read_comment(connection: Connection, comment_id: CommentId) -> StoredComment | None:
    """Return the comment with its latest decision; None if there is none of that id."""
    return (await read_comments(connection, [comment_id])).get(comment_id)


async def read_comments(connection: Connection, ids: Sequence[CommentId]) -> dict[CommentId, StoredComment]:
    """Return those of ``ids`` that exist, by id, each with its latest decision, as of one moment."""
    rows = await connection.fetch(_READ, ids) if ids else []
    return {CommentId(row["id"]): _comment(row) for row in rows}


def _comment(row: Any) -> StoredComment:
    return StoredComment(
        id=CommentId(row["id"]),
        site_id=SiteId(row["site_id"]),
        site=row["site"],
        external_id=row["external_id"],
        thread=Thread(row["thread_id"], row["thread_url"], row["thread_title"]),
        parent_id=row["parent_id"],
        author_name=row["author_name"],
        author_url=row["author_url"],
        text=row["text"],
        language=row["language"],
        revision=row["revision"],
        state=State(row["state"]),
        sequence=row["sequence"],
        created_at=row["created_at"],
        received_at=row["received_at"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        reasons=reasons_from_json(row["reasons"]),
        scores=Scores.from_list(row["scores"]),
        model=row["model"],
        policy=row["policy"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        is_emptied=row["is_emptied"],
    )
