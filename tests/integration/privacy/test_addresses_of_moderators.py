"""Addresses of moderators: sealed, found by a keyed hash, and brought along from a release that kept them in plain text."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from moderation.domain.clock import utc_now
from moderation.domain.ids import new_uuid
from moderation.domain.retention import Retention
from moderation.domain.site import Role
from moderation.engines import EngineAddresses
from moderation.privacy.keyring import Keyring
from moderation.privacy.retention import RetentionJob
from moderation.privacy.vault import KeyedVault
from moderation.storage import migrate
from moderation.storage.administration.addresses import PURPOSE, seal_addresses
from moderation.storage.administration.moderators import (
    add_moderator,
    add_token,
    disable_moderator,
    list_moderators,
    remove_role,
)
from moderation.storage.administration.passwords import find_account, invite, invited_account, set_password
from moderation.storage.administration.sites import NewSite, add_site
from moderation.storage.database import Database, connect
from tests.conftest import database_url

EMAIL = "layla@paper.example"
ACTOR = "test"
BEFORE = 26
"""The last schema whose programs kept plain text alone."""


@pytest_asyncio.fixture(loop_scope="session")
async def vault(database: Database) -> KeyedVault:
    """A vault, beside a site without people."""
    vault = KeyedVault(Keyring.new())
    await add_site(database, vault, NewSite("paper", "https://paper.example"), actor=ACTOR)
    return vault


async def add(database: Database, vault: KeyedVault, email: str = EMAIL) -> Any:
    return await add_moderator(database, vault, email, site="paper", role=Role.LEAD, actor=ACTOR)


async def add_as_before(database: Database, email: str = EMAIL) -> Any:
    """What a process of the release before does."""
    async with database.connection() as connection:
        return await connection.fetchval(
            "INSERT INTO moderators AS known (id, email, name) VALUES ($1, $2, NULL)"
            " ON CONFLICT (email) DO UPDATE SET disabled_at = NULL RETURNING id",
            new_uuid(),
            email,
        )


async def row_of(database: Database, person: Any) -> Any:
    async with database.connection() as connection:
        return await connection.fetchrow("SELECT * FROM moderators WHERE id = $1", person)


async def begin_the_day(database: Database, *, left: timedelta) -> None:
    async with database.connection() as connection:
        await connection.execute("UPDATE instance SET plain_addresses_until = now() + $1::interval", left)


async def seal(database: Database, vault: KeyedVault, *, at_once: bool = False) -> int:
    async with database.connection() as connection:
        return await seal_addresses(connection, vault, at_once=at_once)


async def find_everywhere(database: Database, vault: KeyedVault, person: Any) -> None:
    """A person is known by their address wherever one is asked for, and listed with it."""
    assert [line.email for line in await list_moderators(database, vault)] == [EMAIL]
    assert (await add_token(database, vault, "Layla@Paper.example", actor=ACTOR)).startswith("mdu_")
    link = await invite(database, vault, EMAIL, actor=ACTOR, now=utc_now())
    invited = await invited_account(database, vault, link, now=utc_now())
    await set_password(database, vault, EMAIL, "hash", actor=ACTOR)
    found = await find_account(database, vault, EMAIL)
    assert found is not None
    assert invited is not None
    assert (found.id, found.email, found.password) == (person, EMAIL, "hash")
    assert (invited.id, invited.email) == (person, EMAIL)
    assert await add(database, vault) == person


async def test_an_address_is_kept_sealed_and_as_a_hash_alone(database: Database, vault: KeyedVault) -> None:
    person = await add(database, vault)
    row = await row_of(database, person)
    assert row["email"] is None
    assert "layla" not in str(dict(row))
    assert vault.open(row["email_sealed"], PURPOSE) == EMAIL
    assert row["email_hash"] == vault.fingerprint(PURPOSE, EMAIL)
    await find_everywhere(database, vault, person)


async def test_what_an_older_program_left_is_found_and_then_sealed(
    database: Database, vault: KeyedVault
) -> None:
    person = await add_as_before(database)
    await find_everywhere(database, vault, person)
    assert await seal(database, vault) == 1
    row = await row_of(database, person)
    assert (row["email"], vault.open(row["email_sealed"], PURPOSE)) == (None, EMAIL)
    await find_everywhere(database, vault, person)
    assert await seal(database, vault) == 0


async def test_beside_an_older_program_plain_text_stays_until_the_day_is_over(
    database: Database, vault: KeyedVault
) -> None:
    await begin_the_day(database, left=timedelta(hours=1))
    old, new = await add_as_before(database, "old@paper.example"), await add(database, vault)
    assert await seal(database, vault) == 0
    for person, email in ((old, "old@paper.example"), (new, EMAIL)):
        row = await row_of(database, person)
        assert (row["email"], vault.open(row["email_sealed"], PURPOSE)) == (email, email)
    assert await add_as_before(database) == new, "the older program finds whom this one added"
    await begin_the_day(database, left=timedelta(0))
    assert await seal(database, vault) == 2
    assert (await row_of(database, old))["email"] is None
    await begin_the_day(database, left=timedelta(hours=1))
    await add_as_before(database, "restored@paper.example")
    assert await seal(database, vault, at_once=True) == 1


async def test_a_round_of_the_retention_job_seals(database: Database, vault: KeyedVault) -> None:
    person = await add_as_before(database)
    job = RetentionJob("", vault, Retention(), clock=utc_now)
    async with database.connection() as connection:
        await job.round(connection)  # type: ignore[arg-type]
    assert (await row_of(database, person))["email"] is None


async def add_twin(database: Database, vault: KeyedVault) -> tuple[Any, Any]:
    """Somebody, and the same address again, as by a process of the release before that went on for longer than its day."""
    person, twin = await add(database, vault), await add_as_before(database)
    async with database.connection() as connection:
        await connection.execute("UPDATE moderators SET password = 'twin' WHERE id = $1", twin)
        await connection.execute(
            "INSERT INTO moderator_roles SELECT $2, site_id, role FROM moderator_roles WHERE moderator_id = $1",
            person,
            twin,
        )
    return person, twin


async def test_of_one_address_twice_the_sealed_one_counts(database: Database, vault: KeyedVault) -> None:
    person, twin = await add_twin(database, vault)
    await disable_moderator(database, vault, EMAIL, actor=ACTOR)
    for one in (person, twin):
        assert (await row_of(database, one))["disabled_at"] is not None
    assert await find_account(database, vault, EMAIL) is None
    assert await add(database, vault) == person
    assert (await row_of(database, twin))["disabled_at"] is not None
    await set_password(database, vault, EMAIL, "hash", actor=ACTOR)
    found = await find_account(database, vault, EMAIL)
    assert found is not None
    assert (found.id, found.password) == (person, "hash")


async def test_a_role_is_taken_of_both(database: Database, vault: KeyedVault) -> None:
    await add_twin(database, vault)
    await remove_role(database, vault, EMAIL, site="paper", actor=ACTOR)
    assert [line.roles for line in await list_moderators(database, vault)] == [{}, {}]


async def test_a_round_shuts_the_twin_out_and_seals_the_others(database: Database, vault: KeyedVault) -> None:
    person, twin = await add_twin(database, vault)
    other = await add_as_before(database, "other@paper.example")
    assert await seal(database, vault) == 1
    assert (await row_of(database, other))["email"] is None
    row = await row_of(database, twin)
    assert (row["email"], row["password"], row["disabled_at"] is None) == (None, None, False)
    assert (await row_of(database, person))["disabled_at"] is None
    assert await seal(database, vault) == 0


async def test_nothing_is_written_plain_after_all_was_sealed_at_once(
    database: Database, vault: KeyedVault
) -> None:
    """A backup that was made within the day."""
    await begin_the_day(database, left=timedelta(hours=1))
    await seal(database, vault, at_once=True)
    assert (await row_of(database, await add(database, vault)))["email"] is None


async def test_with_lost_keys_people_are_listed_without_their_address(
    database: Database, vault: KeyedVault
) -> None:
    person = await add(database, vault)
    (line,) = await list_moderators(database, KeyedVault(Keyring.new()))
    assert (line.id, line.email) == (person, None)


@asynccontextmanager
async def schema_before(
    engines: EngineAddresses, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A database as the release before left it."""
    admin = await asyncpg.connect(engines.database_url)
    await admin.execute("CREATE DATABASE before_addresses")
    connection: asyncpg.Connection[Any] = await connect(database_url(engines, "before_addresses"))  # type: ignore[assignment]
    steps = [step for step in migrate._steps() if step[0] <= BEFORE]
    try:
        with monkeypatch.context() as patched:
            patched.setattr(migrate, "_steps", lambda: steps)
            await migrate.migrate(connection)
        yield connection
    finally:
        await connection.close()
        await admin.execute("DROP DATABASE before_addresses")
        await admin.close()


@pytest.mark.parametrize("has_people", [True, False])
async def test_the_day_begins_where_there_were_people(
    running_engines: EngineAddresses, monkeypatch: pytest.MonkeyPatch, has_people: bool
) -> None:
    async with schema_before(running_engines, monkeypatch) as connection:
        if has_people:
            await connection.execute("INSERT INTO moderators (id, email) VALUES ($1, $2)", new_uuid(), EMAIL)
        assert await migrate.migrate(connection) != []
        until: datetime | None = await connection.fetchval("SELECT plain_addresses_until FROM instance")
        if not has_people:
            assert until is None
            return
        assert until is not None
        assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(days=1)
        assert await connection.fetchval("SELECT email FROM moderators") == EMAIL
