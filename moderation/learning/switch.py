"""Every process follows what is in force: it asks the database every two seconds and loads what it has not yet.

A version is taken only whole: its files are compared with their hashes, written to a private folder, audited by `classifiers`
and loaded, all beside the scoring; then one assignment puts it in force. What cannot be loaded is refused: the model before
stays, an alarm is raised, and it is tried again later. While PostgreSQL is away the present models stay.
"""

import asyncio
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from classifiers.errors import ClassifierError
from moderation.domain.ids import SiteId
from moderation.learning.engine import ActiveModel, LoadedModel
from moderation.storage.database import Connection, Database
from moderation.storage.models import EVERYWHERE, active_versions, read_files
from moderation.storage.repetition import repeat
from moderation.telemetry import MODEL_REFUSALS, MODELS_REFUSED

EVERY_S = 2.0
RETRY_REFUSED_S = 60.0
REFUSALS = (ClassifierError, OSError, TypeError, ValueError)
"""What loading a damaged or foreign version raises."""

log = structlog.get_logger()


class ModelSwitch:
    """Keeps an `ActiveModel` at what the database says."""

    def __init__(self, database: Database, active: ActiveModel, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._active = active
        self._every_s = every_s
        self._loaded: dict[str, LoadedModel] = {}
        self._refused: dict[str, float] = {}
        self._in_force: dict[SiteId, LoadedModel | None] = {}
        self._wanted: dict[SiteId, str | None] = {}

    async def watch(self) -> None:
        """Follow until cancelled."""
        await repeat(self.refresh, job="models", every_s=self._every_s)

    async def refresh(self) -> None:
        """Look once, and switch where something else is in force now."""
        async with self._database.connection() as connection:
            wanted = await active_versions(connection)
        due = self._due(wanted)
        if wanted == self._wanted and not due:
            return
        for version in due:
            await self._load(version)
        self._switch(wanted)

    def _due(self, wanted: Mapping[SiteId, str | None]) -> list[str]:
        now = time.monotonic()
        versions = {version for version in wanted.values() if version is not None} - self._loaded.keys()
        return sorted(v for v in versions if now - self._refused.get(v, -RETRY_REFUSED_S) >= RETRY_REFUSED_S)

    async def _load(self, version: str) -> None:
        async with self._database.connection() as connection:
            files = await read_files(connection, version)
        try:
            self._loaded[version] = await asyncio.to_thread(load_files, files, version)
        except REFUSALS as error:
            self._refused[version] = time.monotonic()
            MODEL_REFUSALS.inc()
            log.error("model_refused", model=version, error=type(error).__name__)
        else:
            self._refused.pop(version, None)

    def _switch(self, wanted: Mapping[SiteId, str | None]) -> None:
        """Put in force what is loaded; a scope whose version was refused keeps what it had."""
        before = self._in_force
        now: dict[SiteId, LoadedModel | None] = {}
        for scope, version in wanted.items():
            if version is None or version in self._loaded:
                now[scope] = None if version is None else self._loaded[version]
            elif scope in before:
                now[scope] = before[scope]
        self._active.put_in_force(
            now.get(EVERYWHERE), {scope: loaded for scope, loaded in now.items() if scope != EVERYWHERE}
        )
        self._in_force, self._wanted = now, dict(wanted)
        self._forget()
        for scope, loaded in now.items():
            if loaded is not before.get(scope):
                log.info("model_switched", site_id=scope, model=loaded.model if loaded else "shipped")

    def _forget(self) -> None:
        """Drop models that are in force nowhere, and count the refused ones."""
        used = set(map(id, self._in_force.values()))
        self._loaded = {version: loaded for version, loaded in self._loaded.items() if id(loaded) in used}
        wanted = set(self._wanted.values())
        self._refused = {version: at for version, at in self._refused.items() if version in wanted}
        MODELS_REFUSED.set(len(self._refused))


async def is_refused(connection: Connection, version: str) -> bool:
    """Tell whether this program cannot load a version."""
    files = await read_files(connection, version)
    try:
        await asyncio.to_thread(load_files, files, version)
    except REFUSALS:
        return True
    return False


def load_files(files: Mapping[str, bytes], version: str) -> LoadedModel:
    """Load an artefact from its files. Raises `ClassifierError`, or `ValueError` where they make another version."""
    with tempfile.TemporaryDirectory(prefix="moderation-model-") as name:
        write_files(files, Path(name))
        loaded = LoadedModel.open(Path(name))
    if loaded.model != version:
        raise ValueError("the files make another version than they are kept as")
    return loaded


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder. Raises `ValueError` for a path that leads out of it."""
    for path, content in files.items():
        target = folder / path
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise ValueError("a file of the model has no place in its folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
