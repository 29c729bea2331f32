"""`moderation privacy`: what is held of one person, and erasing it."""

import json

import click

from moderation.cli.output import plain
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.clock import utc_now
from moderation.privacy.erasure import erase as erase_person
from moderation.privacy.export import export as export_person


@click.group()
def privacy() -> None:
    """Export or erase what a site holds of a person."""


@privacy.command("export")
@click.option("--email", required=True, help="Whose.")
@click.option("--site", required=True, help="Where.")
@with_terminal
def export(terminal: Terminal, email: str, site: str) -> None:
    """Print everything held of a person, as JSON. The result is private."""
    found = terminal.run(
        lambda desk: export_person(desk.database, desk.vault, site, email, clock=utc_now, actor=desk.actor)
    )
    terminal.show(found, lambda: json.dumps(plain(found), ensure_ascii=False, indent=2))


@privacy.command("erase")
@click.option("--email", required=True, help="Whose.")
@click.option("--site", required=True, help="Where.")
@with_terminal
def erase(terminal: Terminal, email: str, site: str) -> None:
    """Erase a person's comments and everything known of them, for good; a block stays, as a keyed hash.

    The site hears that the comments are deleted. Backups made before still hold them.
    """
    done = terminal.run(
        lambda desk: erase_person(desk.database, desk.vault, site, email, clock=utc_now, actor=desk.actor)
    )
    block = "; the author is still blocked" if done.is_still_blocked else ""
    result = {"site": site, "comments": done.comments, "still_blocked": done.is_still_blocked}
    terminal.show(result, f"erased {done.comments} comments{block}")
