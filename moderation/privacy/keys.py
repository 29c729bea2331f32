"""Which keys are in force: from the environment or from ``secrets.json``, checked against the fingerprint in the database."""

from pathlib import Path

from moderation.privacy import secrets_file
from moderation.privacy.keyring import Keyring, KeysError
from moderation.settings import Settings, SettingsError
from moderation.storage.database import Connection

__all__ = [
    "Keyring",
    "KeysError",
    "check_keyring",
    "find_keyring",
    "load_keyring",
    "prepare_keyring",
    "secrets_path",
]


def secrets_path(settings: Settings) -> Path:
    """Return where the keys of an instance with embedded engines are kept."""
    return settings.data_dir / secrets_file.NAME


def load_keyring(settings: Settings) -> Keyring:
    """Return the keys in force; for a process whose supervisor prepared them.

    Raises `SettingsError` for keys in the environment that cannot be read, `KeysError` where there are none.
    """
    keyring = find_keyring(settings)
    if keyring is None:
        raise KeysError(
            f"there are no secret keys: neither MODERATION_SECRET_KEYS nor {secrets_path(settings)}"
        )
    return keyring


async def prepare_keyring(connection: Connection, settings: Settings) -> Keyring:
    """Return the keys in force, made now if the database was never written with any, after checking that they are those of the data.

    The schema must be up to date. Never makes keys for a database that was written with others. Raises `KeysError`, and
    `SettingsError` like `load_keyring`.
    """
    keyring = find_keyring(settings)
    if keyring is None:
        used = await connection.fetchval("SELECT key_fingerprint FROM instance")
        if used is not None:
            raise KeysError(
                f"{secrets_path(settings)} is missing, and with it the keys of this database: put the copy from your "
                "backup there, or set MODERATION_SECRET_KEYS"
            )
        keyring = secrets_file.create(secrets_path(settings))
    await check_keyring(connection, keyring)
    return keyring


async def check_keyring(connection: Connection, keyring: Keyring) -> None:
    """Raise `KeysError` unless the data was written with these keys; an unused database is bound to them."""
    await connection.execute(
        "UPDATE instance SET key_fingerprint = $1 WHERE key_fingerprint IS NULL", keyring.fingerprint
    )
    keyring.check(await connection.fetchval("SELECT key_fingerprint FROM instance"))


def find_keyring(settings: Settings) -> Keyring | None:
    """Return the keys given here, unchecked; None where there are none. Raises like `load_keyring` for damaged ones."""
    if settings.secret_keys is None:
        return secrets_file.read(secrets_path(settings))
    try:
        return Keyring.parse(settings.secret_keys)
    except KeysError as error:
        raise SettingsError([f"MODERATION_SECRET_KEYS: {error}"]) from error
