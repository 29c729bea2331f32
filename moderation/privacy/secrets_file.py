"""``secrets.json`` in the data directory: the keys of an instance with embedded engines. Mode 0600, replaced in one step."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from moderation.privacy.keyring import Keyring, KeysError

NAME = "secrets.json"
_MAX_BYTES = 65_536

log = structlog.get_logger()


def read(path: Path) -> Keyring | None:
    """Return the keys in ``path``, None where there is no such file. Raises `KeysError` for one that cannot be used."""
    try:
        # The data directory may belong to another account than root's: a link planted there is not followed.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeysError(f"{path} cannot be read: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        _close_to_others(handle, path)
        content = file.read(_MAX_BYTES)
    try:
        return Keyring.parse(json.loads(content)["secret_keys"], path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeysError(f"{path} is damaged: put the copy from your backup in its place") from error
    except KeysError as error:
        raise KeysError(f"{path} is damaged ({error}): put the copy from your backup in its place") from error


def create(path: Path) -> Keyring:
    """Make ``path`` with fresh keys, unless somebody else just did; return the keys that are in it. Raises `KeysError`."""
    with _written(path, Keyring.new()) as temporary:
        try:
            path.hardlink_to(temporary)  # unlike a rename it refuses to replace another starter's file
            log.info("secret_keys_made", file=str(path))
        except FileExistsError:
            pass
    keyring = read(path)
    assert keyring is not None, "made just now"
    return keyring


def replace(path: Path, keyring: Keyring) -> None:
    """Put ``keyring`` in place of what is in ``path``; durable on return, whole whatever happens. Raises `KeysError`."""
    with _written(path, keyring) as temporary:
        temporary.replace(path)


def content(keyring: Keyring) -> bytes:
    """Return what the file holds for these keys."""
    return json.dumps({"secret_keys": keyring.as_text()}, indent=2).encode() + b"\n"


@contextmanager
def _written(path: Path, keyring: Keyring) -> Iterator[Path]:
    """Lend a temporary file beside ``path`` with these keys; what the block does with it is durable afterwards."""
    try:
        temporary = _write_temporary(path, keyring)
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise KeysError(f"{path} cannot be written: {error.strerror}") from error


def _write_temporary(path: Path, keyring: Keyring) -> Path:
    path.parent.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".secrets-", dir=path.parent)  # mode 0600 from the start
    try:
        with os.fdopen(handle, "wb") as file:
            folder = path.parent.stat()
            if os.geteuid() == 0 and folder.st_uid != 0:  # its owner can then start the service without root
                os.fchown(handle, folder.st_uid, folder.st_gid)
            file.write(content(keyring))
            file.flush()
            os.fsync(handle)
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)


def _close_to_others(handle: int, path: Path) -> None:
    if os.fstat(handle).st_mode & 0o077:
        try:
            os.fchmod(handle, 0o600)
        except OSError as error:
            raise KeysError(f"others can read {path}: close it with chmod 600") from error
        log.warning("secret_keys_were_readable_by_others", file=str(path))


def sync_folder(folder: Path) -> None:
    """Make what was renamed, linked or removed in a folder outlast a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
