"""Tables as CSV: WordPress's comments table by its own column names, any other with columns that are named."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from moderation.domain.verdict import OUTPUTS
from moderation.protocols.imports.rows import Row, faulty, row_of, wordpress_row
from moderation.protocols.imports.wordpress_xml import without_zeros

MAX_FIELD = 1 << 20
"""Characters of one field; a quotation mark that is never closed ends here and not with the memory."""
FIELDS = {
    "external_id": ("id", "comment_id"),
    "thread.id": ("thread", "thread_id", "article", "post_id"),
    "thread.url": ("thread_url", "article_url"),
    "thread.title": ("thread_title", "article_title"),
    "parent_id": ("parent",),
    "author.name": ("author", "name", "author_name"),
    "author.email": ("email", "author_email"),
    "author.url": ("url", "author_url"),
    "author.ip": ("ip", "author_ip"),
    "author.external_id": ("author_id", "user_id"),
    "author.user_agent": ("user_agent",),
    "text": ("comment", "content", "body"),
    "language": ("lang",),
    "created_at": ("date",),
    "state": ("status",),
    "reason": (),
    "moderator": (),
    "decided_at": (),
    **dict.fromkeys(OUTPUTS, ()),
}
"""The fields a table may have, and the other names under which they are found by themselves."""

_WORDPRESS = {
    "comment_ID": "external_id",
    "comment_post_ID": "thread.id",
    "comment_author": "author.name",
    "comment_author_email": "author.email",
    "comment_author_url": "author.url",
    "comment_author_IP": "author.ip",
    "comment_date_gmt": "created_at",
    "comment_content": "text",
    "comment_approved": "state",
    "comment_agent": "author.user_agent",
    "comment_type": "comment_type",
    "comment_parent": "parent_id",
    "user_id": "author.external_id",
}
_IS_WORDPRESS = frozenset({"comment_ID", "comment_content", "comment_approved"})


class MissingColumnError(ValueError):
    """The table lacks a column without which nothing can be learned from it."""


def read_table(
    lines: Iterable[str],
    columns: Mapping[str, str],
    states: Mapping[str, str],
    *,
    opening: Callable[[Iterator[str]], tuple[str, Iterator[str], int]],
) -> Iterator[Row]:
    """Yield a table's rows; ``columns`` are names of fields to the table's own. Raises `MissingColumnError`.

    ``opening`` tells what sets fields apart, and which line holds the names.
    """
    csv.field_size_limit(MAX_FIELD)
    delimiter, rest, before = opening(iter(lines))
    reader = csv.reader(rest, delimiter=delimiter)
    header = _header(reader)
    if not columns and set(header) >= _IS_WORDPRESS:
        for line, values, why in _rows(reader, len(header), before):
            yield faulty(line, why) if why else _wordpress(line, dict(zip(header, values, strict=True)))
        return
    places = _places(header, columns)
    for line, values, why in _rows(reader, len(header), before):
        fields = {name: values[at] for name, at in places.items()} if not why else {}
        yield faulty(line, why) if why else row_of(line, {k: v for k, v in fields.items() if v != ""}, states)


def _header(reader: Any) -> list[str]:
    try:
        return [name.strip() for name in next(reader)]
    except StopIteration:
        raise MissingColumnError("the file is empty") from None
    except csv.Error as error:
        raise MissingColumnError("the first line is no header of a table") from error


def _rows(reader: Any, width: int, before: int) -> Iterator[tuple[int, Sequence[str], str]]:
    """Yield the line a row begins at, its values, and what is wrong with it."""
    while True:
        line = reader.line_num + 1 + before
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, (), f"no row of a table, or a field above {MAX_FIELD} characters"
            continue
        if not values:
            continue
        why = "" if len(values) == width else f"has {len(values)} fields, the header {width}"
        yield line, values, why


def _places(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    by_name = {name: at for at, name in reversed(list(enumerate(header)))}
    by_folded = {name.lower(): at for name, at in by_name.items()}
    absent = [column for column in columns.values() if column not in by_name]
    if absent:
        raise MissingColumnError(_lacks(absent[0], header))
    places = {}
    for field, aliases in FIELDS.items():
        if field in columns:
            places[field] = by_name[columns[field]]
            continue
        names = (field, field.replace(".", "_"), *aliases)
        found = next((by_folded[name] for name in names if name in by_folded), None)
        if found is not None:
            places[field] = found
    _require(places, header)
    return places


def _require(places: Mapping[str, int], header: Sequence[str]) -> None:
    if "text" not in places:
        raise MissingColumnError(_lacks("text", header) + ": name it with --column text=NAME")
    if not ({"state", *OUTPUTS} & places.keys()):
        raise MissingColumnError(
            _lacks("state", header)
            + ", nor one of a label (spam, abuse, …): name it with --column state=NAME"
        )


def _lacks(column: str, header: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in header[:20])
    return f"the table has no column {column!r}; it has {shown}"


def _wordpress(line: int, values: Mapping[str, str]) -> Row:
    fields = {_WORDPRESS[name]: value for name, value in values.items() if name in _WORDPRESS}
    fields = {name: value for name, value in fields.items() if value not in {"", "NULL", "\\N"}}
    kind = fields.pop("comment_type", "")
    return wordpress_row(line, without_zeros(fields), kind)
