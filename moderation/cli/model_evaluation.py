"""`moderation models evaluate|compare`: how good a model is on labelled texts, and what another would judge differently."""

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moderation.cli.failures import WrongUsage
from moderation.cli.labelled_files import column_options, wished, with_columns
from moderation.cli.model_versions import SHIPPED, model_folder
from moderation.cli.output import plain, table
from moderation.cli.progress import ELSEWHERE_S, progress
from moderation.cli.terminal import LANGUAGE_HELP, PAGE_LANGUAGE, Terminal, with_terminal

if TYPE_CHECKING:
    from classifiers.evaluation.page import Report
    from classifiers.evaluation.parts import Different, Part
    from classifiers.evaluation.rows import ScoredRows
    from classifiers.site.columns import Wished
    from classifiers.site.reports import Note

_SHOWN = 200  # rows judged differently, in the report and in JSON
_COLUMNS = {
    "auc": "AUC",
    "macro_f1": "macro-F1",
    "doubt_precision": "doubt: precision",
    "doubt_recall": "recall",
    "reject_precision": "reject: precision",
    "reject_recall": "recall ",
    "ece": "ECE",
}
_DATA = click.argument(
    "data", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
_REPORT = click.option(
    "--report",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with plots to a new file.",
)
_LANGUAGE = click.option("--language", type=PAGE_LANGUAGE, help=LANGUAGE_HELP)
_SEED = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the bootstrap draws."
)


@click.command("evaluate")
@_DATA
@click.option(
    "--model",
    default=SHIPPED,
    show_default=True,
    help="The model that comes with the program, a version, or the folder of another one.",
)
@with_columns
@_REPORT
@_LANGUAGE
@_SEED
@with_terminal
def evaluate(
    terminal: Terminal,
    data: Sequence[Path],
    *,
    model: str,
    page: Path | None,
    seed: int,
    **options: Any,
) -> None:
    """Measure a model on labelled texts (.jsonl or .csv, plain or .gz), per source, language and length.

    Labels are columns named spam, abuse, insult, obscene, threat, hate or reject (1, 0 or empty), or state and reason.
    """
    _refuse_taken(page)
    scored, parts = _measure(terminal, (model,), data, wished(**column_options(options)), seed)
    report = _report(scored, parts)
    _write(page, report, terminal.language)
    terminal.show(_result(report, page), lambda: _words(report, page, terminal.language))


@click.command("compare")
@click.argument("before")
@click.argument("after")
@_DATA
@with_columns
@_REPORT
@_LANGUAGE
@click.option(
    "--texts", "has_texts", is_flag=True, help="With the texts that are judged differently in the page."
)
@_SEED
@with_terminal
def compare(
    terminal: Terminal,
    before: str,
    after: str,
    data: Sequence[Path],
    *,
    page: Path | None,
    has_texts: bool,
    seed: int,
    **options: Any,
) -> None:
    """Measure two models on the same labelled texts: differences with intervals, and the rows judged differently.

    BEFORE and AFTER are each `shipped`, a version, or a folder. Rows are named by file and number.
    """
    if has_texts and page is None:
        raise click.UsageError("--texts needs --report FILE")
    _refuse_taken(page)
    columns = wished(**column_options(options))
    scored, parts = _measure(terminal, (before, after), data, columns, seed)
    report = _report(scored, parts, texts_of=(data, columns) if has_texts else None)
    _write(page, report, terminal.language)
    terminal.show(_result(report, page), lambda: _words(report, page, terminal.language))


COMMANDS = (evaluate, compare)


def _measure(
    terminal: Terminal, models: Sequence[str], data: Sequence[Path], columns: "Wished", seed: int
) -> "tuple[ScoredRows, list[Part]]":
    from classifiers.evaluation.parts import judge
    from classifiers.evaluation.rows import read_scored
    from classifiers.runtime import Scorer

    with ExitStack() as folders:
        scorers = [Scorer.load(folders.enter_context(model_folder(terminal, model))) for model in models]
        with progress(None, "scoring", "row", delay_s=_bar_delay_s()) as bar:
            scored = read_scored(data, scorers, columns=columns, progress=bar.update, tell=terminal.warn)
    with progress(None, "measuring", "part", delay_s=_bar_delay_s()) as bar:
        return scored, judge(scored, seed=seed, progress=bar.update)


def _bar_delay_s() -> float:
    return 0.0 if sys.stderr.isatty() else ELSEWHERE_S


def _report(
    scored: "ScoredRows", parts: "list[Part]", *, texts_of: "tuple[Sequence[Path], Wished] | None" = None
) -> "Report":
    from classifiers.evaluation.page import Report
    from classifiers.evaluation.parts import count_different, differences, missing, one_sided, verdict_counts

    different = list(islice(differences(scored), _SHOWN)) if len(scored.models) > 1 else []
    return Report(
        versions=[model.version for model in scored.models],
        files=scored.files,
        rows=scored.rows,
        parts=parts,
        notes=[*missing(scored), *one_sided(scored), *_passed_over(scored)],
        verdicts=verdict_counts(scored),
        differently=count_different(scored),
        different=different,
        texts=_texts(different, scored.files, *texts_of) if texts_of else {},
    )


def _passed_over(scored: "ScoredRows") -> "list[Note]":
    from classifiers.page_words import WITHOUT_TEXT
    from classifiers.site.reports import Note

    if not scored.without_text:
        return []
    return [Note("rows_without_text", WITHOUT_TEXT, {"rows": scored.without_text})]


def _texts(
    different: "Sequence[Different]", names: Sequence[str], files: Sequence[Path], columns: "Wished"
) -> dict[tuple[str, int], str]:
    from classifiers.evaluation.rows import read_texts

    found = {}
    for name, path in zip(names, files, strict=True):
        wanted = frozenset(one.row for one in different if one.file == name)
        if wanted:
            texts = read_texts(path, wanted, columns=columns)
            found.update({(name, row): text for row, text in texts.items()})
    return found


def _refuse_taken(page: Path | None) -> None:
    """Refuse before the work rather than after it."""
    if page is not None and page.exists():
        raise WrongUsage(f"{page} is there already; name a new file")
    if page is not None and not page.parent.is_dir():
        raise WrongUsage(f"{page.parent} is no folder")


def _write(page: Path | None, report: "Report", language: str) -> None:
    if page is None:
        return
    from classifiers.evaluation.page import render

    content = render(report, language=language)
    with open(page, "x", encoding="utf-8", opener=_private) as file:
        file.write(content)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _result(report: "Report", page: Path | None) -> dict[str, Any]:
    from classifiers.evaluation.figures import shown
    from classifiers.evaluation.parts import as_json

    is_pair = len(report.versions) > 1
    parts = []
    for part in report.parts:
        figures = [shown(one) for one in part.figures]
        measured = (
            {
                "before": figures[0],
                "after": figures[1],
                "difference": figures[2],
                "confusion": part.confusions,
            }
            if is_pair
            else {"figures": figures[0], "confusion": part.confusions[0]}
        )
        parts.append(as_json(part) | measured)
    result: dict[str, Any] = {"files": report.files, "rows": report.rows, "report": page}
    if is_pair:
        result |= {
            "before": report.versions[0],
            "after": report.versions[1],
            "verdicts": {"before": report.verdicts[0], "after": report.verdicts[1]},
            "differently": report.differently,
            "different": plain(report.different),
        }
    else:
        result["model"] = report.versions[0]
    return result | {"notes": [note.words() for note in report.notes], "parts": parts}


def _words(report: "Report", page: Path | None, language: str) -> str:
    from classifiers.page_words import speaker

    lines = [_table(report), *(note.words(speaker(language)) for note in report.notes)]
    if len(report.versions) > 1:
        lines.append(f"differences: {report.versions[1]} less {report.versions[0]}")
        lines.append(f"judged differently: {report.differently} of {report.rows} rows")
        lines += [f"  {one.file} row {one.row}: {one.before} → {one.after}" for one in report.different[:10]]
    if page is not None:
        lines.append(f"written to {page}")
    return "\n".join(lines)


def _table(report: "Report") -> str:
    from classifiers.evaluation.page import interval_words

    rows = [
        {
            "output": part.output,
            "part": part.kind if part.kind == "all" else f"{part.kind} {part.name}",
            "rows": part.rows,
            "positive": part.positives,
            **{
                heading: interval_words(part.figures[-1][name], signed=len(report.versions) > 1)
                for name, heading in _COLUMNS.items()
            },
        }
        for part in report.parts
    ]
    columns = ("output", "part", "rows", "positive", *_COLUMNS.values())
    return table(rows, columns, empty="No part could be judged.")
