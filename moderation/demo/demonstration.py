"""What `serve --demo` adds to the service, in the supervisor's process: the site, and the receiver of its events."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from moderation.demo.announcement import announcement
from moderation.demo.receiver import Receiver
from moderation.demo.seeding import FirstKeys, open_secrets, seed
from moderation.domain.clock import utc_now
from moderation.privacy.keys import load_keyring
from moderation.privacy.vault import KeyedVault
from moderation.settings import Settings
from moderation.storage.database import Database

_CONNECTIONS = 2


class Demonstration:
    """Seeds an empty database and receives the events of site `demo`. Use as an asynchronous context manager.

    The schema must be up to date and the keys made. Raises `DemonstrationError` for a database that holds other sites.
    """

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url is not None
        self._settings = settings
        self._database = Database(settings.database_url, size=_CONNECTIONS)
        self._vault = KeyedVault(load_keyring(settings))
        self._receiver = Receiver(lambda: open_secrets(self._database, self._vault), clock=utc_now)
        self._keys = FirstKeys()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._database.close)
            await stack.enter_async_context(self._receiver.listening(near=self._settings.port + 1))
            self._keys = await seed(
                self._database, self._vault, url=self._settings.url, webhook_url=self._receiver.webhook_url
            )
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def announcement(self, url: str) -> str:
        """Return what is printed once the service answers at ``url``; keys stand in it only at the first start."""
        return announcement(url, self._receiver.page_url, self._keys, self._settings.data_dir)
