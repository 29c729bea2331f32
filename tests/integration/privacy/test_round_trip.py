"""A backup brings every table back, row by row, also tables that did not exist when this was written."""

import asyncio
import os
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner

from moderation.cli.program import program
from moderation.domain.comment import Author
from moderation.domain.policy import Standing
from moderation.engines import postgres_program
from moderation.storage.administration.authors import set_standing
from moderation.storage.administration.policies import set_policy
from moderation.storage.database import connect
from moderation.telemetry import configure_logging
from tests.console import make_entries
from tests.integration.privacy.planting import plant, planted
from tests.integration.privacy.test_inventory import plant_the_rest
from tests.service import RunningService

REST = """
INSERT INTO dead_letters VALUES (gen_random_uuid(), 1, 1, 'gone', now());
INSERT INTO deliveries VALUES (gen_random_uuid(), 1, 1, 0, now() + interval '1 day', now());
INSERT INTO delivery_attempts (comment_id, site_id, sequence, attempted_at, outcome, duration_ms)
VALUES (gen_random_uuid(), 1, 1, now(), 'delivered', 3);
INSERT INTO akismet_usage (site_id, day, blog, key_id) VALUES (1, now(), 'b', gen_random_uuid());
INSERT INTO retention_progress VALUES (1, 'planted', decode(repeat('07', 16), 'hex'));
INSERT INTO models (version, kind, manifest, seen_until, created_by) VALUES ('m-1', 'added', '{}', now(), 'test');
INSERT INTO model_files VALUES ('m-1', 'weights.npy', '\\x01', '\\x0203');
INSERT INTO active_models VALUES (0, 'm-1', now());
INSERT INTO search_progress VALUES (true, gen_random_uuid(), now()) ON CONFLICT DO NOTHING;
INSERT INTO sessions SELECT decode(repeat('08', 32), 'hex'), id, now(), now() FROM moderators LIMIT 1;
INSERT INTO recovery_codes SELECT id, decode(repeat('09', 16), 'hex') FROM moderators LIMIT 1;
INSERT INTO model_changes (site_id, action, version, actor) VALUES (0, 'promote', 'm-1', 'test');
"""
"""Rows where nothing in this test leaves one by itself."""
CHANGES = {"audit", "instance", "schema_versions", "search_progress"}
"""Tables that a restore writes to itself, or the running service meanwhile."""


async def rows(url: str) -> dict[str, set[str]]:
    """Every table with its rows as text."""
    connection = await connect(url)
    try:
        names = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        )
        return {
            name: {row["row"] for row in await connection.fetch(f"SELECT t::text AS row FROM {name} t")}
            for (name,) in names
        }
    finally:
        await connection.close()


async def fill(service: RunningService) -> None:
    person = planted()
    ids = await plant(service, person)
    await set_policy(service.database, service.site.name, {"link_limit": 2}, actor="test")
    await set_standing(
        service.database, service.vault, service.site.name, Author(name="x"), Standing.BLOCKED, actor="test"
    )
    await make_entries(service)
    async with asyncio.timeout(60), service.database.connection() as connection:
        await plant_the_rest(connection, service, person, ids)
        await connection.execute(REST)
        while await connection.fetchval("SELECT count(*) FROM decisions WHERE position IS NULL"):
            await asyncio.sleep(0.02)
        await connection.execute(
            "UPDATE instance SET key_fingerprint = $1", service.vault.keyring.fingerprint
        )


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_row_of_every_table_comes_back(
    service: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(service)
    before = await rows(service.database_url)
    empty = {name for name, found in before.items() if not found}
    assert empty == set(), "plant a row in these tables, so that their way back is seen"
    elsewhere = await new_database(service.database_url)
    file = str(tmp_path / "one.backup")
    programs = f"{Path(postgres_program('pg_dump')).parent}{os.pathsep}{os.environ['PATH']}"
    for url, words in ((service.database_url, ["backup", file]), (elsewhere, ["restore", file])):
        environ = {
            "MODERATION_DATABASE_URL": url,
            "MODERATION_SECRET_KEYS": service.vault.keyring.as_text(),
            "PATH": programs,
        }
        done = await asyncio.to_thread(CliRunner(env=environ).invoke, program, words)
        configure_logging("json", "warning")
        assert done.exit_code == 0, done.output
    after = await rows(elsewhere)
    assert {name for name in before if name not in CHANGES and after[name] != before[name]} == set()
    assert before["audit"] <= after["audit"]
    async with asyncio.timeout(60):
        connection = await connect(elsewhere)
        sealed = await connection.fetchval(
            "SELECT email_sealed FROM comments WHERE email_sealed IS NOT NULL LIMIT 1"
        )
        assert service.vault.open(sealed, "email").endswith("@example.com")
        await connection.close()
    await drop_database(
        service.database_url
    )  # a checkpoint, on a disk that others write to: as long as it takes


async def new_database(url: str) -> str:
    admin: asyncpg.Connection[Any] = await asyncpg.connect(url)
    await admin.execute("DROP DATABASE IF EXISTS restored")
    await admin.execute("CREATE DATABASE restored")
    await admin.close()
    before, _, query = url.partition("?")
    return f"{before.rpartition('/')[0]}/restored?{query}"


async def drop_database(url: str) -> None:
    admin: asyncpg.Connection[Any] = await asyncpg.connect(url)
    await admin.execute("DROP DATABASE restored WITH (FORCE)")
    await admin.close()
