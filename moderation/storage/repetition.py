"""How a background job goes on for ever: in batches, patient with an absent database, never ending in silence."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from moderation.domain.errors import DependencyUnavailableError

log = structlog.get_logger()


async def repeat(
    once: Callable[[], Awaitable[int | None]], *, job: str, every_s: float, full_batch: int | None = None
) -> None:
    """Do ``once`` until cancelled: at once again after a full batch, else after ``every_s``; errors are logged and outlived."""
    while True:
        try:
            done = await once()
        except DependencyUnavailableError:
            done = None  # said by every request that needs the database
        except Exception as error:
            log.error("job_failed", job=job, exc_info=error)
            done = None
        if done is None or full_batch is None or done < full_batch:
            await asyncio.sleep(every_s)
