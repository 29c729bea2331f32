"""Attempts that end at about the same time are written down together, as one transaction."""

import asyncio

import structlog

from moderation.delivery.ledger import Ledger
from moderation.delivery.standings import Result
from moderation.domain.clock import Clock

_RETRY_S = 0.02
_MAX_RETRY_S = 2.0

log = structlog.get_logger()


class Settlements:
    """Collects results while a group is being written, then writes those. As many wait here as attempts may run at once."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._waiting: list[tuple[Result, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def settle(self, result: Result) -> bool:
        """Write ``result`` down; False if it could not be before the lease ran out, so that the event will be sent again."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((result, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await written

    async def close(self) -> None:
        """Stop writing; whoever still waits is cancelled."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        for _, written in self._waiting:
            written.cancel()

    async def _write(self) -> None:
        retry_s = _RETRY_S
        while group := self._drop_late():
            try:
                left = await self._ledger.settle([result for result, _ in group], self._clock())
            except Exception as error:  # noqa: BLE001 - PostgreSQL away or a faulty group: tried again until the leases run out
                log.warning("deliveries_not_settled", size=len(group), error=type(error).__name__)
                retry_s = min(retry_s * 2, _MAX_RETRY_S)
                await asyncio.sleep(retry_s)
                continue
            retry_s = _RETRY_S
            self._finish(group, left)
            if left:
                await asyncio.sleep(_RETRY_S)

    def _drop_late(self) -> list[tuple[Result, asyncio.Future[bool]]]:
        now = self._clock()
        for result, written in self._waiting:
            if result.parcel.lease.until <= now and not written.done():
                written.set_result(False)
        self._waiting = [(result, written) for result, written in self._waiting if not written.done()]
        return list(self._waiting)

    def _finish(self, group: list[tuple[Result, asyncio.Future[bool]]], left: list[Result]) -> None:
        postponed = {id(result) for result in left}
        done = {id(result) for result, _ in group} - postponed
        for result, written in group:
            if id(result) in done and not written.done():
                written.set_result(True)
        self._waiting = [(result, written) for result, written in self._waiting if id(result) not in done]
