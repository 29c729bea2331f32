"""`moderation models retrain`: a model from labelled files, without a database. The classifiers are imported late."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from moderation.cli.failures import WrongUsage
from moderation.cli.output import table
from moderation.cli.terminal import PAGE_LANGUAGE, Terminal, with_terminal

if TYPE_CHECKING:
    from classifiers.retraining import LabelledText, RetrainReport

KEPT_AS_CANDIDATE = 3
_SHIPPED = "shipped"
_COLUMNS = ("output", "part", "rows", "positive", "auc before", "auc", "log-loss before", "log-loss")


_SHARE = click.FloatRange(0.0, 1.0, min_open=True, max_open=True)


@click.command("retrain")
@click.option(
    "--data",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Labelled comments, .jsonl or .csv, plain or .gz; may be repeated.",
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
@click.option("--text-column", default="text", show_default=True, help="The field that holds the text.")
@click.option("--seed", default=0, show_default=True, help="Of the sample and the intervals.")
@click.option("--language", type=PAGE_LANGUAGE, default="en", show_default=True, help="Of report.html.")
@click.argument("more", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_terminal
def retrain(
    terminal: Terminal, files: tuple[Path, ...], more: tuple[Path, ...], out: Path | None, **options: Any
) -> None:
    """Train a site's model from its decisions, or from labelled files, and compare it with the one before.

    From the database the new version takes over at once where it is nowhere worse. Exit code 3: a gate keeps it a candidate.
    Files after --data may be named one after the other.
    """
    site, all_sites, candidate = (options.pop(name) for name in ("site", "all_sites", "candidate"))
    stated = {"spam": options.pop("share_spam"), "abuse": options.pop("share_abuse")}
    shares = {output: share for output, share in stated.items() if share is not None}
    if site is not None or all_sites:
        if files or more or out is not None or (site is not None and all_sites):
            raise WrongUsage("name one of --site, --all-sites and --data with --out")
        if shares or options["two_parameters"]:
            raise WrongUsage(
                "--share-… and --two-parameters go with --data; a site's share: site set SITE share_spam=0.05"
            )
        from moderation.cli.site_retraining import retrain_sites

        retrain_sites(terminal, site, promotes=not candidate)
        return
    if not files:
        raise WrongUsage("name the labelled comments: --data FILE…")
    if out is None:
        raise WrongUsage("name the folder of the new model: --out DIR")
    if shares:
        _shift(terminal, (*files, *more), out, shares, options)
        return
    report, faults = _retrain((*files, *more), out, **options)
    terminal.show({**report.as_json(), "out": str(out), "faults": faults.counts()}, lambda: words(report))
    for code, sentence in report.notes:
        terminal.warn(f"{code}: {sentence}")
    for line in faults.lines():
        terminal.warn(line)
    if not report.is_promotable:
        sys.exit(KEPT_AS_CANDIDATE)


def _shift(
    terminal: Terminal,
    files: Sequence[Path],
    out: Path,
    shares: Mapping[str, float],
    options: Mapping[str, Any],
) -> None:
    """Shift the shipped model to stated shares."""
    from classifiers.retraining import state_shares

    if options["two_parameters"] or options["active"]:
        raise WrongUsage("--share-… stands alone: nothing is learned and nothing compared")
    faults = _Faults()
    version = state_shares(_rows(files, options["text_column"], faults), shares, out=out)
    result = {"version": version, "shares": dict(shares), "out": str(out), "faults": faults.counts()}
    terminal.show(result, lambda: f"{version} has the stated shares on these comments.")
    for line in faults.lines():
        terminal.warn(line)


def _retrain(
    files: Sequence[Path], out: Path, *, text_column: str, **options: Any
) -> "tuple[RetrainReport, _Faults]":
    from classifiers.retraining import retrain as train

    faults = _Faults()
    with Bar() as progress:
        rows = _rows(files, text_column, faults)
        return train(rows, out=out, progress=progress, **options), faults


NO_TEXT, WRONG_VALUE, NO_TIME = "rows_without_text", "rows_with_a_wrong_value", "times_left_out"
_NAMED_FAULTS = 20
_DONE_WITH = {
    NO_TEXT: "rows passed over",
    WRONG_VALUE: "rows passed over",
    NO_TIME: "rows taken without their time",
}


@dataclass(slots=True)
class _Faults:
    """What was wrong with single rows, by kind: how many, and what is said of the first ones."""

    found: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in _DONE_WITH})
    more: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_DONE_WITH, 0))

    def add(self, kind: str, error: Exception) -> None:
        """Count one; the first ones are kept with their line."""
        if len(self.found[kind]) < _NAMED_FAULTS:
            self.found[kind].append(str(error))
        else:
            self.more[kind] += 1

    def counts(self) -> dict[str, int]:
        """Return how many there were of each kind."""
        return {kind: len(said) + self.more[kind] for kind, said in self.found.items()}

    def lines(self) -> "Iterator[str]":
        """Yield what to tell people."""
        for kind, count in self.counts().items():
            if count:
                yield f"{kind}: {count} {_DONE_WITH[kind]}"
                yield from (f"  {said}" for said in self.found[kind])
                if self.more[kind]:
                    yield f"  and {self.more[kind]} more"


def _rows(files: Sequence[Path], text_column: str, faults: _Faults) -> "Iterator[LabelledText]":
    """Read the files one after the other, passing over faulty rows; a file of nothing else is an error."""
    from classifiers.datasets import read_records
    from classifiers.errors import DatasetError, NoTextError
    from classifiers.site.labels import from_record

    def forgive(error: DatasetError) -> None:
        faults.add(NO_TIME, error)

    for path in files:
        first, is_usable = None, False
        for number, record in read_records(path):
            try:
                row = from_record(
                    record, name=path.name, row=number, text_column=text_column, forgive=forgive
                )
            except DatasetError as error:
                first = first or error
                faults.add(NO_TEXT if isinstance(error, NoTextError) else WRONG_VALUE, error)
            else:
                is_usable = True
                yield row
        if first is not None and not is_usable:
            raise first


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
    if report.is_promotable:
        parts.append(f"{report.version} may take over.")
    else:
        parts.append(f"{report.version} is kept as a candidate:")
        parts += [
            f"  {refusal.code}: {refusal.where} ({_numbers(refusal.numbers)})" for refusal in report.refusals
        ]
    return "\n\n".join(parts[:3]) + "".join(f"\n{line}" for line in parts[3:])


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
    return ", ".join(f"{name} {value:.3f}" for name, value in numbers.items())
