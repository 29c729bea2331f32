"""What an operator is told at three in the morning: what it is, and what to do."""

import errno
import os

import pytest

from moderation.cli.failures import failure
from moderation.engines.embedded import _reason
from moderation.engines.errors import EngineStartError

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_called_so() -> None:
    """It stops us before the engine, whose own log then says nothing of it."""
    assert failure(FULL).message.startswith("the disk is full: make room")
    assert _reason(FULL) == "No space left on device"


@pytest.mark.parametrize(
    "error", [EngineStartError("a log"), ValueError("a reader's words"), OSError("words")]
)
def test_what_else_ended_an_engine_is_named_and_not_quoted(error: Exception) -> None:
    assert _reason(error) == type(error).__name__
