"""What every command has: the options `--data-dir` and `--json`, and a way to run its work and show the result."""

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from moderation import settings as settings_module
from moderation.cli.desk import Desk, open_desk
from moderation.cli.output import as_json, printable
from moderation.settings import Settings
from moderation.telemetry import configure_logging

Result = TypeVar("Result")
Work = Callable[[Desk], Awaitable[Result]]

PAGE_LANGUAGE = click.Choice(("en", "ar"))
"""In which a page of HTML is written, and what is wrong with somebody's files is said."""
LANGUAGE_HELP = "Of the page, and of what is wrong with a file.  [default: ar where the terminal's locale is Arabic, else en]"
_LANGUAGE_MET = "moderation.language"

DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the embedded engines and the keys.  [default: MODERATION_DATA_DIR or ./var]",
)


@dataclass(frozen=True, slots=True)
class Terminal:
    """One run of a command."""

    data_dir: Path | None
    is_json: bool
    language: str = "en"
    """One of PAGE_LANGUAGE."""

    def settings(self, **overrides: Any) -> Settings:
        """Read the settings, and send what is logged to standard error: warnings only, unless more is asked for."""
        found = settings_module.load(os.environ, {"data_dir": self.data_dir, **overrides})
        configure_logging(found.log_format, "warning" if found.log_level == "info" else found.log_level)
        return found

    def run(self, work: Work[Result], *, creates: bool = False) -> Result:
        """Do ``work`` with an open desk and return what came of it; ``creates`` as in `open_desk`."""
        return asyncio.run(self._run(work, creates=creates))

    def show(self, result: Any, words: str | Callable[[], str]) -> None:
        """Print the result: as JSON if asked for, else in words."""
        if self.is_json:
            click.echo(as_json(result))
            return
        click.echo(words if isinstance(words, str) else words())

    def warn(self, sentence: str) -> None:
        """Say something beside the result."""
        click.echo(f"moderation: {printable(sentence)}", err=True)

    async def _run(self, work: Work[Result], *, creates: bool) -> Result:
        async with open_desk(self.settings(), creates=creates) as desk:
            return await work(desk)


def with_terminal(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all have; it takes a `Terminal` first."""

    @DATA_DIR
    @click.option("--json", "is_json", is_flag=True, help="Print the result as JSON.")
    @functools.wraps(function)
    def command(*args: Any, data_dir: Path | None, is_json: bool, **kwargs: Any) -> None:
        language = kwargs.get("language") or _of_locale()
        click.get_current_context().meta[_LANGUAGE_MET] = language
        function(Terminal(data_dir, is_json, language), *args, **kwargs)

    return command


def language_met(context: click.Context) -> str:
    """Return in which language the command that was run speaks of files."""
    found: str = context.meta.get(_LANGUAGE_MET, "en")
    return found


def _of_locale() -> str:
    named = next((found for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (found := os.environ.get(name))), "")
    return "ar" if named.partition("_")[0].partition(".")[0] == "ar" else "en"
