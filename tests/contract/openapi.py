"""The OpenAPI document as a judge of real responses: stricter than it says, for it must name every member."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from aiohttp import ClientResponse, web
from jsonschema import Draft202012Validator, FormatChecker

from moderation.protocols.openapi.document import build

DOCUMENT = build()
Operation = tuple[str, str]
"""Method and path as the route table has them."""

_ALWAYS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}


def described() -> dict[Operation, dict[str, Any]]:
    """Every operation of the document."""
    return {
        (method.upper(), path): operation
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
    }


def routed(app: web.Application) -> set[Operation]:
    """Every route of the application; HEAD goes with GET."""
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }


def match(method: str, path: str) -> Operation | None:
    """Return the operation that an address belongs to."""
    found = [
        (how, template)
        for how, template in described()
        if how == method and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path)
    ]
    return min(found, key=lambda operation: operation[1].count("{"), default=None)


def inlined(schema: Any) -> Any:
    """Put what references stand for in their places."""
    if isinstance(schema, list):
        return [inlined(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return inlined(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return {
        name: value if name in {"example", "enum", "const"} else inlined(value)
        for name, value in schema.items()
    }


def closed(schema: Any, *, is_part: bool = False) -> Any:
    """Refuse members without a description, unless the schema says that there may be others."""
    if isinstance(schema, list):
        return [closed(part, is_part=is_part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = dict(schema)
    for name in ("properties", "items", "allOf", "anyOf", "oneOf"):
        if name in schema and name == "properties":
            strict[name] = {key: closed(member) for key, member in schema[name].items()}
        elif name in schema:
            strict[name] = closed(schema[name], is_part=name == "allOf" or "properties" in schema)
    if not is_part and ("properties" in schema or "allOf" in schema) and "additionalProperties" not in schema:
        strict["unevaluatedProperties"] = False
    return strict


@cache
def validator(written: str) -> Draft202012Validator:
    return Draft202012Validator(closed(inlined(json.loads(written))), format_checker=FormatChecker())


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Say where ``value`` does not fit ``schema``."""
    found = validator(json.dumps(schema)).iter_errors(value)
    return [f"{error.json_path}: {error.message[:300]}" for error in found]


def response_faults(operation: Operation, status: int, headers: Any, body: bytes) -> Iterator[str]:
    """Yield what a response has that its description has not."""
    answer = described()[operation]["responses"].get(str(status))
    if answer is None:
        yield f"status {status} is not described"
        return
    needed = _ALWAYS.get(status)
    for name in ("X-Request-ID", *([needed] if needed else [])):
        if name not in headers:
            yield f"no {name}"
    content = answer.get("content", {})
    media = headers.get("Content-Type", "").partition(";")[0]
    if not content:
        if body:
            yield f"a body where none is described: {body[:80]!r}"
    elif media not in content:
        yield f"{media} is not described, only {', '.join(content)}"
    elif "json" in media:
        for part in body.splitlines() if media.endswith("ndjson") else [body]:
            yield from faults(content[media]["schema"], json.loads(part))


async def check(operation: Operation, response: ClientResponse) -> None:
    """Fail unless the response is as described."""
    found = list(response_faults(operation, response.status, response.headers, await response.read()))
    assert not found, f"{' '.join(operation)} → {response.status}: {found}"
