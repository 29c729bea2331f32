"""`moderation models retrain`: a model from labelled files, without a database. The classifiers are imported late."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from moderation.cli.failures import Failure, WrongUsage
from moderation.cli.labelled_files import Remarks, column_options, read_files, wished, with_columns
from moderation.cli.model_reports import outliers_words
from moderation.cli.output import table
from moderation.cli.terminal import LANGUAGE_HELP, PAGE_LANGUAGE, Terminal, with_terminal

if TYPE_CHECKING:
    from classifiers.retraining import LabelledText, RetrainReport

KEPT_AS_CANDIDATE = 3
_ONE_OF = "name one of --site, --all-sites and --data with --out"
_SHIPPED = "shipped"
_COLUMNS = ("output", "part", "rows", "positive", "auc before", "auc", "log-loss before", "log-loss")


_SHARE = click.FloatRange(0.0, 1.0, min_open=True, max_open=True)


@click.command("retrain")
@click.option(
    "--data",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Labelled comments, .jsonl, .csv or .tsv, plain or .gz; may be repeated.",
)
@click.option("--site", help="Retrain this site's model from the decisions in the database.")
@click.option(
    "--all-sites", is_flag=True, help="Retrain every site's model; those with too few labels are passed over."
)
@click.option("--candidate", is_flag=True, help="Keep the new version without putting it in force.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="The folder of the new model.")
@click.option(
    "--active",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The model to compare with; the one that comes with the program by default.",
)
@click.option(
    "--two-parameters",
    is_flag=True,
    help="Only fit slope and offset of the shipped model's outputs, from 200 labels on: for the first days of a site.",
)
@click.option(
    "--share-spam", type=_SHARE, help="Without reading labels: shift the shipped model to this share of spam."
)
@click.option("--share-abuse", type=_SHARE, help="The same for abuse.")
@with_columns
@click.option("--seed", default=0, show_default=True, help="Of the sample and the intervals.")
@click.option("--language", type=PAGE_LANGUAGE, help=LANGUAGE_HELP)
@click.argument("more", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_terminal
def retrain(
    terminal: Terminal, *, site: str | None, all_sites: bool, candidate: bool, **options: Any
) -> None:
    """Train a site's model from its decisions, or from labelled files, and compare it with the one before.

    From the database the new version takes over at once where it is nowhere worse. Exit code 3: a gate keeps it a candidate.
    Files after --data may be named one after the other.
    """
    wishes = _Wishes.of(**options | {"language": terminal.language})
    if site is None and not all_sites:
        _from_files(terminal, wishes)
        return
    if wishes.files or wishes.out is not None or (site is not None and all_sites):
        raise WrongUsage(_ONE_OF)
    if wishes.shares or wishes.training["two_parameters"]:
        raise WrongUsage(
            "--share-… and --two-parameters go with --data; a site's share: site set SITE share_spam=0.05"
        )
    from moderation.cli.site_retraining import retrain_sites

    retrain_sites(terminal, site, promotes=not candidate)


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What is asked of files: which, where to, how their columns are called, and the options of the training itself."""

    files: tuple[Path, ...]
    out: Path | None
    shares: Mapping[str, float]
    columns: Mapping[str, Any]
    training: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        *,
        files: tuple[Path, ...],
        more: tuple[Path, ...],
        out: Path | None,
        share_spam: float | None,
        share_abuse: float | None,
        **training: Any,
    ) -> Self:
        """Sort what the command line says."""
        stated = {"spam": share_spam, "abuse": share_abuse}
        columns = column_options(training)
        return cls(
            (*files, *more) if files else (),
            out,
            {output: share for output, share in stated.items() if share is not None},
            columns,
            training,
        )

    def read(self, remarks: Remarks) -> "Iterator[LabelledText]":
        """Read the labelled rows."""
        return read_files(self.files, wished(**self.columns, reads_labels=not self.shares), remarks)


def _from_files(terminal: Terminal, wishes: _Wishes) -> None:
    """Train from labelled files, or shift the shipped model to stated shares."""
    if not wishes.files:
        raise WrongUsage(_ONE_OF if wishes.out is None else "name the labelled comments: --data FILE…")
    if wishes.out is None:
        raise WrongUsage("name the folder of the new model: --out DIR")
    remarks = Remarks()
    if wishes.shares:
        _shift(terminal, wishes, wishes.out, remarks)
        return
    from classifiers.retraining import retrain as train

    with Bar() as progress, _told_of_labels(terminal.language):
        report = train(wishes.read(remarks), out=wishes.out, progress=progress, **wishes.training)
    _tell(terminal, {**report.as_json(), "out": str(wishes.out)}, lambda: words(report), remarks)
    if not report.is_promotable:
        sys.exit(KEPT_AS_CANDIDATE)


@contextmanager
def _told_of_labels(language: str) -> Iterator[None]:
    """Say of files without labels how to name the column that holds them."""
    from classifiers.errors import LabelsError
    from classifiers.page_words import NAME_THE_LABELS, speaker

    try:
        yield
    except LabelsError as error:
        if error.code != "no_labels":
            raise
        say = speaker(language)
        raise Failure(error.words(say), lines=[say(NAME_THE_LABELS)]) from error


def _shift(terminal: Terminal, wishes: _Wishes, out: Path, remarks: Remarks) -> None:
    """Shift the shipped model to stated shares."""
    from classifiers.retraining import state_shares

    if wishes.training["two_parameters"] or wishes.training["active"]:
        raise WrongUsage("--share-… stands alone: nothing is learned and nothing compared")
    version = state_shares(wishes.read(remarks), wishes.shares, out=out)
    result = {"version": version, "shares": dict(wishes.shares), "out": str(out), "notes": []}
    _tell(terminal, result, lambda: f"{version} has the stated shares on these comments.", remarks)


def _tell(terminal: Terminal, result: dict[str, Any], said: Callable[[], str], remarks: Remarks) -> None:
    """Show what came of it, with what is to be said of it and of the files."""
    terminal.show(result | {"columns": remarks.columns, "faults": remarks.counts()}, said)
    for note in result["notes"]:
        terminal.warn(f"{note['code']}: {note['words']}")
    for line in remarks.lines():
        terminal.warn(line)


class Bar:
    """Shows on a terminal's standard error what a retraining is doing; call it with step, done and total (0: unknown)."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._bar = tqdm(file=sys.stderr, disable=None, unit="")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show it."""
        if self._bar.disable:
            return
        if self._bar.desc != f"{step}: ":
            self._bar.reset(total or None)
            self._bar.set_description(step)
        self._bar.n, self._bar.total = done, total or None
        self._bar.refresh()


def words(report: "RetrainReport") -> str:
    """Return a report for a terminal: the slices, what would change, and why it is kept if it is."""
    parts = [
        table(
            [_row(one) for one in report.slices],
            _COLUMNS,
            empty="No part of the untouched rows could be judged.",
        )
    ]
    changes = report.changes
    parts.append(
        "\n".join(
            f"{name}: {changes.before[name]:.1%} of the untouched comments before, {changes.after[name]:.1%} now"
            for name in ("approve", "hold", "reject")
        )
    )
    if far := [one for one in report.labellers if one.is_outlier]:
        parts.append(outliers_words([asdict(one) for one in far]))
    if report.is_promotable:
        verdict = [f"{report.version} may take over."]
    else:
        verdict = [f"{report.version} is kept as a candidate:", *map(_refusal, report.refusals)]
    return "\n\n".join([*parts, "\n".join(verdict)])


def _refusal(refusal: Any) -> str:
    from classifiers.page_words import MEANINGS

    meaning = MEANINGS.get(refusal.code)
    return f"  {refusal.code}: {refusal.where}{_numbers(refusal.numbers)}{f': {meaning}' if meaning else ''}"


def _row(one: Any) -> dict[str, Any]:
    return {
        "output": one.output,
        "part": one.name if one.kind == "all" else f"{one.kind} {one.name}",
        "rows": one.rows,
        "positive": one.positives,
        "auc before": _interval(one.measures.get("active"), "auc"),
        "auc": _interval(one.measures["new"], "auc"),
        "log-loss before": _interval(one.measures.get("active"), "log_loss"),
        "log-loss": _interval(one.measures["new"], "log_loss"),
    }


def _interval(measures: Mapping[str, Any] | None, name: str) -> str | None:
    if measures is None:
        return None
    found = measures[name]
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _numbers(numbers: Mapping[str, float]) -> str:
    said = ", ".join(
        f"{name} {value:.{0 if name in {'rows', 'labels'} else 3}f}" for name, value in numbers.items()
    )
    return f" ({said})" if said else ""
