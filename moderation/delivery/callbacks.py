"""Telling Akismet clients what became of a comment, at the address that came with the check (`docs/akismet.md`).

Like delivery: a row is leased, and written off only after the client said that it heard; whatever kills us in between, the
lease runs out and the call is made again. Calls say the state that the comment is in, so doubled or late ones do no harm.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import structlog

from moderation.delivery import retries
from moderation.delivery.endpoint import Answer, EndpointClient, Outcome
from moderation.delivery.places import Place, Places
from moderation.domain.clock import Clock
from moderation.domain.errors import DependencyUnavailableError
from moderation.domain.ports import SealedValueError, Vault
from moderation.domain.verdict import State
from moderation.storage.administration.site_keys import SEALED_AS
from moderation.storage.database import Database
from moderation.telemetry import AKISMET_CALLBACKS

POLL_S = 0.5
MAX_BACKOFF_S = 5.0
AT_ONCE, PER_SITE = 16, 4
"""Calls under way in one process, and to one site: a site that hangs holds up no other."""
LEASE_S = 30.0
MAX_UNKNOWN = 4
"""Attempts at a comment that the client does not know: about three minutes, for it may be storing it just now."""
UNKNOWN, NO_KEY = "unknown_comment", "no_key"

_DUE_SITES = "SELECT DISTINCT site_id FROM akismet_checks WHERE due_at <= $1 ORDER BY site_id"
# The key of the check if it is live, else the newest live one: the client compares it with its own.
_LEASE = """
WITH due AS MATERIALIZED (
    SELECT picked.guid FROM unnest($1::int[], $2::int[]) AS share(site_id, places) CROSS JOIN LATERAL (
        SELECT guid FROM akismet_checks WHERE site_id = share.site_id AND due_at <= $3
         ORDER BY due_at LIMIT share.places FOR UPDATE SKIP LOCKED) picked
), leased AS (
    UPDATE akismet_checks k SET due_at = $4 FROM due WHERE k.guid = due.guid
    RETURNING k.guid, k.site_id, k.comment_id, k.key_id, k.callback, k.attempts
)
SELECT l.*, c.state, s.settings, s.removed_at, found.sealed
  FROM leased l JOIN sites s ON s.id = l.site_id LEFT JOIN comments c ON c.id = l.comment_id
  LEFT JOIN LATERAL (
       SELECT sealed FROM site_keys WHERE site_id = l.site_id AND dialect = 'akismet' AND revoked_at IS NULL
        ORDER BY id = l.key_id DESC, id DESC LIMIT 1) found ON true
"""
# Only while the lease is ours: a decision made meanwhile has set a time of its own, and is told next.
_SETTLE = "UPDATE akismet_checks SET due_at = $3, attempts = $4 WHERE guid = $1 AND due_at = $2"
_RESULTS = {State.APPROVED: "false", State.REJECTED: "true"}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Notice:
    """One call to make; ``leased_until`` names our lease."""

    guid: UUID
    site_id: int
    comment_id: UUID
    callback: str = field(repr=False)
    attempts: int
    state: State | None
    sealed_key: bytes | None = field(repr=False)
    may_be_private: bool
    leased_until: datetime

    @property
    def result(self) -> str | None:
        """What to say: ``true`` for spam; None where there is nothing to say."""
        return None if self.state is None else _RESULTS.get(self.state)


class Callbacks:
    """A background job; any number may run at once."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        *,
        allow_private: bool = False,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._allow_private = allow_private
        self._draw = draw
        self._places = Places(per_site=PER_SITE, overall=AT_ONCE)
        self._under_way: dict[asyncio.Task[None], Place] = {}

    async def run(self) -> None:
        """Call until cancelled; while PostgreSQL is away, try again with growing pauses. Calls under way at the end are made again."""
        pause_s = POLL_S
        async with EndpointClient(self._clock) as client:
            try:
                while True:
                    try:
                        started = await self._turn(client)
                        pause_s = POLL_S
                    except DependencyUnavailableError:
                        started, pause_s = 0, min(pause_s * 2, MAX_BACKOFF_S)
                    except Exception as error:
                        log.error("job_failed", job="akismet_callbacks", exc_info=error)
                        started, pause_s = 0, min(pause_s * 2, MAX_BACKOFF_S)
                    if not started:
                        await self._pause(pause_s)
            finally:
                await self._end_calls()

    async def once(self, client: EndpointClient) -> int:
        """Make calls that are due, at most `AT_ONCE`; return how many, once all have ended."""
        started = await self._turn(client)
        await asyncio.gather(*self._under_way)
        return started

    async def _turn(self, client: EndpointClient) -> int:
        if self._places.is_full:
            return 0
        notices = await self._lease()
        for notice in notices:
            task = asyncio.create_task(self._tell(client, notice))
            self._under_way[task] = self._places.take(notice.site_id)
            task.add_done_callback(self._ended)
        return len(notices)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._places.give_back(self._under_way.pop(task))
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, DependencyUnavailableError):
            log.error("job_failed", job="akismet_callbacks", exc_info=error)

    async def _pause(self, seconds: float) -> None:
        """Wait for a while, or for a place."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(seconds)

    async def _end_calls(self) -> None:
        ending = list(self._under_way)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _lease(self) -> Sequence[Notice]:
        now = self._clock()
        until = now + timedelta(seconds=LEASE_S)
        async with self._database.transaction() as connection:
            due = await connection.fetch(_DUE_SITES, now)
            shares = self._places.share([row["site_id"] for row in due])
            if not shares:
                return []
            rows = await connection.fetch(_LEASE, list(shares), list(shares.values()), now, until)
        return [_notice(row, until) for row in rows]

    async def _tell(self, client: EndpointClient, notice: Notice) -> None:
        if notice.result is None:
            await self._settle(notice, None)
            return
        outcome, answer = await self._call(client, notice, notice.result)
        AKISMET_CALLBACKS.labels(outcome).inc()
        if outcome in {Outcome.DELIVERED, UNKNOWN}:
            self._places.succeeded(notice.site_id)
        elif outcome != NO_KEY:
            self._places.failed(notice.site_id)
        retry_at = self._retry_at(notice, outcome, answer)
        is_heard = outcome == Outcome.DELIVERED
        level = log.info if is_heard else log.warning if retry_at is not None else log.error
        level(
            "akismet_callback" if is_heard or retry_at else "akismet_callback_given_up",
            site_id=notice.site_id,
            comment_id=str(notice.comment_id),
            attempt=notice.attempts + 1,
            outcome=outcome,
            status=answer.status,
        )
        await self._settle(notice, retry_at)

    async def _call(self, client: EndpointClient, notice: Notice, result: str) -> tuple[str, Answer]:
        try:
            key = None if notice.sealed_key is None else self._vault.open(notice.sealed_key, SEALED_AS)
        except SealedValueError:
            key = None
        if key is None:
            return NO_KEY, Answer(Outcome.NOT_SIGNED)
        guid = str(notice.guid)
        body = {"key": key, "endpoint": "comment-check", "comments": [{"guid": guid, "result": result}]}
        answer = await client.post(
            notice.callback,
            orjson.dumps(body),
            headers={"Content-Type": "application/json"},
            allow_private=self._allow_private or notice.may_be_private,
        )
        if answer.outcome is Outcome.DELIVERED and not _is_heard(answer.body, guid):
            return UNKNOWN, answer
        return answer.outcome.value, answer

    def _retry_at(self, notice: Notice, outcome: str, answer: Answer) -> datetime | None:
        failures = notice.attempts + 1
        is_hopeless = outcome in {Outcome.GONE, NO_KEY} or (outcome == UNKNOWN and failures >= MAX_UNKNOWN)
        if outcome == Outcome.DELIVERED or is_hopeless:
            return None
        wait_s = retries.delay_s(failures, draw=self._draw(), retry_after_s=answer.retry_after_s)
        return None if wait_s is None else self._clock() + timedelta(seconds=wait_s)

    async def _settle(self, notice: Notice, retry_at: datetime | None) -> None:
        attempts = 0 if retry_at is None else notice.attempts + 1
        async with self._database.connection() as connection:
            await connection.execute(_SETTLE, notice.guid, notice.leased_until, retry_at, attempts)


def _notice(row: Mapping[str, Any], until: datetime) -> Notice:
    is_told = row["state"] is not None and row["removed_at"] is None
    return Notice(
        guid=row["guid"],
        site_id=row["site_id"],
        comment_id=row["comment_id"],
        callback=row["callback"],
        attempts=row["attempts"],
        state=State(row["state"]) if is_told else None,
        sealed_key=row["sealed"],
        may_be_private=row["settings"].get("allow_private_endpoint") is True,
        leased_until=until,
    )


def _is_heard(body: bytes, guid: str) -> bool:
    """Tell whether the client knew the comment; an answer that does not say is taken for yes, for it said 2xx."""
    try:
        status = orjson.loads(body)["comments"][guid]["status"]
    except (ValueError, KeyError, TypeError):
        return True
    return bool(status != "error")
