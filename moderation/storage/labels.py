"""Keeping the labels that did not come from a decision at our own desk."""

from collections.abc import Sequence
from dataclasses import asdict

from moderation.domain.label import Label
from moderation.storage.database import Connection

_KEEP = """
INSERT INTO labels AS known (site_id, key, comment_id, source, text, language, identity, email_hash,
                             spam, abuse, insult, obscene, threat, hate, reject, weight, actor, labelled_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    ON CONFLICT (site_id, key) DO UPDATE
   SET comment_id = excluded.comment_id, source = excluded.source, text = excluded.text, language = excluded.language,
       identity = excluded.identity, email_hash = excluded.email_hash, spam = excluded.spam, abuse = excluded.abuse,
       insult = excluded.insult, obscene = excluded.obscene, threat = excluded.threat, hate = excluded.hate,
       reject = excluded.reject, weight = excluded.weight, actor = excluded.actor, labelled_at = excluded.labelled_at
 WHERE known.labelled_at <= excluded.labelled_at
"""


async def keep_labels(connection: Connection, labels: Sequence[Label]) -> None:
    """Keep each label; the later of two statements with one key stays. In the order of their keys: no deadlock."""
    ordered = sorted(labels, key=lambda label: (label.site_id, label.key))
    await connection.executemany(_KEEP, [_row(label) for label in ordered])


def _row(label: Label) -> tuple[object, ...]:
    return (
        label.site_id,
        label.key,
        label.comment_id,
        label.source.value,
        label.text,
        label.language,
        label.identity,
        label.email_hash,
        *asdict(label.targets).values(),
        label.weight,
        label.actor,
        label.labelled_at,
    )
