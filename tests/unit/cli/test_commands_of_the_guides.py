"""Every command that a guide or a runbook tells to type is taken by the program as it stands there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from moderation.cli.program import program

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
BEFORE = r"(?:docker compose exec\b.*? moderation |docker compose run\b.*? |kubectl .*? -- |(?:[A-Z_]+=\S+ )*(?:\S*/)?)?"
CALL = BEFORE + r"moderation ([a-z].*?)"
PLACEHOLDERS = "…|\\.\\.\\.|\\$\\([^)]*\\)"


def commands(page: Path) -> set[str]:
    text = page.read_text("utf-8")
    written = set(re.findall(f"`{CALL}`", text))
    for block in re.findall(r"```(?:sh|bash|shell)?\n(.*?)```", text, re.DOTALL):
        written.update(re.findall(rf"^{CALL}\s*(?:[>|#].*)?$", block, re.MULTILINE))
    return {command for command in written if "|" not in command}  # alternatives, for people


def fault(words: list[str]) -> str | None:
    """Return what the program would say to them; placeholders stand for values of every kind, so those are not judged."""
    command: click.Command = program
    context = click.Context(command)
    while isinstance(command, click.Group):
        if not words:
            return None  # the name of a group of commands
        found = command.get_command(context, words[0])
        if found is None:
            return f"no command {words[0]}"
        command, words = found, words[1:]
    if not words:
        return None  # a command that is talked of, without what it takes
    try:
        command.make_context("", list(words))
    except click.MissingParameter as error:
        return None if isinstance(error.param, click.Argument) else error.format_message()
    except click.BadParameter:
        return None
    except click.UsageError as error:
        return error.format_message()
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_its_commands_are_taken(page: Path) -> None:
    faults = {
        command: found
        for command in commands(page)
        if (found := fault(shlex.split(re.sub(PLACEHOLDERS, "", command))))
    }
    assert faults == {}


def test_a_wrong_one_is_noticed() -> None:
    assert fault(["deliveries", "list", "akhbar"]) is not None
    assert fault(["site", "ad", "akhbar"]) is not None
    assert fault(["status", "--jason"]) is not None
    assert sum(len(commands(page)) for page in PAGES) > 80


def test_those_in_containers_are_read_too() -> None:
    found = {command for page in PAGES if "deploy" in page.parts for command in commands(page)}
    assert {"restore /restore.backup --force", "backup /data/before.backup", "status"} <= found
