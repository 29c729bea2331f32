"""`moderation comments import`: a site's archive, with what its own moderators decided."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moderation.cli.desk import Desk
from moderation.cli.failures import Failure
from moderation.cli.output import plain, printable, record
from moderation.cli.progress import progress
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.clock import utc_now
from moderation.protocols.imports.files import (
    FORMATS,
    OpenArchive,
    UnreadableFileError,
    chunks,
    lines,
    open_archive,
)
from moderation.protocols.imports.json_lines import read_json_lines
from moderation.protocols.imports.rows import STATES, Row
from moderation.protocols.imports.tables import FIELDS, MissingColumnError, read_table
from moderation.protocols.imports.wordpress_xml import BrokenExportError, read_wxr
from moderation.storage.administration.changes import audit
from moderation.storage.administration.finding import find_site_id
from moderation.storage.directory import load_site

if TYPE_CHECKING:
    from moderation.protocols.imports.importer import ImportReport

SHOWN = 20
_BROKEN = (BrokenExportError, MissingColumnError, UnreadableFileError)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", required=True, help="Whose comments they are.")
@click.option(
    "--format", "file_format", type=click.Choice(FORMATS), help="What FILE is.  [default: by its name]"
)
@click.option(
    "--column", "columns", multiple=True, metavar="FIELD=NAME", help="Which column of a CSV holds a field."
)
@click.option(
    "--state",
    "states",
    multiple=True,
    metavar="WORD=STATE",
    help="What a word for a state means, e.g. 2=approved.",
)
@click.option(
    "--encoding", help="Of FILE, e.g. windows-1256.  A byte order mark goes before it.  [default: UTF-8]"
)
@with_terminal
def import_comments(terminal: Terminal, file: Path, site: str, **options: Any) -> None:
    """Take in comments that were decided elsewhere: they become labels, make no event and are not judged.

    FILE is a WordPress export (.xml), WordPress's comments table as .csv, any .csv with columns text and state (or labels),
    or lines of JSON as POST /v1/comments/batch takes them; each also as .gz. The same file again changes nothing.
    """
    options["columns"] = _pairs(options["columns"], "--column", allowed=tuple(FIELDS), at=0)
    options["states"] = _pairs(options["states"], "--state", allowed=(*STATES, "spam"), at=1)
    report = terminal.run(lambda desk: _import(desk, site, file, options))
    _tell(terminal, report)
    result = {"site": site, **plain(report)}
    terminal.show(result, lambda: record(_words(site, report)))
    if report.broken is not None:
        raise Failure(f"{file}: {report.broken}; what stood before went in")
    if report.faulty and not (report.stored or report.known or report.labels):
        raise Failure(f"{file}: no row could be read")


async def _import(desk: Desk, site: str, file: Path, options: dict[str, Any]) -> "ImportReport":
    async with desk.database.connection() as connection:
        found = await load_site(connection, await find_site_id(connection, site))
    from moderation.protocols.imports.importer import Importer  # takes the whole intake in

    importer = Importer(desk.database, desk.vault, found, clock=utc_now)
    try:
        with open_archive(file, encoding=options["encoding"], file_format=options["file_format"]) as archive:
            await importer.take(_counted(_rows(archive, options), archive, file))
    except _BROKEN as error:
        if not importer.report.rows:
            raise Failure(f"{file}: {error}") from error
        importer.report.broken = str(error)
    except asyncio.CancelledError:  # somebody's Ctrl-C; a second one ends at once
        importer.report.broken = "broken off; the same command again goes on where this ended"
    report = importer.report
    async with (
        desk.database.transaction() as connection
    ):  # on the disk, and all that was stored before with it
        counts = {"stored": report.stored, "known": report.known, "labels": report.labels}
        await audit(
            connection, "comments.imported", actor=desk.actor, site_id=found.id, subject=site, **counts
        )
    return report


def _rows(archive: OpenArchive, options: dict[str, Any]) -> Iterator[Row]:
    if archive.format == "wxr":
        return read_wxr(chunks(archive))
    if archive.format == "csv":
        from classifiers.tables import opening  # what training reads is read alike

        return read_table(lines(archive), options["columns"], options["states"], opening=opening)
    return read_json_lines(lines(archive), options["states"])


def _counted(rows: Iterator[Row], archive: OpenArchive, file: Path) -> Iterator[Row]:
    with progress(file.stat().st_size, file.name, "B", scale=True) as bar:
        for row in rows:
            yield row
            bar.update(archive.position() - bar.n)


def _pairs(words: Sequence[str], option: str, *, allowed: Sequence[str], at: int) -> dict[str, str]:
    pairs = [(word.partition("=")[0], word.partition("=")[2]) for word in words]
    for word, pair in zip(words, pairs, strict=True):
        if not all(pair) or pair[at] not in allowed:
            raise click.UsageError(f"{option} {word!r} is not right; there is {', '.join(allowed)}")
    return dict(pairs)


def _tell(terminal: Terminal, report: "ImportReport") -> None:
    if terminal.is_json:
        return
    for fault in report.faults[:SHOWN]:
        terminal.warn(f"line {fault.line}: {printable(fault.reason)}")
    further = report.faulty + report.mended - min(SHOWN, len(report.faults))
    if further > 0:
        terminal.warn(f"and {further} more; --json names the first {len(report.faults)}")


def _words(site: str, report: "ImportReport") -> dict[str, Any]:
    return {
        "site": site,
        "rows": report.rows,
        "stored": report.stored,
        "known already": report.known,
        "by the site": dict(report.labelled),
        "labels besides": report.labels,
        "skipped": dict(report.skipped),
        "left out as faulty": report.faulty,
        "fields left out": report.mended,
    }
