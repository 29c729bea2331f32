"""`moderation models health`: error rates, drift and outliers by site."""

from typing import Any

import click

from moderation.cli.desk import Desk
from moderation.cli.output import plain, record, table
from moderation.cli.terminal import Terminal, with_terminal
from moderation.domain.clock import utc_now
from moderation.domain.ids import SiteId
from moderation.storage.administration.finding import find_site_id

_SITES = "SELECT id, name FROM sites WHERE removed_at IS NULL ORDER BY name"


@click.command("health")
@click.option("--site", help="Of this site alone.")
@with_terminal
def health(terminal: Terminal, site: str | None) -> None:
    """Tell how often automatic verdicts are wrong, whether scores drift, who labels unlike the others, and what is due."""
    found = [plain(one) for one in terminal.run(lambda desk: _read(desk, site))]
    terminal.show(
        found[0] if site is not None else found,
        lambda: "\n\n".join(map(_words, found)) or "There is no site.",
    )


async def _read(desk: Desk, site: str | None) -> list[Any]:
    from classifiers.artifacts import load
    from classifiers.runtime import PRETRAINED
    from moderation.learning.health import HealthReader

    reader = HealthReader(desk.database, clock=utc_now, shipped=lambda: load(PRETRAINED).version)
    async with desk.database.connection() as connection:
        if site is not None:
            sites = [(await find_site_id(connection, site), site)]
        else:
            sites = [(SiteId(row["id"]), row["name"]) for row in await connection.fetch(_SITES)]
    return [await reader.read(site_id, name) for site_id, name in sites]


def _words(found: dict[str, Any]) -> str:
    rows = [
        {
            "language": language,
            "verdict": verdict,
            "precision": _share(rate["precision"]),
            "decided": rate["precision"]["rows"],
            "recall": _share(rate["recall"]),
        }
        for language, rates in found["rates"].items()
        for verdict, rate in rates.items()
    ]
    outliers = [
        f"{one['actor']} ({one['output']}, {one['contradicted']:.0%} of {one['labels']})"
        for one in found["outliers"]
    ]
    head = {
        "site": found["site"],
        "model": found["model"],
        "audits that wait": found["open_audits"],
        f"drift against {found['drift_against']}": found["drift"] or None,
        "drifted": found["is_drifted"],
        "labels unlike the others'": outliers or None,
        "retraining": f"due: {found['erasures_since']} erased since"
        if found["erasures_since"]
        else "not due",
    }
    columns = ("language", "verdict", "precision", "decided", "recall")
    return f"{record(head)}\n\n{table(rows, columns, empty='')}"


def _share(one: dict[str, Any]) -> str | None:
    return None if one["value"] is None else f"{one['value']:.1%} [{one['low']:.1%}, {one['high']:.1%}]"
