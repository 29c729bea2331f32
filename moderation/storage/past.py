"""A site's past comments, each with everything it was judged by and with what a person said of it: for replays and thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moderation.domain.ids import CommentId, SiteId
from moderation.domain.policy import AuthorRecord, Signals, Standing
from moderation.domain.verdict import ReasonCode, Scores, Verdict
from moderation.storage.collection import weight_of
from moderation.storage.database import Connection
from moderation.storage.reasons import reasons_from_json

MOST = 50_000
"""Comments of one replay, the latest ones; more tell little that these do not."""
_TIMEOUT_S = 300.0

_PAST = """
SELECT c.id, c.text, c.author_url, c.created_at, c.language, a.standing, a.approved, a.rejected,
       f.reasons, f.decided_by AS first_by, f.scores, f.model,
       CASE WHEN w.revision = c.revision THEN w.verdict END AS said, w.decided_at AS said_at,
       EXISTS (SELECT FROM decisions t WHERE t.comment_id = c.id AND t.task = 'audit') AS is_audited,
       (SELECT (p.policy->>'audit_share')::float8 FROM policies p WHERE p.site_id = f.site_id AND p.version = f.policy) AS audit_share
  FROM comments c
  JOIN decisions f ON f.comment_id = c.id AND f.sequence = 1
  LEFT JOIN authors a ON a.identity = c.identity
  LEFT JOIN LATERAL (
       SELECT d.verdict, d.revision, d.decided_at FROM decisions d
        WHERE d.comment_id = c.id AND d.decided_by <> 'service' AND d.undoes IS NULL AND d.verdict IS NOT NULL
          AND NOT EXISTS (SELECT FROM decisions u WHERE u.comment_id = d.comment_id AND u.undoes = d.sequence)
        ORDER BY d.sequence DESC LIMIT 1) w ON true
 WHERE c.site_id = $1 AND c.created_at >= $2 AND c.text <> ''
 ORDER BY c.created_at DESC LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class PastComment:
    """One comment. ``said`` is what a person decided (None: nobody did), ``weight`` the inverse of the chance that one looked.

    The author's record is today's: what it was then is not kept. A block counts where it counted then.
    """

    id: CommentId
    text: str = field(repr=False)
    author_url: str | None = field(repr=False)
    created_at: datetime
    language: str | None
    author: AuthorRecord
    signals: Signals
    scores: Scores | None
    model: str | None
    said: Verdict | None
    is_audited: bool
    weight: float
    said_at: datetime | None = None


async def read_past(
    connection: Connection, site_id: SiteId, since: datetime, *, limit: int = MOST
) -> list[PastComment]:
    """Return the latest comments written since then, the newest first."""
    rows = await connection.fetch(_PAST, site_id, since, limit, timeout=_TIMEOUT_S)
    return [_past(row) for row in rows]


def _past(row: Any) -> PastComment:
    codes = [reason.code for reason in reasons_from_json(row["reasons"])]
    is_ours = row["first_by"] == "service"
    return PastComment(
        id=CommentId(row["id"]),
        text=row["text"],
        author_url=row["author_url"],
        created_at=row["created_at"],
        language=row["language"],
        author=_author(row, codes if is_ours else ()),
        signals=Signals.of_reasons(codes if is_ours else ()),
        scores=Scores.from_list(row["scores"]),
        model=row["model"],
        said=None if row["said"] is None else Verdict(row["said"]),
        is_audited=row["is_audited"],
        weight=weight_of(is_audited=row["is_audited"], audit_share=row["audit_share"]),
        said_at=row["said_at"],
    )


def _author(row: Any, codes: Sequence[ReasonCode]) -> AuthorRecord:
    if ReasonCode.BLOCKED_AUTHOR in codes:
        return AuthorRecord(Standing.BLOCKED)
    if row["standing"] is None or row["standing"] == Standing.BLOCKED:
        return AuthorRecord()  # nobody, or blocked only since
    return AuthorRecord(Standing(row["standing"]), row["approved"], row["rejected"])
