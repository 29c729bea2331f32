"""Records of a file, one by one: lines of JSON, or the rows of a table as spreadsheets and other programs write them."""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from classifiers import tables
from classifiers.errors import DatasetError, NoTextError

_TABLES = (".csv", ".tsv", ".txt")
SUFFIXES = (".jsonl", ".csv", ".tsv", ".jsonl.gz", ".csv.gz", ".tsv.gz")
_READABLE = (*SUFFIXES, ".ndjson", ".ndjson.gz", ".txt", ".txt.gz")
MAX_LINE = 16 << 20
UTF_8 = "utf-8"
_LONGEST_NAME = 40
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_PACKED = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"%PDF")
Place: TypeAlias = dict[str, str | int]
"""Where a record stands, for the sentence of an error: file, unit and number."""
_UNDECODABLE = re.compile("[\udc80-\udcff]")


def read_records(path: Path, encoding: str | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each record with its number from 1: the line of JSON lines, the row below the names of a table. Memory stays bounded.

    In UTF-8, in the encoding that is named, or first of all in what a byte order mark says. Raises DatasetError, naming file and line, for
    what is of another encoding, not JSON, not an object, too long, no row of its table, or damaged by compression.
    """
    if not path.name.casefold().endswith(_READABLE):
        raise DatasetError(
            "{file}: unknown kind of file; expected one of {kinds}", file=path.name, kinds=", ".join(SUFFIXES)
        )
    is_packed = path.suffix.casefold() == ".gz"
    try:
        with gzip.open(path, "rb") if is_packed else path.open("rb") as file:
            lines = _decoded(file, path.name, encoding)
            yield from _read_table(lines, path.name) if is_table(path.name) else _read_lines(lines, path.name)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError("{file}: its compression is damaged, or it breaks off", file=path.name) from error
    except OSError as error:
        raise DatasetError(
            "{file}: cannot be read: {error}", file=path.name, error=type(error).__name__
        ) from error


def is_table(name: str) -> bool:
    """Tell whether a file is a table by its name, rather than lines of JSON."""
    return any(f".{part.casefold()}" in _TABLES for part in name.split(".")[1:])


def place(name: str, number: int) -> Place:
    """Return where a record stands, for the sentence of an error."""
    return {"file": name, "unit": "row" if is_table(name) else "line", "number": number}


def _decoded(file: BinaryIO | gzip.GzipFile, name: str, encoding: str | None) -> Iterator[str]:
    """Yield each line as text, with its end; a byte order mark at the start is skipped."""
    head = file.peek(4)[:4]  # type: ignore[union-attr]  # both kinds of file are buffered
    if head.startswith(_PACKED):
        raise DatasetError(
            "{file}: is a spreadsheet or a packed file, no text: save it as CSV in UTF-8", file=name
        )
    marked = next((found for mark, found in _MARKS if head.startswith(mark)), None)
    used = (
        marked or encoding or UTF_8
    )  # what a mark says is so; read otherwise, it would be part of the first name
    try:
        text = io.TextIOWrapper(file, encoding=used, errors="surrogateescape", newline="")
    except (LookupError, ValueError) as error:  # the latter of a name with a NUL
        raise DatasetError("{file}: there is no encoding {encoding!r}", file=name, encoding=used) from error
    number = 0
    try:
        while line := text.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise DatasetError(
                    "{file}: line {line} is longer than {most} characters",
                    file=name,
                    line=number,
                    most=MAX_LINE,
                )
            if _UNDECODABLE.search(line):
                raise _wrong_encoding(name, number, used)
            yield line
    except UnicodeError as error:
        raise _wrong_encoding(name, number + 1, used) from error
    finally:
        with suppress(ValueError):  # whoever stopped reading may have closed the file already
            text.detach()


def _wrong_encoding(name: str, line: int, used: str) -> DatasetError:
    return DatasetError(
        "{file}: line {line} is not {encoding} text; name the encoding it is in, such as --encoding windows-1256",
        file=name, line=line, encoding=used.upper().removesuffix("-SIG"),
    )  # fmt: skip


def _read_lines(lines: Iterator[str], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    blank = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            blank = blank or number
            continue  # at the end of a file an editor's habit; before a record something is lost
        if blank:
            raise DatasetError("{file}: line {line} is empty", file=name, line=blank)
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == 1 and line.lstrip().startswith("["):
                raise DatasetError(
                    "{file}: line {line} is not JSON by itself: write each record on a line of its own, without brackets around all",
                    file=name, line=number,
                ) from error  # fmt: skip
            raise DatasetError("{file}: line {line} is not JSON", file=name, line=number) from error
        if not isinstance(record, dict):
            raise DatasetError("{file}: line {line} is not a JSON object", file=name, line=number)
        yield number, record


def _read_table(lines: Iterator[str], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(MAX_LINE)
    between, lines, before = tables.opening(lines)
    if ".txt" in name.casefold() and between == ",":
        raise DatasetError(
            "{file}: a text file is read as a table with tabs, and its first line has none", file=name
        )
    if ".tsv" in name.casefold():
        between = "\t"
    reader = csv.reader(lines, strict=True, delimiter=between)
    begins = 1
    try:
        names = [one.strip() for one in next(reader, [])]
        number = 0
        while True:
            begins = reader.line_num + 1 + before
            row = next(reader, None)
            if row is None:
                return
            if not row:
                continue
            number += 1
            if len(row) != len(names):
                raise DatasetError(
                    "{file}: line {line} (row {number}) has another number of columns: {found}, and there are {wanted} names",
                    file=name, line=begins, number=number, found=len(row), wanted=len(names),
                )  # fmt: skip
            yield number, dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise DatasetError(
            "{file}: the row that begins at line {line} is not CSV: a quotation mark in it is not closed, or not doubled",
            file=name, line=begins,
        ) from error  # fmt: skip


def field_text(record: Mapping[str, Any], column: str, *, name: str, row: int) -> str:
    """Return the text of a record; raises NoTextError where the column is missing or holds something else."""
    if column not in record:
        raise NoTextError(
            "{file}: {unit} {number} has no column {column!r}; there are {columns}: name the text's with --text-column",
            **place(name, row), column=column, columns=listed(record),
        )  # fmt: skip
    text = record[column]
    if not isinstance(text, str):
        raise NoTextError(
            "{file}: {unit} {number}: column {column!r} does not hold text", **place(name, row), column=column
        )
    return text


def listed(columns: Iterable[str]) -> str:
    """Return the first names of columns, for the sentence of an error; what is too long for a name may be a comment."""
    return ", ".join("…" if len(one) > _LONGEST_NAME else repr(one) for one in list(columns)[:12]) or "none"
