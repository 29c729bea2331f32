"""What admins do with model versions: keep, promote, go back, delete; each in one transaction, with who and why.

A version is loaded before it is promoted, so that a damaged one is refused here and not in every process.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from classifiers.artifacts import CARD, MANIFEST
from moderation.domain.clock import Clock
from moderation.domain.errors import ConflictError
from moderation.domain.ids import SiteId
from moderation.learning.engine import LoadedModel
from moderation.learning.switch import load_files
from moderation.storage import models
from moderation.storage.database import Database
from moderation.storage.models import EVERYWHERE, NewModel, Switch

REPORT = "report.json"
ADDED = "added"


class Registry:
    """Model versions of one instance."""

    def __init__(self, database: Database, *, clock: Clock, actor: str) -> None:
        self._database = database
        self._clock = clock
        self._actor = actor

    async def add(self, folder: Path, site_id: SiteId | None) -> tuple[str, bool]:
        """Keep the artefact in a folder as a candidate; return its version and whether it was new.

        What its own report says against it holds here, too. Raises `ClassifierError` for what is no whole artefact.
        """
        loaded = await asyncio.to_thread(LoadedModel.open, folder)
        files = await asyncio.to_thread(read_folder, folder)
        report = _report(files)
        new = NewModel(
            version=loaded.model,
            site_id=site_id,
            kind=ADDED,
            manifest=orjson.loads(files[MANIFEST]),
            files=files,
            seen_until=self._clock(),
            report=report,
            refusals=[_refusal(one) for one in report.get("refusals") or []] if report else [],
        )
        async with self._database.transaction() as connection:
            return loaded.model, await models.keep_model(connection, new, actor=self._actor)

    async def promote(
        self, version: str | None, site_id: SiteId | None, *, reason: str | None, is_forced: bool = False
    ) -> str | None:
        """Put a version in force for a site, or everywhere else; return the one before. None is the shipped model.

        Raises `NotFoundError`; `ConflictError` for another site's model, one in force already, or one that the gates refused
        unless ``is_forced``; `ClassifierError` or `ValueError` for a damaged one.
        """
        if version is not None:
            await self._check(version, site_id, is_forced=is_forced)
        change = Switch(site_id or EVERYWHERE, version, self._actor, reason)
        async with self._database.transaction() as connection:
            return await models.switch(connection, change, clock=self._clock)

    async def rollback(self, site_id: SiteId | None, *, reason: str | None) -> tuple[str | None, str | None]:
        """Put back what was in force before; return it and what it replaced. Raises `ConflictError`."""
        async with self._database.transaction() as connection:
            return await models.rollback(
                connection, site_id or EVERYWHERE, actor=self._actor, reason=reason, clock=self._clock
            )

    async def delete(self, version: str) -> None:
        """Delete a version that is not in force. Raises `NotFoundError` and `ConflictError`."""
        async with self._database.transaction() as connection:
            await models.delete_model(connection, version, actor=self._actor)

    async def _check(self, version: str, site_id: SiteId | None, *, is_forced: bool) -> None:
        async with self._database.connection() as connection:
            found = await models.find_model(connection, version)
            if found.site_id is not None and found.site_id != site_id:
                raise ConflictError(
                    f"{version} is the model of {found.site}: it was made of that site's comments alone."
                )
            if found.refusals and not is_forced:
                raise ConflictError(
                    f"{version} stayed a candidate: {refusal_words(found.refusals)}; --force promotes it all the same."
                )
            files = await models.read_files(connection, version)
        await asyncio.to_thread(load_files, files, version)


def _report(files: Mapping[str, bytes]) -> dict[str, Any] | None:
    """Return the report that lies with an artefact; it is no part of what the manifest vouches for, so it may be anything."""
    try:
        found = orjson.loads(files.get(REPORT, b"null"))
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("refusals", []), list) else None


def _refusal(said: Any) -> dict[str, Any]:
    """Return what such a report says against its model in the form of our own; whatever else it is, it still keeps a candidate."""
    one = said if isinstance(said, Mapping) else {"code": said}
    numbers, part = one.get("numbers"), one.get("part")
    kept = {
        str(name): value
        for name, value in (numbers.items() if isinstance(numbers, Mapping) else ())
        if isinstance(value, int | float)
    }
    named = part if isinstance(part, Mapping) and {"output", "name"} <= part.keys() else {}
    return {
        "code": str(one.get("code")),
        "where": str(one.get("where") or ""),
        "numbers": kept,
        "part": {str(name): str(value) for name, value in named.items()},
    }


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of an artefact: what its manifest names, its prior, its report and its card."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        is_known = path.suffix in {".json", ".npy", ".html"} or path.name == CARD
        if path.is_file() and not path.is_symlink() and is_known:
            found[name] = path.read_bytes()
    return found


def refusal_words(refusals: Any) -> str:
    """Word why a version stayed a candidate."""
    return "; ".join(_words(one) for one in refusals[:5]) + ("; …" if len(refusals) > 5 else "")


def _words(refusal: Any) -> str:
    if not isinstance(refusal, Mapping):
        return str(refusal)
    numbers = ", ".join(
        f"{name} {value:g}" for name, value in (refusal.get("numbers") or {}).items() if value is not None
    )
    told = ": ".join(filter(None, [refusal.get("where"), numbers]))
    return f"{refusal.get('code')} ({told})" if told else str(refusal.get("code"))
