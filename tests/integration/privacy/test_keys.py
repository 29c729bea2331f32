"""Which keys an instance starts with: made once, bound to the database, refused when they are others."""

import json
from pathlib import Path
from typing import Any

import pytest

from moderation import settings as settings_module
from moderation.privacy.keyring import Keyring, KeysError
from moderation.privacy.keys import check_keyring, load_keyring, prepare_keyring, secrets_path
from moderation.settings import Settings, SettingsError
from moderation.storage.database import Database


def settings(tmp_path: Path, **values: str) -> Settings:
    environ = {f"MODERATION_{name.upper()}": value for name, value in values.items()}
    return settings_module.load({"MODERATION_DATA_DIR": str(tmp_path), **environ})


async def prepare(database: Database, chosen: Settings, **options: Any) -> Keyring:
    async with database.connection() as connection:
        return await prepare_keyring(connection, chosen, **options)


async def test_the_first_start_makes_keys_and_every_later_one_finds_them(
    database: Database, tmp_path: Path
) -> None:
    chosen = settings(tmp_path)
    made = await prepare(database, chosen)
    assert secrets_path(chosen).is_file()
    assert await prepare(database, chosen) == made
    assert load_keyring(chosen) == made


async def test_lost_keys_are_not_made_anew_for_data_that_has_others(
    database: Database, tmp_path: Path
) -> None:
    chosen = settings(tmp_path)
    await prepare(database, chosen)
    secrets_path(chosen).unlink()
    with pytest.raises(KeysError, match=r"secrets\.json is missing"):
        await prepare(database, chosen)
    assert not secrets_path(chosen).exists()


async def test_keys_of_another_instance_are_refused(database: Database, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    await prepare(database, chosen)
    other = Keyring.new()
    secrets_path(chosen).write_text(json.dumps({"secret_keys": other.as_text()}))
    with pytest.raises(KeysError, match="not among the keys given"):
        await prepare(database, chosen)


async def test_the_environment_is_asked_before_the_file_and_no_file_is_made(
    database: Database, tmp_path: Path
) -> None:
    keyring = Keyring.new()
    chosen = settings(tmp_path, secret_keys=keyring.as_text())
    assert await prepare(database, chosen) == keyring
    assert not secrets_path(chosen).exists()


async def test_keys_that_were_in_the_environment_are_missed_when_they_are_gone(
    database: Database, tmp_path: Path
) -> None:
    await prepare(database, settings(tmp_path, secret_keys=Keyring.new().as_text()))
    with pytest.raises(KeysError, match="is missing"):
        await prepare(database, settings(tmp_path))


def test_keys_in_the_environment_that_cannot_be_read_are_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MODERATION_SECRET_KEYS: key k1 is not base64"):
        load_keyring(settings(tmp_path, secret_keys="k1:!"))


def test_an_outside_database_without_keys_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MODERATION_SECRET_KEYS is required"):
        settings(tmp_path, database_url="postgresql://db/moderation")


def test_a_worker_without_keys_says_where_they_should_be(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match=r"neither MODERATION_SECRET_KEYS nor .*secrets\.json"):
        load_keyring(settings(tmp_path))


async def test_an_unused_database_is_bound_to_the_first_keys_it_meets(database: Database) -> None:
    first, second = Keyring.new(), Keyring.new()
    async with database.connection() as connection:
        await check_keyring(connection, first)
        await check_keyring(connection, first)
        with pytest.raises(KeysError):
            await check_keyring(connection, second)
        assert await connection.fetchval("SELECT key_fingerprint FROM instance") == first.fingerprint
