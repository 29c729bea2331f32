"""Keeps the endpoints' places filled with attempts at due events; any number of workers may run at once.

A worker leases comments, not events, so one comment's events leave in order. Whatever kills it between sending and writing
down, the lease runs out and the event is sent again under the same id.
"""

import asyncio
from contextlib import suppress
from datetime import datetime

import structlog

from moderation.delivery.endpoint import Outcome
from moderation.delivery.ledger import Ledger
from moderation.delivery.places import Place, Places
from moderation.delivery.sender import Sender
from moderation.delivery.settlements import Settlements
from moderation.delivery.standings import Lease, Parcel, Result
from moderation.domain.clock import Clock
from moderation.domain.errors import DependencyUnavailableError

POLL_S = 0.25
MAX_BACKOFF_S = 5.0
WIND_DOWN_S = 5.0
"""How long running attempts may go on once the worker is told to stop."""
_RELEASE_S = 2.0

log = structlog.get_logger()


class Worker:
    """Delivers what is due until cancelled."""

    def __init__(self, ledger: Ledger, sender: Sender, clock: Clock, *, places: Places | None = None) -> None:
        self._ledger = ledger
        self._sender = sender
        self._clock = clock
        self._places = places or Places()
        self._settlements = Settlements(ledger, clock)
        self._running: dict[asyncio.Task[None], tuple[Lease, Place]] = {}
        self._unsettled: list[Lease] = []
        self._burying: set[int] = set()
        self._wake = asyncio.Event()

    def hint(self) -> None:
        """Say that an event may be due: the worker looks at once instead of at its next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled; then let running attempts end within `WIND_DOWN_S` and release the rest.

        While PostgreSQL is away, waits and tries again with growing pauses.
        """
        pause_s = POLL_S
        try:
            while True:
                self._wake.clear()
                try:
                    started = await self._turn()
                    pause_s = POLL_S
                except Exception as error:  # noqa: BLE001 - leases run out by themselves; the loop must outlive any fault
                    _report_fault(error)
                    started, pause_s = 0, min(pause_s * 2, MAX_BACKOFF_S)
                if not started:
                    await self._pause(pause_s)
        finally:
            await self._wind_down()

    async def drain(self) -> int:
        """Deliver until nothing is due any more; return how many attempts were made. For tests and one-off runs."""
        attempts = 0
        while True:
            started = await self._turn()
            attempts += started
            if not self._running and not started:
                return attempts
            if self._running:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Stop what is still under way after `drain`; `run` does this itself."""
        await self._wind_down()

    async def _turn(self) -> int:
        if self._places.is_full:
            return 0
        now = self._clock()
        shares = self._places.share(await self._ledger.due_sites(now))
        if not shares:
            return 0
        parcels = await self._ledger.lease(shares, now)
        for parcel in parcels:
            self._start(parcel)
        return len(parcels)

    def _start(self, parcel: Parcel) -> None:
        task = asyncio.create_task(self._deliver(parcel))
        self._running[task] = (parcel.lease, self._places.take(parcel.lease.site_id))
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        lease, place = self._running.pop(task)
        self._places.give_back(place)
        self._wake.set()
        if task.cancelled():
            self._unsettled.append(lease)
        elif (error := task.exception()) is not None:
            _report_fault(error)

    async def _deliver(self, parcel: Parcel) -> None:
        result = await self._sender.send(parcel)
        has_recovered = self._note_health(result)
        await self._settlements.settle(result)
        await self._follow_up(result, has_recovered=has_recovered)

    def _note_health(self, result: Result) -> bool:
        site_id = result.parcel.lease.site_id
        if result.is_delivered:
            return self._places.succeeded(site_id)
        if result.answer is not None:
            self._places.failed(site_id)
        return False

    async def _follow_up(self, result: Result, *, has_recovered: bool) -> None:
        """Do what one event's outcome means for the others of its site."""
        lease, url, now = result.parcel.lease, result.parcel.destination.url, self._clock()
        if has_recovered:
            await self._ledger.bring_forward(lease.site_id, now)
        if result.answer is not None and result.answer.outcome == Outcome.GONE and url is not None:
            await self._bury(lease.site_id, url, now)

    async def _bury(self, site_id: int, url: str, now: datetime) -> None:
        if site_id in self._burying:  # every attempt under way hears the same; one of them sees to it
            return
        self._burying.add(site_id)
        try:
            buried = await self._ledger.bury(site_id, url, now)
        finally:
            self._burying.discard(site_id)
        log.error("endpoint_gone", site_id=site_id, comments_given_up=buried)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _wind_down(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=WIND_DOWN_S)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._settlements.close()
        await self._release(self._clock())

    async def _release(self, now: datetime) -> None:
        leases, self._unsettled = self._unsettled, []
        if leases:
            with suppress(DependencyUnavailableError, TimeoutError):  # the leases run out by themselves
                async with asyncio.timeout(_RELEASE_S):
                    await self._ledger.release(leases, now)


def _report_fault(error: BaseException) -> None:
    level = log.debug if isinstance(error, DependencyUnavailableError) else log.error
    level("delivery_faulty", exc_info=error)  # that PostgreSQL is away is said once, by the pool
