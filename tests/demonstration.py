"""The demonstration and the service beside it in this process, on the real engines, listening as they do in use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp.test_utils import TestServer

from moderation import settings as settings_module
from moderation.app import create_app
from moderation.demo import Demonstration
from moderation.privacy.keys import Keyring, load_keyring
from moderation.settings import Settings
from tests.program import free_port


@dataclass(frozen=True)
class RunningDemonstration:
    """Where the service answers, and what was announced."""

    settings: Settings
    url: str
    announcement: str
    receiver: str
    """The address of the receiver's page."""


def demonstration_settings(database_url: str, redis_url: str, data_dir: Path) -> Settings:
    """Settings as the supervisor hands them over once the engines run."""
    return settings_module.load(
        {
            "MODERATION_DATABASE_URL": database_url,
            "MODERATION_REDIS_URL": redis_url,
            "MODERATION_DATA_DIR": str(data_dir),
            "MODERATION_PORT": str(free_port()),
            "MODERATION_SCORE_DEADLINE_MS": "20000",
            "MODERATION_SECRET_KEYS": Keyring.new().as_text(),
        }
    )


@asynccontextmanager
async def running_demonstration(settings: Settings) -> AsyncIterator[RunningDemonstration]:
    """Run both until the block ends."""
    async with Demonstration(settings) as demonstration:
        server = TestServer(create_app(settings, load_keyring(settings)), port=settings.port)
        await server.start_server(access_log=None)
        try:
            text = demonstration.announcement(settings.url)
            yield RunningDemonstration(settings, settings.url, text, _receiver(text))
        finally:
            await server.close()


def _receiver(announcement: str) -> str:
    (line,) = (line for line in announcement.splitlines() if "what the site has heard" in line)
    return line.split()[-1]
