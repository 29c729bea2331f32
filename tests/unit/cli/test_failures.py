"""What an operator is told at three in the morning: what it is, and what to do."""

import errno
import os

import asyncpg
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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (asyncpg.InterfaceError("connection is closed"), "PostgreSQL was lost in the middle"),
        (asyncpg.ConnectionDoesNotExistError("x"), "PostgreSQL was lost in the middle"),
        (asyncpg.AdminShutdownError("x"), "PostgreSQL was lost in the middle"),
        (asyncpg.QueryCanceledError("statement timeout"), "PostgreSQL refused: QueryCanceledError"),
        (asyncpg.exceptions.ClientConfigurationError("a wrong address"), "an internal error"),
    ],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_only_a_lost_connection_is_called_one(error: Exception, said: str) -> None:
    assert failure(error).message.startswith(said)
