"""Somebody who may come in, and a browser that did not yet."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.console import Account, Browser, add_account, browser
from tests.service import RunningService


@pytest_asyncio.fixture(loop_scope="session")
async def account(service: RunningService) -> Account:
    return await add_account(service, {service.site.id: "moderator"}, name="هدى")


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(service: RunningService) -> AsyncIterator[Browser]:
    async with browser(service) as found:
        yield found
