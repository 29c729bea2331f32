"""The file of a backup: there whole, and to stay, or not at all."""

import os
import stat
from pathlib import Path

import pytest

from moderation.cli.archive import new_archive
from moderation.cli.failures import Failure


def test_when_it_is_said_to_be_there_it_outlasts_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "backup"
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        synced.append((kind, path.exists()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    with new_archive(path):
        pass
    assert synced == [("file", False), ("folder", True)]


def test_one_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), new_archive(tmp_path / "backup"):
        raise ConnectionError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named_and_not_a_file_of_ours(tmp_path: Path) -> None:
    with (
        pytest.raises(Failure, match=r"/away: there is no such folder$"),
        new_archive(tmp_path / "away" / "b"),
    ):
        pass
