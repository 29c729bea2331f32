"""An archive on disk: plain or .gz, its format told by its name, read piece by piece."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from moderation.protocols.imports.json_lines import MAX_LINE
from moderation.protocols.imports.rows import UNDECODABLE

FORMATS = ("wxr", "csv", "jsonl")
_CHUNK = 64 * 1024
_SURROGATES = re.compile("[\udc80-\udcff]")


class UnreadableFileError(ValueError):
    """The file cannot be read on: packed wrongly, cut off, or in an encoding that is not there."""


@dataclass(frozen=True, slots=True)
class OpenArchive:
    """A file being read; ``position`` tells how many bytes of it, as it lies on the disk, were read."""

    text: IO[str]
    format: str
    position: Callable[[], int]


@contextmanager
def open_archive(path: Path, *, encoding: str | None, file_format: str | None) -> Iterator[OpenArchive]:
    """Open ``path`` as its byte order mark says, where it has none in ``encoding``, by default UTF-8.

    Raises `UnreadableFileError`, and `OSError` where there is none.
    """
    with path.open("rb") as raw:
        source: IO[bytes] = raw
        if path.suffix.lower() == ".gz":
            source = gzip.GzipFile(fileobj=raw, mode="rb")  # type: ignore[assignment]
        encoding = _marked(source) or encoding or "utf-8"
        try:
            text = io.TextIOWrapper(source, encoding=encoding, errors="surrogateescape", newline="")
        except (LookupError, ValueError) as error:  # the latter of a name with a NUL
            raise UnreadableFileError(f"there is no encoding {encoding!r}") from error
        yield OpenArchive(text, file_format or _format_of(path), raw.tell)


def chunks(archive: OpenArchive) -> Iterator[str]:
    """Yield the file in pieces of bounded size."""
    while chunk := _read(lambda: archive.text.read(_CHUNK)):
        yield _SURROGATES.sub(UNDECODABLE, chunk)


def lines(archive: OpenArchive) -> Iterator[str]:
    """Yield the file's lines; one that is over-long comes as its beginning, longer than any may be."""
    while line := _read(lambda: archive.text.readline(MAX_LINE + 2)):
        rest = line
        while len(rest) > MAX_LINE and not rest.endswith("\n"):
            rest = _read(lambda: archive.text.readline(MAX_LINE + 2))
        yield _SURROGATES.sub(UNDECODABLE, line)


def _read(step: Callable[[], str]) -> str:
    try:
        return step()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFileError("the file is not whole: its packing ends or breaks here") from error
    except UnicodeError as error:
        raise UnreadableFileError("the file is not of the encoding that was named") from error


def _marked(source: IO[bytes]) -> str | None:
    """Tell the encoding by the mark that a file may begin with; read otherwise, the mark would be part of the first name."""
    try:
        head = source.peek(3)[:3]  # type: ignore[attr-defined]  # both kinds of file are buffered
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return None  # what is wrong with it is told where it is read
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def _format_of(path: Path) -> str:
    """Tell by the name."""
    suffix = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    known = {".xml": "wxr", ".wxr": "wxr", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    if suffix.lower() in known:
        return known[suffix.lower()]
    raise UnreadableFileError("its name ends in none of .xml, .csv, .jsonl: say what it is with --format")
