"""The operating-system account that the engines run as.

PostgreSQL refuses to run as root. A service started by root therefore hands both engines to an ordinary account; a
service started by anybody else runs them as itself.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from moderation.engines.errors import EngineError

_FALLBACK = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """An ordinary account; `uid` is never 0."""

    name: str
    uid: int
    gid: int


def choose_account(data_dir: Path, *, user: str | None = None) -> Account | None:
    """Choose the account for the engines of an existing `data_dir`; None: they run as the calling process.

    Root's choice is `user`, else the owner of `data_dir`, else `nobody`. An owner without a name in the account
    database (a mounted folder in a container) is passed over: initdb refuses nameless accounts.

    Raises EngineError when the account does not exist or cannot be used.
    """
    if os.geteuid() != 0:
        _refuse_other_account(user)
        return None
    if user is not None:
        return _ordinary(_named(user))
    owner_uid = data_dir.stat().st_uid
    try:
        return _ordinary(pwd.getpwuid(owner_uid) if owner_uid else _named(_FALLBACK))
    except KeyError:
        return _ordinary(_named(_FALLBACK))


def _refuse_other_account(user: str | None) -> None:
    if user is not None and _named(user).pw_uid != os.geteuid():
        raise EngineError(
            f"only root can run the engines as {user!r}; unset the engine user or start as root"
        )


def _named(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError as error:
        raise EngineError(
            f"there is no account {user!r} to run the engines as; name one that exists"
        ) from error


def _ordinary(entry: pwd.struct_passwd) -> Account:
    if entry.pw_uid == 0:
        raise EngineError("PostgreSQL refuses to run as root: name an ordinary account for the engines")
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def make_private_folder(folder: Path, account: Account | None) -> None:
    """Make `folder` a real directory (not a link) of mode 0700 that belongs to `account`, or to us.

    Content that belonged to somebody else goes along, the folder itself last: an interrupted change is done again.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if account is not None and os.fstat(handle).st_uid != account.uid:
            _hand_over_content(handle, account)
            os.fchown(handle, account.uid, account.gid)
        if stat.S_IMODE(os.fstat(handle).st_mode) != 0o700:
            os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


def _hand_over_content(handle: int, account: Account) -> None:
    # By descriptor, and never through a link: the folder may belong to somebody who would like other files changed.
    for _, folders, files, at in os.fwalk(".", dir_fd=handle, follow_symlinks=False):
        for name in (*folders, *files):
            os.chown(name, account.uid, account.gid, dir_fd=at, follow_symlinks=False)
