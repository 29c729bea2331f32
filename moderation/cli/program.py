"""The program: all commands under one root. A command's module is imported when the command is asked for."""

import errno
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

COMMANDS = {
    "author": ("author", "Block or trust an author on a site."),
    "backup": (
        "backup",
        "Write everything in the database to FILE, as of one moment, beside the running service.",
    ),
    "comments": ("comments", "List, show and import comments."),
    "deliveries": ("deliveries", "Show what sites have not heard yet, and try given-up events again."),
    "keys": ("keys", "Change the keys under which private data is encrypted."),
    "migrate": ("serve", "Bring the database to the schema that this program knows."),
    "models": ("models", "List, try, train and switch the classifiers."),
    "moderator": ("moderator", "Add people who moderate, and shut them out again."),
    "policy": ("policy", "Show, change and try a site's policy."),
    "privacy": ("privacy", "Export or erase what a site holds of a person."),
    "queue": ("queue", "Count the open tasks by site and kind, with the age of the oldest."),
    "restore": (
        "backup",
        "Bring the database, and keys in the file, to what FILE holds: all of it or nothing.",
    ),
    "serve": ("serve", "Run the service until it is told to stop."),
    "site": ("site", "Add, change and remove sites."),
    "status": (
        "status",
        "Say what is well and what is not, within seconds; exit code 1 where something is not.",
    ),
}
"""By name: the module of this package that holds the command, and what the root's help says of it."""


class Program(click.Group):
    """The root of the commands: turns whatever a command raises into a `Failure`.

    Importing them all takes a second; one command should not wait for the others.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, click names it
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"moderation.cli.{COMMANDS[cmd_name][0]}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in sorted(COMMANDS.items())])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # whoever read our output has seen enough
            from moderation.cli.failures import failure
            from moderation.cli.terminal import language_met

            raise failure(error, language_met(ctx)) from error


def _version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if not is_asked or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"moderation, version {version('comment-moderation')}")
    ctx.exit()


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
def program() -> None:
    """The comment desk: decides which reader comments are published, which wait, and which never appear."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # not every replacement of a stream can be told
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]


def main() -> None:
    """Run the program."""
    program(prog_name="moderation")
