"""Results on standard output: JSON for programs, tables for people."""

import dataclasses
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

from moderation.domain.clock import wire_time
from moderation.domain.values import Value

# What a terminal would obey instead of showing: controls, and marks that reorder text beyond their own line.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_BREAKS = re.compile(r"[\s\u2028\u2029]+")
_CONTROLS_IN_JSON = re.compile("[\x7f-\x9f]")


def as_json(value: Any) -> str:
    """Write ``value`` as one line of JSON that no terminal stumbles over."""
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False)
    return _CONTROLS_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def plain(value: Any) -> Any:
    """Turn records, times, ids and enumerations into what JSON knows."""
    fields = _fields(value)
    if fields is not None:
        return {str(key): plain(item) for key, item in fields.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return wire_time(value)
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID | Path) else value


def _fields(value: Any) -> Mapping[Any, Any] | None:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Value):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    return value if isinstance(value, Mapping) else None


def printable(text: str) -> str:
    """Return ``text`` with every character that would do something to a terminal replaced."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str, width: int = 60) -> str:
    """Return the beginning of ``text`` on one line."""
    flat = printable(_LINE_BREAKS.sub(" ", text).strip())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str, widest: int = 60) -> str:
    """Lay ``rows`` out under ``columns``, whose names are also the headings; ``empty`` says that there are none.

    What is longer than ``widest`` characters is cut off.
    """
    if not rows:
        return empty
    cells = [list(columns)] + [[_cell(row[name], widest) for name in columns] for row in rows]
    widths = [max(_width(row[at]) for row in cells) for at, _ in enumerate(columns)]
    return "\n".join("  ".join(_padded(row, widths)).rstrip() for row in cells)


def record(values: Mapping[str, Any]) -> str:
    """Lay one thing out, a line for each of its values."""
    width = max(len(name) for name in values)
    return "\n".join(f"{name:<{width}}  {_cell(value, width=200)}" for name, value in values.items())


def _cell(value: Any, width: int = 60) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return wire_time(value)[:19] + "Z"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return one_line(", ".join(f"{key}: {item}" for key, item in value.items()), width) or "-"
    if isinstance(value, list | tuple):
        return one_line(", ".join(str(item) for item in value), width) or "-"
    return one_line(str(value), width)


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]


def _width(text: str) -> int:
    """Return how many places of a terminal ``text`` takes."""
    return sum(_places(character) for character in text)


def _places(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
