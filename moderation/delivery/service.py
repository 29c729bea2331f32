"""Delivery as one background service: the worker and the sequencer, started and stopped together."""

import asyncio

from moderation.delivery.backlog import Backlog
from moderation.delivery.endpoint import EndpointClient
from moderation.delivery.feed import Feed
from moderation.delivery.ledger import Ledger
from moderation.delivery.sender import OnAttempt, OnResult, Sender
from moderation.delivery.sequencer import Sequencer
from moderation.delivery.worker import Worker
from moderation.domain.clock import Clock
from moderation.domain.ports import Vault
from moderation.domain.retention import Retention
from moderation.storage.database import ANSWERED_WITHIN_S, Database


def _ignore(_outcome: str, _duration_s: float) -> None:
    """Nobody counts."""


class Delivery:
    """Brings every event to its site, and numbers it for the feed.

    May run in every process at once: comments are leased, and the sequencers agree on one leader. Needs a few connections
    of ``database`` and one of its own.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        *,
        allow_private: bool = False,
        on_attempt: OnAttempt = _ignore,
        on_result: OnResult | None = None,
        kept_days: int = Retention().events,
    ) -> None:
        self._client = EndpointClient(clock)
        sender = Sender(
            self._client,
            vault,
            clock,
            allow_private=allow_private,
            on_attempt=on_attempt,
            on_result=on_result,
        )
        self._worker = Worker(Ledger(database), sender, clock)
        self._sequencer = Sequencer(database.url, clock)
        self.feed = Feed(database.within(ANSWERED_WITHIN_S), clock, kept_days)
        self.backlog = Backlog(database, clock)

    def hint(self) -> None:
        """Say that an event was just committed, so that it leaves at once."""
        self._worker.hint()

    async def run(self) -> None:
        """Work until cancelled; attempts that are under way then get a few seconds to end."""
        async with self._client, asyncio.TaskGroup() as group:
            group.create_task(self._worker.run())
            group.create_task(self._sequencer.run())
