"""Forgetting in time: one job at a time in the whole installation, in small transactions, again and again.

Failure direction: whatever goes wrong, data is kept longer, never removed early. A clock that jumped ahead by more than
`LARGEST_STEP_S` is not believed for one round.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from moderation.domain.clock import Clock
from moderation.domain.ports import Vault
from moderation.domain.retention import Retention
from moderation.domain.verdict import State
from moderation.privacy import clocks
from moderation.privacy.clocks import Due, Step
from moderation.privacy.emptying import TextKeeper
from moderation.storage.administration.addresses import seal_addresses
from moderation.storage.database import Connection
from moderation.storage.leadership import LeadConnection, lead
from moderation.storage.sessions import sweep_sessions
from moderation.telemetry import RETENTION_REMOVED, RETENTION_ROUND_TIMESTAMP_SECONDS

LOCK = 0x6D64_730A
EVERY_S = 600.0
LARGEST_STEP_S = 3600.0
_REST = 4
"""After each step the job rests so many times what the step took: it must not slow the desk down."""

Act = Callable[[Connection, Due], Awaitable[Step]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Walk:
    name: str
    """Under which its place is kept."""
    clock: str
    act: Act
    counts_as: str | None = None
    """Under which its rows are counted, where that is not the clock."""


class RetentionJob:
    """Removes what has been kept long enough; settings are read anew at every round."""

    def __init__(self, url: str, vault: Vault, defaults: Retention, *, clock: Clock) -> None:
        self._url = url
        self._defaults = defaults
        self._clock = clock
        self._vault = vault
        self._walks = _walks(TextKeeper(vault, clock))

    async def run(self) -> None:
        """Lead whenever nobody else does, a round every `EVERY_S`, until cancelled."""
        await lead(self._url, LOCK, self._for_ever)

    async def round(self, connection: LeadConnection, *, rest: int = 0) -> dict[str, int]:
        """Remove everything that is due; return rows by walk. Only for the holder of `LOCK`.

        Raises what the driver raises; what was done stays done.
        """
        removed = dict.fromkeys((walk.name for walk in self._walks), 0)
        sites = await connection.fetch("SELECT id, settings->'retention' AS chosen FROM sites ORDER BY id")
        kept = {row["id"]: self._defaults.overridden_by(row["chosen"] or {}) for row in sites}
        for site_id, retention in kept.items():
            for walk in self._walks:
                removed[walk.name] += await self._walk(connection, walk, site_id, retention, rest=rest)
        removed["audit"] += await self._forget_of_no_site(connection, list(kept.values()))
        RETENTION_ROUND_TIMESTAMP_SECONDS.set(self._clock().timestamp())
        log.info("retention_round", **{name: count for name, count in removed.items() if count})
        return removed

    async def _for_ever(self, connection: LeadConnection) -> None:
        seen = None
        while True:
            step_s = self._clock().timestamp() - time.monotonic()
            if seen is not None and step_s - seen > LARGEST_STEP_S:
                log.error("clock_jumped", by_s=round(step_s - seen))
            else:
                await self.round(connection, rest=_REST)
            seen = step_s
            await asyncio.sleep(EVERY_S)

    async def _walk(
        self, connection: LeadConnection, walk: _Walk, site_id: int, retention: Retention, *, rest: int
    ) -> int:
        now = self._clock()
        due = Due(site_id, now - timedelta(days=getattr(retention, walk.clock)), now)
        removed = 0
        while True:
            started = time.monotonic()
            step = await _step(connection, walk, due)
            removed += step.removed
            RETENTION_REMOVED.labels(walk.counts_as or walk.clock).inc(step.removed)
            if not step.has_more:
                return removed
            await asyncio.sleep(rest * (time.monotonic() - started))

    async def _forget_of_no_site(self, connection: LeadConnection, kept: list[Retention]) -> int:
        """Remove what belongs to no site by the instance's clocks; the feed's calendar by the longest one; sessions that ended.

        Addresses of moderators, too, that an older program left in plain text.
        """
        now = self._clock()
        await sweep_sessions(connection, now)
        await seal_addresses(connection, self._vault)
        events = max(retention.events for retention in [*kept, self._defaults])
        await clocks.delete(connection, "events", Due(None, now - timedelta(days=events), now))
        due = Due(None, now - timedelta(days=self._defaults.audit), now)
        removed, has_more = 0, True
        while has_more:
            step = await clocks.delete(connection, "audit_of_no_site", due)
            removed, has_more = removed + step.removed, step.has_more
        return removed


def _walks(keeper: TextKeeper) -> tuple[_Walk, ...]:
    async def decided(state: State, connection: Connection, due: Due) -> Step:
        return await clocks.empty_decided(connection, state, due, keeper)

    async def imported(state: State, connection: Connection, due: Due) -> Step:
        return await clocks.empty_imported(connection, state, due, keeper)

    async def earlier(connection: Connection, due: Due) -> Step:
        return await clocks.drop_earlier_texts(connection, due, keeper)

    async def columns(clock: str, connection: Connection, due: Due) -> Step:
        return await clocks.forget_columns(connection, clock, due)

    async def rows(what: str, connection: Connection, due: Due) -> Step:
        return await clocks.delete(connection, what, due)

    async def receipts(table: str, connection: Connection, due: Due) -> Step:
        return await clocks.drop_receipts(connection, table, due)

    async def removed_site(connection: Connection, due: Due) -> Step:
        return await clocks.empty_removed_site(connection, due, keeper)

    by_time = ("attempts", "dead_letters", "label_identity", "labels", "audit", "usage", "authors")
    return (
        *(_Walk(clock, clock, partial(columns, clock)) for clock in ("address", "email")),
        _Walk("rejected", "rejected", partial(decided, State.REJECTED)),
        _Walk("rejected_imports", "rejected", partial(imported, State.REJECTED)),
        _Walk("withdrawn", "withdrawn", partial(decided, State.DELETED)),
        _Walk("withdrawn_imports", "withdrawn", partial(imported, State.DELETED)),
        _Walk("earlier_texts", "rejected", earlier),
        _Walk("deciders", "audit", clocks.strip_deciders),
        _Walk("imported_deciders", "audit", clocks.strip_imported_deciders),
        *(_Walk(what, what, partial(rows, what)) for what in by_time),
        *(
            _Walk(table, "receipts", partial(receipts, table))
            for table in ("akismet_checks", "coral_comments")
        ),
        _Walk("removed_site", "removed_site", removed_site),
        _Walk("search", "rejected", clocks.sweep_search, counts_as="search"),
    )


async def _step(connection: LeadConnection, walk: _Walk, due: Due) -> Step:
    """Take one step and remember how far it came, in one transaction."""
    async with connection.transaction():
        place = await connection.fetchval(
            "SELECT place FROM retention_progress WHERE site_id = $1 AND clock = $2", due.site_id, walk.name
        )
        step = await walk.act(connection, Due(due.site_id, due.cutoff, due.now, place or clocks.START))
        if step.place is not None:
            await connection.execute(
                "INSERT INTO retention_progress (site_id, clock, place) VALUES ($1, $2, $3)"
                " ON CONFLICT (site_id, clock) DO UPDATE SET place = excluded.place",
                due.site_id,
                walk.name,
                step.place,
            )
    return step
