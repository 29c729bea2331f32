"""`moderation models`: the classifiers, most of it without a database. They are imported late: other commands start quicker without."""

from pathlib import Path

import click
import orjson

from moderation.cli.model_evaluation import COMMANDS as MEASURING
from moderation.cli.model_health import health
from moderation.cli.model_reports import report
from moderation.cli.model_versions import COMMANDS, SHIPPED, model_folder
from moderation.cli.replays import thresholds
from moderation.cli.retraining import retrain
from moderation.cli.terminal import Terminal, with_terminal

_MODEL = click.option(
    "--model",
    default=SHIPPED,
    show_default=True,
    help="The model that comes with the program, its version, or the folder of another one.",
)


@click.group()
def models() -> None:
    """List, try, train and switch the classifiers."""


for command in (*COMMANDS, *MEASURING, report, thresholds, health, retrain):
    models.add_command(command)


@models.command("score")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_MODEL
@click.option("--text-column", default="text", show_default=True, help="The field that holds the text.")
@with_terminal
def score(terminal: Terminal, file: Path, model: str, text_column: str) -> None:
    """Score every text of FILE (.jsonl or .csv, plain or .gz): one line of JSON for each, in order."""
    from classifiers.runtime import Scorer
    from classifiers.scoring_files import score_file

    with model_folder(terminal, model) as folder:
        scorer = Scorer.load(folder)
    for line in score_file(scorer, file, text_column=text_column, tell=terminal.warn):
        click.echo(orjson.dumps(line))
