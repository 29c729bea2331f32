"""The private folder in which both engines listen: sockets only, mode 0700, no TCP.

Who can enter the folder may use the engines, so the folder is the authentication. A socket address holds about a
hundred bytes; a data directory with a longer or an unusual name gets a folder below the system's temporary one.
"""

import contextlib
import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from moderation.engines.accounts import Account, make_private_folder
from moderation.engines.errors import EngineError

POSTGRES_PORT = 5432  # names the socket file; nothing listens on TCP
_POSTGRES_SOCKET = f".s.PGSQL.{POSTGRES_PORT}"
_VALKEY_SOCKET = "valkey.sock"
_OUR_FILES = (_POSTGRES_SOCKET, f"{_POSTGRES_SOCKET}.lock", _VALKEY_SOCKET)
_LONGEST_ADDRESS_BYTES = 103  # sun_path is 104 bytes on macOS and 108 on Linux, with its final NUL
# What neither PostgreSQL's list of folders, nor an address with `?` and `,`, nor a URL reads as something else.
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9/._+-]*")


def postgres_url(folder: Path, *, user: str, database: str) -> str:
    """Write an address for asyncpg and libpq; port and sslmode keep PGPORT and PGSSLMODE from changing it."""
    return f"postgresql://{user}@/{database}?host={folder}&port={POSTGRES_PORT}&sslmode=disable"


def valkey_socket(folder: Path) -> Path:
    """Name Valkey's socket file."""
    return folder / _VALKEY_SOCKET


def make_socket_folder(data_dir: Path, account: Account | None) -> Path:
    """Make the folder, empty of sockets that a killed run left; only for the owner of `data_dir`, which is resolved.

    Raises EngineError when no folder has a short enough name.
    """
    folder = data_dir / "run"
    if not _is_fit(folder):
        folder = _make_temporary(data_dir, account)
    make_private_folder(folder, account)
    _empty(folder)
    return folder


def remove_socket_folder(folder: Path) -> None:
    """Remove the sockets and then the folder, where nothing else is in it; harmless when it is gone."""
    try:
        _empty(folder)
        folder.rmdir()
    except OSError:
        return  # somebody else's file is in it, or it is gone: neither harms the next start


def sweep_temporary(folder: Path, data_dir: Path, account: Account | None) -> None:
    """Remove the temporary folder that a killed owner of `data_dir` left behind, if it is provably ours."""
    if folder.name.startswith(_temporary_name(data_dir)) and _is_ours(folder, account):
        remove_socket_folder(folder)


def _make_temporary(data_dir: Path, account: Account | None) -> Path:
    base = Path(tempfile.gettempdir()).resolve()
    folder = base / _temporary_name(data_dir)
    if not _is_fit(folder / "-12345678"):
        raise EngineError(
            f"no socket fits below {data_dir} or {base}: set a shorter MODERATION_DATA_DIR or TMPDIR, of plain letters"
        )
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_ours(folder, account):
            return Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=base))
    return folder


def _temporary_name(data_dir: Path) -> str:
    return f"moderation-{os.geteuid()}-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}"


def _is_fit(folder: Path) -> bool:
    address = os.fsencode(folder / _POSTGRES_SOCKET)
    return len(address) <= _LONGEST_ADDRESS_BYTES and _PLAIN_PATH.fullmatch(str(folder)) is not None


def _is_ours(folder: Path, account: Account | None) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid in {
        os.geteuid(),
        account.uid if account else os.geteuid(),
    }


def _empty(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for name in _OUR_FILES:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=handle)
    finally:
        os.close(handle)
