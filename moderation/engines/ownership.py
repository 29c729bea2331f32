"""Who owns the engines of a data directory: an exclusive lock on one file, which also says how to reach them.

The kernel holds the lock (flock), so it ends with the owner, however that ends. The file itself is never removed:
a second starter could otherwise lock a name that no longer exists.
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from moderation.engines.errors import EngineError, EnginesInUseError

_LONGEST_RECORD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class EngineAddresses:
    """Where the engines answer; empty for an engine that is not embedded."""

    database_url: str
    redis_url: str


@dataclass(frozen=True, slots=True)
class OwnerRecord:
    """What an owner says of itself. `addresses` is None until the engines answer and again once they are to stop."""

    pid: int
    socket_folder: str
    addresses: EngineAddresses | None
    is_lasting: bool = False
    """A service, which goes on until it is told to stop; not a command, which ends by itself."""


_UNKNOWN = OwnerRecord(pid=0, socket_folder="", addresses=None)


class Ownership:
    """The lock on one data directory, taken or not."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._handle: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether the lock is ours."""
        return self._handle is not None

    def take(self) -> OwnerRecord:
        """Take the lock, and return what the previous owner left in the file.

        Raises EnginesInUseError at once when another living process (or another object of this one) holds it.
        """
        handle = _open(self._data_dir, os.O_RDWR | os.O_CREAT)
        try:
            _match_owner(handle, self._data_dir)
            _lock_or_refuse(handle, self._data_dir)
            left = _read(handle)
            self._handle = handle
            self.publish(socket_folder=left.socket_folder, addresses=None)
        except BaseException:
            self._handle = None
            os.close(handle)
            raise
        return left

    def publish(
        self, *, socket_folder: str, addresses: EngineAddresses | None, is_lasting: bool = False
    ) -> None:
        """Tell other processes how to reach the engines. Readers that catch a half-written record wait."""
        assert self._handle is not None, "only an owner publishes"
        record = OwnerRecord(os.getpid(), socket_folder, addresses, is_lasting)
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, json.dumps(asdict(record)).encode(), 0)

    def release(self) -> None:
        """Give the lock back, and leave an empty file; harmless when nothing is held."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None


def current_owner(data_dir: Path) -> OwnerRecord | None:
    """Say who owns the engines now; None: nobody. The answer may be old by the time it is used."""
    try:
        handle = _open(data_dir, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        # Held for microseconds; a starter that meets it tries again.
        return None if _try_lock(handle, fcntl.LOCK_SH) else _read(handle)
    finally:
        os.close(handle)


def _open(data_dir: Path, flags: int) -> int:
    try:
        # The folder may belong to another account than root's: a link planted there must not be followed.
        return os.open(data_dir / "engines.lock", flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except PermissionError as error:
        raise EngineError(
            f"{data_dir} was set up by another user: use that account, or hand the folder over with chown -R"
        ) from error


def _match_owner(handle: int, data_dir: Path) -> None:
    # Root leaves the file to the folder's owner, who can then start the service without root.
    folder = data_dir.stat()
    if os.geteuid() == 0 and os.fstat(handle).st_uid != folder.st_uid:
        os.fchown(handle, folder.st_uid, folder.st_gid)


def _lock_or_refuse(handle: int, data_dir: Path) -> None:
    if not _try_lock(handle, fcntl.LOCK_EX):
        owner = _read(handle)
        raise EnginesInUseError(
            str(data_dir), owner.pid, is_lasting=owner.is_lasting and owner.addresses is not None
        )


def _try_lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise EngineError(f"the data directory is on a file system without file locks: {error}") from error
    return True


def _read(handle: int) -> OwnerRecord:
    try:
        fields = json.loads(os.pread(handle, _LONGEST_RECORD_BYTES, 0))
        addresses = fields["addresses"] and EngineAddresses(**fields["addresses"])
        is_lasting = fields.get("is_lasting") is True
        return OwnerRecord(int(fields["pid"]), str(fields["socket_folder"]), addresses or None, is_lasting)
    except (ValueError, KeyError, TypeError, AttributeError):
        return _UNKNOWN  # empty, half-written, or of another version: wait for its owner, or take it over
