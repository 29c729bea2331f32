"""The secret keys of an instance: reading, writing, deriving, and knowing them again.

``MODERATION_SECRET_KEYS`` and ``secrets.json`` hold the same text: ``id:base64`` of 32 bytes each, comma-separated. The first
key encrypts, all of them decrypt. The entry named ``hash`` is not among them: it is the key of the keyed hashes, which cannot
change without losing everything that is found by them; without that entry it follows from the last key
(docs/decisions/0007-keys-and-vault.md).
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
HASH_ID = "hash"
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_FINGERPRINT_BYTES = 8


class KeysError(Exception):
    """The keys are missing, damaged, or not those of the data; the message says what an operator can do, and no key."""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """256 secret bits and the name that values encrypted with them carry."""

    id: str
    material: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Return a random key with a random name, so that keys of two instances are never taken for each other."""
        return cls(token_hex(3), token_bytes(KEY_BYTES))

    def subkey(self, purpose: str) -> bytes:
        """Derive 32 bytes for one purpose by HKDF-SHA256 (RFC 5869); those of two purposes say nothing of each other."""
        info = b"comment-moderation 1 " + purpose.encode()
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self.material)

    @property
    def fingerprint(self) -> str:
        """What tells this key from others and may be known to anybody."""
        return self.subkey("fingerprint")[:_FINGERPRINT_BYTES].hex()

    def as_text(self) -> str:
        """Write ``id:base64``."""
        return f"{self.id}:{base64.b64encode(self.material).decode()}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys in force: ``keys`` encrypt (the first) and decrypt (all), ``hash_key`` is for keyed hashes."""

    keys: tuple[SecretKey, ...]
    hash_key: SecretKey
    source: Path | None = field(default=None, compare=False)
    """The file they come from; None where the environment says them."""

    @classmethod
    def new(cls) -> Self:
        """Return fresh keys for a fresh instance."""
        return cls((SecretKey.new(),), SecretKey(HASH_ID, token_bytes(KEY_BYTES)))

    @classmethod
    def parse(cls, text: str, source: Path | None = None) -> Self:
        """Read what `as_text` writes. Raises `KeysError` naming every fault, and no key."""
        entries = [entry.strip() for entry in text.split(",") if entry.strip()]
        faults = [fault for number, entry in enumerate(entries, 1) if (fault := _fault(entry, number))]
        ids = [entry.partition(":")[0] for entry in entries]
        faults += [f"two keys are named {name}" for name in sorted({i for i in ids if ids.count(i) > 1})]
        if not set(ids) - {HASH_ID}:
            faults.append("there is no key")
        if faults:
            raise KeysError("; ".join(faults))
        found = [SecretKey(name, _material(entry)) for name, entry in zip(ids, entries, strict=True)]
        keys = tuple(key for key in found if key.id != HASH_ID)
        derived = SecretKey(HASH_ID, keys[-1].subkey("hash_key"))
        return cls(keys, next((key for key in found if key.id == HASH_ID), derived), source)

    @property
    def current(self) -> SecretKey:
        """The key that encrypts."""
        return self.keys[0]

    @property
    def fingerprint(self) -> str:
        """What the database keeps to know these keys again."""
        return f"{self.hash_key.fingerprint} {self.current.id} {self.current.fingerprint}"

    def as_text(self) -> str:
        """Write all keys, the hash key by name."""
        return ",".join(key.as_text() for key in (*self.keys, self.hash_key))

    def with_new_key(self) -> Self:
        """Return these keys behind a fresh one that encrypts from now on."""
        return replace(self, keys=(SecretKey.new(), *self.keys))

    def without(self, ids: Iterable[str]) -> Self:
        """Return the keys but those; the current one always stays."""
        gone = set(ids) - {self.current.id}
        return replace(self, keys=tuple(key for key in self.keys if key.id not in gone))

    def check(self, fingerprint: str) -> None:
        """Raise `KeysError` unless a database with that fingerprint can be read, and searched, with these keys."""
        hashed, name, sealed = fingerprint.split(" ")
        ours = {key.id: key.fingerprint for key in self.keys}
        if ours.get(name) != sealed:
            what = "another key has that name" if name in ours else "it is not among the keys given"
            raise KeysError(f"the data is encrypted with the secret key {name!r}, but {what}: {_REMEDY}")
        if self.hash_key.fingerprint != hashed:
            raise KeysError(
                "authors in this database were hashed with another key: the entry `hash`, or the oldest secret key, is "
                f"missing or not the last of the list: {_REMEDY}"
            )


_REMEDY = (
    "give the keys that the data was written with, in MODERATION_SECRET_KEYS or as secrets.json in the data directory "
    "(`moderation backup --with-keys` keeps a copy)"
)


def _material(entry: str) -> bytes:
    encoded = entry.partition(":")[2].translate(str.maketrans("-_", "+/"))
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)


def _fault(entry: str, number: int) -> str | None:
    name, colon, _ = entry.partition(":")
    if not colon:
        return f"key {number} is not of the form id:base64"
    if not _ID.fullmatch(name):
        return f"the name of key {number} is not 1 to 32 letters, digits, - or _"
    try:
        length = len(_material(entry))
    except (binascii.Error, ValueError):
        return f"key {name} is not base64"
    return None if length == KEY_BYTES else f"key {name} has {length} bytes instead of {KEY_BYTES}"
