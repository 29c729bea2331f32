"""`moderation models`: the classifiers, without a database. They are imported late: other commands start quicker without."""

from pathlib import Path
from typing import Any

import click
import orjson

from moderation.cli.failures import Failure
from moderation.cli.output import printable, record, table
from moderation.cli.terminal import Terminal, with_terminal

SHIPPED = "shipped"
_MODEL = click.option(
    "--model",
    default=SHIPPED,
    show_default=True,
    help="The model that comes with the program, its version, or the folder of another one.",
)


@click.group()
def models() -> None:
    """List, show and try the classifiers."""


@models.command("list")
@with_terminal
def list_models(terminal: Terminal) -> None:
    """List the models that there are."""
    from classifiers.artifacts import load
    from classifiers.runtime import PRETRAINED

    found = [_summary(load(PRETRAINED), SHIPPED)]
    columns = ("version", "source", "languages", "outputs")
    terminal.show(found, lambda: table(found, columns, empty="There is no model."))


@models.command("show")
@_MODEL
@with_terminal
def show(terminal: Terminal, model: str) -> None:
    """Show a model's thresholds and its card: what it was made of, how good it is, and what it is not for."""
    from classifiers.artifacts import CARD, load

    folder = _folder(model)
    artifact = load(folder)
    card = (folder / CARD).read_text("utf-8")
    result = _summary(artifact, SHIPPED if model == SHIPPED else str(folder))
    thresholds = artifact.manifest["thresholds"]
    terminal.show(
        {**result, "thresholds": thresholds, "card": card}, lambda: f"{record(result)}\n\n{printable(card)}"
    )


@models.command("score")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_MODEL
@click.option("--text-column", default="text", show_default=True, help="The field that holds the text.")
@with_terminal
def score(terminal: Terminal, file: Path, model: str, text_column: str) -> None:
    """Score every text of FILE (.jsonl or .csv, plain or .gz): one line of JSON for each, in order."""
    from classifiers.runtime import Scorer
    from classifiers.scoring_files import score_file

    del terminal  # the result is JSON either way
    scorer = Scorer.load(_folder(model))
    for line in score_file(scorer, file, text_column=text_column):
        click.echo(orjson.dumps(line))


def _folder(model: str) -> Path:
    """Find the folder of a model by what an operator calls it."""
    from classifiers.artifacts import load
    from classifiers.runtime import PRETRAINED

    if model == SHIPPED:
        return PRETRAINED
    if Path(model).is_dir():
        return Path(model)
    version = load(PRETRAINED).version
    if model == version:
        return PRETRAINED
    raise Failure(f"there is no model {model!r}: name a folder, or {SHIPPED} (version {version})")


def _summary(artifact: Any, source: str) -> dict[str, Any]:
    return {
        "version": artifact.version,
        "source": source,
        "languages": artifact.manifest["languages"],
        "outputs": artifact.manifest["outputs"],
    }
