"""`moderation policy`: a site's rules, versioned."""

import json

import click

from moderation.cli.assignments import HELP, parse_assignments
from moderation.cli.output import plain
from moderation.cli.replays import replay, warn_of_languages
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.policy import Policy
from moderation.storage.administration import policies
from moderation.storage.administration.policies import PolicyVersion


@click.group()
def policy() -> None:
    """Show, change and try a site's policy."""


policy.add_command(replay)


@policy.command("show")
@click.argument("site")
@with_terminal
def show(terminal: Terminal, site: str) -> None:
    """Show the policy in force."""
    _show(terminal, site, terminal.run(lambda desk: policies.show_policy(desk.database, site)))


@policy.command("set", epilog=HELP)
@click.argument("site")
@click.argument("assignments", metavar="KEY=VALUE...", nargs=-1, required=True)
@with_terminal
def set_(terminal: Terminal, site: str, assignments: tuple[str, ...]) -> None:
    """Make a new version of a site's policy, in force within two seconds.

    `moderation policy show` lists the keys. Comments that were judged before keep the version they were judged by.
    """
    changes = parse_assignments(assignments)
    before = terminal.run(lambda desk: policies.show_policy(desk.database, site))
    made = terminal.run(lambda desk: policies.set_policy(desk.database, site, changes, actor=desk.actor))
    _show(terminal, site, made)
    warn_of_languages(terminal, _read(before), _read(made))


def _read(found: PolicyVersion) -> Policy:
    return Policy.from_json(found.policy, found.version)


def _show(terminal: Terminal, site: str, found: PolicyVersion) -> None:
    result = {"site": site, **plain(found)}
    rules = json.dumps(result["policy"], ensure_ascii=False, indent=2)
    head = f"{site}: version {found.version}, {result['created_at']}, {found.created_by}"
    terminal.show(result, f"{head}\n{rules}")
