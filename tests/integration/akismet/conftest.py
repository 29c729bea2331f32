from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from moderation.engines import EngineAddresses
from moderation.protocols import akismet_calls
from tests.akismet_site import BANNED, AkismetSite, akismet_site


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine be slow; the deadline has tests of its own."""
    for name in ("DEADLINE_S", "PATIENT_DEADLINE_S"):
        monkeypatch.setattr(akismet_calls, name, 30.0)


@pytest_asyncio.fixture(loop_scope="session")
async def site(fresh_database_url: str, running_engines: EngineAddresses) -> AsyncIterator[AkismetSite]:
    """A site in mode `post` under `BANNED`."""
    async with akismet_site(fresh_database_url, running_engines.redis_url, policy=BANNED) as running:
        yield running
