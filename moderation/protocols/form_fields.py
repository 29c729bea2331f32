"""The fields of the classic form, out of any of the three bodies that browsers and scripts send.

What is not one of `FIELDS` is dropped unread. Whatever the body holds, the outcome is fields or one of our errors.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from aiohttp import web

from moderation.domain.details import detail
from moderation.domain.errors import MalformedRequestError, UnsupportedMediaTypeError
from moderation.protocols.bodies import parse_json, read_body

FIELDS = (
    "author",
    "email",
    "url",
    "comment",
    "comment_post_ID",
    "comment_parent",
    "thread_url",
    "thread_title",
    "lang",
    "redirect_to",
    "form_stamp",
    "homepage_confirm",
)
"""WordPress's names, those that a page may put into hidden fields, and the trap that readers do not see."""

TRAP = "homepage_confirm"

MAX_FIELDS = 200

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JSON = "application/json"

_UTF8 = {"utf-8", "utf8", "us-ascii"}
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"\\]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_PART_NAME = re.compile(rb';\s*name=(?:"([^"\r\n]*)"|([^;\s"]+))', re.IGNORECASE)
_PART_FILE = re.compile(rb";\s*filename\*?\s*=", re.IGNORECASE)

Pair = tuple[str, bytes]
"""A field's name and its value, not yet decoded."""


async def read_fields(request: web.Request) -> dict[str, Any]:
    """Return the known fields; strings, except that a JSON body may hold anything for validation to judge.

    Raises `TooLargeError` above 256 KiB, `UnsupportedMediaTypeError`, and `MalformedRequestError` for what cannot be read:
    text that is not UTF-8, a field sent twice or as a list, a file, too many fields, a body that was cut off.
    """
    charset = request.charset
    if charset is not None and charset.lower() not in _UTF8:
        raise UnsupportedMediaTypeError(detail("form_charset"))
    body = await read_body(request)
    if request.content_type == URLENCODED:
        return collect(urlencoded_pairs(body))
    if request.content_type == MULTIPART:
        return collect(multipart_pairs(body, request.headers["Content-Type"]))
    if request.content_type == JSON:
        return json_fields(body)
    raise UnsupportedMediaTypeError(
        detail("form_type", urlencoded=URLENCODED, multipart=MULTIPART, json=JSON)
    )


def collect(pairs: Iterable[Pair]) -> dict[str, Any]:
    """Return the known fields as text. Raises `MalformedRequestError`."""
    found: dict[str, Any] = {}
    for written, value in pairs:
        name = written.partition("[")[0]
        if name not in FIELDS:
            continue
        if name != written or name in found:
            raise MalformedRequestError(detail("form_field_once", name=name))
        try:
            text = value.decode()
        except UnicodeDecodeError as error:
            raise MalformedRequestError(detail("form_field_not_utf8", name=name)) from error
        found[name] = text.replace("\r\n", "\n")  # how forms travel, not what the reader wrote
    return found


def urlencoded_pairs(body: bytes) -> list[Pair]:
    """Split a body after the URL Standard §5.1. Raises `MalformedRequestError` for more than `MAX_FIELDS` fields."""
    _check_count(body.count(b"&") + 1)
    pairs = []
    for written in body.split(b"&"):
        name, _, value = written.replace(b"+", b" ").partition(b"=")
        pairs.append((unquote_to_bytes(name).decode(errors="replace"), unquote_to_bytes(value)))
    return pairs


def multipart_pairs(body: bytes, content_type: str) -> list[Pair]:
    """Split a body after RFC 7578. Raises `MalformedRequestError`, also for a file and for a body without its end."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise MalformedRequestError(detail("form_no_boundary"))
    delimiter = b"\r\n--" + (found[1] or found[2]).encode(errors="surrogateescape")
    _check_count(body.count(delimiter))
    _preamble, *parts = (b"\r\n" + body).split(delimiter)
    if not parts or not parts[-1].startswith(b"--"):
        raise MalformedRequestError(detail("form_cut_off"))
    return [_read_part(part) for part in parts[:-1]]


def _read_part(part: bytes) -> Pair:
    padding, _, rest = part.partition(b"\r\n")
    head, separator, value = (b"\r\n" + rest).partition(b"\r\n\r\n")
    disposition = next(
        (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disp")), b""
    )
    if _PART_FILE.search(disposition):
        raise MalformedRequestError(detail("form_file"))
    name = _PART_NAME.search(disposition)
    if padding.strip() or not separator or name is None:
        raise MalformedRequestError(detail("form_part"))
    return (name[1] or name[2] or b"").decode(errors="replace"), value


def json_fields(body: bytes) -> dict[str, Any]:
    """Return the known fields of a JSON object. Raises `MalformedRequestError`."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise MalformedRequestError(detail("body_no_object"))
    return {name: value[name] for name in FIELDS if name in value}


def _check_count(count: int) -> None:
    if count > MAX_FIELDS:
        raise MalformedRequestError(detail("form_too_many", limit=MAX_FIELDS))
