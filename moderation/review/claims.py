"""Claims: a moderator's exclusive, expiring lease on a task, so that two people do not read the same comment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from moderation.domain.clock import Clock
from moderation.domain.errors import UnknownClaimError
from moderation.domain.ids import ClaimId, CommentId, ModeratorId, SiteId, new_uuid
from moderation.domain.task import Claim
from moderation.review.queue import FILTER, WINDOW, Entry, Selection, entries
from moderation.storage.database import Database
from moderation.storage.tasks import COLUMNS

LEASE = timedelta(minutes=5)
MAX_CLAIM = 20

log = structlog.get_logger()

_RENEW = """
UPDATE tasks SET claim_expires_at = $3 WHERE claim_id = $1 AND claimed_by = $2 AND site_id = ANY($4::integer[])
RETURNING comment_id
"""
_RELEASE = """
UPDATE tasks SET claim_id = NULL, claimed_by = NULL, claim_expires_at = NULL WHERE claim_id = $1 AND claimed_by = $2
RETURNING comment_id
"""


@dataclass(frozen=True, slots=True)
class Renewal:
    """A claim that goes on."""

    claim: Claim
    comment_id: CommentId


class Claims:
    """Takes, renews and releases claims. An expired claim may be taken by anybody; until then it is still its holder's."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, by: ModeratorId, selection: Selection, *, limit: int) -> tuple[Entry, ...]:
        """Claim up to ``limit`` free tasks, the first in the selection's order that nobody else is just taking.

        No task goes to two moderators at once, whatever the number of processes.
        """
        now = self._clock()
        claim_ids = [new_uuid() for _ in range(limit)]
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                claim_sql(selection, limit), *selection.parameters, now, claim_ids, by, now + LEASE
            )
            rows.sort(key=lambda row: (row["position"], row["comment_id"]))
            claimed = await entries(connection, rows)
        log.info("tasks_claimed", site_id=selection.site_id, moderator_id=str(by), tasks=len(claimed))
        return claimed

    async def renew(self, by: ModeratorId, claim_id: ClaimId, sites: Iterable[SiteId]) -> Renewal:
        """Start the lease anew. Raises `UnknownClaimError` where it was released, taken over, decided or never theirs."""
        expires_at = self._clock() + LEASE
        async with self._database.connection() as connection:
            comment_id = await connection.fetchval(_RENEW, claim_id, by, expires_at, list(sites))
        if comment_id is None:
            raise UnknownClaimError
        return Renewal(Claim(claim_id, by, expires_at), CommentId(comment_id))

    async def release(self, by: ModeratorId, claim_id: ClaimId) -> None:
        """Let others have the task. Raises `UnknownClaimError` as `renew` does."""
        async with self._database.connection() as connection:
            comment_id = await connection.fetchval(_RELEASE, claim_id, by)
        if comment_id is None:
            raise UnknownClaimError
        log.info("claim_released", comment_id=str(comment_id), moderator_id=str(by))


def claim_sql(selection: Selection, limit: int) -> str:
    """Return the statement over the selection's parameters, the time, the new claim ids, the moderator, the lease's end.

    Filters stand twice: over the window, to choose, and over the rows to lock, where PostgreSQL looks again after it had to
    wait or a row changed. Only rows that are taken are locked, and locked ones are passed over. The limit is no parameter,
    so that the plan is made for few rows.
    """
    rank = selection.rank
    free = "(claim_id IS NULL OR claim_expires_at <= $6)"
    columns = ", ".join(f"t.{name.strip()}" for name in COLUMNS.split(","))
    return f"""
        WITH wanted AS (
            SELECT comment_id, {rank} FROM (
                {selection.scanned} AND {free} ORDER BY {rank}, comment_id LIMIT {WINDOW}
            ) scanned WHERE {FILTER}
        ), taken AS MATERIALIZED (
            SELECT t.comment_id FROM wanted JOIN tasks t USING (comment_id)
             WHERE {FILTER} AND {free}
             ORDER BY wanted.{rank}, wanted.comment_id LIMIT {limit}
               FOR UPDATE OF t SKIP LOCKED
        ), numbered AS (
            SELECT comment_id, row_number() OVER () AS number FROM taken
        )
        UPDATE tasks t SET claim_id = ($7::uuid[])[number], claimed_by = $8, claim_expires_at = $9
          FROM numbered WHERE t.comment_id = numbered.comment_id
        RETURNING {columns}, t.{rank} AS position"""  # noqa: S608 - constants of this package
