"""What PostgreSQL knows of deliveries: who is due, who is being served, what became of it.

Every transaction here may be lost in a crash (``synchronous_commit`` off): the worst that follows is that an event is sent
again under the same id, which delivery promises anyway.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from moderation.delivery.events import EVENT_COLUMNS
from moderation.delivery.standings import Destination, Lease, Parcel, Result, Standing, standing_after
from moderation.storage.database import Connection, Database

LEASE_S = 30.0
"""Longer than an attempt may take together with writing its outcome down."""
_BURY_GROUP = 200


# One probe of the index per site with anything pending, however much is pending there.
_DUE_SITES = """
WITH RECURSIVE earliest AS (
    (SELECT site_id, next_attempt_at FROM deliveries ORDER BY site_id, next_attempt_at LIMIT 1)
    UNION ALL
    SELECT following.* FROM earliest CROSS JOIN LATERAL (
        SELECT site_id, next_attempt_at FROM deliveries WHERE site_id > earliest.site_id
         ORDER BY site_id, next_attempt_at LIMIT 1) following
)
SELECT site_id FROM earliest WHERE next_attempt_at <= $1
"""

_LEASE = """
WITH due AS MATERIALIZED (
    SELECT picked.comment_id FROM unnest($1::int[], $2::int[]) AS share(site_id, places) CROSS JOIN LATERAL (
        SELECT comment_id FROM deliveries WHERE site_id = share.site_id AND next_attempt_at <= $3
         ORDER BY next_attempt_at LIMIT share.places FOR UPDATE SKIP LOCKED) picked
)
UPDATE deliveries SET next_attempt_at = $4 FROM due WHERE deliveries.comment_id = due.comment_id
RETURNING deliveries.comment_id, site_id, next_sequence, attempts, next_attempt_at
"""

_PARCELS = f"""
SELECT lease.comment_id AS leased, lease.next_sequence, c.sequence AS last_sequence,
       s.webhook_url, s.webhook_secrets, s.language, s.settings, s.removed_at, {EVENT_COLUMNS}
  FROM unnest($1::uuid[], $2::int[], $3::int[]) AS lease(comment_id, site_id, next_sequence)
  JOIN sites s ON s.id = lease.site_id
  LEFT JOIN comments c ON c.id = lease.comment_id
  LEFT JOIN LATERAL (
       SELECT * FROM decisions e WHERE e.comment_id = lease.comment_id AND e.sequence >= lease.next_sequence
        ORDER BY e.sequence LIMIT 1) d ON true
"""  # noqa: S608 - column names of our own

_INSERT_ATTEMPTS = """
INSERT INTO delivery_attempts (comment_id, site_id, sequence, attempted_at, outcome, status, duration_ms)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::timestamptz[], $5::text[], $6::int[], $7::int[])
"""

_INSERT_DEAD = """
INSERT INTO dead_letters (comment_id, site_id, sequence, died_at, outcome)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::timestamptz[], $5::text[])
ON CONFLICT (comment_id, sequence) DO UPDATE SET died_at = excluded.died_at, outcome = excluded.outcome
"""

_UPDATE_STANDINGS = """
UPDATE deliveries d SET next_sequence = n.next_sequence, attempts = n.attempts,
       next_attempt_at = n.next_attempt_at, first_due_at = n.first_due_at
  FROM unnest($1::uuid[], $2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[])
       AS n(comment_id, next_sequence, attempts, next_attempt_at, first_due_at)
 WHERE d.comment_id = n.comment_id
"""

_RELEASE = """
WITH ours AS MATERIALIZED (
    SELECT d.comment_id FROM deliveries d JOIN unnest($1::uuid[], $2::timestamptz[]) AS l(comment_id, until)
        ON l.comment_id = d.comment_id AND l.until = d.next_attempt_at FOR UPDATE OF d SKIP LOCKED
)
UPDATE deliveries d SET next_attempt_at = $3 FROM ours WHERE d.comment_id = ours.comment_id
"""

# The attempt that comes of it is a gift: it does not bring the event nearer to its end.
_BRING_FORWARD = """
WITH waiting AS MATERIALIZED (
    SELECT comment_id FROM deliveries WHERE site_id = $1 AND attempts > 0 AND next_attempt_at > $2 FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET next_attempt_at = $3, attempts = d.attempts - 1 FROM waiting WHERE d.comment_id = waiting.comment_id
"""

_PICK_FOR_BURIAL = """
SELECT d.comment_id, d.next_sequence FROM deliveries d JOIN comments c ON c.id = d.comment_id JOIN sites s ON s.id = d.site_id
 WHERE d.site_id = $1 AND s.webhook_url = $2 ORDER BY d.comment_id LIMIT $3 FOR UPDATE OF c, d SKIP LOCKED
"""

_BURY = """
INSERT INTO dead_letters (comment_id, sequence, site_id, outcome, died_at)
SELECT e.comment_id, e.sequence, e.site_id, 'gone', $3
  FROM unnest($1::uuid[], $2::int[]) AS gone(comment_id, next_sequence)
  JOIN decisions e ON e.comment_id = gone.comment_id AND e.sequence >= gone.next_sequence
ON CONFLICT (comment_id, sequence) DO NOTHING
"""


class Ledger:
    """Reads and writes where every comment stands. Raises `DependencyUnavailableError` when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due_sites(self, now: datetime) -> list[int]:
        """Return the sites with at least one event due, lowest number first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_DUE_SITES, now)
        return [row["site_id"] for row in rows]

    async def lease(self, shares: Mapping[int, int], now: datetime) -> list[Parcel]:
        """Lease up to ``shares[site]`` comments of each site, the longest due first, with the lowest event of each."""
        until = now + timedelta(seconds=LEASE_S)
        async with self._forgetful_transaction() as connection:
            rows = await connection.fetch(_LEASE, list(shares), list(shares.values()), now, until)
            leases = {row["comment_id"]: Lease(*row.values()) for row in rows}
            return await _load(connection, leases)

    async def settle(self, results: Sequence[Result], now: datetime) -> list[Result]:
        """Write down what became of the parcels, together; return those whose comment is being decided on just now.

        A decision that is made meanwhile either finds its comment's row here, or is seen here and gets the row's next turn:
        both sides hold the comment's row lock. Comments that are locked are left for later instead of waited for, so that
        no deadlock can come of settling several at once.
        """
        by_comment = {result.parcel.lease.comment_id: result for result in results}
        async with self._forgetful_transaction() as connection:
            last_sequences, locked_by_others = await _lock_comments(connection, list(by_comment))
            settled = [by_comment[comment_id] for comment_id in last_sequences]
            moved = await _move(connection, settled, last_sequences, now)
            await _record_attempts(connection, settled)
            await _record_dead(
                connection, [r for r in settled if r.is_dead and r.parcel.lease.comment_id in moved], now
            )
        return [by_comment[comment_id] for comment_id in locked_by_others]

    async def release(self, leases: Sequence[Lease], now: datetime) -> None:
        """Give up leases unserved: whoever asks next may have the comments."""
        async with self._forgetful_transaction() as connection:
            await connection.execute(
                _RELEASE, [lease.comment_id for lease in leases], [lease.until for lease in leases], now
            )

    async def bring_forward(self, site_id: int, now: datetime) -> None:
        """Make due what waits for another attempt: the site's endpoint answers again after having failed."""
        leased_until = now + timedelta(seconds=LEASE_S)
        async with self._forgetful_transaction() as connection:
            await connection.execute(_BRING_FORWARD, site_id, leased_until, now)

    async def bury(self, site_id: int, url: str, now: datetime) -> int:
        """Turn everything pending for ``url`` into dead letters, for that endpoint said it is gone; return how many comments.

        A comment that is being decided on just now is left out; it gets an attempt, and an answer, of its own.
        """
        buried = 0
        while True:
            async with self._database.transaction() as connection:
                rows = await connection.fetch(_PICK_FOR_BURIAL, site_id, url, _BURY_GROUP)
                comment_ids = [row["comment_id"] for row in rows]
                await connection.execute(_BURY, comment_ids, [row["next_sequence"] for row in rows], now)
                await connection.execute("DELETE FROM deliveries WHERE comment_id = ANY($1)", comment_ids)
            buried += len(rows)
            if len(rows) < _BURY_GROUP:
                return buried

    @asynccontextmanager
    async def _forgetful_transaction(self) -> AsyncIterator[Connection]:
        async with self._database.transaction() as connection:
            await connection.execute("SET LOCAL synchronous_commit = off")
            yield connection


async def _load(connection: Connection, leases: Mapping[UUID, Lease]) -> list[Parcel]:
    rows = await connection.fetch(
        _PARCELS,
        list(leases),
        [lease.site_id for lease in leases.values()],
        [lease.next_sequence for lease in leases.values()],
    )
    return [_parcel(leases[row["leased"]], row) for row in rows]


def _parcel(lease: Lease, row: Mapping[str, Any]) -> Parcel:
    destination = Destination(
        url=None if row["removed_at"] else row["webhook_url"],
        sealed_secrets=tuple(row["webhook_secrets"]),
        language=row["language"],
        may_be_private=row["settings"].get("allow_private_endpoint") is True,
    )
    if row["sequence"] is None:
        return Parcel(lease, row["last_sequence"] or lease.next_sequence, None, destination)
    return Parcel(lease, row["sequence"], row, destination)


async def _lock_comments(
    connection: Connection, comment_ids: list[UUID]
) -> tuple[dict[UUID, int | None], list[UUID]]:
    """Return the newest sequence of every comment that we could lock or that is no more, and the comments locked by others."""
    rows = await connection.fetch(
        "SELECT id, sequence FROM comments WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED", comment_ids
    )
    last_sequences: dict[UUID, int | None] = {row["id"]: row["sequence"] for row in rows}
    missing = [comment_id for comment_id in comment_ids if comment_id not in last_sequences]
    if not missing:
        return last_sequences, []
    existing = {
        row["id"] for row in await connection.fetch("SELECT id FROM comments WHERE id = ANY($1)", missing)
    }
    last_sequences.update((comment_id, None) for comment_id in missing if comment_id not in existing)
    return last_sequences, [comment_id for comment_id in missing if comment_id in existing]


async def _move(
    connection: Connection,
    results: Sequence[Result],
    last_sequences: Mapping[UUID, int | None],
    now: datetime,
) -> set[UUID]:
    """Bring the standings up to date; return the comments whose standing was ours to change."""
    before = await _lock_standings(connection, [result.parcel.lease.comment_id for result in results])
    changed: dict[UUID, Standing | None] = {}
    for result in results:
        comment_id = result.parcel.lease.comment_id
        if comment_id in before:
            after = standing_after(
                result, before[comment_id], last_sequence=last_sequences[comment_id], now=now
            )
            if after != before[comment_id]:
                changed[comment_id] = after
    heard = [comment_id for comment_id, standing in changed.items() if standing is None]
    if heard:
        await connection.execute("DELETE FROM deliveries WHERE comment_id = ANY($1)", heard)
    moved = [(comment_id, standing) for comment_id, standing in changed.items() if standing is not None]
    if moved:
        columns = ([getattr(standing, name) for _, standing in moved] for name in Standing.__slots__)
        await connection.execute(_UPDATE_STANDINGS, [comment_id for comment_id, _ in moved], *columns)
    return set(changed)


async def _lock_standings(connection: Connection, comment_ids: list[UUID]) -> dict[UUID, Standing]:
    rows = await connection.fetch(
        "SELECT comment_id, next_sequence, attempts, next_attempt_at, first_due_at FROM deliveries"
        " WHERE comment_id = ANY($1) ORDER BY comment_id FOR UPDATE",
        comment_ids,
    )
    return {comment_id: Standing(*rest) for comment_id, *rest in rows}


async def _record_attempts(connection: Connection, results: Sequence[Result]) -> None:
    sent = [(result, result.answer) for result in results if result.answer is not None]
    if sent:
        await connection.execute(
            _INSERT_ATTEMPTS,
            *_addresses([result for result, _ in sent]),
            [result.attempted_at for result, _ in sent],
            [answer.outcome.value for _, answer in sent],
            [answer.status for _, answer in sent],
            [round(answer.duration_s * 1000) for _, answer in sent],
        )


async def _record_dead(connection: Connection, results: Sequence[Result], now: datetime) -> None:
    if results:
        outcomes = [result.answer.outcome.value for result in results if result.answer is not None]
        await connection.execute(_INSERT_DEAD, *_addresses(results), [now] * len(results), outcomes)


def _addresses(results: Sequence[Result]) -> tuple[list[UUID], list[int], list[int]]:
    leases = [result.parcel.lease for result in results]
    return (
        [lease.comment_id for lease in leases],
        [lease.site_id for lease in leases],
        [result.parcel.sequence for result in results],
    )
