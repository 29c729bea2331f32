"""`moderation site`: sites, their keys and secrets."""

from typing import Any, TextIO
from urllib.parse import urlsplit
from uuid import UUID

import click

from moderation.cli.assignments import HELP, parse_assignments
from moderation.cli.desk import Desk
from moderation.cli.output import plain, record, table
from moderation.cli.terminal import Terminal, with_terminal
from moderation.storage.administration import site_keys, sites
from moderation.storage.administration.sites import NewSite, SiteRecord

_TEXTS = frozenset({"title", "name", "url", "language", "mode", "webhook_url"})


@click.group()
def site() -> None:
    """Add, change and remove sites."""


@site.command("add")
@click.argument("name", metavar="SITE")
@click.option("--url", required=True, help="The site's own address.")
@click.option("--name", "title", help="Its name for people.  [default: SITE]")
@click.option("--language", default="ar", show_default=True, help="Of the site's readers.")
@click.option(
    "--mode",
    type=click.Choice(["pre", "post"]),
    default="pre",
    show_default=True,
    help="Whether clean comments wait for a person (pre) or appear at once (post).",
)
@click.option("--webhook-url", help="Where the site hears of decisions.")
@with_terminal
def add(terminal: Terminal, name: str, **options: Any) -> None:
    """Add a site; print its key and both signing secrets, once."""
    new = NewSite(name, **options)
    made = terminal.run(
        lambda desk: sites.add_site(desk.database, desk.vault, new, actor=desk.actor), creates=True
    )
    terminal.show(made, lambda: record(plain(made)) + "\n\nThis is shown once: keep it now.")
    _warn_of_private(terminal, name, new.webhook_url)


@site.command("list")
@with_terminal
def list_sites(terminal: Terminal) -> None:
    """List all sites."""
    found = [plain(line) for line in terminal.run(lambda desk: sites.list_sites(desk.database))]
    columns = ("name", "title", "url", "language", "mode", "open_tasks")
    terminal.show(found, lambda: table(found, columns, empty="There is no site yet."))


@site.command("show")
@click.argument("name", metavar="SITE")
@with_terminal
def show(terminal: Terminal, name: str) -> None:
    """Show a site with its settings."""
    _show(terminal, terminal.run(lambda desk: sites.show_site(desk.database, name)))


@site.command("set", epilog=HELP)
@click.argument("name", metavar="SITE")
@click.argument("assignments", metavar="KEY=VALUE...", nargs=-1, required=True)
@with_terminal
def set_(terminal: Terminal, name: str, assignments: tuple[str, ...]) -> None:
    """Change a site.

    Keys: title (or name), url, language, mode (makes a new version of the policy), webhook_url, required (of author.name,
    author.email, author.url, text), max_text_length, check_dns, refuse_disposable, limits.author, limits.address,
    limits.thread, limits.site (each a count, or .count, .period_s and .burst), allow_private_endpoint, share_spam, share_abuse,
    retention.CLOCK,
    form_stamp_required, form_min_s, coral_clean (leave, none or approve), coral_deadline_ms, akismet_doubt (spam or ham),
    akismet_discard, akismet_nonce.
    """
    changes = parse_assignments(assignments, texts=_TEXTS)
    if "name" in changes:
        changes["title"] = changes.pop("name")
    if isinstance(changes.get("required"), str):
        changes["required"] = [field.strip() for field in changes["required"].split(",") if field.strip()]
    found = terminal.run(lambda desk: sites.set_site(desk.database, name, changes, actor=desk.actor))
    _show(terminal, found)
    if "webhook_url" in changes and not found.settings.allow_private_endpoint:
        _warn_of_private(terminal, name, found.webhook_url)


def _warn_of_private(terminal: Terminal, name: str, webhook_url: str | None) -> None:
    """Say now what else only the list of failed deliveries says: webhooks do not go to one's own machine unless allowed."""
    if webhook_url is None:
        return
    from moderation.delivery.addresses import RefusedAddressError, check_literal  # brings aiohttp along

    host = urlsplit(webhook_url).hostname or ""
    try:
        check_literal(host)
        is_refused = host == "localhost" or host.endswith(".localhost")
    except RefusedAddressError:
        is_refused = True
    if is_refused and not terminal.settings().allow_private_endpoints:
        terminal.warn(
            f"webhooks will not be sent to {host}, which is not a public address, before "
            f"`moderation site set {name} allow_private_endpoint=true`"
        )


@site.command("remove")
@click.argument("name", metavar="SITE")
@with_terminal
def remove(terminal: Terminal, name: str) -> None:
    """Close a site for good: its keys end at once, and its name is not used again."""
    terminal.run(lambda desk: sites.remove_site(desk.database, name, actor=desk.actor))
    terminal.show({"site": name, "removed": True}, f"removed {name}")


@site.command("secret")
@click.argument("name", metavar="SITE")
@click.argument("kind", type=click.Choice(["webhook", "inbound"]))
@click.option("--drop-old", is_flag=True, help="End the secret before at once instead of keeping both good.")
@with_terminal
def secret(terminal: Terminal, name: str, kind: str, drop_old: bool) -> None:
    """Give a site a new signing secret and print it, once; the one before stays good until the next."""
    made = terminal.run(
        lambda desk: sites.renew_secret(
            desk.database, desk.vault, name, kind, actor=desk.actor, keep_old=not drop_old
        )
    )
    terminal.show({"site": name, f"{kind}_secret": made}, made)


@site.group("key")
def key() -> None:
    """Add, list and revoke the keys by which a site calls."""


@key.command("add")
@click.argument("name", metavar="SITE")
@click.option(
    "--dialect",
    type=click.Choice(site_keys.DIALECTS),
    default="native",
    show_default=True,
    help="Its protocol.",
)
@click.option(
    "--secret-file",
    type=click.File(),
    help="For coral: where the signing secret stands that Coral made; - is standard input.  [default: a fresh one]",
)
@with_terminal
def add_key(terminal: Terminal, name: str, dialect: str, secret_file: TextIO | None) -> None:
    """Add a key and print it, once; those before stay good."""
    if secret_file is not None and dialect not in site_keys.SIGNING:
        raise click.UsageError(f"--secret-file is for {', '.join(sorted(site_keys.SIGNING))} alone.")
    secret = None if secret_file is None else secret_file.read(1000).strip()

    async def work(desk: Desk) -> site_keys.NewKey:
        if dialect in site_keys.SIGNING:
            return await site_keys.add_signing_key(
                desk.database, desk.vault, name, actor=desk.actor, dialect=dialect, secret=secret
            )
        if dialect == site_keys.AKISMET:
            return await site_keys.add_akismet_key(desk.database, desk.vault, name, actor=desk.actor)
        return await site_keys.add_key(desk.database, name, actor=desk.actor, dialect=dialect)

    made = terminal.run(work)
    terminal.show(made, lambda: record(plain(made)) + "\n\nThis is shown once: keep it now.")


@key.command("list")
@click.argument("name", metavar="SITE")
@with_terminal
def list_keys(terminal: Terminal, name: str) -> None:
    """List a site's keys, not what they are."""
    found = [plain(line) for line in terminal.run(lambda desk: site_keys.list_keys(desk.database, name))]
    columns = ("id", "dialect", "created_at", "revoked_at")
    terminal.show(found, lambda: table(found, columns, empty="The site has no key."))


@key.command("revoke")
@click.argument("name", metavar="SITE")
@click.argument("key_id", metavar="ID", type=click.UUID)
@with_terminal
def revoke_key(terminal: Terminal, name: str, key_id: UUID) -> None:
    """End a key."""
    terminal.run(lambda desk: site_keys.revoke_key(desk.database, name, key_id, actor=desk.actor))
    terminal.show({"id": key_id, "revoked": True}, f"revoked {key_id}")


def _show(terminal: Terminal, found: SiteRecord) -> None:
    settings = plain(found.settings) | {"limits": found.settings.limits.as_json()}
    head = {
        name: getattr(found, name)
        for name in ("name", "title", "url", "language", "webhook_url", "created_at")
    }
    policy = {"mode": found.policy.policy.get("mode"), "policy": found.policy.version}
    limits = {f"limits.{rule}": limit for rule, limit in settings["limits"].items()}
    flat = {key: value for key, value in settings.items() if key != "limits"}
    terminal.show(
        {**head, **policy, "settings": settings}, lambda: record({**head, **policy, **flat, **limits})
    )
