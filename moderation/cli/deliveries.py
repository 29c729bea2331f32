"""`moderation deliveries`: what sites have not heard yet, and trying again."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

import click

from moderation.cli.desk import Desk
from moderation.cli.output import plain, table
from moderation.cli.terminal import Terminal, with_terminal
from moderation.delivery.backlog import Backlog
from moderation.domain.clock import utc_now
from moderation.domain.ids import CommentId, SiteId
from moderation.storage.administration.changes import audit, change
from moderation.storage.administration.finding import find_site_id
from moderation.storage.administration.sites import list_sites

_PENDING = (
    "comment_id",
    "external_id",
    "next_sequence",
    "attempts",
    "next_attempt_at",
    "last_outcome",
    "last_status",
)
_DEAD = ("comment_id", "external_id", "sequence", "outcome", "died_at")


@click.group()
def deliveries() -> None:
    """Show what sites have not heard yet, and try given-up events again."""


@deliveries.command("list")
@click.option("--site", help="List this site's events one by one, instead of counting for every site.")
@click.option("--failing", is_flag=True, help="Only those that failed at least once.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many of each kind."
)
@with_terminal
def list_deliveries(terminal: Terminal, site: str | None, failing: bool, limit: int) -> None:
    """Count what is pending, failing and given up for every site; or list it for one."""
    if site is None:
        counts = [plain(line) for line in terminal.run(_count)]
        columns = ("site", "pending", "failing", "oldest_due_at", "dead")
        terminal.show(counts, lambda: table(counts, columns, empty="There is no site yet."))
        return
    found = terminal.run(lambda desk: _list(desk, site, failing=failing, limit=limit))
    terminal.show(found, lambda: _words(plain(found)))


@deliveries.command("redrive")
@click.argument("site")
@click.option("--comment", "comment_id", type=click.UUID, help="Only the events of this comment.")
@with_terminal
def redrive(terminal: Terminal, site: str, comment_id: UUID | None) -> None:
    """Send the events that were given up once more, with a fresh schedule."""
    count = terminal.run(lambda desk: _redrive(desk, site, comment_id))
    terminal.show({"site": site, "redriven": count}, f"{count} events are on their way again")


async def _count(desk: Desk) -> list[dict[str, Any]]:
    backlog = Backlog(desk.database, utc_now)
    async with desk.database.connection() as connection:
        names = {line.name: None for line in await list_sites(desk.database)}
        ids = {name: await find_site_id(connection, name) for name in names}
    return [{"site": name, **asdict(await backlog.summary(site_id))} for name, site_id in ids.items()]


async def _list(desk: Desk, site: str, *, failing: bool, limit: int) -> dict[str, Any]:
    backlog = Backlog(desk.database, utc_now)
    site_id = await _site_id(desk, site)
    return {
        "pending": await backlog.pending(site_id, failing_only=failing, limit=limit),
        "dead": await backlog.dead(site_id, limit=limit),
    }


async def _redrive(desk: Desk, site: str, comment_id: UUID | None) -> int:
    site_id = await _site_id(desk, site)
    wanted = None if comment_id is None else CommentId(comment_id)
    count = await Backlog(desk.database, utc_now).redrive(site_id, comment_id=wanted)
    async with change(desk.database) as connection:
        subject = None if comment_id is None else str(comment_id)
        await audit(
            connection,
            "deliveries.redriven",
            actor=desk.actor,
            site_id=site_id,
            subject=subject,
            events=count,
        )
    return count


async def _site_id(desk: Desk, site: str) -> SiteId:
    async with desk.database.connection() as connection:
        return await find_site_id(connection, site)


def _words(found: dict[str, Any]) -> str:
    pending = table(found["pending"], _PENDING, empty="Nothing is pending.")
    return f"{pending}\n\n{table(found['dead'], _DEAD, empty='Nothing was given up.')}"
