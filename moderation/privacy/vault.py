"""Keyed hashes and encryption under the secret keys; implements `domain.ports.Vault`.

A sealed value is ``version, length of the key's name, name, nonce, AES-256-GCM``, with purpose and header as associated data.
Nonces are random: one key is good for 2**32 values of each purpose (NIST SP 800-38D §8.3), then rotate.
"""

import asyncio
import hashlib
import json
import os
from typing import Any

import orjson
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from moderation.domain.ports import SealedValueError
from moderation.privacy import secrets_file
from moderation.privacy.keyring import Keyring, KeysError, SecretKey

VERSION = 1
WATCH_EVERY_S = 1.0
_NONCE_BYTES = 12
_HASH_BYTES = 16

log = structlog.get_logger()


class _Hashers(dict[str, Any]):
    """Keyed hashes that have begun, by purpose: to be copied. A comment takes seven."""

    def __init__(self, key: SecretKey) -> None:
        self._key = key

    def __missing__(self, purpose: str) -> Any:
        begun = self[purpose] = hashlib.blake2b(
            key=self._key.subkey(f"hash {purpose}"), digest_size=_HASH_BYTES
        )
        return begun


class _Ciphers:
    """What follows from one keyring, derived when first used; purposes are few and constant, so nothing is dropped."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self.header = _header(keyring.current)
        self._sealers: dict[str, tuple[AESGCM, bytes]] = {}
        self._openers: dict[tuple[bytes, str], tuple[AESGCM, bytes]] = {}
        self.hashers = _Hashers(keyring.hash_key)

    def sealer(self, purpose: str) -> tuple[AESGCM, bytes]:
        """Return the cipher of the current key and what it binds in."""
        found = self._sealers.get(purpose)
        if found is None:
            found = self._sealers[purpose] = _cipher(self.keyring.current, self.header, purpose)
        return found

    def opener(self, header: bytes, purpose: str) -> tuple[AESGCM, bytes] | None:
        """Return the cipher for values that begin with ``header``; None for an unknown key."""
        found = self._openers.get((header, purpose))
        if found is None:
            key = next((key for key in self.keyring.keys if _header(key) == header), None)
            if key is not None:
                found = self._openers[header, purpose] = _cipher(key, header, purpose)
        return found


class KeyedVault:
    """Seals and hashes; safe to use from several threads.

    Keys from ``secrets.json`` are read again when a value turns up whose key is not known yet, so that a rotation in another
    process is noticed; `watch` notices it before.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._ciphers = _Ciphers(keyring)

    @property
    def keyring(self) -> Keyring:
        """The keys in force."""
        return self._ciphers.keyring

    def seal(self, text: str, purpose: str) -> bytes:
        """Encrypt under the current key."""
        ciphers = self._ciphers
        cipher, bound = ciphers.sealer(purpose)
        nonce = os.urandom(_NONCE_BYTES)
        return ciphers.header + nonce + cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), bound)

    def open(self, sealed: bytes, purpose: str) -> str:
        """Decrypt. Raises `SealedValueError`."""
        header = _header_of(sealed)
        opener = self._ciphers.opener(header, purpose)
        if opener is None:
            self.reload()
            opener = self._ciphers.opener(header, purpose)
        if opener is None:
            raise SealedValueError("the value was sealed with a key that is not among the secret keys")
        cipher, bound = opener
        start = len(header) + _NONCE_BYTES
        try:
            text = cipher.decrypt(sealed[len(header) : start], sealed[start:], bound)
            return text.decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError) as error:
            raise SealedValueError("the value is damaged or belongs to another column") from error

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether the value was sealed with the key that seals now."""
        return sealed.startswith(self._ciphers.header)

    def fingerprint(self, purpose: str, *parts: str | None) -> bytes:
        """Return BLAKE2b-128 of the parts written as a JSON list, so that no two lists of parts look alike."""
        try:
            written = orjson.dumps(parts)
        except TypeError:  # a lone surrogate, which strict JSON cannot hold
            written = json.dumps(parts).encode()
        hasher = self._ciphers.hashers[purpose].copy()
        hasher.update(written)
        digest: bytes = hasher.digest()
        return digest

    async def watch(self) -> None:
        """Notice new keys in the file within a second or two; runs until cancelled, or ends at once without a file."""
        path = self.keyring.source
        seen = None
        while path is not None:
            changed = await asyncio.to_thread(_change_time, path)
            if changed is not None and changed != seen:
                seen = changed
                await asyncio.to_thread(self.reload)
            await asyncio.sleep(WATCH_EVERY_S)

    def reload(self) -> None:
        """Read the keys from their file again; a file that is damaged, or of another instance, changes nothing."""
        source = self.keyring.source
        try:
            found = None if source is None else secrets_file.read(source)
        except KeysError:
            log.error("secret_keys_unreadable", file=str(source))
            return
        if found is None or found == self.keyring:
            return
        if found.hash_key != self.keyring.hash_key:
            log.error("secret_keys_of_another_instance", file=str(source))
            return
        self._ciphers = _Ciphers(found)
        log.info("secret_keys_reloaded", current=found.current.id)


def _cipher(key: SecretKey, header: bytes, purpose: str) -> tuple[AESGCM, bytes]:
    return AESGCM(key.subkey(f"seal {purpose}")), header + purpose.encode()


def _header(key: SecretKey) -> bytes:
    name = key.id.encode()
    return bytes((VERSION, len(name))) + name


def _header_of(sealed: bytes) -> bytes:
    if len(sealed) < 2 or sealed[0] != VERSION:
        raise SealedValueError("the value is not a sealed one, or of a newer program")
    return sealed[: 2 + sealed[1]]


def _change_time(path: os.PathLike[str]) -> int | None:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - a Path is what it is given
    except OSError:
        return None
