"""`moderation moderator`: people, their roles and tokens."""

import json
import sys

import click

from moderation.cli.desk import Desk
from moderation.cli.failures import WrongUsage
from moderation.cli.output import plain, table
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.clock import utc_now
from moderation.domain.ids import ModeratorId
from moderation.domain.site import Role
from moderation.privacy.passwords import LONGEST, SHORTEST, Fault, Passwords, fault_of
from moderation.privacy.staff import erase_moderator, export_moderator
from moderation.storage.administration import moderators, passwords, second_factors


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
    """Give a person a role on a site, in place of the one they had there.

    Prints a one-time link to the console for somebody who has no password yet.
    """

    async def work(desk: Desk) -> tuple[ModeratorId, str | None]:
        made = await moderators.add_moderator(
            desk.database, desk.vault, email, site=site, role=Role(role), actor=desk.actor, name=name
        )
        token = await passwords.invite_newcomer(
            desk.database, desk.vault, email, actor=desk.actor, now=utc_now()
        )
        return made, None if token is None else _link(desk, token)

    made, link = terminal.run(work)
    result = {"id": made, "email": email, "site": site, "role": role, "link": link}
    sentence = f"{email} is {role} on {site}"
    terminal.show(result, sentence if link is None else f"{sentence}; to set a password: {link}")


@moderator.command("invite")
@click.argument("email")
@with_terminal
def invite(terminal: Terminal, email: str) -> None:
    """Print a link by which a person sets a password for the console: good once and for 7 days; the link before it ends."""

    async def work(desk: Desk) -> str:
        return _link(
            desk, await passwords.invite(desk.database, desk.vault, email, actor=desk.actor, now=utc_now())
        )

    link = terminal.run(work)
    terminal.show({"email": email, "link": link}, link)


@moderator.command("password")
@click.argument("email")
@with_terminal
def password(terminal: Terminal, email: str) -> None:
    """Set a person's password for the console: asked for, or read from standard input. Ends their sessions."""
    chosen = _read_password()
    fault = fault_of(chosen, email)
    if fault is not None:
        raise WrongUsage(_FAULTS[fault])

    async def work(desk: Desk) -> None:
        encoded = await Passwords().hash(chosen)
        await passwords.set_password(desk.database, desk.vault, email, encoded, actor=desk.actor)

    terminal.run(work)
    terminal.show({"email": email, "password": "set"}, f"{email} has a new password")


def _read_password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().removesuffix("\n").removesuffix("\r")


_FAULTS = {
    Fault.TOO_SHORT: f"the password has fewer than {SHORTEST} characters",
    Fault.TOO_LONG: f"the password has more than {LONGEST} characters",
    Fault.IS_EMAIL: "the password is the person's e-mail address",
}


def _link(desk: Desk, token: str) -> str:
    return f"{desk.settings.known_url}/console/welcome/{token}"


@moderator.command("token")
@click.argument("email")
@with_terminal
def token(terminal: Terminal, email: str) -> None:
    """Make a token for a person's calls of the API and print it, once; those before stay good."""
    made = terminal.run(lambda desk: moderators.add_token(desk.database, desk.vault, email, actor=desk.actor))
    terminal.show({"token": made}, made)


@moderator.command("list")
@click.option("--site", help="Only those with a role there.")
@with_terminal
def list_moderators(terminal: Terminal, site: str | None) -> None:
    """List the people who moderate, with their roles by site."""
    found = [
        plain(line)
        for line in terminal.run(lambda desk: moderators.list_moderators(desk.database, desk.vault, site))
    ]
    columns = ("email", "name", "roles", "tokens", "second_factor", "created_at", "disabled_at")
    terminal.show(found, lambda: table(found, columns, empty="There is no moderator yet."))


@moderator.command("reset-second-factor")
@click.argument("email")
@with_terminal
def reset_second_factor(terminal: Terminal, email: str) -> None:
    """Take the second factor of somebody who lost it away, and end their sessions: they come in by their password, and may set another."""
    had_one = terminal.run(
        lambda desk: second_factors.reset_factor(desk.database, desk.vault, email, actor=desk.actor)
    )
    said = "has no second factor any more" if had_one else "had no second factor"
    terminal.show({"email": email, "had_one": had_one}, f"{email} {said}, and is signed in nowhere")


@moderator.command("export")
@click.argument("email")
@with_terminal
def export(terminal: Terminal, email: str) -> None:
    """Print everything held of a person who moderates, as JSON. The result is private."""
    found = terminal.run(
        lambda desk: export_moderator(desk.database, desk.vault, email, clock=utc_now, actor=desk.actor)
    )
    terminal.show(found, lambda: json.dumps(plain(found), ensure_ascii=False, indent=2))


@moderator.command("erase")
@click.argument("email")
@with_terminal
def erase(terminal: Terminal, email: str) -> None:
    """Shut a person out and erase whatever names them, for good; what they decided stays, under an id that names nobody.

    Backups made before still hold them.
    """
    ids = terminal.run(lambda desk: erase_moderator(desk.database, desk.vault, email, actor=desk.actor))
    stays = ", ".join(map(str, ids))
    terminal.show(
        {"email": email, "erased": ids}, f"{email} is erased; what they decided stays under {stays}"
    )


@moderator.command("disable")
@click.argument("email")
@click.option("--site", help="Take only the role on this site away.")
@with_terminal
def disable(terminal: Terminal, email: str, site: str | None) -> None:
    """End a person's roles, tokens, sessions and password, or their role on one site."""
    if site is None:
        terminal.run(
            lambda desk: moderators.disable_moderator(desk.database, desk.vault, email, actor=desk.actor)
        )
        terminal.show({"email": email, "disabled": True}, f"{email} is disabled")
    else:
        terminal.run(
            lambda desk: moderators.remove_role(desk.database, desk.vault, email, site=site, actor=desk.actor)
        )
        terminal.show({"email": email, "site": site, "role": None}, f"{email} has no role on {site} any more")
