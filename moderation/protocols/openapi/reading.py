"""The document as people read it: rows of fields instead of nested schemas, examples as text."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from moderation.protocols.openapi.parts import Json

MAX_DEPTH = 4
"""Objects within objects that a table of fields unfolds; the document itself has no bound."""

_MARKS = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_ARABIC = re.compile(r'(?<=")([^"]*[\u0600-\u06ff][^"]*)(?=")')
_METHODS = ("get", "post", "put", "delete", "options", "patch")


@dataclass(frozen=True, slots=True)
class Row:
    """One field, parameter or header."""

    name: str
    kind: Markup
    is_required: bool
    about: Markup
    place: str = ""
    """``path``, ``query`` or ``header`` of a parameter."""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """A body of one media type: what it is, its fields, and an example as it goes over the wire."""

    media: str
    kind: Markup
    rows: tuple[Row, ...]
    examples: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """One status of a route."""

    status: str
    about: Markup
    headers: tuple[str, ...]
    contents: tuple[Content, ...]

    @property
    def is_problem(self) -> bool:
        """Whether it says that something is wrong."""
        return self.status[0] in "45"


@dataclass(frozen=True, slots=True)
class Route:
    """One route."""

    anchor: str
    method: str
    path: Markup
    summary: str
    about: Markup
    callers: tuple[str, ...]
    parameters: tuple[Row, ...]
    bodies: tuple[Content, ...]
    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The routes of one dialect."""

    name: str
    about: Markup
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class SchemaEntry:
    """One named schema."""

    name: str
    about: Markup
    rows: tuple[Row, ...]


def read_sections(document: Json) -> tuple[Section, ...]:
    """Return every route, by tag, in the document's order."""
    routes: dict[str, list[Route]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                routes[item[method]["tags"][0]].append(_route(method, path, item[method]))
    return tuple(
        Section(tag["name"], inline(tag["description"]), tuple(routes[tag["name"]]))
        for tag in document["tags"]
    )


def read_schemas(document: Json) -> tuple[SchemaEntry, ...]:
    """Return every named schema that has fields to show."""
    return tuple(
        SchemaEntry(name, inline(schema.get("description", "")), tuple(_rows(schema)))
        for name, schema in document["components"]["schemas"].items()
    )


def paragraphs(text: str) -> tuple[Markup, ...]:
    """Split at blank lines."""
    return tuple(inline(" ".join(part.split())) for part in text.split("\n\n"))


def inline(text: str) -> Markup:
    """Turn `code` and **bold** into HTML; everything else is escaped."""
    parts, at = [], 0
    for found in _MARKS.finditer(text):
        parts.append(escape(text[at : found.start()]))
        tag, inner = ("code", found[1]) if found[1] else ("strong", found[2])
        parts.append(Markup("<{0}>{1}</{0}>").format(Markup(tag), inner))  # noqa: S704 - one of two words
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


def _route(method: str, path: str, operation: Json) -> Route:
    body = operation.get("requestBody", {}).get("content", {})
    return Route(
        anchor=operation["operationId"],
        method=method.upper(),
        path=Markup("<wbr>").join(escape(piece) for piece in re.split(r"(?=/)", path)),
        summary=operation["summary"],
        about=inline(operation.get("description", "")),
        callers=tuple(name for caller in operation["security"] for name in caller),
        parameters=tuple(map(_parameter, operation.get("parameters", ()))),
        bodies=_contents(body),
        replies=tuple(
            Reply(
                status,
                inline(reply["description"]),
                tuple(reply.get("headers", {})),
                _contents(reply.get("content", {})),
            )
            for status, reply in operation["responses"].items()
        ),
    )


def _parameter(written: Json) -> Row:
    return Row(
        written["name"],
        _kind(written["schema"]),
        written.get("required", False),
        inline(written["description"]),
        written["in"],
    )


def _contents(content: Mapping[str, Json]) -> tuple[Content, ...]:
    return tuple(
        Content(media, _kind(body["schema"]), tuple(_rows(body["schema"])), tuple(_examples(body)))
        for media, body in content.items()
    )


def _examples(body: Json) -> Iterator[Markup]:
    """Yield examples as text; Arabic strings are set apart, so that their quotes and commas stay where they are."""
    values = (
        [body["example"]]
        if "example" in body
        else [one["value"] for one in body.get("examples", {}).values()]
    )
    for value in values:
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        pieces = _ARABIC.split(written)
        yield Markup("").join(
            Markup("<bdi>{}</bdi>").format(piece) if index % 2 else escape(piece)
            for index, piece in enumerate(pieces)
        )


def _rows(schema: Json, depth: int = 0) -> Iterator[Row]:
    if "items" in schema:
        schema = schema["items"]
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ())):
        yield from _rows(part, depth)
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        yield Row(name, _kind(member), name in required, inline(_about(member)), depth=depth)
        if depth < MAX_DEPTH:
            yield from _rows(_solid(member), depth + 1)


def _about(schema: Json) -> str:
    return str(schema.get("description") or _solid(schema).get("description", ""))


def _solid(schema: Json) -> Json:
    """Return what a nullable schema is when it is not null."""
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return choices[0] if len(choices) == 1 else schema


def _kind(schema: Json) -> Markup:
    """Say in a few words what a value may be."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    if "const" in schema:
        return Markup("<code>{}</code>").format(json.dumps(schema["const"]))
    if "enum" in schema:
        return Markup(" · ").join(Markup("<code>{}</code>").format(word) for word in schema["enum"])
    for several in ("oneOf", "anyOf"):
        if several in schema and "properties" not in schema:
            return Markup(" or ").join(dict.fromkeys(_kind(one) for one in schema[several]))
    if "allOf" in schema:
        return Markup(" and ").join(_kind(one) for one in schema["allOf"] if "$ref" in one)
    return _plain_kind(schema)


def _plain_kind(schema: Json) -> Markup:
    kinds: Any = schema.get("type", "object")
    names = [kinds] if isinstance(kinds, str) else kinds
    if "array" in names:
        return Markup("list of {}").format(_kind(schema["items"])) if schema["items"] else Markup("list")
    words = " or ".join({"object": "object"}.get(name, name) for name in names)
    bounds = [
        f"{label} {schema[key]}"
        for key, label in (
            ("format", ""),
            ("minimum", "from"),
            ("maximum", "to"),
            ("maxLength", "≤"),
            ("default", "else"),
        )
        if key in schema
    ]
    return escape(", ".join([words, *(bound.strip() for bound in bounds)]))
