"""Secret keys as text: read, written, known again, and refused with every fault named."""

import base64
import os
import re

import pytest

from moderation.privacy.keyring import Keyring, KeysError, SecretKey


def written(name: str, material: bytes | None = None) -> str:
    return f"{name}:{base64.b64encode(material or os.urandom(32)).decode()}"


def test_what_is_written_is_read_again() -> None:
    keyring = Keyring.new().with_new_key()
    assert Keyring.parse(keyring.as_text()) == keyring


def test_the_first_key_is_the_current_one_and_the_hash_key_is_none_of_them() -> None:
    keyring = Keyring.parse(f"{written('b')}, {written('hash')},{written('a')}")
    assert keyring.current.id == "b"
    assert [key.id for key in keyring.keys] == ["b", "a"]


def test_without_an_entry_for_it_the_hash_key_follows_from_the_last_key_whatever_is_put_before() -> None:
    oldest = written("k1")
    before, after = Keyring.parse(oldest), Keyring.parse(f"{written('k2')},{oldest}")
    assert before.hash_key == after.hash_key
    assert before.hash_key.material != before.current.material


def test_a_rotated_keyring_keeps_its_hash_key_even_without_the_key_it_came_from() -> None:
    before = Keyring.parse(written("k1"))
    after = before.with_new_key()
    alone = Keyring.parse(after.without([before.current.id]).as_text())
    assert [key.id for key in alone.keys] == [after.current.id]
    assert alone.hash_key == before.hash_key


def test_url_safe_base64_without_padding_is_read_too() -> None:
    material = bytes(range(224, 256))
    entry = "k:" + base64.urlsafe_b64encode(material).decode().rstrip("=")
    assert Keyring.parse(entry).current.material == material


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "there is no key"),
        (written("hash"), "there is no key"),
        ("abc", "key 1 is not of the form id:base64"),
        ("k1:%%%", "key k1 is not base64"),
        (written("k1", bytes(31)), "key k1 has 31 bytes instead of 32"),
        (written("a b"), "the name of key 1 is not"),
        (f"{written('k1')},{written('k1')}", "two keys are named k1"),
    ],
    ids=["empty", "only the hash key", "no colon", "no base64", "too short", "bad name", "named twice"],
)
def test_keys_that_cannot_be_used_are_refused(text: str, fault: str) -> None:
    with pytest.raises(KeysError, match=re.escape(fault)):
        Keyring.parse(text)


def test_every_fault_is_named_at_once_and_no_key_is_shown() -> None:
    good, short = written("k1"), written("k2", b"short")
    with pytest.raises(KeysError) as caught:
        Keyring.parse(f"{good},{short},nothing,{good}")
    message = str(caught.value)
    assert "k2 has 5 bytes" in message
    assert "key 3 is not of the form" in message
    assert "two keys are named k1" in message
    for entry in (good, short):
        assert entry.split(":")[1] not in message


def test_keys_do_not_show_themselves() -> None:
    key = SecretKey("k1", b"very secret material, 32 bytes!!")
    shown = repr(key) + repr(Keyring((key,), key))
    assert "very secret" not in shown


def test_subkeys_of_two_purposes_or_two_keys_differ_and_stay_the_same() -> None:
    one, other = SecretKey("a", bytes(32)), SecretKey("a", bytes(31) + b"\x01")
    assert len({one.subkey("email"), one.subkey("address"), other.subkey("email")}) == 3
    assert one.subkey("email") == SecretKey("b", bytes(32)).subkey("email")


class TestFingerprint:
    """What the database keeps tells whether its data can be read."""

    def test_the_same_keys_pass(self) -> None:
        keyring = Keyring.new()
        Keyring.parse(keyring.as_text()).check(keyring.fingerprint)

    def test_a_new_current_key_passes_while_the_old_one_is_there(self) -> None:
        keyring = Keyring.new()
        keyring.with_new_key().check(keyring.fingerprint)

    def test_without_the_key_of_the_data_it_fails_and_names_that_key(self) -> None:
        keyring = Keyring.new()
        rotated = keyring.with_new_key()
        with pytest.raises(KeysError, match=f"'{keyring.current.id}', but it is not among the keys given"):
            rotated.without([keyring.current.id]).check(keyring.fingerprint)

    def test_another_key_of_the_same_name_fails(self) -> None:
        text = written("hash")
        ours, theirs = (Keyring.parse(f"{written('k1')},{text}") for _ in range(2))
        with pytest.raises(KeysError, match="another key has that name"):
            theirs.check(ours.fingerprint)

    def test_the_oldest_key_dropped_from_the_environment_fails_for_the_hashes(self) -> None:
        oldest, newer = written("k1"), written("k2")
        fingerprint = Keyring.parse(f"{newer},{oldest}").fingerprint
        with pytest.raises(KeysError, match="hashed with another key"):
            Keyring.parse(newer).check(fingerprint)

    def test_it_gives_no_key_away(self) -> None:
        keyring = Keyring.new()
        assert keyring.current.material.hex()[:16] not in keyring.fingerprint
        assert len(keyring.fingerprint) < 60
