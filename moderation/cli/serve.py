"""`moderation serve` and `moderation migrate`."""

import asyncio
import os
import sys

import click

from moderation import settings as settings_module
from moderation.cli.desk import connected, database_url
from moderation.cli.terminal import DATA_DIR, Terminal, with_terminal
from moderation.settings import Settings
from moderation.storage.migrate import migrate as apply_migrations


@click.command()
@click.option("--host", help="Address to listen on.  [default: MODERATION_HOST or 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: MODERATION_PORT or 8080]"
)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="API processes.  [default: MODERATION_WORKERS or 1]"
)
@click.option("--demo", is_flag=True, help="Fill an empty embedded database with a demonstration.")
@DATA_DIR
def serve(demo: bool, **overrides: object) -> None:
    """Run the service until it is told to stop."""
    from moderation.supervisor import serve as run_service  # most commands need neither aiohttp nor the model

    sys.exit(run_service(settings_module.load(os.environ, overrides), demo=demo))


@click.command()
@with_terminal
def migrate(terminal: Terminal) -> None:
    """Bring the database to the schema that this program knows."""
    applied = asyncio.run(_migrate(terminal.settings()))
    words = f"applied {', '.join(map(str, applied))}" if applied else "the schema is up to date"
    terminal.show({"applied": applied}, words)


async def _migrate(settings: Settings) -> list[int]:
    async with database_url(settings, creates=True) as url, connected(url) as connection:
        return await apply_migrations(connection)
