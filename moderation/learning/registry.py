"""What admins do with model versions: keep, promote, go back, delete; each in one transaction, with who and why.

A version is loaded before it is promoted, so that a damaged one is refused here and not in every process.
"""

import asyncio
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from classifiers.artifacts import MANIFEST
from classifiers.errors import ForeignReportError
from classifiers.site.kept import read_report
from classifiers.site.scorer import PRIOR_FOLDER
from moderation.domain.clock import Clock
from moderation.domain.errors import ConflictError
from moderation.domain.ids import SiteId
from moderation.learning.engine import LoadedModel
from moderation.learning.switch import is_refused, load_files
from moderation.storage import models
from moderation.storage.database import Database
from moderation.storage.models import EVERYWHERE, NewModel, Switch

REPORT, PAGE = "report.json", "report.html"
ADDED = "added"
_MOST_REPORT_BYTES = 16 << 20
_MOST_REFUSALS = 1_000


@dataclass(frozen=True, slots=True)
class Added:
    """A version that was added, whether it was new, and what is to be said of it."""

    version: str
    is_new: bool
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A report, what it says against its model, and what is to be said of the report itself."""

    report: dict[str, Any] | None = None
    refusals: Sequence[dict[str, Any]] = ()
    remark: str | None = None


class Registry:
    """Model versions of one instance."""

    def __init__(self, database: Database, *, clock: Clock, actor: str) -> None:
        self._database = database
        self._clock = clock
        self._actor = actor

    async def add(self, folder: Path, site_id: SiteId | None) -> Added:
        """Keep the artefact in a folder as a candidate.

        What its own report says against it holds here, too. Raises `ClassifierError` for what is no whole artefact.
        """
        loaded = await asyncio.to_thread(LoadedModel.open, folder)
        files = await asyncio.to_thread(read_folder, folder)
        found = _report(files)
        new = NewModel(
            version=loaded.model,
            site_id=site_id,
            kind=ADDED,
            manifest=orjson.loads(files[MANIFEST]),
            files=files,
            seen_until=self._clock(),
            report=found.report,
            refusals=found.refusals,
        )
        async with self._database.transaction() as connection:
            is_new = await models.keep_model(connection, new, actor=self._actor)
        return Added(loaded.model, is_new, found.remark)

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
        """Put back what was in force before; return it and what it replaced. Raises `ConflictError`.

        Versions that this program refuses, as after an upgrade, are passed over: in force they would judge nothing.
        """
        async with self._database.transaction() as connection:
            return await models.rollback(
                connection,
                site_id or EVERYWHERE,
                actor=self._actor,
                reason=reason,
                clock=self._clock,
                is_refused=functools.partial(is_refused, connection),
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


def _report(files: Mapping[str, bytes]) -> _Found:
    """Read the report that lies with an artefact; it is no part of what the manifest vouches for, so it may be anything.

    What it says against its model holds in whatever form it stands; it is kept where this program can show it.
    """
    if REPORT not in files:
        return _Found()
    try:
        found = orjson.loads(files[REPORT])
    except orjson.JSONDecodeError:
        return _Found(remark=f"{REPORT} is not JSON; the version is kept without it")
    said = found.get("refusals") if isinstance(found, dict) else None
    refusals = [_refusal(one) for one in (said if isinstance(said, list) else [said] if said else [])]
    refusals = refusals[:_MOST_REFUSALS]
    try:
        return _Found(read_report(found), refusals)
    except ForeignReportError as error:
        return _Found(refusals=refusals, remark=f"{REPORT}: {error}; the version is kept without it")


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
    """Return the files of an artefact by their paths in it: what its manifest and its prior's name, its report and its page.

    Whatever else lies in the folder stays there. Raises `ClassifierError` where a report is larger than any is.
    """
    found = {}
    for part in (folder, folder / PRIOR_FOLDER):
        manifest = part / MANIFEST
        if not manifest.is_file():
            continue
        for name in (MANIFEST, *orjson.loads(manifest.read_bytes())["files"]):
            found[(part / name).relative_to(folder).as_posix()] = (part / name).read_bytes()
    for name in (REPORT, PAGE):
        path = folder / name
        if path.is_file() and not path.is_symlink():
            if path.stat().st_size > _MOST_REPORT_BYTES:
                raise ForeignReportError(f"{name} is larger than {_MOST_REPORT_BYTES >> 20} MB")
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
