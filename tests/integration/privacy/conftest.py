"""A vault for every test here, and the service with one site whose policy knows one banned word."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from moderation.engines import EngineAddresses
from moderation.privacy.keyring import Keyring
from moderation.privacy.vault import KeyedVault
from tests.integration.privacy.planting import POLICY
from tests.service import RunningService, running_service


@pytest.fixture
def vault() -> KeyedVault:
    return KeyedVault(Keyring.new())


@pytest_asyncio.fixture(loop_scope="session")
async def service(fresh_database_url: str, running_engines: EngineAddresses) -> AsyncIterator[RunningService]:
    async with running_service(fresh_database_url, running_engines.redis_url, policy=POLICY) as running:
        yield running
