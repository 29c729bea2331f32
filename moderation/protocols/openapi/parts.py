"""The pieces that descriptions are made of, and how each is written in OpenAPI 3.1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moderation.domain.errors import (
    ClaimLostError,
    DependencyUnavailableError,
    FieldError,
    InvalidCommentError,
    ModerationError,
    RateLimitedError,
    StaleRevisionError,
    TooLargeError,
)
from moderation.protocols.problems import CONTENT_TYPE, PROBLEMS, problem_body

Json = dict[str, Any]

JSON = "application/json"
HTML = "text/html"
TEXT = "text/plain"
NDJSON = "application/x-ndjson"

SITE, PERSON, SESSION = "siteKey", "personToken", "session"
"""Names of security schemes; a dialect with another one brings it in its `Dialect`."""

ANY = ("internal",)
STORED = ("unavailable", *ANY)
"""Problems of every route that needs the database."""
KEYED = ("not-authenticated", "not-permitted", *STORED)
"""… and a key or token."""
BODY = ("malformed-request", "too-large", "unsupported-media-type")
"""Problems of every route that reads a body."""

_BESIDE_STATUS = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}
"""Headers that a problem has for its status."""

_ERRORS: dict[str, ModerationError] = {
    "claim-lost": ClaimLostError(
        claimed_by="01950000-0000-7000-8000-000000000009", expires_at="2026-03-01T12:05:00.000Z"
    ),
    "invalid-comment": InvalidCommentError(
        [FieldError("/author/email", "invalid_email"), FieldError("/text", "missing")]
    ),
    "rate-limited": RateLimitedError("author", 15),
    "stale-revision": StaleRevisionError(revision=2),
    "too-large": TooLargeError("", limit_bytes=262144),
    "unavailable": DependencyUnavailableError("postgresql"),
}
"""Errors with members of their own, for the examples; every other one has its code alone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One status a route answers with when nothing is wrong in our terms; ``content`` is empty for an answer without a body."""

    description: str
    content: Mapping[str, Json] = field(default_factory=dict)
    """By media type: a schema with its ``example``."""
    headers: tuple[str, ...] = ()
    """Names out of `HEADERS`."""
    leads_to: Mapping[str, str] = field(default_factory=dict)
    """Where the caller may go on from here: names of operations, and which member of the answer is their ``id``."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: method, path as aiohttp has it, and all that a caller may send and must expect."""

    method: str
    path: str
    name: str
    """Unique, in camelCase: client generators make a function of it."""
    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    callers: tuple[str, ...] = ()
    """Security schemes, any one of which is enough; empty for a public route."""
    parameters: tuple[Json, ...] = ()
    body: Json | None = None
    """By `request_body`."""
    problems: tuple[str, ...] = ANY
    """Codes of `PROBLEMS`."""
    page: bool = False
    """Whether problems come as a page, too, to whoever prefers HTML."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Routes that belong together, with the schemas and security schemes that they bring."""

    name: str
    description: str
    operations: tuple[Operation, ...]
    schemas: Mapping[str, Json] = field(default_factory=dict)
    security_schemes: Mapping[str, Json] = field(default_factory=dict)


def ref(name: str) -> Json:
    """Point at a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Json) -> Json:
    """Allow null beside what ``schema`` allows."""
    if isinstance(schema.get("type"), str) and "enum" not in schema and "const" not in schema:
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def record(properties: Mapping[str, Json], *, optional: tuple[str, ...] = (), description: str = "") -> Json:
    """Describe an object whose members are all there, but for the ``optional`` ones."""
    required = [name for name in properties if name not in optional]
    schema: Json = {"type": "object", "properties": dict(properties)}
    if required:
        schema["required"] = required
    return schema | ({"description": description} if description else {})


def wishes(properties: Mapping[str, Json]) -> Json:
    """Return an object of which everything may be left out or null."""
    return {"type": "object", "properties": {name: nullable(schema) for name, schema in properties.items()}}


def array(items: Json, **bounds: Any) -> Json:
    """Describe a list."""
    return {"type": "array", "items": items, **bounds}


def request_body(media: Mapping[str, Json], *, required: bool = True, description: str = "") -> Json:
    """Describe a request's body, by media type: a schema with its ``example`` or ``examples``."""
    body: Json = {"required": required, "content": {kind: _media(schema) for kind, schema in media.items()}}
    return body | ({"description": description} if description else {})


def parameter(name: str, place: str, schema: Json, description: str, **more: Any) -> Json:
    """Describe a parameter in ``path``, ``query`` or ``header``."""
    return {
        "name": name,
        "in": place,
        "description": description,
        "schema": schema,
        **({"required": True} if place == "path" else {}),
        **more,
    }


def shown(schema: Json, example: Any) -> Json:
    """Give a body's schema the example that stands beside it."""
    return {**schema, "example": example}


def write_operation(operation: Operation, tag: str) -> Json:
    """Return the operation object of OpenAPI."""
    written: Json = {
        "operationId": operation.name,
        "tags": [tag],
        "summary": operation.summary,
        "security": [{caller: []} for caller in _accepted(operation)],
        "responses": {str(status): answer for status, answer in sorted(_responses(operation).items())},
    }
    if operation.description:
        written["description"] = operation.description
    if operation.parameters:
        written["parameters"] = list(operation.parameters)
    if operation.body is not None:
        written["requestBody"] = operation.body
    return written


def _accepted(operation: Operation) -> tuple[str, ...]:
    """A person may come with a session of the console, too."""
    return (*operation.callers, SESSION) if PERSON in operation.callers else operation.callers


def problem_example(code: str) -> Json:
    """Return a problem detail as the service itself writes it."""
    error = _ERRORS.get(code)
    if error is None:
        error = ModerationError()
        error.code = code
    return problem_body(error, "en") | {"request_id": "0195000000007000800000000000000a"}


def _responses(operation: Operation) -> dict[int, Json]:
    found = {status: _write_answer(answer) for status, answer in operation.answers.items()}
    by_status: dict[int, list[str]] = {}
    for code in operation.problems:
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    for status, codes in by_status.items():
        problem = _write_problem(status, codes, as_page=operation.page)
        answer = found.setdefault(status, problem)
        answer["content"] = {**problem["content"], **answer.get("content", {})}
    return found


def _write_answer(answer: Answer) -> Json:
    written: Json = {"description": answer.description}
    if answer.content:
        written["content"] = {kind: _media(schema) for kind, schema in answer.content.items()}
    if answer.leads_to:
        written["links"] = {
            name: {"operationId": name, "parameters": {"id": f"$response.body#{pointer}"}}
            for name, pointer in answer.leads_to.items()
        }
    headers = ("X-Request-ID", *answer.headers)
    written["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return written


def _write_problem(status: int, codes: list[str], *, as_page: bool) -> Json:
    types = {
        "properties": {"type": {"enum": [f"/problems/{code}" for code in codes]}, "status": {"const": status}}
    }
    problem = {
        "schema": {"allOf": [ref("Problem"), types]},
        "examples": {
            code: {"summary": PROBLEMS[code].title, "value": problem_example(code)} for code in codes
        },
    }
    page: Json = {HTML: {"schema": {"type": "string"}}} if as_page else {}
    names = ["X-Request-ID", *_BESIDE_STATUS.get(status, ())]
    return {
        "description": " ".join(f"**{PROBLEMS[code].title}.** {PROBLEMS[code].detail}" for code in codes),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {CONTENT_TYPE: problem, **page},
    }


def _media(schema: Json) -> Json:
    examples: Json = {name: schema[name] for name in ("example", "examples") if name in schema}
    return {"schema": {k: v for k, v in schema.items() if k not in examples}, **examples}
