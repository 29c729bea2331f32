from collections.abc import AsyncIterator

import pytest_asyncio

from moderation.engines import EngineAddresses
from tests.akismet_site import BANNED, AkismetSite, akismet_site


@pytest_asyncio.fixture(loop_scope="session")
async def site(fresh_database_url: str, running_engines: EngineAddresses) -> AsyncIterator[AkismetSite]:
    """A site in mode `post` under `BANNED`."""
    async with akismet_site(fresh_database_url, running_engines.redis_url, policy=BANNED) as running:
        yield running
