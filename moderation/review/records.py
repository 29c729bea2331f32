"""Reading the records of the decisions on one comment: also of one that is withdrawn, erased, or whose text is gone."""

from collections.abc import Container
from datetime import datetime
from typing import Any

from moderation.domain.errors import UnknownCommentError
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.ports import Vault
from moderation.domain.records import TEXT_HASH, JsonObject, Subject, decision_records
from moderation.storage.database import Connection, Database
from moderation.storage.decisions import read_histories

_SUBJECT = """
SELECT c.id, c.site_id, c.external_id, s.name, s.title, c.language, c.created_at
  FROM comments c JOIN sites s ON s.id = c.site_id WHERE c.id = $1
"""
_TEXTS = """
SELECT revision, text FROM comments WHERE id = $1 AND text_removed_at IS NULL
UNION ALL SELECT revision, text FROM revisions WHERE comment_id = $1
"""
_REMOVED = "SELECT revision, text_hash FROM removed_texts WHERE comment_id = $1"
_HEARD = """
SELECT sequence, min(attempted_at) AS at FROM delivery_attempts
 WHERE comment_id = $1 AND outcome = 'delivered' GROUP BY sequence
"""


class Records:
    """Records by comment. Raises `DependencyUnavailableError` when PostgreSQL is away."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def of(
        self, comment_id: CommentId, sites: Container[SiteId] | None
    ) -> tuple[SiteId, list[JsonObject]]:
        """Return the site and one record a decision, oldest first, as of one moment.

        ``sites`` are those whose comments the reader may see (None: all); others' raise `UnknownCommentError`.
        """
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read"),
        ):
            row = await connection.fetchrow(_SUBJECT, comment_id)
            if row is None or (sites is not None and row["site_id"] not in sites):
                raise UnknownCommentError
            subject = await self._subject(connection, row)
            histories = await read_histories(connection, [comment_id])
        return SiteId(row["site_id"]), decision_records(subject, histories[comment_id])

    async def _subject(self, connection: Connection, row: Any) -> Subject:
        hashes = {r["revision"]: r["text_hash"] for r in await connection.fetch(_REMOVED, row["id"])}
        for text in await connection.fetch(_TEXTS, row["id"]):
            hashes[text["revision"]] = self._vault.fingerprint(TEXT_HASH, text["text"])
        heard: dict[int, datetime] = {
            r["sequence"]: r["at"] for r in await connection.fetch(_HEARD, row["id"])
        }
        return Subject(
            id=CommentId(row["id"]),
            external_id=row["external_id"],
            site=row["name"],
            site_title=row["title"],
            language=row["language"],
            created_at=row["created_at"],
            text_hashes=hashes,
            heard=heard,
        )
