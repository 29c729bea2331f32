"""Whose key is it: 12 hexadecimal digits in the form or before the host's name; trying many out is throttled."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from aiohttp import web

from moderation.domain.identity import network_of
from moderation.domain.ports import Vault
from moderation.domain.rates import SECOND_US, Limit
from moderation.domain.site import SiteCaller
from moderation.protocols.addresses import client_address
from moderation.protocols.akismet_form import Form
from moderation.storage.administration.site_keys import akismet_key_hash
from moderation.storage.directory import Directory

DIALECT = "akismet"
GUESSES = Limit(10, 60, 10)
"""Wrong keys from one address (IPv6: one /64) that are looked up; more are called wrong unseen."""
MAX_REMEMBERED = 10_000

_KEY = re.compile(r"[0-9a-f]{12}")


class Guesses:
    """Counts wrong keys by address, in this process; keys that were right once are looked up whatever was counted."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until_us: OrderedDict[str, int] = OrderedDict()
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def may_look_up(self, address: str, digest: bytes) -> bool:
        """Tell whether the key with that hash may be looked up for that address."""
        return digest in self._good or self._ahead_us(address) + GUESSES.interval_us <= GUESSES.tolerance_us

    def is_known(self, digest: bytes) -> bool:
        """Tell whether the key with that hash was right once: then nobody's address need be read for it."""
        return digest in self._good

    def was_right(self, digest: bytes) -> None:
        """Remember a good key."""
        if digest not in self._good:
            self._good[digest] = None
            _bound(self._good)

    def was_wrong(self, address: str) -> None:
        """Count a wrong key."""
        ahead_us = min(self._ahead_us(address), GUESSES.tolerance_us)
        self._until_us[address] = self._now_us() + ahead_us + GUESSES.interval_us
        self._until_us.move_to_end(address)
        _bound(self._until_us)

    def _ahead_us(self, address: str) -> int:
        return max(self._until_us.get(address, 0) - self._now_us(), 0)

    def _now_us(self) -> int:
        return int(self._monotonic() * SECOND_US)


def _bound(remembered: OrderedDict[str, int] | OrderedDict[bytes, None]) -> None:
    while len(remembered) > MAX_REMEMBERED:
        remembered.popitem(last=False)


class KeyFinder:
    """Finds the site that a call's key belongs to."""

    def __init__(self, directory: Directory, vault: Vault, guesses: Guesses | None = None) -> None:
        self._directory = directory
        self._vault = vault
        self._guesses = guesses or Guesses()

    async def find(self, request: web.Request, form: Form, names: Sequence[str]) -> SiteCaller | None:
        """Return the caller, or None for no key, a wrong one, or too many wrong ones before.

        The key is the first parameter of ``names`` that is not blank, else the first label of the host.
        Raises `DependencyUnavailableError`.
        """
        written = (
            next(filter(None, map(form.get, names)), "")
            or (request.headers.get("Host") or "").partition(".")[0]
        )
        key = written.strip().lower()
        if not _KEY.fullmatch(key):
            return None
        digest = akismet_key_hash(self._vault, key)
        if not self._guesses.is_known(digest) and not self._guesses.may_look_up(_from(request), digest):
            return None
        caller = await self._directory.site_caller(DIALECT, digest)
        if caller is None:
            self._guesses.was_wrong(_from(request))
        else:
            self._guesses.was_right(digest)
        return caller


def _from(request: web.Request) -> str:
    return network_of(client_address(request)) or ""
