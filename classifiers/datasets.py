"""Labelled comments: read, filtered, cleaned of what their platform left, grouped so that near copies stay together."""

import csv
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from classifiers.errors import DatasetError, NoTextError
from classifiers.text import fold

# What the sources' cards say; a source not named here counts as "not stated".
LICENCES = {
    "ar_mlma": "MIT",
    "authored": "Apache-2.0",
    "en_davidson": "MIT",
    "en_jigsaw_sample": "CC0-1.0",
    "en_toxic_spans_civil": "CC0-1.0",
    "en_ucc_globe_and_mail": "CC-BY-NC-SA-4.0",
    "en_wiki_talk": "Apache-2.0",
    "ko_news_comments": "CC-BY-SA-4.0",
}
NOT_STATED = "not stated"
TEST_ONLY = frozenset({"en_ucc_globe_and_mail"})  # forbids commercial use
LANGUAGES = frozenset({"ar", "en"})  # of the shipped model
SUFFIXES = (".jsonl", ".csv", ".tsv", ".jsonl.gz", ".csv.gz", ".tsv.gz")
MAX_LINE_BYTES = 16 << 20
_TEST_MARK = ".test"
_NEAR_COPY_LETTERS = 40
_QUOTED = re.compile(r'"[^"]*"')
_RETWEET = re.compile(r"^\s*RT\s+(?=@)")
_MASKS = (
    (re.compile(r"@USER:?|<IP>"), " "),
    (
        re.compile(r"<EMAIL>"),
        " qxzv@qxzvk.com ",
    ),  # no real word: what stands for a mask would be learned with it
    (re.compile(r"<PHONE>"), " 0501234567 "),
    (re.compile(r"\bURL\b"), " https://t.co/x "),
)
_PLACEHOLDER = re.compile(r"(?<=[./@_:=-])example|example(?=[._@#\d-])")  # in a host or handle
_SYLLABLES = ("ba", "du", "fi", "go", "ka", "lu", "mi", "no", "pe", "ra", "si", "to", "vu", "we", "yo", "za")
AUTHORED = "authored"


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled comment; a label of None means that nobody looked."""

    text: str
    language: str
    source: str
    spam: int | None
    abuse: int | None
    labels: Mapping[str, int] = field(default_factory=dict)
    part: str | None = None


def licence(source: str) -> str:
    """Return the licence that a source states, an SPDX identifier or "not stated"."""
    return LICENCES.get(source, NOT_STATED)


def is_stated(source: str) -> bool:
    """Return whether a permission to use the source is on record."""
    return licence(source) != NOT_STATED


def read_records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each record with its number from 1: the line of JSON lines, the row of CSV. Memory stays bounded.

    Raises DatasetError, naming the line, for what is not UTF-8, not JSON, not an object, too long, or damaged by
    compression.
    """
    if not path.name.endswith(SUFFIXES):
        raise DatasetError(f"{path.name}: unknown kind of file; expected one of {', '.join(SUFFIXES)}")
    read = _read_csv if {".csv", ".tsv"} & {*path.suffixes} else _read_json_lines
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            yield from read(_decoded(file, path.name), path.name)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path.name}: cannot be read: {type(error).__name__}") from error


def _decoded(file: BinaryIO | gzip.GzipFile, name: str) -> Iterator[str]:
    """Yield each line as text; a byte order mark at the start is skipped."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise DatasetError(f"{name}: line {number} is longer than {MAX_LINE_BYTES} bytes")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise DatasetError(f"{name}: line {number} is not UTF-8 text") from error


def _read_json_lines(lines: Iterator[str], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    blank = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            blank = blank or number
            continue  # at the end of a file an editor's habit; before a record something is lost
        if blank:
            raise DatasetError(f"{name}: line {blank} is empty")
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"{name}: line {number} is not JSON") from error
        if not isinstance(record, dict):
            raise DatasetError(f"{name}: line {number} is not a JSON object")
        yield number, record


def _read_csv(lines: Iterator[str], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(MAX_LINE_BYTES)
    head = next(lines, "")
    reader = csv.DictReader(chain([head], lines), strict=True, delimiter=_delimiter(head, name))
    number = 0
    try:
        for number, record in enumerate(reader, start=1):
            if None in record or None in record.values():
                raise DatasetError(
                    f"{name}: line {reader.line_num} (row {number}) has another number of columns"
                )
            yield number, dict(record)
    except csv.Error as error:
        raise DatasetError(
            f"{name}: line {reader.reader.line_num} (row {number + 1}) is not CSV: {error}"
        ) from error


def _delimiter(head: str, name: str) -> str:
    """Return what separates the names in a table's first line: a comma, where there is none outside quotes a semicolon or a tab."""
    if ".tsv" in name:
        return "\t"
    bare = _QUOTED.sub("", head)
    return next((one for one in (",", ";", "\t") if one in bare), ",")


def field_text(record: Mapping[str, Any], column: str, *, name: str, row: int) -> str:
    """Return the text of a record; raises NoTextError where the column is missing or holds something else."""
    if column not in record:
        raise NoTextError(f"{name}: line {row} has no column {column!r}")
    text = record[column]
    if not isinstance(text, str):
        raise NoTextError(f"{name}: line {row}: column {column!r} does not hold text")
    return text


def clean(text: str) -> str:
    """Remove what only a platform or a corpus writes, so that no source can be recognised by it.

    Masked people go; masked numbers, addresses and links become plain examples, so that evidence rules fire as they would.
    """
    text = _RETWEET.sub("", text)
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text.strip()


def with_hosts(text: str) -> str:
    """Return an authored text with a host or handle of its own where it says "example", which would be learned as a sign of spam."""
    name = "".join(_SYLLABLES[byte % len(_SYLLABLES)] for byte in hashlib.sha256(text.encode()).digest()[:4])
    return _PLACEHOLDER.sub(name, text)


def _label(value: Any, *, name: str, row: int) -> int | None:
    if value is None or value == "":
        return None
    if value in {0, 1, "0", "1"} and not isinstance(value, float):
        return int(value)
    raise DatasetError(f"{name}: line {row}: a label is neither 0, 1 nor empty")


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the labelled comments of one file, cleaned."""
    for number, record in read_records(path):
        name = path.name
        labels = record.get("labels")
        source = str(record.get("source") or name.split(".")[0])
        text = clean(field_text(record, "text", name=name, row=number))
        yield Row(
            text=with_hosts(text) if source == AUTHORED else text,
            language=str(record.get("lang") or "ar"),
            source=source,
            spam=_label(record.get("spam"), name=name, row=number),
            abuse=_label(record.get("abuse"), name=name, row=number),
            labels=labels if isinstance(labels, dict) else {},
            part=record.get("part"),
        )


def files(directory: Path, *, test: bool = False) -> list[Path]:
    """Return the data files of a directory in a fixed order: those for training, or the `.test` ones."""
    found = [path for path in sorted(directory.iterdir()) if path.name.endswith(SUFFIXES)]
    chosen = [path for path in found if (_TEST_MARK in path.name) == test]
    if not chosen:
        raise DatasetError(f"{directory.name}: holds no data file for {'testing' if test else 'training'}")
    return chosen


def snapshot(paths: Sequence[Path]) -> dict[str, str]:
    """Return the SHA-256 of each data file by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def select(rows: Sequence[Row], *, accepts: Callable[[str], bool]) -> list[Row]:
    """Keep the rows that a shipped model may learn from: known languages, allowed and accepted sources."""
    return [
        row
        for row in rows
        if row.language in LANGUAGES and row.source not in TEST_ONLY and accepts(row.source) and row.text
    ]


def near_copy_groups(texts: Sequence[str]) -> list[str]:
    """Return a key for each text that near copies share: its first letters after folding, without spaces and digits."""
    groups = []
    for first in range(0, len(texts), 512):
        stream = fold(texts[first : first + 512])
        for start, end in zip(stream.starts[:-1].tolist(), stream.starts[1:].tolist(), strict=True):
            letters = stream.codes[start:end]
            is_letter = (letters > 0x39) | ((letters > 0x20) & (letters < 0x30))
            groups.append(letters[is_letter][:_NEAR_COPY_LETTERS].tobytes().hex())
    return groups
