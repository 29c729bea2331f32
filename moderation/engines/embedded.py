"""Both engines under one owner: started, supervised, stopped, and found by other processes."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from moderation.engines.accounts import choose_account
from moderation.engines.errors import EngineError, EnginesInUseError, EnginesNotReadyError
from moderation.engines.ownership import EngineAddresses, OwnerRecord, Ownership, current_owner
from moderation.engines.postgres import PostgresEngine, postgres_answers
from moderation.engines.sockets import make_socket_folder, remove_socket_folder, sweep_temporary
from moderation.engines.valkey import ValkeyEngine, valkey_answers

_log = structlog.get_logger(__name__)

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_STEADY_S = 60.0  # an engine that lived so long begins again with the shortest pause
_LOG_LIMIT_BYTES = 10 * 1024 * 1024
_LOG_CHECK_EVERY_S = 60.0
_POLL_S = 0.05
SILENCE_S = 8.0
"""After which somebody who waits for another process's engines is told so; longer than a look that gets no answer."""

Engine = PostgresEngine | ValkeyEngine


class EmbeddedEngines:
    """PostgreSQL and Valkey of one data directory, owned by this object while it holds the directory's lock.

    Parameters
    ----------
    data_dir : made when missing, with everything below it.
    postgres, valkey : False where an outside server takes the engine's place; its address is then empty.
    user : the account to run as when this process is root; see `choose_account`.
    lock_wait_s : how long `start` waits for another owner, such as a short command, to end; not for a service that runs.
    is_lasting : whether the owner is a service, which goes on until it is told to stop.

    The thread that calls `start` and `supervise` has to live as long as the engines: the kernel takes its end for the
    owner's death. A process that owns engines must not fork without exec: the copy would hold the lock too.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        postgres: bool = True,
        valkey: bool = True,
        user: str | None = None,
        lock_wait_s: float = 1.0,
        is_lasting: bool = False,
    ) -> None:
        self._data_dir = data_dir
        wanted: dict[type[Engine], bool] = {PostgresEngine: postgres, ValkeyEngine: valkey}
        self._kinds = [kind for kind, is_wanted in wanted.items() if is_wanted]
        self._user = user
        self._lock_wait_s = lock_wait_s
        self._is_lasting = is_lasting
        self._ownership: Ownership | None = None
        self._socket_folder: Path | None = None
        self._engines: list[Engine] = []
        self._is_stopping = False
        self.restarts = {"postgres": 0, "valkey": 0}

    @property
    def is_owner(self) -> bool:
        """Whether this object holds the data directory."""
        return self._ownership is not None and self._ownership.is_held

    async def start(self) -> EngineAddresses:
        """Own the data directory and bring its engines up; all or nothing.

        Leftovers of a killed owner are ended first, crash recovery is waited out. Raises EnginesInUseError when another
        process owns the directory, EngineError for everything else that an operator can mend.
        """
        assert self._ownership is None, "started already"
        self._is_stopping = False
        self._data_dir = await asyncio.to_thread(_make_data_dir, self._data_dir)
        self._ownership = Ownership(self._data_dir)
        try:
            left = await self._take(self._ownership)
            await asyncio.to_thread(self._prepare, self._ownership, left)
            for engine in self._engines:
                await engine.start()
            addresses = self._addresses()
            await asyncio.to_thread(self._publish, self._ownership, addresses)
        except BaseException as error:
            await self.stop()
            if isinstance(error, PermissionError):
                raise EngineError(_explain(error, self._data_dir)) from error
            raise
        return addresses

    async def _take(self, ownership: Ownership) -> OwnerRecord:
        until_s = time.monotonic() + self._lock_wait_s
        is_told = False
        while True:
            try:
                return await asyncio.to_thread(ownership.take)
            except EnginesInUseError as refused:
                if refused.is_lasting or time.monotonic() > until_s:
                    raise
                if not is_told:
                    _log.warning("engines_in_use", pid=refused.pid or None, wait_s=self._lock_wait_s)
                    is_told = True
            await asyncio.sleep(_POLL_S)

    def _publish(self, ownership: Ownership, addresses: EngineAddresses | None) -> None:
        folder = str(self._socket_folder or "")
        ownership.publish(socket_folder=folder, addresses=addresses, is_lasting=self._is_lasting)

    def _prepare(self, ownership: Ownership, left: OwnerRecord) -> None:
        account = choose_account(self._data_dir, user=self._user)
        if account is not None and self._kinds:
            _log.info("engines_run_as", user=account.name)
        if left.socket_folder:
            sweep_temporary(Path(left.socket_folder), self._data_dir, account)
        folder = self._socket_folder = make_socket_folder(self._data_dir, account)
        ownership.publish(socket_folder=str(folder), addresses=None)
        self._engines = [kind(self._data_dir, folder, account) for kind in self._kinds]
        for engine in self._engines:
            _bound_log(engine.log)

    def _addresses(self) -> EngineAddresses:
        urls = {engine.name: engine.url for engine in self._engines}
        return EngineAddresses(database_url=urls.get("postgres", ""), redis_url=urls.get("valkey", ""))

    async def supervise(self) -> None:
        """Restart each engine that ends, and keep the logs bounded, until cancelled.

        Never gives up: the pause doubles from 0.2 s to 10 s, and `restarts` counts. To be cancelled before `stop`.
        """
        async with asyncio.TaskGroup() as group:
            for engine in self._engines:
                group.create_task(self._keep_alive(engine))
            group.create_task(self._keep_logs_bounded())

    async def _keep_alive(self, engine: Engine) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            process = engine.process
            assert process is not None, "started before it is supervised"
            exit_code = await process.wait()
            if self._is_stopping:
                return
            if time.monotonic() - process.started_s > _STEADY_S:
                pause_s = _FIRST_PAUSE_S
            _log.error("engine_ended", engine=engine.name, exit_code=exit_code, pause_s=pause_s)
            pause_s = await self._bring_back(engine, pause_s)

    async def _bring_back(self, engine: Engine, pause_s: float) -> float:
        """Restart until it works; the pause to begin with when the engine ends again soon."""
        is_back = False
        while not is_back:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            self.restarts[engine.name] += 1
            is_back = await self._restart(engine)
        return pause_s

    async def _restart(self, engine: Engine) -> bool:
        try:
            await engine.start()
        except Exception as error:  # noqa: BLE001 - whatever it was, giving up would leave the service without its engine
            # A full disk, say. The next round tries again; until then the service answers 503 or limits coarsely.
            _log.error(
                "engine_restart_failed", engine=engine.name, reason=_reason(error), log=str(engine.log)
            )
            await engine.stop()
            return False
        _log.warning("engine_restarted", engine=engine.name, restarts=self.restarts[engine.name])
        return True

    async def _keep_logs_bounded(self) -> None:
        while True:
            await asyncio.sleep(_LOG_CHECK_EVERY_S)
            for engine in self._engines:
                try:
                    await asyncio.to_thread(_bound_log, engine.log)
                except OSError as error:  # a full disk must not end the supervision of the engines
                    _log.error("engine_log_not_bounded", engine=engine.name, reason=type(error).__name__)

    def say_farewell(self) -> None:
        """Tell others that the engines are to stop: whoever starts next waits for their end."""
        if self._ownership is not None and self._ownership.is_held:
            self._publish(self._ownership, None)

    async def stop(self) -> None:
        """End the engines in reverse order, then give the directory back; harmless when nothing runs."""
        self._is_stopping = True
        ownership, self._ownership = self._ownership, None
        if ownership is None or not ownership.is_held:
            return
        try:
            await asyncio.to_thread(self._publish, ownership, None)
            for engine in reversed(self._engines):
                await engine.stop()
            if self._socket_folder is not None:
                await asyncio.to_thread(remove_socket_folder, self._socket_folder)
        finally:
            self._engines, self._socket_folder = [], None
            ownership.release()

    @classmethod
    async def attach(
        cls, data_dir: Path, *, deadline_s: float, on_silence: Callable[[int], None] = lambda _: None
    ) -> EngineAddresses | None:
        """Find the engines that another living process owns; None when nobody does.

        An owner that is still starting, or whose engine is being restarted, is waited for; `on_silence` is told its pid when
        its engines do not answer after `SILENCE_S`. Raises EnginesNotReadyError after `deadline_s`.
        """
        began_s = time.monotonic()
        until_s, is_told = began_s + deadline_s, False
        while (owner := await asyncio.to_thread(current_owner, data_dir)) is not None:
            if owner.addresses is not None and await _answer(owner.addresses):
                return owner.addresses
            if time.monotonic() > until_s:
                raise EnginesNotReadyError(
                    f"process {owner.pid} owns {data_dir}, but its engines did not answer within {deadline_s:.0f} s"
                )
            if not is_told and time.monotonic() > began_s + SILENCE_S:
                on_silence(owner.pid)
                is_told = True
            await asyncio.sleep(_POLL_S)
        return None


@asynccontextmanager
async def engines_for(
    data_dir: Path,
    *,
    postgres: bool = True,
    valkey: bool = True,
    user: str | None = None,
    deadline_s: float = 600.0,
    on_silence: Callable[[int], None] = lambda _: None,
) -> AsyncIterator[EngineAddresses]:
    """Use the engines of their living owner, or own them for the duration; for commands.

    When the engines are another process's, they end with it: what the block does then fails as with any lost server.
    """
    engines = EmbeddedEngines(data_dir, postgres=postgres, valkey=valkey, user=user, lock_wait_s=0.0)
    addresses = await _attach_or_start(engines, data_dir, deadline_s, on_silence)
    supervisor = asyncio.create_task(engines.supervise()) if engines.is_owner else None
    try:
        yield addresses
    finally:
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait((supervisor,))
            await engines.stop()


async def _attach_or_start(
    engines: EmbeddedEngines, data_dir: Path, deadline_s: float, on_silence: Callable[[int], None]
) -> EngineAddresses:
    until_s = time.monotonic() + deadline_s
    while True:
        left_s = max(0.0, until_s - time.monotonic())
        addresses = await engines.attach(data_dir, deadline_s=left_s, on_silence=on_silence)
        if addresses is not None:
            return addresses
        try:
            return await engines.start()
        except EnginesInUseError:
            if time.monotonic() > until_s:
                raise
        await asyncio.sleep(_POLL_S)


async def _answer(addresses: EngineAddresses) -> bool:
    if addresses.database_url and not await postgres_answers(addresses.database_url):
        return False
    return not addresses.redis_url or await valkey_answers(addresses.redis_url)


def _reason(error: Exception) -> str:
    # A full disk stops us before the engine, whose own log then says nothing of it.
    said = error.strerror if isinstance(error, OSError) else None
    return said or type(error).__name__


def _explain(error: PermissionError, data_dir: Path) -> str:
    return (
        f"this process may not use {error.filename or data_dir}. If another user set {data_dir} up, start the service as "
        "that user, or hand the folder over with chown -R. If this is a root without its usual rights (a container "
        "without CAP_CHOWN or CAP_DAC_OVERRIDE), start it as an ordinary user"
    )


def _make_data_dir(data_dir: Path) -> Path:
    # Made by root it lets the engines' account through to its own folders; what lies in it is closed by itself.
    data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    return data_dir.resolve(strict=True)


def _bound_log(log: Path) -> None:
    """Move what an engine wrote aside when it is too much; the engine goes on appending to the emptied file."""
    if log.is_file() and not log.is_symlink() and log.stat().st_size > _LOG_LIMIT_BYTES:
        aside = log.with_suffix(".log.1")
        aside.unlink(missing_ok=True)
        shutil.copyfile(log, aside, follow_symlinks=False)
        aside.chmod(0o600)
        os.truncate(log, 0)
