"""Somebody at a terminal: runs the program in a process of its own and looks at what it says."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from moderation.engines import EngineAddresses
from tests.engines_fixture import engine_owner, read_addresses
from tests.forked import FORKS
from tests.program import environment

TIMEOUT_S = 150
DONE, FAILED, WRONG_USAGE = 0, 1, 2
SITE = ("--url", "https://news.example")
"""What adding a site takes at least."""


def members(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """Name and command of everything directly in ``group``."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield name, command


class Operator:
    """Somebody at a terminal, with a data directory and settings."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.environment = environment(**{"data_dir": str(data_dir), **settings})

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return FORKS.run([*words], self.environment, timeout_s=TIMEOUT_S)

    def get(self, *words: str) -> Any:
        """Run a command with ``--json`` and return its result."""
        done = self.run(*words, "--json")
        assert done.returncode == DONE, done.stderr
        return json.loads(done.stdout)

    def say(self, *words: str) -> str:
        """Run a command and return what it says to people."""
        done = self.run(*words)
        assert (done.returncode, done.stderr) == (DONE, "")
        return done.stdout

    def fail(self, *words: str, code: int = FAILED) -> str:
        """Run a command that fails and return what it says; it must print no result and no traceback."""
        done = self.run(*words)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("moderation: ")
        return done.stderr


@pytest.fixture(scope="module")
def owned(
    engine_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, EngineAddresses]]:
    """A data directory whose engines another process keeps running, as `serve` does: commands attach to them."""
    data_dir = tmp_path_factory.mktemp("owned") / "data"
    shutil.copytree(engine_template, data_dir)
    with engine_owner(data_dir) as owner:
        yield data_dir, read_addresses(owner)
        owner.terminate()
        owner.wait(timeout=90)


@pytest.fixture(scope="module")
def desk(owned: tuple[Path, EngineAddresses]) -> Operator:
    return Operator(owned[0])


@pytest.fixture(scope="module")
def site(desk: Operator) -> dict[str, str]:
    """A site with its key and secrets."""
    made: dict[str, str] = desk.get("site", "add", "akhbar", *SITE, "--name", "أخبار المدينة")
    return made
