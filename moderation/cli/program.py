"""The program: all commands under one root."""

import sys
from contextlib import suppress
from importlib.metadata import version

import click

from moderation.cli import (
    author,
    backup,
    comments,
    deliveries,
    keys,
    models,
    moderator,
    policy,
    privacy,
    queue,
    retraining,
    serve,
    site,
)
from moderation.cli.failures import Program


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("comment-moderation"), prog_name="moderation")
def program() -> None:
    """The comment desk: decides which reader comments are published, which wait, and which never appear."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # not every replacement of a stream can be told
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]


for group in (
    serve.serve,
    serve.migrate,
    site.site,
    moderator.moderator,
    policy.policy,
    author.author,
    comments.comments,
    queue.queue,
    deliveries.deliveries,
    privacy.privacy,
    keys.keys,
    models.models,
    backup.backup,
    backup.restore,
):
    program.add_command(group)

models.models.add_command(retraining.retrain)


def main() -> None:
    """Run the program."""
    program(prog_name="moderation")
