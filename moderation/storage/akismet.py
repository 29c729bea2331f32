"""What Akismet clients were given to name their checks by, and how many calls they made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from moderation.domain.comment import Receipt
from moderation.domain.ids import CommentId, SiteId
from moderation.storage.database import Connection

# A check that belongs to another comment of the client's is never taken; of those left the one nearest in place, then in time.
_FIND = """
SELECT k.comment_id, k.callback FROM akismet_checks k JOIN comments c ON c.id = k.comment_id
 WHERE k.site_id = $1 AND (k.guid = $2 OR k.match_key = $3) AND c.state <> 'deleted'
   AND ($4::text IS NULL OR k.guid IS NOT DISTINCT FROM $2 OR c.thread_id = $4)
   AND (k.name IS NULL OR $5::text IS NULL OR k.name = $5)
 ORDER BY k.guid IS NOT DISTINCT FROM $2 DESC, k.name IS NOT DISTINCT FROM $5 DESC,
          abs(extract(epoch FROM k.checked_at - $6)), k.callback IS NULL
 LIMIT 1
"""
_FIND_NAMED = """
SELECT k.comment_id, k.callback FROM akismet_checks k JOIN comments c ON c.id = k.comment_id
 WHERE k.site_id = $1 AND k.name = $2 AND c.state <> 'deleted' ORDER BY k.callback IS NULL, k.checked_at DESC LIMIT 1
"""
_ADD = """
INSERT INTO akismet_checks (guid, comment_id, site_id, key_id, match_key, callback, name, checked_at, unconfirmed_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_CONFIRM = """
UPDATE akismet_checks SET unconfirmed_until = NULL, name = coalesce($2, name) WHERE comment_id = $1
"""
_COUNT = """
INSERT INTO akismet_usage AS known (site_id, day, blog, key_id, spam, ham, missed_spam, false_positives)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (site_id, day, blog, key_id) DO UPDATE
   SET spam = known.spam + excluded.spam, ham = known.ham + excluded.ham,
       missed_spam = known.missed_spam + excluded.missed_spam,
       false_positives = known.false_positives + excluded.false_positives
"""
_SUMS = """sum(spam)::bigint AS spam, sum(ham)::bigint AS ham, sum(missed_spam)::bigint AS missed_spam,
       sum(false_positives)::bigint AS false_positives"""
_BY_MONTH = f"""
SELECT date_trunc('month', day)::date AS month, {_SUMS} FROM akismet_usage
 WHERE site_id = $1 AND key_id = $2 AND day >= $3 GROUP BY 1 ORDER BY 1
"""  # noqa: S608 - a constant
_BY_BLOG = f"""
SELECT blog, {_SUMS} FROM akismet_usage
 WHERE site_id = $1 AND key_id = $2 AND day >= $3 AND day < ($3 + interval '1 month') GROUP BY 1
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Known:
    """A comment that a check was about, and where its client wants to be called."""

    comment_id: CommentId
    callback: str | None


@dataclass(frozen=True, slots=True)
class Sought:
    """What a call says of the check it is about; ``thread`` is None where it names no article.

    ``match_key`` is None where there is no text to tell comments apart by.
    """

    match_key: bytes | None
    at: datetime
    guid: UUID | None = None
    thread: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """How many calls had which answer, and how many of those a person called wrong."""

    spam: int = 0
    ham: int = 0
    missed_spam: int = 0
    false_positives: int = 0

    @property
    def calls(self) -> int:
        """How many checks were answered."""
        return self.spam + self.ham

    def plus(self, other: "Totals") -> "Totals":
        """Return both together."""
        return Totals(
            self.spam + other.spam,
            self.ham + other.ham,
            self.missed_spam + other.missed_spam,
            self.false_positives + other.false_positives,
        )


@dataclass(frozen=True, slots=True, order=True)
class UsageKey:
    """What calls are counted by."""

    site_id: int
    day: date
    blog: str
    key_id: UUID


async def find_check(connection: Connection, site_id: SiteId, sought: Sought) -> Known | None:
    """Return the comment whose check it was: by guid, else by content, the nearest in time of several."""
    row = await connection.fetchrow(
        _FIND, site_id, sought.guid, sought.match_key, sought.thread, sought.name, sought.at
    )
    return _known(row)


async def find_named(connection: Connection, site_id: SiteId, name: str) -> Known | None:
    """Return the comment that the client calls ``name``."""
    return _known(await connection.fetchrow(_FIND_NAMED, site_id, name))


async def add_check(
    connection: Connection, site_id: SiteId, comment_id: CommentId, receipt: Receipt, *, now: datetime
) -> None:
    """Remember one more answer about a stored comment."""
    await connection.execute(
        _ADD,
        receipt.guid,
        comment_id,
        site_id,
        receipt.key_id,
        receipt.match_key,
        receipt.callback,
        receipt.name,
        now,
        receipt.unconfirmed_until,
    )


async def confirm(connection: Connection, comment_id: CommentId, name: str | None) -> None:
    """Note that the client keeps the comment, and by which name."""
    await connection.execute(_CONFIRM, comment_id, name)


async def count_usage(connection: Connection, counts: Mapping[UsageKey, Totals]) -> None:
    """Add to what was counted; in the order of the keys: no deadlock."""
    rows = [
        (k.site_id, k.day, k.blog, k.key_id, t.spam, t.ham, t.missed_spam, t.false_positives)
        for k, t in sorted(counts.items())
    ]
    await connection.executemany(_COUNT, rows)


async def usage_by_month(
    connection: Connection, site_id: SiteId, key_id: UUID, since: date
) -> list[tuple[date, Totals]]:
    """Return one key's totals of each month with any call since that day, oldest first."""
    rows = await connection.fetch(_BY_MONTH, site_id, key_id, since)
    return [(row["month"], _totals(row)) for row in rows]


async def usage_by_blog(
    connection: Connection, site_id: SiteId, key_id: UUID, month: date
) -> list[tuple[str, Totals]]:
    """Return one key's totals of each blog in the month that begins on ``month``."""
    rows = await connection.fetch(_BY_BLOG, site_id, key_id, month)
    return [(row["blog"], _totals(row)) for row in rows]


def summed(parts: Iterable[Totals]) -> Totals:
    """Return all of them together."""
    total = Totals()
    for part in parts:
        total = total.plus(part)
    return total


def _totals(row: Any) -> Totals:
    return Totals(row["spam"], row["ham"], row["missed_spam"], row["false_positives"])


def _known(row: Any) -> Known | None:
    return None if row is None else Known(CommentId(row["comment_id"]), row["callback"])
