"""Lines of JSON: as ``POST /v1/comments/batch`` takes them, or flat ones with the fields of a table."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from moderation.protocols.imports.rows import UNDECODABLE, Row, faulty, row_of
from moderation.protocols.imports.tables import FIELDS

MAX_LINE = 1 << 20
_FLAT = {name: field for field, names in FIELDS.items() for name in (field, field.replace(".", "_"), *names)}


def read_json_lines(lines: Iterable[str], states: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of a file with one JSON object a line; blank lines are none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _row(number, line, states)


def _row(number: int, line: str, states: Mapping[str, str]) -> Row:
    if len(line) > MAX_LINE:
        return faulty(number, f"is longer than {MAX_LINE} characters")
    if UNDECODABLE in line:
        return faulty(number, "is not of the file's encoding")
    try:
        raw = orjson.loads(line.encode("utf-8", "surrogatepass"))
    except ValueError:
        return faulty(number, "is not JSON")
    if not isinstance(raw, dict):
        return faulty(number, "is not a JSON object")
    fields = _flat(raw)
    return row_of(number, fields, states)


def _flat(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known fields by their dotted names, wherever they stand."""
    fields: dict[str, Any] = {}
    for name, value in raw.items():
        if name in {"thread", "author"} and isinstance(value, dict):
            fields |= {
                f"{name}.{inner}": item for inner, item in value.items() if f"{name}.{inner}" in FIELDS
            }
        elif name == "labels" and isinstance(value, dict):
            fields |= {key: item for key, item in value.items() if key in FIELDS and key not in fields}
        elif name in _FLAT and value is not None:
            fields[_FLAT[name]] = value
    return fields
