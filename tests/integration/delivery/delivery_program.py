"""Runs the delivery service as a process of its own, for tests that kill it: `python delivery_program.py DATABASE_URL`."""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))  # also where the package is not installed for this Python

from moderation.delivery.service import Delivery
from moderation.domain.clock import utc_now
from moderation.storage.database import Database
from tests.integration.delivery.newsroom import PlainVault


async def serve(url: str) -> None:
    database = Database(url, size=4)
    delivery = Delivery(database, PlainVault(), utc_now, allow_private=True)
    running = asyncio.create_task(delivery.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with suppress(asyncio.CancelledError):
        await running
    await database.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
