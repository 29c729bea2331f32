"""`moderation models retrain --site S | --all-sites`: from a site's own decisions in the database, to a version in force."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from classifiers.errors import ClassifierError, LabelsError
from moderation.cli.beside import Beside, beside
from moderation.cli.desk import Desk, open_desk
from moderation.cli.failures import FAILED, Failure, failure
from moderation.cli.output import plain, table
from moderation.cli.retraining import KEPT_AS_CANDIDATE
from moderation.cli.terminal import Terminal
from moderation.domain.clock import utc_now
from moderation.domain.errors import ConflictError, DependencyUnavailableError, UnknownSiteError
from moderation.domain.ids import SiteId
from moderation.storage import models
from moderation.storage.administration.finding import find_site_id
from moderation.storage.collection import CollectedLabel, stream_labels
from moderation.storage.database import AWAY, Connection, connect
from moderation.storage.directory import load_site

if TYPE_CHECKING:
    from moderation.learning.retraining import Outcome, Work

_SITES = """
SELECT id, name FROM sites WHERE removed_at IS NULL ORDER BY name
"""
_OF_ONE_SITE = (ClassifierError, OSError, DependencyUnavailableError, asyncpg.PostgresError, *AWAY)
"""What keeps one site from being trained and others perhaps not: a damaged model, a full disk, a lost connection."""
_REMOVED = "the site was removed meanwhile"
_BACK_WITHIN_S = 60.0
"""PostgreSQL is waited for between two sites; then the rest of the night is given up."""
_ASK_AGAIN_S = 0.5


@dataclass(slots=True)
class _Opened:
    desk: Desk
    connection: Connection
    """Holds the lock of retraining, and writes what comes of it: without the one the other cannot happen."""


def retrain_sites(terminal: Terminal, site: str | None, *, promotes: bool = True) -> None:
    """Retrain one site, or with None every site; show what came of it and exit with the promised code."""
    with beside(_open(terminal)) as far:
        found = far.call(_sites(far.opened, site))
        if site is not None:
            try:
                outcomes = [_retrain(far, found[0][0], promotes=promotes, is_alone=True)]
            except UnknownSiteError as error:
                raise Failure(f"{site}: {_REMOVED}") from error
        else:
            outcomes = _retrain_each(terminal, far, found, promotes=promotes)
    _show(terminal, outcomes)
    statuses = {outcome.status for outcome in outcomes}
    if statuses & {"failed", "candidate"}:
        sys.exit(FAILED if "failed" in statuses else KEPT_AS_CANDIDATE)


def _retrain_each(
    terminal: Terminal, far: Beside[_Opened], sites: Sequence[tuple[SiteId, str]], *, promotes: bool
) -> "list[Outcome]":
    """Retrain one site after the other, past those that fail; without PostgreSQL all that are left fail."""
    from moderation.learning.retraining import Outcome

    outcomes: list[Outcome] = []
    for site_id, name in sites:
        try:
            far.call(_hold_lock(far.opened))
        except (ConflictError, DependencyUnavailableError) as error:
            return outcomes + [_failed(terminal, left, error) for _, left in sites[len(outcomes) :]]
        try:
            outcomes.append(_retrain(far, site_id, promotes=promotes, is_alone=False))
        except UnknownSiteError:
            outcomes.append(Outcome(name, "skipped", why=_REMOVED))
        except _OF_ONE_SITE as error:
            outcomes.append(_failed(terminal, name, error))
    return outcomes


def _failed(terminal: Terminal, name: str, error: Exception) -> "Outcome":
    """Say what went wrong with a site, so that the others get their night all the same."""
    from moderation.learning.retraining import Outcome

    why = failure(error).message
    terminal.warn(f"{name}: failed: {why}")
    return Outcome(name, "failed", why=why)


@asynccontextmanager
async def _open(terminal: Terminal) -> AsyncIterator[_Opened]:
    async with open_desk(terminal.settings()) as desk:
        opened = _Opened(desk, await _locked(desk.url))
        try:
            yield opened
        finally:
            await opened.connection.close()


async def _locked(url: str) -> Connection:
    """Connect, and take the lock of retraining. Raises `ConflictError` while another run holds it."""
    from moderation.learning.retraining import take_lock

    connection = await connect(url, command_timeout_s=None)  # the labels of years may take their time
    try:
        await take_lock(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _hold_lock(opened: _Opened) -> None:
    """Hold the lock again where its connection was lost; the server may take a while to come back, or to see the loss itself.

    Raises `DependencyUnavailableError` or `ConflictError` after `_BACK_WITHIN_S`.
    """
    until_s = time.monotonic() + _BACK_WITHIN_S
    while opened.connection.is_closed():
        try:
            opened.connection = await _locked(opened.desk.url)
        except (ConflictError, *AWAY) as error:
            if time.monotonic() > until_s:
                if isinstance(error, ConflictError):
                    raise
                raise DependencyUnavailableError("postgresql") from error
            await asyncio.sleep(_ASK_AGAIN_S)


async def _sites(opened: _Opened, site: str | None) -> list[tuple[SiteId, str]]:
    async with opened.desk.database.connection() as connection:
        if site is not None:
            return [(await find_site_id(connection, site), site)]
        return [(SiteId(row["id"]), row["name"]) for row in await connection.fetch(_SITES)]


def _retrain(far: Beside[_Opened], site_id: SiteId, *, promotes: bool, is_alone: bool) -> "Outcome":
    from moderation.cli.retraining import Bar
    from moderation.learning.retraining import Outcome, keep, train

    opened = far.opened
    with tempfile.TemporaryDirectory(prefix="moderation-retrain-") as name, Bar() as bar:
        work = far.call(_prepare(opened, site_id, Path(name)))
        try:
            _, new = train(work, far.stream(_labels(opened, site_id)), bar)
        except LabelsError as error:
            refitted = _refit(far, work, promotes=promotes)
            if refitted is None and is_alone:
                raise
            return refitted or Outcome(work.site, "skipped", why=str(error))
        outcome = far.call(
            keep(opened.connection, work, new, actor=opened.desk.actor, clock=utc_now, promotes=promotes)
        )
        if outcome.status == "candidate" and promotes:
            return _refit(far, work, promotes=True, instead_of=outcome) or outcome
        return outcome


def _refit(
    far: Beside[_Opened], work: "Work", *, promotes: bool, instead_of: "Outcome | None" = None
) -> "Outcome | None":
    """Give a site that has no model of its own yet two numbers for each output; None where there is no ground for any."""
    from moderation.learning.refitting import MOST_DECISIONS, Request, errors_of, refit
    from moderation.learning.retraining import keep

    opened = far.opened
    if not far.call(_may_refit(opened, work)):
        return None
    labels = list(islice(far.stream(_labels(opened, work.site_id)), MOST_DECISIONS))
    recent, shares = far.call(_recent(opened, work))
    new = refit(Request(work.site_id, work.site, labels, recent, shares, work.folder, work.seen_until))
    if new is None:
        return None
    outcome = far.call(
        keep(opened.connection, work, new, actor=opened.desk.actor, clock=utc_now, promotes=promotes)
    )
    why = "; ".join(filter(None, [outcome.why, instead_of.why if instead_of else None])) or None
    return replace(outcome, why=why, errors=errors_of(new))


async def _may_refit(opened: _Opened, work: "Work") -> bool:
    from moderation.learning.refitting import REFITTED

    if work.active_version is None:
        return True
    async with opened.desk.database.connection() as connection:
        return (await models.find_model(connection, work.active_version)).kind == REFITTED


async def _recent(opened: _Opened, work: "Work") -> tuple[list[str], dict[str, float]]:
    """Return the texts of the latest comments, decided or not, and the shares that the site states."""
    async with opened.desk.database.connection() as connection:
        site = await load_site(connection, work.site_id)
        rows = await connection.fetch(
            "SELECT text FROM comments WHERE site_id = $1 AND text <> '' ORDER BY id DESC LIMIT 2000",
            work.site_id,
            timeout=60,
        )
    stated = {"spam": site.settings.share_spam, "abuse": site.settings.share_abuse}
    return [row["text"] for row in rows], {
        output: part for output, part in stated.items() if part is not None
    }


async def _prepare(opened: _Opened, site_id: SiteId, folder: Path) -> "Work":
    from moderation.learning.retraining import Work
    from moderation.learning.switch import is_refused, write_files

    async with opened.desk.database.connection() as connection:
        site = await load_site(connection, site_id)
        version = await models.active_version(connection, site_id)
        files = report = saw = None
        # Where this program refuses it, as after an upgrade, the shipped model judges the site, and is what the new one is compared with.
        if version is not None and not await is_refused(connection, version):
            files = await models.read_files(connection, version)
            line = await models.find_model(connection, version)
            if site_id in line.learned_from:
                report, saw = (await models.read_details(connection, version))[1], line.seen_until
        now = await connection.fetchval("SELECT now()")
    active = None
    if files:
        active = folder / "active"
        await asyncio.to_thread(write_files, files, active)
    return Work(
        site_id,
        site.name,
        folder,
        active,
        version,
        thresholds=site.policy.thresholds,
        seen_until=now,
        active_report=report,
        active_saw=saw,
    )


async def _labels(opened: _Opened, site_id: SiteId) -> AsyncIterator[CollectedLabel]:
    """Stream the labels as of one moment."""
    async with opened.connection.transaction(isolation="repeatable_read", readonly=True):
        async for label in stream_labels(opened.connection, [site_id]):
            yield label


def _show(terminal: Terminal, outcomes: Sequence["Outcome"]) -> None:
    if not outcomes:
        raise Failure("there is no site")
    shown = [plain(outcome) for outcome in outcomes]
    terminal.show(shown[0] if len(shown) == 1 else shown, lambda: "\n\n".join(map(_words, outcomes)))


def _words(outcome: "Outcome") -> str:
    if outcome.errors is not None:
        return _refit_words(outcome)
    if outcome.report is None:
        return f"{outcome.site}: {outcome.status}: {outcome.why}"
    before = outcome.previous or "the shipped model"
    verdict = {
        "promoted": f"{outcome.version} is in force; before: {before}",
        "unchanged": f"{outcome.version} was there already; in force: {before}",
        "candidate": f"{outcome.version} is kept as a candidate: {outcome.why}; in force stays {before}",
    }[outcome.status]
    from moderation.cli.model_reports import report_words

    return f"{outcome.site}\n\n{report_words(outcome.report)}\n\n{verdict}"


def _refit_words(outcome: "Outcome") -> str:
    rows = [{"output": output, **measured} for output, measured in (outcome.errors or {}).items()]
    columns = (
        "output",
        "by",
        "rows",
        "log_loss_before",
        "log_loss_after",
        "calibration_error_before",
        "calibration_error_after",
    )
    why = f" ({outcome.why})" if outcome.why else ""
    return (
        f"{outcome.site}: two numbers for each output: {outcome.version}, {outcome.status}{why}\n\n"
        + table(rows, columns, empty="")
    )
