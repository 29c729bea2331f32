"""Labelled comments: read, filtered, cleaned of what their platform left, grouped so that near copies stay together."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifiers.errors import DatasetError
from classifiers.records import SUFFIXES, field_text, place, read_records
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
_TEST_MARK = ".test"
_NEAR_COPY_LETTERS = 40
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
    raise DatasetError("{file}: {unit} {number}: a label is neither 0, 1 nor empty", **place(name, row))


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
        raise DatasetError(
            "{file}: holds no data file for {what}",
            file=directory.name, what="testing" if test else "training",
        )  # fmt: skip
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
