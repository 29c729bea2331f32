"""The file that a backup is: a ZIP of the database's dump, a manifest, and the keys where they were asked for."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Self

from moderation.cli.failures import Failure
from moderation.privacy import secrets_file
from moderation.privacy.keyring import Keyring, KeysError

FORMAT = 1
_DUMP = "database.dump"
_MANIFEST = "manifest.json"
_CHUNK_BYTES = 1024 * 1024
_MAX_MANIFEST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; ``sha256`` and ``dump_bytes`` are of the dump."""

    made_at: str
    program: str
    schema: int
    key_fingerprint: str
    sha256: str
    dump_bytes: int
    format: int = FORMAT

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read a manifest. Raises `Failure` for another format."""
        try:
            fields: dict[str, Any] = json.loads(content)
            if fields["format"] != FORMAT:
                raise Failure(f"the backup has format {fields['format']}, this program reads {FORMAT}")
            return cls(**fields)
        except (ValueError, KeyError, TypeError) as error:
            raise Failure("the backup's manifest is damaged") from error


class ArchiveWriter:
    """Writes one backup; the dump first, as it comes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.sha256 = ""
        self.dump_bytes = 0

    def add_dump(self, source: IO[bytes]) -> None:
        """Copy the dump from ``source`` to its end."""
        digest = hashlib.sha256()
        with self._archive.open(_DUMP, "w", force_zip64=True) as target:
            while chunk := source.read(_CHUNK_BYTES):
                digest.update(chunk)
                self.dump_bytes += len(chunk)
                target.write(chunk)
        self.sha256 = digest.hexdigest()

    def add_keys(self, keyring: Keyring) -> None:
        """Put the keys in."""
        self._archive.writestr(secrets_file.NAME, secrets_file.content(keyring))

    def finish(self, manifest: Manifest) -> None:
        """Put the manifest in."""
        self._archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=2))


@contextmanager
def new_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Lend a writer for ``path``, which appears when the block ends well: whole, durable, readable by its owner alone."""
    if path.exists():
        raise Failure(f"{path} exists already; a backup is never overwritten")
    if not path.parent.is_dir():
        raise Failure(f"{path.parent}: there is no such folder")
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # the dump is compressed already
                yield ArchiveWriter(archive)
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
        secrets_file.sync_folder(path.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class Archive:
    """A backup that is read."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest = Manifest.parse(self._read(_MANIFEST))

    def keyring(self) -> Keyring | None:
        """Return the keys in it, if there are any."""
        if secrets_file.NAME not in self._archive.namelist():
            return None
        try:
            return Keyring.parse(json.loads(self._read(secrets_file.NAME))["secret_keys"])
        except (ValueError, KeyError, TypeError, KeysError) as error:
            raise Failure("the keys in the backup are damaged") from error

    def dump(self) -> IO[bytes]:
        """Open the dump for reading."""
        return self._archive.open(_DUMP)

    def check(self) -> None:
        """Raise `Failure` unless the dump is what the manifest says."""
        digest = hashlib.sha256()
        try:
            with self.dump() as source:
                while chunk := source.read(_CHUNK_BYTES):
                    digest.update(chunk)
        except (zipfile.BadZipFile, EOFError, KeyError) as error:
            raise Failure("the backup is damaged") from error
        if digest.hexdigest() != self.manifest.sha256:
            raise Failure("the backup is damaged: its dump does not match its manifest")

    def _read(self, name: str) -> bytes:
        try:
            with self._archive.open(name) as file:
                return file.read(_MAX_MANIFEST_BYTES)
        except (zipfile.BadZipFile, KeyError) as error:
            raise Failure(f"the backup has no {name}, or a damaged one") from error


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Lend the backup in ``path``. Raises `Failure` for what is none."""
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise Failure(f"{path} is not a backup, or was cut off") from error
    with archive:
        yield Archive(archive)
