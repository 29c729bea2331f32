"""What went wrong, as one sentence on standard error and an exit code; never a traceback, never private content."""

import errno
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any

import asyncpg
import click

from classifiers.errors import ClassifierError
from moderation.domain import messages
from moderation.domain.errors import (
    DependencyUnavailableError,
    FieldError,
    InvalidConfigurationError,
    ModerationError,
)
from moderation.domain.ports import SealedValueError
from moderation.engines import EngineError
from moderation.privacy.keys import KeysError
from moderation.settings import SettingsError
from moderation.storage.migrate import UnknownSchemaError

FAILED, WRONG_USAGE = 1, 2


class Failure(click.ClickException):
    """A command that could not be done; ``lines`` follow the sentence."""

    def __init__(self, sentence: str, *, lines: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.lines = lines

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence and the lines to standard error."""
        for line in (f"moderation: {self.message}", *(f"  {line}" for line in self.lines)):
            click.echo(line, file=file or sys.stderr)


class WrongUsage(Failure):
    """A command that was not given what it needs."""

    exit_code = WRONG_USAGE


def failure(error: Exception, language: str = "en") -> Failure:
    """Word ``error`` for an operator; what is wrong with their files or labels in ``language``."""
    if isinstance(error, ClassifierError):
        from classifiers.page_words import speaker

        return Failure(error.words(speaker(language)).rstrip("."))
    for kind, word in _WORDS:
        if isinstance(error, kind):
            return word(error)
    return _internal(error)


def _internal(error: Exception) -> Failure:
    return Failure(f"an internal error, {type(error).__name__} at {_place(error)}; please report it")


def _settings(error: Any) -> Failure:
    return WrongUsage("the settings are wrong", lines=error.faults)


def _configuration(error: Any) -> Failure:
    lines = [fault_line(fault) for fault in error.errors]
    if len(lines) == 1:
        return WrongUsage(lines[0])
    return WrongUsage("several values are wrong", lines=lines)


def fault_line(fault: FieldError) -> str:
    """Word one fault: where, and what."""
    where = fault.pointer.strip("/").replace("/", ".").replace("~1", "/").replace("~0", "~") or "the value"
    known = fault.code in messages.codes()
    return f"{where}: {messages.message(fault.code, 'en', fault.values) if known else fault.code}"


def _unavailable(error: Any) -> Failure:
    if isinstance(error.__cause__, _CONNECTION_REFUSALS):
        return _database(error.__cause__)
    return Failure(
        f"{_NAMES.get(error.name, error.name)} does not answer; is it running, and is the address right?"
    )


def _sentence(error: Any) -> Failure:
    return Failure(error.detail.rstrip(".") or f"refused: {error.code}")


def _text(error: Any) -> Failure:
    return Failure(str(error).rstrip("."))


def _database(error: Any) -> Failure:
    # Refusals of a connection name a role or a database; any other message may quote what a reader wrote.
    shown = isinstance(error, _CONNECTION_REFUSALS)
    return Failure(f"PostgreSQL refused: {error if shown else type(error).__name__}")


def _lost(error: Any) -> Failure:
    if isinstance(error, ValueError):  # the driver's word for a value of ours that it cannot send
        return _internal(error)
    return Failure("PostgreSQL was lost in the middle; what was under way is not kept")


def _file(error: Any) -> Failure:
    if error.errno == errno.ENOSPC:
        return Failure("the disk is full: make room and try again; `moderation status` names the folder")
    where = f"{error.filename}: " if error.filename is not None else ""
    return Failure(f"{where}{error.strerror or type(error).__name__}")


_NAMES = {"postgresql": "PostgreSQL"}
_CONNECTION_REFUSALS = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
_CONNECTION_LOSSES: tuple[type[Exception], ...] = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
_WORDS: tuple[tuple[type[Exception], Callable[[Any], Failure]], ...] = (
    (SettingsError, _settings),
    (InvalidConfigurationError, _configuration),
    (DependencyUnavailableError, _unavailable),
    (ModerationError, _sentence),
    (EngineError, _text),
    (KeysError, _text),
    (SealedValueError, _text),
    (UnknownSchemaError, _text),
    *((kind, _lost) for kind in _CONNECTION_LOSSES),
    (asyncpg.PostgresError, _database),
    (OSError, _file),
)


def _place(error: BaseException) -> str:
    trace, place = error.__traceback__, "?"
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
