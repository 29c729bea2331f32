"""`moderation moderator`: people, their roles and tokens."""

import click

from moderation.cli.output import plain, table
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.site import Role
from moderation.storage.administration import moderators


@click.group()
def moderator() -> None:
    """Add people who moderate, and shut them out again."""


@moderator.command("add")
@click.argument("email")
@click.option("--site", required=True, help="Where they may moderate.")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), required=True, help="What they may do."
)
@click.option("--name", help="By what colleagues know them; never shown to sites and readers.")
@with_terminal
def add(terminal: Terminal, email: str, site: str, role: str, name: str | None) -> None:
    """Give a person a role on a site, in place of the one they had there."""
    made = terminal.run(
        lambda desk: moderators.add_moderator(
            desk.database, email, site=site, role=Role(role), actor=desk.actor, name=name
        )
    )
    result = {"id": made, "email": email, "site": site, "role": role}
    terminal.show(result, f"{email} is {role} on {site}")


@moderator.command("token")
@click.argument("email")
@with_terminal
def token(terminal: Terminal, email: str) -> None:
    """Make a token for a person's calls of the API and print it, once; those before stay good."""
    made = terminal.run(lambda desk: moderators.add_token(desk.database, email, actor=desk.actor))
    terminal.show({"token": made}, made)


@moderator.command("list")
@click.option("--site", help="Only those with a role there.")
@with_terminal
def list_moderators(terminal: Terminal, site: str | None) -> None:
    """List the people who moderate, with their roles by site."""
    found = [
        plain(line) for line in terminal.run(lambda desk: moderators.list_moderators(desk.database, site))
    ]
    columns = ("email", "name", "roles", "tokens", "created_at", "disabled_at")
    terminal.show(found, lambda: table(found, columns, empty="There is no moderator yet."))


@moderator.command("disable")
@click.argument("email")
@click.option("--site", help="Take only the role on this site away.")
@with_terminal
def disable(terminal: Terminal, email: str, site: str | None) -> None:
    """End a person's roles and tokens, everywhere or on one site."""
    if site is None:
        terminal.run(lambda desk: moderators.disable_moderator(desk.database, email, actor=desk.actor))
        terminal.show({"email": email, "disabled": True}, f"{email} is disabled")
    else:
        terminal.run(lambda desk: moderators.remove_role(desk.database, email, site=site, actor=desk.actor))
        terminal.show({"email": email, "site": site, "role": None}, f"{email} has no role on {site} any more")
