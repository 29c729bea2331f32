"""WordPress exports (WXR), read as a stream: one comment in memory at a time, however long the article is.

A document type is refused, and with it every entity beyond XML's own five: an export has none, and entities are how a small
file becomes a large one or reads another. Characters that XML does not know, which WordPress writes all the same, are left out.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from moderation.protocols.imports.rows import Row, faulty, wordpress_row

MAX_FIELD = 1 << 20
"""Characters of one element; what a comment says fits into a tenth of it."""

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ITEM = {"link": "thread.url", "title": "thread.title", "post_id": "thread.id"}
_COMMENT = {
    "comment_id": "external_id",
    "comment_author": "author.name",
    "comment_author_email": "author.email",
    "comment_author_url": "author.url",
    "comment_author_IP": "author.ip",
    "comment_date_gmt": "created_at",
    "comment_content": "text",
    "comment_approved": "state",
    "comment_type": "comment_type",
    "comment_parent": "parent_id",
    "comment_user_id": "author.external_id",
}


class BrokenExportError(ValueError):
    """The file is no export, or is cut off or damaged at ``line``; what stood before was read."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(f"line {line}: {why}")


def read_wxr(chunks: Iterable[str]) -> Iterator[Row]:
    """Yield the comments of an export. Raises `BrokenExportError` where reading cannot go on."""
    reader = _Reader()
    for chunk in chunks:
        reader.feed(_ILLEGAL.sub("", chunk), is_last=False)
        yield from reader.take()
    reader.feed("", is_last=True)
    yield from reader.take()
    if not reader.is_export:
        raise BrokenExportError("this is not a WordPress export: it has no channel with items", 1)


class _Reader:
    def __init__(self) -> None:
        self._parser = ParserCreate("utf-8", namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.buffer_text = True
        self._rows: list[Row] = []
        self._path: list[str] = []
        self._item: dict[str, str] = {}
        self._comment: dict[str, str] = {}
        self._line = 0
        self._text: list[str] | None = None
        self._length = 0
        self.is_export = False

    def feed(self, chunk: str, *, is_last: bool) -> None:
        try:
            self._parser.Parse(chunk, is_last)
        except ExpatError as error:
            why = "the file is cut off" if is_last else "this is not well-formed XML"
            raise BrokenExportError(why, error.lineno) from error

    def take(self) -> list[Row]:
        rows, self._rows = self._rows, []
        return rows

    def _refuse(self, *_: Any) -> None:
        raise BrokenExportError(
            "the file has a document type, which no export has", self._parser.CurrentLineNumber
        )

    def _start(self, name: str, _attributes: Any) -> None:
        self._path.append(name.rpartition(" ")[2])
        inside = self._path[-2] if len(self._path) > 1 else ""
        here = self._path[-1]
        if here == "item":
            self._item, self.is_export = {}, True
        elif here == "channel":
            self.is_export = True
        elif here == "comment" and inside == "item":
            self._comment, self._line = {}, self._parser.CurrentLineNumber
        is_wanted = (inside == "item" and here in _ITEM) or (inside == "comment" and here in _COMMENT)
        if is_wanted:
            self._text, self._length = [], 0

    def _characters(self, text: str) -> None:
        if self._text is not None and self._length <= MAX_FIELD:
            self._text.append(text)
            self._length += len(text)

    def _end(self, _name: str) -> None:
        here = self._path.pop()
        inside = self._path[-1] if self._path else ""
        if self._text is not None:
            self._keep(inside, here, "".join(self._text))
            self._text = None
        if here == "comment" and inside == "item":
            self._rows.append(self._row())

    def _keep(self, inside: str, here: str, text: str) -> None:
        if inside == "item":
            self._item[_ITEM[here]] = text[:MAX_FIELD]
        else:
            self._comment[_COMMENT[here]] = text

    def _row(self) -> Row:
        fields = dict(self._comment)
        if any(len(value) > MAX_FIELD for value in fields.values()):
            return faulty(self._line, f"an element is longer than {MAX_FIELD} characters")
        kind = fields.pop("comment_type", "")
        return wordpress_row(self._line, {**self._item, **without_zeros(fields)}, kind)


def without_zeros(fields: dict[str, str]) -> dict[str, str]:
    """Leave out the ids by which WordPress says that there is none."""
    nothing = {
        name for name in ("parent_id", "author.external_id") if fields.get(name, "").strip() in {"0", ""}
    }
    return {name: value for name, value in fields.items() if name not in nothing}
