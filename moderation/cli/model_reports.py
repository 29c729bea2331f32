"""The report of a retraining, for a terminal: what was measured, what would change; ids only."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from moderation.cli.desk import Desk
from moderation.cli.failures import Failure
from moderation.cli.output import table
from moderation.cli.terminal import PAGE_LANGUAGE, Terminal, with_terminal
from moderation.storage import models
from moderation.storage.administration.changes import audit

_COLUMNS = ("output", "part", "rows", "positive", "auc before", "auc", "log-loss before", "log-loss")
_SHOWN = 10


def report_words(report: Mapping[str, Any]) -> str:
    """Return a report for a terminal."""
    parts = [
        table(
            [_row(one) for one in report["slices"]],
            _COLUMNS,
            empty="No part of the untouched rows could be judged.",
        ),
        _changes(report["changes"]),
    ]
    outliers = [one for one in report["labellers"] if one["is_outlier"]]
    if outliers:
        parts.append(outliers_words(outliers))
    if report["notes"]:
        from classifiers.site.reports import Note

        parts.append("\n".join(f"{note.code}: {note.words()}" for note in map(Note.of, report["notes"])))
    return "\n\n".join(parts)


def outliers_words(outliers: Sequence[Mapping[str, Any]]) -> str:
    """Return whose labels are far from everybody else's."""
    lines = [
        f"  {one['actor']}: {one['output']}, {one['contradicted']:.0%} of {one['labels']} labels"
        for one in outliers
    ]
    return "\n".join(["labels far from everybody else's, counted less:", *lines])


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    measures = one["measures"]
    return {
        "output": one["output"],
        "part": one["name"] if one["kind"] == "all" else f"{one['kind']} {one['name']}",
        "rows": one["rows"],
        "positive": one["positives"],
        "auc before": _interval(measures.get("active"), "auc"),
        "auc": _interval(measures.get("new"), "auc"),
        "log-loss before": _interval(measures.get("active"), "log_loss"),
        "log-loss": _interval(measures.get("new"), "log_loss"),
    }


def _interval(measures: Mapping[str, Any] | None, name: str) -> str | None:
    found = (measures or {}).get(name)
    if not found or found["value"] is None:
        return None
    return f"{found['value']:.3f} [{_number(found['low'])}, {_number(found['high'])}]"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"


def _changes(changes: Mapping[str, Any]) -> str:
    lines = [
        f"{name}: {changes['before'].get(name, 0):.1%} of the untouched comments before, {changes['after'].get(name, 0):.1%} now"
        for name in ("approve", "hold", "reject")
    ]
    moved = changes.get("differently") or []
    if moved:
        lines.append(f"judged differently, {len(moved)} of them:")
        lines += [f"  {one.get('id')}: {one.get('before')} → {one.get('after')}" for one in moved[:_SHOWN]]
    return "\n".join(lines)


@click.command("report")
@click.argument("version")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as a page, with plots, to a new file.",
)
@click.option(
    "--language", type=PAGE_LANGUAGE, help="Of the page.  [default: the site's, if there are words in it]"
)
@click.option(
    "--texts",
    "has_texts",
    is_flag=True,
    help="With the comments' texts in the page; the audit tells who looked.",
)
@with_terminal
def report(
    terminal: Terminal, version: str, page: Path | None, language: str | None, *, has_texts: bool
) -> None:
    """Show the report that was kept with a version: what was measured, what would change. It holds comment ids only."""
    if has_texts and page is None:
        raise click.UsageError("--texts needs --html FILE")
    found, refusals, texts, spoken = terminal.run(lambda desk: _read(desk, version, has_texts=has_texts))
    if page is not None:
        from classifiers.site.page import render

        content = render(found, refusals, texts, language=language or spoken)
        with open(page, "x", encoding="utf-8", opener=_private) as file:
            file.write(content)
    elif not terminal.is_json:
        from classifiers.site.kept import read_report

        found = read_report(found)
    shown = {"version": version, "file": page, "report": found, "refusals": refusals}
    terminal.show(shown, lambda: f"written to {page}" if page is not None else report_words(found))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


async def _read(
    desk: Desk, version: str, *, has_texts: bool
) -> tuple[dict[str, Any], list[Any], dict[str, str], str]:
    async with desk.database.transaction() as connection:
        line = await models.find_model(connection, version)
        _, found = await models.read_details(connection, version)
        if found is None:
            raise Failure(f"{version} has no report")
        spoken = await connection.fetchval("SELECT language FROM sites WHERE id = $1", line.site_id)
        if spoken not in PAGE_LANGUAGE.choices:
            spoken = "en"
        if not has_texts:
            return found, list(line.refusals), {}, spoken
        ids = [one["id"] for one in found["changes"].get("differently") or [] if one.get("id")]
        rows = await connection.fetch(
            "SELECT id, text FROM comments WHERE id = ANY($1::uuid[]) AND site_id = ANY($2::integer[])",
            ids,
            list(line.learned_from),
        )
        await audit(
            connection,
            "model.report_read",
            actor=desk.actor,
            site_id=line.site_id,
            subject=version,
            texts=len(rows),
        )
    return found, list(line.refusals), {str(row["id"]): row["text"] for row in rows}, spoken
