"""`moderation queue`: how much waits for review."""

import click

from moderation.cli.output import plain, table
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.clock import utc_now
from moderation.storage.administration.queue import QueueLine, count_queue


@click.command()
@click.option("--site", help="Only of this site.")
@with_terminal
def queue(terminal: Terminal, site: str | None) -> None:
    """Count the open tasks by site and kind, with the age of the oldest."""
    found = [_line(line) for line in terminal.run(lambda desk: count_queue(desk.database, site))]
    columns = ("site", "kind", "open", "claimed", "oldest_at", "oldest_age_s")
    terminal.show(found, lambda: table(found, columns, empty="Nothing waits for review."))


def _line(line: QueueLine) -> dict[str, object]:
    age_s = max(0, round((utc_now() - line.oldest_at).total_seconds()))
    found: dict[str, object] = plain(line)
    return found | {"oldest_age_s": age_s}
