"""One browser and one demonstration for all tests that look at pages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from moderation.engines import EngineAddresses
from tests.browser.chromium import Chromium, Page, find_chromium, running_chromium
from tests.demonstration import RunningDemonstration, demonstration_settings, running_demonstration


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    program = find_chromium()
    if program is None:
        pytest.skip("Chromium is not installed")
    async with running_chromium(program) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def demonstration(
    fresh_database_url: str, running_engines: EngineAddresses, tmp_path: Path
) -> AsyncIterator[RunningDemonstration]:
    assert running_engines.redis_url is not None
    settings = demonstration_settings(fresh_database_url, running_engines.redis_url, tmp_path)
    async with running_demonstration(settings) as demo:
        yield demo


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Chromium) -> AsyncIterator[Page]:
    async with chromium.page() as tab:
        yield tab
