"""A newsroom with an endpoint, and a worker that reaches it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from moderation.delivery.endpoint import EndpointClient
from moderation.delivery.ledger import Ledger
from moderation.delivery.places import Places
from moderation.delivery.sender import Sender
from moderation.delivery.worker import Worker
from moderation.storage.database import Database
from tests.integration.delivery.newsroom import Newsroom, PlainVault
from tests.receiver import Receiver
from tests.seeding import SteppedClock

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@dataclass
class Bench:
    """What most tests here need, with time in their hands; the middle of the jitter, so that times are the schedule's."""

    newsroom: Newsroom
    receiver: Receiver
    clock: SteppedClock
    database: Database
    attempts: list[str] = field(default_factory=list)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def worker(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        timeout_s: float = 30.0,
        places: Places | None = None,
        **options: Any,
    ) -> Worker:
        """A worker of its own; stopped at the end of the test."""
        clock = clock or self.clock
        client = await self.stack.enter_async_context(EndpointClient(clock, timeout_s=timeout_s))
        options = {"allow_private": True, "draw": lambda: 0.5} | options
        sender = Sender(
            client,
            PlainVault(),
            clock,
            on_attempt=lambda outcome, _: self.attempts.append(outcome),
            **options,
        )
        worker = Worker(Ledger(self.database), sender, clock, places=places)
        self.stack.push_async_callback(worker.close)
        return worker


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest_asyncio.fixture(loop_scope="session")
async def bench(database: Database, clock: SteppedClock) -> AsyncIterator[Bench]:
    async with Receiver(secrets=[SECRET], clock=clock) as receiver, AsyncExitStack() as stack:
        yield Bench(Newsroom(database, clock), receiver, clock, database, stack=stack)
