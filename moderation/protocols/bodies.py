"""Read request bodies: bounded, UTF-8, strict JSON; what cannot be read says why."""

import asyncio
import codecs
import json
from typing import Any, NoReturn

import orjson
from aiohttp import web

from moderation.domain.details import detail
from moderation.domain.errors import MalformedRequestError, TooLargeError, UnsupportedMediaTypeError

NATIVE_LIMIT_BYTES = 256 * 1024
READ_TIMEOUT_S = 30.0
"""How long a body may take to arrive; a connection that trickles is not held for ever."""
CUT_OFF = (web.PayloadAccessError, web.RequestPayloadError, ConnectionResetError, TimeoutError)
"""What reading a body raises when it ends too early, or never."""


def refuse_encoding(request: web.Request) -> None:
    """Raise `UnsupportedMediaTypeError` for a body that is coded: its size is not what it seems, and others may read another."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaTypeError(detail("body_encoded"))
    if "Transfer-Encoding" in request.headers:
        codings = ",".join(request.headers.getall("Transfer-Encoding"))
        if codings.strip().lower() != "chunked":
            raise UnsupportedMediaTypeError(detail("body_transfer_encoded"))


async def read_body(request: web.Request, limit_bytes: int = NATIVE_LIMIT_BYTES) -> bytes:
    """Return the whole body.

    Raises `TooLargeError` above the bound, without reading on, and `MalformedRequestError` for a body that was cut off.
    """
    refuse_encoding(request)
    content = request.content
    if content.is_eof() and content.exception() is None:  # it came whole with the request's head, as most do
        body_at_once = content.read_nowait()
        if len(body_at_once) > limit_bytes:
            raise TooLargeError("", limit_bytes=limit_bytes)
        return body_at_once
    if (request.content_length or 0) > limit_bytes:
        raise TooLargeError("", limit_bytes=limit_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit_bytes:
                    raise TooLargeError("", limit_bytes=limit_bytes)
    except CUT_OFF as error:
        raise MalformedRequestError(detail("body_cut_off")) from error
    return bytes(body)


async def read_json(request: web.Request, limit_bytes: int = NATIVE_LIMIT_BYTES) -> Any:
    """Return the body as JSON, whatever content type it names. Raises `MalformedRequestError` or `TooLargeError`."""
    is_plain = request.headers.get("Content-Type") == "application/json"  # as most are: nothing to take apart
    charset = None if is_plain else request.charset
    if charset is not None and charset.lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise MalformedRequestError(detail("body_charset"))
    return parse_json(await read_body(request, limit_bytes))


async def read_object(request: web.Request, limit_bytes: int = NATIVE_LIMIT_BYTES) -> dict[str, Any]:
    """Return the body as a JSON object. Raises `MalformedRequestError` or `TooLargeError`."""
    value = await read_json(request, limit_bytes)
    if not isinstance(value, dict):
        raise MalformedRequestError(detail("body_no_object"))
    return value


def parse_json(body: bytes) -> Any:
    """Parse strict JSON (RFC 8259). Lone surrogates pass, so that the field that holds one can be named.

    Raises `MalformedRequestError` for anything else: wrong encoding, NaN, nesting beyond reason.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _parse_leniently(body, error)


def _parse_leniently(body: bytes, strict_error: orjson.JSONDecodeError) -> Any:
    text = _decode(body)
    if "\\u" not in text:
        raise _no_json(strict_error) from strict_error
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _no_json(strict_error) from error


def _no_json(error: orjson.JSONDecodeError) -> MalformedRequestError:
    return MalformedRequestError(detail("body_not_json", line=error.lineno, column=error.colno))


def _decode(body: bytes) -> str:
    """Return the text of a body that is no JSON, for a wrong encoding needs another remedy than a misplaced comma."""
    if body.startswith(codecs.BOM_UTF8):
        raise MalformedRequestError(detail("body_byte_order_mark"))
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequestError(detail("body_not_utf8", byte=error.start + 1)) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
