"""Fields of review requests: bodies into rulings and targets, query strings into selections."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web

from moderation.domain.details import detail
from moderation.domain.errors import FieldError, InvalidCommentError, MalformedRequestError
from moderation.domain.ids import CommentId, parse_uuid
from moderation.domain.messages import message
from moderation.domain.task import QueueOrder, TaskKind
from moderation.domain.verdict import HUMAN_REASONS, ReasonCode, Verdict
from moderation.intake.validation import FieldReader
from moderation.protocols.languages import language_of
from moderation.review.decisions import MAX_BULK
from moderation.review.rulings import Ruling, Target

MAX_NOTE = 2_000
MAX_LOGIN = 200
MAX_FILTER = 255
_LARGEST = 2**31 - 1
ONE_SITE = frozenset({"site"})
"""Parameters of a question about one site."""

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class FaultyItem:
    """An item of a bulk that cannot be used: its id as written, where that can be shown, and what is wrong."""

    written_id: str | None
    error: InvalidCommentError


def read_ruling(reader: FieldReader, raw: Mapping[str, Any]) -> Ruling:
    """Read ``verdict``, ``reason`` and ``note``; check the reader's errors before using what is returned."""
    verdict = read_word(reader, raw, "verdict", Verdict, allowed=frozenset(Verdict))
    if raw.get("verdict") is None:
        reader.fail("/verdict", "missing")
    is_given = raw.get("reason") != ""  # what forms send where nothing was chosen
    reason = read_word(reader, raw, "reason", ReasonCode, allowed=HUMAN_REASONS) if is_given else None
    return Ruling(verdict or Verdict.HOLD, reason, read_note(reader, raw))


def read_note(reader: FieldReader, raw: Mapping[str, Any]) -> str | None:
    """Read ``note``."""
    return reader.text(raw, "note", at="/note", limit=MAX_NOTE)


def read_login(reader: FieldReader, raw: Mapping[str, Any]) -> str:
    """Read ``moderator``, the site's own login for whoever decides."""
    errors_before = len(reader.errors)
    login = reader.text(raw, "moderator", at="/moderator", limit=MAX_LOGIN)
    if login is None and len(reader.errors) == errors_before:
        reader.fail("/moderator", "missing")
    return (login or "").strip()


def read_target(
    reader: FieldReader, raw: Mapping[str, Any], comment_id: CommentId, *, at: str = ""
) -> Target:
    """Read ``revision`` and ``sequence``: what the caller saw of the comment."""
    revision = read_number(reader, raw, "revision", at=at, is_required=True)
    return Target(comment_id, revision or 0, read_number(reader, raw, "sequence", at=at))


def read_targets(raw: Mapping[str, Any]) -> list[Target | FaultyItem]:
    """Read the items of a bulk; a faulty one harms no other.

    Raises `InvalidCommentError` where ``items`` as a whole cannot be used.
    """
    items = raw.get("items")
    if items is None:
        raise InvalidCommentError([FieldError("/items", "missing")])
    if not isinstance(items, list):
        raise InvalidCommentError([FieldError("/items", "wrong_type", {"expected": "array"})])
    if len(items) > MAX_BULK:
        raise InvalidCommentError([FieldError("/items", "too_many", {"limit": MAX_BULK})])
    return [_read_item(item, at=f"/items/{index}") for index, item in enumerate(items)]


def read_number(
    reader: FieldReader,
    raw: Mapping[str, Any],
    name: str,
    *,
    at: str = "",
    high: int = _LARGEST,
    is_required: bool = False,
) -> int | None:
    """Read a whole number from 1 to ``high``; 7.0 is one, too (RFC 8259 §6 knows no difference)."""
    value = raw.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        if is_required:
            reader.fail(f"{at}/{name}", "missing")
    elif not isinstance(value, int) or isinstance(value, bool):
        reader.fail(f"{at}/{name}", "wrong_type", expected="integer")
    elif not 1 <= value <= high:
        reader.fail(f"{at}/{name}", "out_of_range", low=1, high=high)
    else:
        return value
    return None


def read_flag(reader: FieldReader, raw: Mapping[str, Any], name: str) -> bool:
    """Read true or false; false when absent or null."""
    value = raw.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    reader.fail(f"/{name}", "wrong_type", expected="true or false")
    return False


def read_word(
    reader: FieldReader, raw: Mapping[str, Any], name: str, kind: type[Word], *, allowed: frozenset[Word]
) -> Word | None:
    """Read one of ``allowed``."""
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        reader.fail(f"/{name}", "wrong_type", expected="string")
    elif value not in allowed:
        reader.fail(f"/{name}", "invalid_value", allowed=", ".join(sorted(allowed)))
    else:
        return kind(value)
    return None


def query_as_body(request: web.Request) -> dict[str, Any]:
    """Return the query string in the shape of a body: ``limit`` as a number, blank values left out.

    Raises `MalformedRequestError` for a parameter given twice: which one counts would be a guess.
    """
    body: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in body:
            raise MalformedRequestError(detail("parameter_twice", name=name[:60]), parameter=name[:60])
        is_number = name == "limit" and value.isascii() and value.isdigit() and len(value) < 10
        body[name] = int(value) if is_number else value
    return {name: value for name, value in body.items() if value != ""}


def refuse_unknown(reader: FieldReader, raw: Mapping[str, Any], known: frozenset[str]) -> None:
    """Fail every parameter that is none of ``known``."""
    for name in sorted(raw.keys() - known):
        reader.fail(f"/{name[:60]}", "unknown_field")


def refuse_parameters(reader: FieldReader, language: str) -> None:
    """Raise `MalformedRequestError` naming the first faulty parameter of a query string, if there is one."""
    for error in reader.errors:
        name = error.pointer.removeprefix("/")
        raise MalformedRequestError(
            detail("parameter", name=name, fault=message(error.code, language, error.values)), parameter=name
        )


def read_query(request: web.Request, *, known: frozenset[str]) -> dict[str, Any]:
    """Return the query string as `query_as_body` does. Raises `MalformedRequestError` for a parameter that is none of ``known``."""
    raw, reader = query_as_body(request), FieldReader()
    refuse_unknown(reader, raw, known)
    refuse_parameters(reader, language_of(request))
    return raw


def read_kind(reader: FieldReader, raw: Mapping[str, Any]) -> TaskKind | None:
    """Read ``kind``."""
    return read_word(reader, raw, "kind", TaskKind, allowed=frozenset(TaskKind))


def read_order(reader: FieldReader, raw: Mapping[str, Any]) -> QueueOrder:
    """Read ``order``; oldest first without one."""
    return read_word(reader, raw, "order", QueueOrder, allowed=frozenset(QueueOrder)) or QueueOrder.OLDEST


def read_reason(reader: FieldReader, raw: Mapping[str, Any]) -> ReasonCode | None:
    """Read ``reason`` as a filter: any reason that a verdict may have."""
    return read_word(reader, raw, "reason", ReasonCode, allowed=frozenset(ReasonCode))


def _read_item(item: Any, *, at: str) -> Target | FaultyItem:
    if not isinstance(item, dict):
        return FaultyItem(None, InvalidCommentError([FieldError(at, "wrong_type", {"expected": "object"})]))
    reader = FieldReader()
    written = reader.text(item, "id", at=f"{at}/id", limit=MAX_FILTER)
    comment_id = None if written is None else parse_uuid(written)
    if comment_id is None and not reader.errors:
        reader.fail(f"{at}/id", "missing" if written is None else "invalid_id")
    target = read_target(reader, item, CommentId(comment_id or UUID(int=0)), at=at)
    return FaultyItem(written, InvalidCommentError(reader.errors)) if reader.errors else target
