"""The labels of sites, as one stream: what people decided on our comments, and what was said elsewhere (table `labels`).

Of a comment the last word of a person counts that nobody took back, on the text it was said of; never the service's own. Where
another system said something later of the same comment, that counts instead; what an import said beside its decision is added
to it. Comments without text, erased or past their time, are not there.

**Weights.** A label weighs the inverse of the chance that somebody looked (Horvitz and Thompson 1952). Held comments and imported
history are all looked at: 1. Of automatic verdicts a share was drawn at intake for an audit, by chance alone: a label that closed an
audit weighs one over the share of the policy that the comment was judged by. A correction that somebody made of their own accord, on a
comment that was not drawn, stands for itself alone: 1. (Drawn comments that would have been corrected anyway count a little too
much so; estimates of the error rate therefore read drawn ones alone, see `estimates`.) For training a weight is cut at
`MAX_TRAINING_WEIGHT`: a few rows must not carry a model.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from moderation.domain.ids import SiteId
from moderation.domain.label import LabelSource, Targets
from moderation.domain.verdict import OUTPUTS, ReasonCode, Verdict
from moderation.storage.database import Connection
from moderation.storage.reasons import reasons_from_json

MAX_TRAINING_WEIGHT = 50.0
DEFAULT_AUDIT_SHARE = 0.01
"""Of policies that say none (domain.policy.Policy)."""
_AT_ONCE = 1000

LAST_WORD = """
SELECT DISTINCT ON (d.comment_id) d.comment_id, d.site_id, d.sequence, d.revision, d.verdict, d.reasons, d.decided_by, d.actor,
       d.decided_at, d.position
  FROM decisions d
 WHERE d.site_id = ANY($1::integer[]) AND d.decided_by <> 'service' AND d.undoes IS NULL AND d.verdict IS NOT NULL
   AND NOT EXISTS (SELECT FROM decisions u WHERE u.comment_id = d.comment_id AND u.undoes = d.sequence)
 ORDER BY d.comment_id, d.sequence DESC
"""
"""The last word of a person on each comment of the sites in ``$1``."""

# The first decision is the one an audit was drawn for; an audit that was reopened by an undo is closed by a later decision.
_DECIDED = f"""
SELECT w.*, s.name AS site, c.language, c.author_url,
       CASE WHEN w.revision = c.revision THEN c.text ELSE r.text END AS text,
       EXISTS (SELECT FROM decisions a WHERE a.comment_id = w.comment_id AND a.task = 'audit') AS is_audited,
       (SELECT (p.policy->>'audit_share')::float8 FROM decisions f
          JOIN policies p ON p.site_id = f.site_id AND p.version = f.policy
         WHERE f.comment_id = w.comment_id AND f.sequence = 1) AS audit_share,
       l.source, l.labelled_at, l.spam, l.abuse, l.insult, l.obscene, l.threat, l.hate, l.reject, l.actor AS labelled_by
  FROM ({LAST_WORD}) w
  JOIN comments c ON c.id = w.comment_id
  JOIN sites s ON s.id = w.site_id
  LEFT JOIN revisions r ON r.comment_id = w.comment_id AND r.revision = w.revision AND w.revision <> c.revision
  LEFT JOIN LATERAL (SELECT * FROM labels WHERE labels.comment_id = w.comment_id ORDER BY labelled_at DESC LIMIT 1) l ON true
 ORDER BY w.comment_id
"""  # noqa: S608 - put together from a constant

_SAID_ELSEWHERE = """
SELECT l.*, s.name AS site FROM labels l JOIN sites s ON s.id = l.site_id
 WHERE l.site_id = ANY($1::integer[]) AND l.text <> ''
   AND (l.comment_id IS NULL OR NOT EXISTS (
       SELECT FROM decisions d WHERE d.comment_id = l.comment_id AND d.decided_by <> 'service' AND d.verdict IS NOT NULL
          AND d.undoes IS NULL
          AND NOT EXISTS (SELECT FROM decisions u WHERE u.comment_id = d.comment_id AND u.undoes = d.sequence)))
 ORDER BY l.site_id, l.key
"""


@dataclass(frozen=True, slots=True)
class CollectedLabel:
    """One text with what was said of it. ``actor`` is a pseudonym: an id, or a site's own login behind the site's name."""

    site: str
    text: str = field(repr=False)
    targets: Targets
    at: datetime
    source: str
    weight: float = 1.0
    language: str | None = None
    author_url: str | None = field(default=None, repr=False)
    comment_id: str | None = None
    actor: str | None = field(default=None, repr=False)
    reason: str | None = None


async def stream_labels(connection: Connection, site_ids: Sequence[SiteId]) -> AsyncIterator[CollectedLabel]:
    """Yield the labels of sites, those of our comments first; in bounded memory. Call in a transaction.

    The order is always the same, so that the same labels make the same model whatever plan PostgreSQL chooses.
    """
    async for row in connection.cursor(_DECIDED, site_ids, prefetch=_AT_ONCE):
        label = _of_decision(row)
        if label is not None:
            yield label
    async for row in connection.cursor(_SAID_ELSEWHERE, site_ids, prefetch=_AT_ONCE):
        yield _of_statement(row)


def weight_of(*, is_audited: bool, audit_share: float | None) -> float:
    """Return the inverse of the chance that somebody looked; an audit under a share of 0 cannot have been drawn."""
    if not is_audited:
        return 1.0
    share = DEFAULT_AUDIT_SHARE if audit_share is None else audit_share
    return 1 / share if share > 0 else 1.0


def _of_decision(row: Any) -> CollectedLabel | None:
    codes = [reason.code for reason in reasons_from_json(row["reasons"])]
    targets = Targets.of_decision(Verdict(row["verdict"]), codes)
    is_said_later = row["labelled_at"] is not None and (
        row["source"] == LabelSource.IMPORT or row["labelled_at"] > row["decided_at"]
    )
    if not row["text"] or (targets is None and not is_said_later):
        return None
    label = CollectedLabel(
        site=row["site"],
        text=row["text"],
        targets=targets or Targets(),
        at=row["decided_at"],
        source=_source(row),
        weight=min(
            weight_of(is_audited=row["is_audited"], audit_share=row["audit_share"]), MAX_TRAINING_WEIGHT
        ),
        language=row["language"],
        author_url=row["author_url"],
        comment_id=str(row["comment_id"]),
        actor=_actor(row["site"], row["decided_by"], row["actor"]),
        reason=_reason(codes, Verdict(row["verdict"])),
    )
    return _with_statement(label, row) if is_said_later else label


def _with_statement(label: CollectedLabel, row: Any) -> CollectedLabel:
    """Add what an import said beside its decision; what was said later takes the place of the decision."""
    said = {name: row[name] for name in OUTPUTS if row[name] is not None}
    if row["source"] == LabelSource.IMPORT:
        return replace(label, targets=replace(label.targets, **said))
    actor = _actor(row["site"], row["source"], row["labelled_by"])
    return replace(label, targets=Targets(**said), at=row["labelled_at"], source=row["source"], actor=actor)


def _of_statement(row: Any) -> CollectedLabel:
    return CollectedLabel(
        site=row["site"],
        text=row["text"],
        targets=Targets(**{name: row[name] for name in OUTPUTS}),
        at=row["labelled_at"],
        source=row["source"],
        weight=min(row["weight"], MAX_TRAINING_WEIGHT),
        language=row["language"],
        comment_id=None if row["comment_id"] is None else str(row["comment_id"]),
        actor=_actor(row["site"], row["source"], row["actor"]),
    )


def _source(row: Any) -> str:
    if row["decided_by"] == "site":
        return "import" if row["position"] == 0 else "site"
    return "desk"


def _actor(site: str, by: str, actor: str | None) -> str | None:
    """Tell a site's own logins from our moderators' ids: the same name at two sites is two people."""
    if actor is None or by in {"moderator", "desk"}:
        return actor
    return f"{site}:{actor}"


def _reason(codes: Sequence[ReasonCode], verdict: Verdict) -> str | None:
    return codes[0].value if codes and verdict is Verdict.REJECT else None
