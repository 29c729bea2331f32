"""What error rates and drift are estimated from: verdicts of the service beside people's words, and scores by model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moderation.domain.ids import SiteId, first_uuid
from moderation.domain.verdict import OUTPUTS, Verdict
from moderation.storage.collection import weight_of
from moderation.storage.database import Connection

_TIMEOUT_S = 60.0
_MOST_SCORES = 20_000

# A comment enters by what the service said when it came, and by the last word of a person since; edited ones stay out, for the
# service judged another text. Of automatic verdicts only those count that chance had drawn.
_JUDGED = """
SELECT coalesce(c.language, 'und') AS language, f.verdict AS first, d.verdict AS said, (p.policy->>'audit_share')::float8 AS share,
       count(*) AS comments
  FROM decisions d
  JOIN decisions f ON f.comment_id = d.comment_id AND f.sequence = 1 AND f.decided_by = 'service'
  JOIN comments c ON c.id = d.comment_id AND c.revision = 1
  LEFT JOIN policies p ON p.site_id = f.site_id AND p.version = f.policy
 WHERE d.site_id = $1 AND d.decided_by <> 'service' AND d.decided_at >= $2
   AND d.undoes IS NULL AND d.verdict IN ('approve', 'reject')
   AND NOT EXISTS (SELECT FROM decisions u WHERE u.comment_id = d.comment_id AND u.undoes = d.sequence)
   AND NOT EXISTS (SELECT FROM decisions l WHERE l.comment_id = d.comment_id AND l.sequence > d.sequence
                      AND l.decided_by <> 'service' AND l.undoes IS NULL AND l.verdict IS NOT NULL
                      AND NOT EXISTS (SELECT FROM decisions u WHERE u.comment_id = l.comment_id AND u.undoes = l.sequence))
   AND (f.verdict = 'hold' OR EXISTS (SELECT FROM decisions a WHERE a.comment_id = d.comment_id AND a.task = 'audit'))
 GROUP BY 1, 2, 3, 4
"""
_SCORES = """
WITH latest AS (
    SELECT scores FROM decisions
     WHERE comment_id >= $2 AND comment_id < $3 AND sequence = 1 AND site_id = $1 AND model = $4 AND scores IS NOT NULL
     ORDER BY comment_id DESC LIMIT $5)
SELECT one.output, least(floor(one.score::float8 * $6::int)::int, $6::int - 1) AS part, count(*) AS comments
  FROM latest, unnest(latest.scores) WITH ORDINALITY AS one (score, output)
 WHERE one.score IS NOT NULL
 GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """So many comments of a language with one first verdict and one word of a person, each standing for ``weight``."""

    language: str
    first: Verdict
    said: Verdict
    weight: float
    comments: int


async def read_judged(connection: Connection, site_id: SiteId, since: datetime) -> list[Judged]:
    """Return what people decided since then of comments that were held, or whose automatic verdict was drawn for an audit."""
    rows = await connection.fetch(_JUDGED, site_id, since, timeout=_TIMEOUT_S)
    return [_judged(row) for row in rows]


async def open_audits(connection: Connection, site_id: SiteId) -> int:
    """Return how many drawn comments wait for somebody."""
    return int(
        await connection.fetchval("SELECT count(*) FROM tasks WHERE site_id = $1 AND kind = 'audit'", site_id)
    )


async def count_scores(
    connection: Connection, site_id: SiteId, model: str, *, between: tuple[datetime, datetime], parts: int
) -> dict[str, list[int]]:
    """Return, by output, how many of the latest scores that a model gave to comments as they came lie in each of ``parts`` equal parts.

    PostgreSQL counts them: tens of thousands of rows would take this process's loop and memory.
    """
    first, end = map(first_uuid, between)
    rows = await connection.fetch(
        _SCORES, site_id, first, end, model, _MOST_SCORES, parts, timeout=_TIMEOUT_S
    )
    counts: dict[str, list[int]] = {}
    for row in rows:
        counts.setdefault(OUTPUTS[row["output"] - 1], [0] * parts)[row["part"]] = row["comments"]
    return counts


async def newest_labellers(connection: Connection, site_id: SiteId) -> Sequence[Any]:
    """Return what the newest report of the site says of those who labelled."""
    found = await connection.fetchval(
        "SELECT report->'labellers' FROM models WHERE site_id = $1 AND report IS NOT NULL ORDER BY created_at DESC LIMIT 1",
        site_id,
    )
    return found or []


def _judged(row: Any) -> Judged:
    first = Verdict(row["first"])
    weight = weight_of(is_audited=first is not Verdict.HOLD, audit_share=row["share"])
    return Judged(row["language"], first, Verdict(row["said"]), weight, row["comments"])
