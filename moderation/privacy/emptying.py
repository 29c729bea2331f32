"""Emptying comments: what a person wrote and was known by goes; ids, codes and times stay. For erasure and for retention."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from moderation.domain.clock import Clock
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.label import Label, LabelSource, Targets
from moderation.domain.ports import Vault
from moderation.domain.records import TEXT_HASH
from moderation.domain.verdict import Verdict
from moderation.storage.collection import weight_of
from moderation.storage.database import Connection
from moderation.storage.labels import keep_labels
from moderation.storage.reasons import reasons_from_json
from moderation.storage.search import forget_entries
from moderation.storage.tasks import close_tasks

_EMPTY = """
UPDATE comments
   SET author_name = NULL, author_url = NULL, author_external_id = NULL, identity = NULL, email_sealed = NULL,
       email_hash = NULL, address_sealed = NULL, user_agent = NULL, text = '', language = NULL, context = NULL,
       content_hash = decode(repeat('00', 16), 'hex'), text_removed_at = $2
 WHERE id = ANY($1::uuid[])
"""
_STRIP_NOTES = "UPDATE decisions SET note = NULL WHERE comment_id = ANY($1::uuid[]) AND note IS NOT NULL"
_STRIP_AUDIT = "UPDATE audit SET details = details - 'note' WHERE subject = ANY($1::text[])"
"""What a moderator wrote when passing a comment on to the leads may quote it."""
_TEXTS = """
SELECT id AS comment_id, site_id, revision, text, language FROM comments WHERE id = ANY($1::uuid[]) AND text_removed_at IS NULL
UNION ALL
SELECT r.comment_id, c.site_id, r.revision, r.text, c.language FROM revisions r JOIN comments c ON c.id = r.comment_id
 WHERE r.comment_id = ANY($1::uuid[])
"""
_KEEP_HASHES = """
INSERT INTO removed_texts (comment_id, revision, text_hash) SELECT * FROM unnest($1::uuid[], $2::integer[], $3::bytea[])
ON CONFLICT DO NOTHING
"""
# The last word on each revision, if a person said it and nobody took it back; an undo says nothing of the text.
_SAID = """
SELECT DISTINCT ON (d.comment_id, d.revision) d.comment_id, d.revision, d.verdict, d.reasons, d.decided_by, d.undoes, d.decided_at,
       EXISTS (SELECT FROM decisions a WHERE a.comment_id = d.comment_id AND a.task = 'audit') AS is_audited,
       (SELECT (p.policy->>'audit_share')::float8 FROM decisions f
          JOIN policies p ON p.site_id = f.site_id AND p.version = f.policy
         WHERE f.comment_id = d.comment_id AND f.sequence = 1) AS audit_share
  FROM decisions d WHERE d.comment_id = ANY($1::uuid[]) AND d.verdict IS NOT NULL
 ORDER BY d.comment_id, d.revision, d.sequence DESC
"""


async def empty_comments(connection: Connection, ids: Sequence[CommentId], *, now: datetime) -> None:
    """Remove what a person wrote and was known by, earlier texts, notes and tasks among it, and what the comments are found by.

    The caller has locked their rows.
    """
    await forget_entries(connection, ids)
    await close_tasks(connection, ids)
    await connection.execute(_EMPTY, ids, now)
    await connection.execute("DELETE FROM akismet_checks WHERE comment_id = ANY($1::uuid[])", ids)
    await connection.execute("DELETE FROM coral_comments WHERE comment_id = ANY($1::uuid[])", ids)
    await connection.execute("DELETE FROM revisions WHERE comment_id = ANY($1::uuid[])", ids)
    await connection.execute(_STRIP_NOTES, ids)
    await connection.execute(_STRIP_AUDIT, [str(comment_id) for comment_id in ids])


class TextKeeper:
    """Keeps of texts that are about to go what may stay: a keyed hash, and a person's judgement without the person."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    async def keep(self, connection: Connection, ids: Sequence[CommentId]) -> None:
        """Keep hashes and labels of every text that these comments have and had."""
        texts = await connection.fetch(_TEXTS, ids)
        said = {(row["comment_id"], row["revision"]): row for row in await connection.fetch(_SAID, ids)}
        await connection.execute(
            _KEEP_HASHES,
            [row["comment_id"] for row in texts],
            [row["revision"] for row in texts],
            [self._vault.fingerprint(TEXT_HASH, row["text"]) for row in texts],
        )
        labels = [self._label(row, said.get((row["comment_id"], row["revision"]))) for row in texts]
        await keep_labels(connection, [label for label in labels if label is not None])

    def _label(self, text: Any, said: Any) -> Label | None:
        if said is None or said["decided_by"] == "service" or said["undoes"] is not None or not text["text"]:
            return None
        codes = [reason.code for reason in reasons_from_json(said["reasons"])]
        targets = Targets.of_decision(Verdict(said["verdict"]), codes)
        if targets is None:
            return None
        named = self._vault.fingerprint("label", "desk", str(text["comment_id"]), str(text["revision"]))
        return Label(
            site_id=SiteId(text["site_id"]),
            key=named,
            source=LabelSource.DESK,
            text=text["text"],
            targets=targets,
            labelled_at=said["decided_at"],
            language=text["language"],
            weight=weight_of(is_audited=said["is_audited"], audit_share=said["audit_share"]),
        )
