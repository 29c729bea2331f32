"""Owns the embedded engines of a data directory as a process of its own, for tests that kill owners.

`python tests/engine_owner.py DATA [USER]` prints one line of JSON, the addresses, once the engines answer, and ends in
an orderly way on SIGTERM.
"""

import asyncio
import json
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parents[1]))  # also where the package is not installed for this Python

from moderation.engines import EmbeddedEngines


async def _own(data_dir: Path, user: str | None) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    engines = EmbeddedEngines(data_dir, user=user)
    addresses = await engines.start()
    supervisor = asyncio.create_task(engines.supervise())
    print(json.dumps(asdict(addresses)), flush=True)
    await end.wait()
    supervisor.cancel()
    with suppress(asyncio.CancelledError):
        await supervisor
    await engines.stop()


if __name__ == "__main__":
    asyncio.run(_own(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
