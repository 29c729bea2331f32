"""Becomes an engine: the step between the owner's fork and the engine's exec.

Run as a script (`python -I -S launch.py ORDERS`, ORDERS being JSON) and nothing else: it imports only the standard
library, so that it costs little and needs no environment. Its process id is the engine's.

- The engine runs as an ordinary account. Where that account cannot enter the folders on the way to the program or the
  data (mode 0700 of root), it keeps the narrowest capability that lets it, and only then.
- When the owner dies, however it dies, the kernel sends the engine `death_signal` (Linux; elsewhere the next owner
  ends what is left). The order matters: a change of credentials clears that request.
"""

import ctypes
import json
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn, cast

# linux/prctl.h, linux/securebits.h, linux/capability.h
_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
# Narrowest first. Many containers grant root only the second; and only the second lets one run a program file that is
# itself closed to others.
_CAPABILITIES = (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE)


class Orders(NamedTuple):
    """What to become; `uid` None: as we are. `folders` are those the engine writes in, the first is entered."""

    owner_pid: int
    death_signal: int
    argv: list[str]
    folders: list[str]
    account: str | None
    uid: int | None
    gid: int | None


def main() -> NoReturn:
    """Obey the orders in the first argument; end with a sentence on stderr where that is impossible."""
    orders = Orders(**json.loads(sys.argv[1]))
    try:
        if orders.uid is not None and orders.gid is not None:
            _become(orders, orders.uid, orders.gid)
        if sys.platform == "linux":
            _die_with_owner(orders)
        os.chdir(orders.folders[0])
        os.execv(orders.argv[0], orders.argv)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.exit(f"cannot start {orders.argv[0]} as {orders.account or 'ourselves'}: {error}")


def _die_with_owner(orders: Orders) -> None:
    _prctl(_PR_SET_PDEATHSIG, orders.death_signal)
    if os.getppid() != orders.owner_pid:
        sys.exit("the owner of the engines ended before they were started")


def _become(orders: Orders, uid: int, gid: int) -> None:
    """Change to the account for good; keep one capability where the account cannot reach what it needs."""
    os.setgroups([gid])
    os.setresgid(gid, gid, gid)
    os.setresuid(
        uid, 0, 0
    )  # access(2) asks for the real user, so the question can be put before the last step
    closed = _out_of_reach(orders)
    if not closed or sys.platform != "linux":
        os.setresuid(uid, uid, uid)
    else:
        _become_with_capability(orders, uid, closed)


def _become_with_capability(orders: Orders, uid: int, closed: str) -> None:
    try:
        # Without this bit access(2) denies what open(2) allows, and PostgreSQL asks access(2) about its own program.
        _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
        os.setresuid(uid, uid, uid)
        permitted = _permitted()
        for capability in _CAPABILITIES:
            if permitted & 1 << capability:
                _set_effective(permitted, 1 << capability)
                if not _out_of_reach(orders):
                    _keep_only(capability)
                    return
    except OSError as error:
        _give_up(orders, closed, str(error))
    _give_up(orders, closed, "no capability that would help is available")


def _give_up(orders: Orders, closed: str, reason: str) -> NoReturn:
    sys.exit(
        f"the account {orders.account!r}, which runs the engines because PostgreSQL refuses root, cannot reach "
        f"{closed}, and this process cannot let it ({reason}). Put the program and its data where that account may "
        "enter (chmod o+x on the folders above), or set MODERATION_ENGINE_USER to an account that may, or start the "
        "service as an ordinary user."
    )


def _out_of_reach(orders: Orders) -> str:
    """Name the first path that the real user cannot use; empty where it can use all of them."""
    if not os.access(orders.argv[0], os.R_OK | os.X_OK):
        return orders.argv[0]
    return next((path for path in orders.folders if not os.access(path, os.R_OK | os.W_OK | os.X_OK)), "")


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


_TwoSets = _Sets * 2  # capabilities 0-31 and 32-63


def _keep_only(capability: int) -> None:
    bit = 1 << capability
    _capset(_Sets(bit, bit, bit))
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _set_effective(permitted: int, effective: int) -> None:
    _capset(_Sets(effective, permitted, 0))


def _permitted() -> int:
    sets = _TwoSets()
    _call("capget", ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets)
    return cast("int", sets[0].permitted)


def _capset(low: _Sets) -> None:
    _call("capset", ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), _TwoSets(low, _Sets(0, 0, 0)))


def _prctl(option: int, first: int, second: int = 0) -> None:
    _call("prctl", ctypes.c_int(option), *(ctypes.c_ulong(value) for value in (first, second, 0, 0)))


def _call(name: str, *arguments: Any) -> None:
    function: Callable[..., int] = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
