"""`moderation author`: who is blocked or trusted on a site."""

from collections.abc import Callable
from typing import Any

import click

from moderation.cli.output import plain, record
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.comment import Author
from moderation.domain.policy import Standing
from moderation.storage.administration import authors

_NAMED_BY = ("email", "name", "external_id", "address")


@click.group()
def author() -> None:
    """Block or trust an author on a site. Only keyed hashes are kept: nobody can list who is blocked."""


def _named(function: Callable[..., None]) -> Callable[..., None]:
    for option, words in (
        ("--address", "Their IP address; of an IPv6 one the /64 counts."),
        ("--external-id", "The site's own id of the author."),
        ("--name", "Their name, whatever its case and spaces."),
        ("--email", "Their e-mail address."),
    ):
        function = click.option(option, help=words)(function)
    return click.argument("site")(with_terminal(function))


def _author(named: dict[str, str | None]) -> Author:
    given = [name for name in _NAMED_BY if named[name] is not None]
    if len(given) != 1:
        raise click.UsageError("name the author by one of --email, --name, --external-id and --address")
    return Author(**{given[0]: named[given[0]]})


def _set(terminal: Terminal, site: str, named: dict[str, Any], standing: Standing) -> None:
    author = _author(named)
    found = terminal.run(
        lambda desk: authors.set_standing(desk.database, desk.vault, site, author, standing, actor=desk.actor)
    )
    result = {"site": site, **plain(found)}
    terminal.show(result, lambda: record(result))


@author.command("block")
@_named
def block(terminal: Terminal, site: str, **named: str | None) -> None:
    """Hold or reject whatever the author sends."""
    _set(terminal, site, named, Standing.BLOCKED)


@author.command("trust")
@_named
def trust(terminal: Terminal, site: str, **named: str | None) -> None:
    """Let clean comments of the author appear at once, also where others wait. By e-mail or external id only."""
    _set(terminal, site, named, Standing.TRUSTED)


@author.command("clear")
@_named
def clear(terminal: Terminal, site: str, **named: str | None) -> None:
    """Take a block or trust back."""
    _set(terminal, site, named, Standing.NONE)


@author.command("show")
@_named
def show(terminal: Terminal, site: str, **named: str | None) -> None:
    """Show an author's standing, and how many of their comments people approved and rejected."""
    author = _author(named)
    found = terminal.run(lambda desk: authors.show_standing(desk.database, desk.vault, site, author))
    result = {"site": site, **plain(found)}
    terminal.show(result, lambda: record(result))
