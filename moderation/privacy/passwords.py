"""Passwords: which are accepted, and their argon2id hashes, worked out off the event loop and few at a time."""

import asyncio
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from secrets import token_urlsafe
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from moderation.domain.errors import DependencyUnavailableError
from moderation.domain.identity import fold_email

SHORTEST = 12
"""Code points (NIST SP 800-63B-4 asks for 8 beside a second factor and 15 without; long ones are what counts, not their mixture)."""
LONGEST = 256
"""Code points: what is longer is a mistake, and hashing takes the longer."""
AT_ONCE = 2
"""Hashes under way in a process: 46 MiB and some 0.1 s of a core each."""
WAITING = 32
"""Callers in front of them; more are told to come again."""

_ARGON2ID = argon2.PasswordHasher(time_cost=2, memory_cost=47_104, parallelism=1)
# OWASP Password Storage Cheat Sheet: 46 MiB with one pass at least; a second one costs nobody who signs in once a day anything.

Result = TypeVar("Result")


class Fault(StrEnum):
    """Why a password is not accepted."""

    TOO_SHORT = "password_too_short"
    TOO_LONG = "password_too_long"
    IS_EMAIL = "password_is_email"


def fault_of(password: str, email: str | None) -> Fault | None:
    """Return what is wrong with a new password of the person with that address; None for a good one."""
    written = normal(password)
    if len(written) > LONGEST:
        return Fault.TOO_LONG
    if len(written) < SHORTEST or not written.strip():
        return Fault.TOO_SHORT
    return Fault.IS_EMAIL if fold_email(written) == fold_email(email) else None


def normal(password: str) -> str:
    """Return the form that is hashed: NFKC, so that keyboards that write a letter differently open the same door."""
    return unicodedata.normalize("NFKC", password)


class Passwords:
    """Hashes and checks, `AT_ONCE` at a time. Raises `DependencyUnavailableError` when `WAITING` callers wait already."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._inside = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Return the encoded hash, with a salt of its own."""
        return await self._work(_hash, normal(password))

    async def holds(self, password: str, encoded: str | None) -> bool:
        """Tell whether ``encoded`` is of that password; for None the same work is done for nothing, and the answer is no."""
        if encoded is None:
            encoded = await self._hash_of_nobody()
            await self._work(_holds, normal(password)[:LONGEST], encoded)
            return False
        return await self._work(_holds, normal(password)[:LONGEST], encoded)

    async def _hash_of_nobody(self) -> str:
        if self._nobodys is None:
            self._nobodys = await self.hash(token_urlsafe())
        return self._nobodys

    async def _work(self, function: Callable[..., Result], *values: str) -> Result:
        if self._inside >= WAITING:
            raise DependencyUnavailableError("passwords")
        self._inside += 1
        try:
            async with self._places:
                return await asyncio.to_thread(function, *values)  # argon2 lets go of the interpreter's lock
        finally:
            self._inside -= 1


def _hash(password: str) -> str:
    return _ARGON2ID.hash(password.encode(errors="surrogatepass"))


def _holds(password: str, encoded: str) -> bool:
    try:
        return _ARGON2ID.verify(encoded, password.encode(errors="surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(encoded: str) -> bool:
    """Tell whether the hash was made with other parameters than those of today."""
    return _ARGON2ID.check_needs_rehash(encoded)
