"""What `moderation status` says of a disk, beyond the tests that run it on the real engines."""

import shutil
from types import SimpleNamespace

import pytest

from moderation.cli import status
from moderation.settings import load


@pytest.mark.parametrize(
    ("free", "is_well", "said"),
    [
        (5 << 30, True, "5.0 GiB free in var"),
        (200 << 20, False, "0.2 GiB free in var: make room, 1 GiB at least"),
    ],
)
def test_a_disk_that_is_nearly_full_is_told_how_much_it_needs(
    monkeypatch: pytest.MonkeyPatch, free: int, is_well: bool, said: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    assert status._disk(load({})) == status.Part("disk", is_well, said)
