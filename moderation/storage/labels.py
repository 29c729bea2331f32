"""Keeping the labels that did not come from a decision at our own desk."""

from collections.abc import Sequence
from typing import Any

from moderation.domain.label import Label
from moderation.domain.verdict import OUTPUTS
from moderation.storage.database import Connection

_SAID = ("comment_id", "source", "text", "language", "identity", "email_hash", *OUTPUTS, "weight", "actor")
_BYTES = frozenset({"key", "identity", "email_hash"})
_COLUMNS = ("site_id", "key", *_SAID, "labelled_at")
_TYPES = {
    "site_id": "int",
    "comment_id": "uuid",
    "weight": "real",
    "labelled_at": "timestamptz",
} | dict.fromkeys(OUTPUTS, "smallint")
_KEEP = f"""
INSERT INTO labels AS known ({", ".join(_COLUMNS)})
SELECT {", ".join(f"decode({name}, 'hex')" if name in _BYTES else name for name in _COLUMNS)}
  FROM json_to_recordset($1::json) AS given ({", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in _COLUMNS)})
 ORDER BY site_id, key
    ON CONFLICT (site_id, key) DO UPDATE
   SET {", ".join(f"{name} = excluded.{name}" for name in (*_SAID, "labelled_at"))}
 WHERE known.labelled_at < excluded.labelled_at
    OR (known.labelled_at = excluded.labelled_at
        AND ({", ".join(f"known.{name}" for name in _SAID)}) IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _SAID)}))
"""  # noqa: S608 - put together from the constants above; every value is in the parameter


async def keep_labels(connection: Connection, labels: Sequence[Label]) -> None:
    """Keep each label, in one statement; the later of two statements with one key stays, and of two of one time the last given.

    In the order of their keys: no deadlock. One that is known as it is is not written again.
    """
    latest: dict[tuple[int, bytes], Label] = {}
    for label in labels:
        name = (int(label.site_id), label.key)
        if name not in latest or latest[name].labelled_at <= label.labelled_at:
            latest[name] = label
    if latest:
        await connection.execute(_KEEP, [_row(label) for label in latest.values()])


def _row(label: Label) -> dict[str, Any]:
    """Return what of a label is not null: columns left out are null."""
    row = {
        "site_id": label.site_id,
        "key": label.key.hex(),
        "source": label.source.value,
        "text": label.text,
        "weight": label.weight,
        "labelled_at": label.labelled_at,
    }
    optional = {
        "comment_id": label.comment_id
        and str(label.comment_id),  # the driver's UUIDs are a class of their own
        "language": label.language,
        "identity": label.identity and label.identity.hex(),
        "email_hash": label.email_hash and label.email_hash.hex(),
        "actor": label.actor,
    }
    said = {output: getattr(label.targets, output) for output in OUTPUTS}
    return row | {name: value for name, value in (optional | said).items() if value is not None}
