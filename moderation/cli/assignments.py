"""``KEY=VALUE`` on the command line: nested keys with dots, values as JSON where they are JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from moderation.domain.nesting import UNSET

HELP = """Keys may be nested (a.b=1). VALUE is JSON, or else text; @FILE reads it from a file of JSON; nothing (KEY=) brings
the default back."""


def parse_assignments(words: Sequence[str], *, texts: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return what ``words`` say as nested objects; the keys in ``texts`` always hold text.

    Raises `click.UsageError`.
    """
    result: dict[str, Any] = {}
    for word in words:
        path, equals, written = word.partition("=")
        steps = path.split(".")
        if not equals or not all(steps):
            raise click.UsageError(f"{word!r} is not of the form KEY=VALUE")
        _put(result, steps, _value(path, written, is_text=path in texts))
    return result


def _put(target: dict[str, Any], steps: Sequence[str], value: Any) -> None:
    *outer, last = steps
    for step in outer:
        target = target.setdefault(step, {})
        if not isinstance(target, dict):
            raise click.UsageError(f"{'.'.join(steps)} and {step} contradict each other")
    if last in target:
        raise click.UsageError(f"{'.'.join(steps)} is given twice")
    target[last] = value


def _value(path: str, written: str, *, is_text: bool) -> Any:
    if written == "":
        return UNSET
    if is_text:
        return written
    if written.startswith("@"):
        return _from_file(path, Path(written[1:]))
    try:
        return json.loads(written, parse_constant=_refuse)
    except ValueError:
        return written


def _from_file(path: str, file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"), parse_constant=_refuse)
    except OSError as error:
        raise click.UsageError(f"{path}: {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(f"{path}: {file} is not JSON") from error


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
