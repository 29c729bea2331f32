"""Encryption and keyed hashes: bound to their purpose, good after a rotation, dead when tampered with."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.ports import SealedValueError
from moderation.privacy import secrets_file
from moderation.privacy.keyring import Keyring
from moderation.privacy.vault import KeyedVault

TEXTS = st.text(st.characters(codec=None))
VAULT = KeyedVault(Keyring.new())


@given(TEXTS)
def test_what_is_sealed_opens_whatever_it_is(text: str) -> None:
    assert VAULT.open(VAULT.seal(text, "email"), "email") == text


def test_the_same_text_never_looks_the_same_and_never_shows() -> None:
    sealed = {VAULT.seal("layla@example.com", "email") for _ in range(50)}
    assert len(sealed) == 50
    assert not any(b"layla" in value for value in sealed)


def test_a_value_cannot_be_moved_to_another_column() -> None:
    with pytest.raises(SealedValueError, match="another column"):
        VAULT.open(VAULT.seal("layla@example.com", "email"), "address")


def test_a_value_changed_in_any_byte_does_not_open() -> None:
    sealed = VAULT.seal("layla@example.com", "email")
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(SealedValueError):
            VAULT.open(bytes(changed), "email")


@given(st.binary(max_size=80))
def test_anything_else_is_refused_in_the_same_way(value: bytes) -> None:
    with pytest.raises(SealedValueError):
        VAULT.open(value, "email")


@pytest.mark.parametrize("length", range(20))
def test_a_value_cut_off_is_refused(length: int) -> None:
    with pytest.raises(SealedValueError):
        VAULT.open(VAULT.seal("x", "email")[:length], "email")


def test_after_a_rotation_old_values_open_and_new_ones_carry_the_new_key() -> None:
    old = Keyring.new()
    before, after = KeyedVault(old), KeyedVault(old.with_new_key())
    sealed = before.seal("layla@example.com", "email")
    assert after.open(sealed, "email") == "layla@example.com"
    assert not after.is_current(sealed)
    assert after.is_current(after.seal("x", "email"))
    with pytest.raises(SealedValueError, match="not among the secret keys"):
        before.open(after.seal("x", "email"), "email")


class TestFingerprint:
    """Keyed hashes: 16 bytes, unlike for unlike lists, the same for as long as the hash key lives."""

    def test_they_outlive_every_rotation(self) -> None:
        keyring = Keyring.new()
        rotated = keyring.with_new_key().without([keyring.current.id])
        hashes = {
            KeyedVault(k).fingerprint("identity", "site", "email", "a@b.example") for k in (keyring, rotated)
        }
        assert len(hashes) == 1
        assert len(hashes.pop()) == 16

    def test_another_instance_hashes_differently(self) -> None:
        assert VAULT.fingerprint("identity", "a") != KeyedVault(Keyring.new()).fingerprint("identity", "a")

    def test_another_purpose_hashes_differently(self) -> None:
        assert VAULT.fingerprint("identity", "a") != VAULT.fingerprint("text", "a")

    @given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
    def test_two_lists_hash_alike_only_if_they_are_alike(self, one: list[str], other: list[str]) -> None:
        assert (VAULT.fingerprint("p", *one) == VAULT.fingerprint("p", *other)) == (one == other)

    def test_where_one_part_ends_matters(self) -> None:
        assert VAULT.fingerprint("p", "ab", "c") != VAULT.fingerprint("p", "a", "bc")


class TestKeysFromAFile:
    """A running service notices a rotation made by another process."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "secrets.json"

    def test_a_value_of_an_unknown_key_makes_it_read_the_file_again(self, path: Path) -> None:
        running = KeyedVault(secrets_file.create(path))
        secrets_file.replace(path, running.keyring.with_new_key())
        rotated = secrets_file.read(path)
        assert rotated is not None
        sealed = KeyedVault(rotated).seal("layla@example.com", "email")
        assert running.open(sealed, "email") == "layla@example.com"
        assert running.is_current(sealed)

    async def test_watching_it_switches_without_being_asked(self, path: Path) -> None:
        running = KeyedVault(await asyncio.to_thread(secrets_file.create, path))
        watching = asyncio.create_task(running.watch())
        rotated = running.keyring.with_new_key()
        await asyncio.to_thread(secrets_file.replace, path, rotated)
        async with asyncio.timeout(60):
            while running.keyring.current != rotated.current:
                await asyncio.sleep(0.01)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching

    async def test_without_a_file_there_is_nothing_to_watch(self) -> None:
        async with asyncio.timeout(60):
            await VAULT.watch()

    @pytest.mark.parametrize("damage", ["damaged", "foreign", "gone"])
    def test_a_file_that_is_damaged_or_foreign_or_gone_changes_nothing(self, path: Path, damage: str) -> None:
        running = KeyedVault(secrets_file.create(path))
        before, sealed = running.keyring, running.seal("x", "email")
        if damage == "damaged":
            path.write_text("{")
        elif damage == "foreign":
            secrets_file.replace(path, Keyring.new())
        else:
            path.unlink()
        running.reload()
        assert running.keyring is before
        assert running.open(sealed, "email") == "x"
