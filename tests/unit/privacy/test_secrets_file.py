"""`secrets.json`: closed to others, made once, replaced in one step, never guessed at."""

import json
import stat
import threading
from pathlib import Path

import pytest

from moderation.privacy import secrets_file
from moderation.privacy.keyring import Keyring, KeysError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "secrets.json"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(path: Path) -> list[str]:
    return [entry.name for entry in path.parent.iterdir()]


def test_there_is_none_at_first(path: Path) -> None:
    assert secrets_file.read(path) is None


def test_a_new_file_is_closed_to_others_and_read_again(path: Path) -> None:
    made = secrets_file.create(path)
    assert mode(path) == 0o600
    assert names(path) == ["secrets.json"]
    assert secrets_file.read(path) == made
    assert made.source == path


def test_making_it_again_keeps_the_keys(path: Path) -> None:
    assert secrets_file.create(path) == secrets_file.create(path)


def test_many_starters_at_once_get_the_same_keys(path: Path) -> None:
    path.parent.mkdir()
    gate, found = threading.Barrier(8), []

    def start() -> None:
        gate.wait()
        found.append(secrets_file.create(path).as_text())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert names(path) == ["secrets.json"]


def test_a_replaced_file_holds_the_new_keys_and_stays_closed(path: Path) -> None:
    rotated = secrets_file.create(path).with_new_key()
    secrets_file.replace(path, rotated)
    assert secrets_file.read(path) == rotated
    assert mode(path) == 0o600
    assert names(path) == ["secrets.json"]


def test_a_file_that_others_could_read_is_closed(path: Path) -> None:
    secrets_file.create(path)
    path.chmod(0o644)
    assert secrets_file.read(path) is not None
    assert mode(path) == 0o600


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"{}", b'{"secret_keys": 7}', b'{"secret_keys": "k1:xx"}', b"\xff\xfe"],
)
def test_a_damaged_file_is_refused_with_what_to_do(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(KeysError, match=r"damaged.*backup"):
        secrets_file.read(path)


def test_a_damaged_file_shows_no_key(path: Path) -> None:
    path.parent.mkdir()
    secret = Keyring.new().as_text()
    path.write_text(json.dumps({"secret_keys": secret.replace(":", ";", 1)}))
    with pytest.raises(KeysError) as caught:
        secrets_file.read(path)
    assert secret.split(":")[-1] not in str(caught.value)


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    secrets_file.create(tmp_path / "elsewhere.json")
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(KeysError, match="cannot be read"):
        secrets_file.read(path)


def test_a_folder_that_cannot_be_written_is_said_so(path: Path) -> None:
    path.parent.write_text("in the way")
    with pytest.raises(KeysError, match="cannot be written"):
        secrets_file.create(path)
