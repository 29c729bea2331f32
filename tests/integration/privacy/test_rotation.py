"""Changing the secret keys: everything sealed anew, interrupted or not, while others go on writing."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from moderation.domain.errors import ConflictError
from moderation.domain.ids import CommentId
from moderation.domain.ports import SealedValueError
from moderation.domain.site import Role
from moderation.privacy import rotation, second_factor, secrets_file
from moderation.privacy.keyring import Keyring
from moderation.privacy.keys import check_keyring
from moderation.privacy.rotation import Outcome, rotate
from moderation.privacy.vault import KeyedVault
from moderation.storage.administration.moderators import add_moderator, list_moderators
from moderation.storage.administration.sites import NewSite, SiteCredentials, add_site
from moderation.storage.database import Database
from tests.seeding import Seed, add_comments

SITE = NewSite("paper", "https://paper.example")
EDITOR = "editor@paper.example"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture(autouse=True)
def _nobody_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """No service runs beside these, but for the test that says so."""
    monkeypatch.setattr(rotation, "NOTICED_AFTER_S", 0)


@pytest.fixture
async def filed(database: Database, tmp_path: Path) -> KeyedVault:
    """A vault whose keys are in a file, on a database bound to them."""
    vault = KeyedVault(await asyncio.to_thread(secrets_file.create, tmp_path / "secrets.json"))
    async with database.connection() as connection:
        await check_keyring(connection, vault.keyring)
    return vault


async def fill(database: Database, vault: KeyedVault, count: int) -> tuple[SiteCredentials, list[CommentId]]:
    """Add a site, somebody who moderates it, and comments of which every third has no e-mail and every fourth no address."""
    site = await add_site(database, vault, SITE, actor="test")
    async with database.connection() as connection:
        site_id = await connection.fetchval("SELECT id FROM sites")
    editor = await add_moderator(database, vault, EDITOR, site="paper", role=Role.LEAD, actor="test")
    async with database.connection() as connection:
        factor = vault.seal(SECRET, second_factor.PURPOSE)
        await connection.execute(
            "UPDATE moderators SET second_factor_sealed = $2 WHERE id = $1", editor, factor
        )
    ids = await add_comments(database, site_id, [Seed(text=f"نص {n}") for n in range(count)])
    for number, comment_id in enumerate(ids):
        await put_email(database, vault, comment_id, number)
    return site, ids


async def put_email(database: Database, vault: KeyedVault, comment_id: UUID, number: int) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE comments SET email_sealed = $2, address_sealed = $3 WHERE id = $1",
            comment_id,
            vault.seal(f"reader{number}@example.com", "email") if number % 3 else None,
            vault.seal(f"192.0.2.{number}", "address") if number % 4 else None,
        )


async def opened(database: Database, keyring: Keyring) -> list[tuple[str | None, str | None]]:
    """Every e-mail and address, opened with the current key of ``keyring`` alone."""
    alone = KeyedVault(keyring.without([key.id for key in keyring.keys[1:]]))
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT email_sealed AS email, address_sealed AS address FROM comments ORDER BY id"
        )
        sites = await connection.fetch("SELECT webhook_secrets, inbound_secrets FROM sites")
    for site in sites:
        for sealed in site["webhook_secrets"]:
            assert alone.open(sealed, "webhook_secret").startswith("whsec_")
        for sealed in site["inbound_secrets"]:
            assert alone.open(sealed, "inbound_secret").startswith("whsec_")
    assert [line.email for line in await list_moderators(database, alone)] == [EDITOR]
    async with database.connection() as connection:
        factor = await connection.fetchval("SELECT second_factor_sealed FROM moderators")
    assert alone.open(factor, second_factor.PURPOSE) == SECRET
    return [
        tuple(None if row[name] is None else alone.open(row[name], name) for name in ("email", "address"))  # type: ignore[misc]
        for row in rows
    ]


def expected(count: int) -> list[tuple[str | None, str | None]]:
    return [
        (f"reader{n}@example.com" if n % 3 else None, f"192.0.2.{n}" if n % 4 else None) for n in range(count)
    ]


async def fingerprint(database: Database) -> str:
    async with database.connection() as connection:
        return str(await connection.fetchval("SELECT key_fingerprint FROM instance"))


async def test_afterwards_the_new_key_alone_opens_everything(
    database: Database, filed: KeyedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "WINDOW", 4)
    before = filed.keyring
    await fill(database, filed, 14)
    done = await rotate(database, filed, actor="test")
    assert done.outcome is Outcome.ROTATED
    assert done.kept == (before.current.id,)
    sealed = sum(value is not None for row in expected(14) for value in row)
    assert (done.progress.resealed, done.progress.unreadable) == (
        sealed + 4,
        0,
    )  # two secrets of the site, and the editor's address and second factor
    assert done.current != before.current.id
    assert await opened(database, filed.keyring) == expected(14)
    assert await fingerprint(database) == filed.keyring.fingerprint
    assert secrets_file.read(before.source or Path()) == filed.keyring


async def test_keyed_hashes_stay_the_same(database: Database, filed: KeyedVault) -> None:
    before = filed.fingerprint("identity", "paper", "email", "a@b.example")
    await rotate(database, filed, actor="test")
    await rotate(database, filed, actor="test")
    assert filed.fingerprint("identity", "paper", "email", "a@b.example") == before


async def test_the_last_key_but_one_stays_for_services_that_have_not_noticed_and_older_ones_go(
    database: Database, filed: KeyedVault
) -> None:
    await fill(database, filed, 3)
    first = filed.keyring.current.id
    second = (await rotate(database, filed, actor="test")).current
    third = await rotate(database, filed, actor="test")
    assert [key.id for key in filed.keyring.keys] == [third.current, second]
    assert first not in str(filed.keyring)
    assert await opened(database, filed.keyring) == expected(3)


async def test_one_that_was_interrupted_is_finished_before_a_new_key_is_made(
    database: Database, filed: KeyedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "WINDOW", 3)
    await fill(database, filed, 9)
    bound = await fingerprint(database)
    windows = 0
    reseal_rows = rotation._reseal_rows

    async def break_off(*arguments: object) -> None:
        nonlocal windows
        windows += 1
        if windows == 3:
            raise ConnectionResetError
        await reseal_rows(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as broken:
        broken.setattr(rotation, "_reseal_rows", break_off)
        with pytest.raises(Exception):  # noqa: B017 - a lost connection, however it is worded
            await rotate(database, filed, actor="test")
    assert await fingerprint(database) == bound, (
        "the database stays bound to the key that still opens half of it"
    )

    begun = filed.keyring.current.id
    restarted = KeyedVault(secrets_file.read(filed.keyring.source or Path()) or Keyring.new())
    async with database.connection() as connection:
        await check_keyring(connection, restarted.keyring)
    done = await rotate(database, restarted, actor="test")
    assert (done.outcome, done.current) == (Outcome.FINISHED, begun)
    assert await opened(database, restarted.keyring) == expected(9)
    assert (await rotate(database, restarted, actor="test")).outcome is Outcome.ROTATED


async def test_a_service_beside_it_reads_and_writes_all_the_time(
    database: Database, filed: KeyedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "WINDOW", 5)
    monkeypatch.setattr(rotation, "NOTICED_AFTER_S", 0.3)
    _, ids = await fill(database, filed, 60)
    service = KeyedVault(filed.keyring)  # another process: it learns of the new key from the file alone
    is_over = asyncio.Event()
    rounds = 0

    async def serve() -> None:
        nonlocal rounds
        while not is_over.is_set():
            number = rounds % len(ids)
            await put_email(database, service, ids[number], number)
            async with database.connection() as connection:
                rows = await connection.fetch("SELECT email_sealed, address_sealed FROM comments")
            for row in rows:
                for purpose in ("email", "address"):
                    if row[f"{purpose}_sealed"] is not None:
                        service.open(row[f"{purpose}_sealed"], purpose)
            rounds += 1

    serving = asyncio.create_task(serve())
    done = await rotate(database, filed, actor="test")
    is_over.set()
    await serving
    assert rounds > 0
    assert done.progress.unreadable == 0
    await rotate(database, filed, actor="test")
    assert await opened(database, filed.keyring) == expected(60)


async def test_an_erasure_meanwhile_is_not_undone(database: Database, filed: KeyedVault) -> None:
    await fill(database, filed, 3)
    async with database.connection() as eraser, database.connection() as watcher:
        erasing = eraser.transaction()
        await erasing.start()
        await eraser.execute("UPDATE comments SET email_sealed = NULL, address_sealed = NULL")
        rotating = asyncio.create_task(rotate(database, filed, actor="test"))
        async with asyncio.timeout(60):
            while not await watcher.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
                await asyncio.sleep(0.01)
        await erasing.commit()
        await rotating
    assert await opened(database, filed.keyring) == [(None, None)] * 3


async def test_two_at_once_are_refused(database: Database, filed: KeyedVault) -> None:
    async with rotation._only_rotation(database):
        with pytest.raises(ConflictError, match="Another rotation is under way"):
            await rotate(database, filed, actor="test")
    await rotate(database, filed, actor="test")


async def test_a_value_that_no_key_opens_stays_and_keeps_the_older_keys(
    database: Database, filed: KeyedVault
) -> None:
    _, ids = await fill(database, filed, 3)
    foreign = KeyedVault(Keyring.new()).seal("x@example.com", "email")
    async with database.connection() as connection:
        await connection.execute("UPDATE comments SET email_sealed = $2 WHERE id = $1", ids[0], foreign)
    await rotate(database, filed, actor="test")
    done = await rotate(database, filed, actor="test")
    assert done.progress.unreadable == 1
    assert len(filed.keyring.keys) == 3
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT email_sealed FROM comments WHERE id = $1", ids[0]) == foreign


class TestKeysFromTheEnvironment:
    """They are the operator's to change: told what to set, then everything is brought to it."""

    async def test_it_goes_step_by_step_and_loses_nothing(self, database: Database) -> None:
        first = Keyring.parse("k1:" + "A" * 43 + "=")
        vault = KeyedVault(first)
        async with database.connection() as connection:
            await check_keyring(connection, vault.keyring)
        await fill(database, vault, 6)

        asked = await rotate(database, vault, actor="test")
        assert asked.outcome is Outcome.SET_ENVIRONMENT
        assert asked.progress.resealed == 0
        assert await opened(database, first) == expected(6), "nothing has changed yet"

        second = Keyring.parse(asked.environment or "")
        async with database.connection() as connection:
            await check_keyring(connection, second)  # the service starts with both
        done = await rotate(database, KeyedVault(second), actor="test")
        assert done.outcome is Outcome.FINISHED
        last = Keyring.parse(done.environment or "")
        assert len(last.keys) == 1
        async with database.connection() as connection:
            await check_keyring(connection, last)  # and with the new one alone
        assert await opened(database, last) == expected(6)
        assert last.hash_key == first.hash_key
        with pytest.raises(SealedValueError):
            await opened(database, first)

    async def test_the_answer_does_not_show_itself_in_a_log(
        self, database: Database, vault: KeyedVault
    ) -> None:
        async with database.connection() as connection:
            await check_keyring(connection, vault.keyring)
        asked = await rotate(database, vault, actor="test")
        assert asked.environment is not None
        assert asked.environment not in repr(asked)


def test_every_sealed_column_of_the_schema_is_known() -> None:
    """A column that is forgotten would become unreadable when its key goes."""
    from importlib import resources

    folder = resources.files("moderation.storage") / "migrations"
    schema = "\n".join(file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".sql"))
    lines = [line.split() for line in schema.splitlines()]
    sealed = {words[0] for words in lines if len(words) > 1 and "sealed" in words[0]}
    sealed |= {words[5] for words in lines if words[3:5] == ["ADD", "COLUMN"] and "sealed" in words[5]}
    arrays = {words[0] for words in lines if len(words) > 1 and words[1] == "bytea[]"}
    known = {column for table in rotation._TABLES for column in table.columns}
    assert sealed == known
    assert arrays == set(rotation.SECRET_COLUMNS.values())
