"""One table from error type to problem detail (RFC 9457); the only place that knows both."""

from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from moderation.domain.details import Detail
from moderation.domain.errors import (
    DependencyUnavailableError,
    InvalidCommentError,
    ModerationError,
    RateLimitedError,
)
from moderation.domain.messages import message
from moderation.protocols.problem_words import ARABIC

TYPE_BASE = "/problems/"
CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: HTTP status, title, and the page text of ``/problems/{code}``."""

    status: int
    title: str
    detail: str


PROBLEMS: dict[str, ProblemType] = {
    "malformed-request": ProblemType(
        400, "The request could not be read", "The body or a parameter is not in the documented form."
    ),
    "not-authenticated": ProblemType(
        401, "Not authenticated", "Send a valid key or token as `Authorization: Bearer …`."
    ),
    "not-permitted": ProblemType(403, "Not permitted", "These credentials are valid but may not do this."),
    "not-found": ProblemType(404, "Not found", "There is nothing at this address."),
    "unknown-site": ProblemType(
        404, "Unknown site", "No site of that name can be reached with these credentials."
    ),
    "unknown-comment": ProblemType(
        404, "Unknown comment", "No comment with that id can be reached with these credentials."
    ),
    "unknown-claim": ProblemType(404, "Unknown claim", "The claim has ended or never was."),
    "method-not-allowed": ProblemType(
        405, "Method not allowed", "See the `Allow` header for what this address answers to."
    ),
    "conflict": ProblemType(409, "Conflict", "The request does not fit the present state."),
    "stale-revision": ProblemType(
        409, "Stale revision", "The comment was edited meanwhile; read it again and decide on the new text."
    ),
    "claim-lost": ProblemType(409, "Claimed by another", "Another moderator holds this task."),
    "idempotency-mismatch": ProblemType(
        409, "Idempotency mismatch", "The same key was used before with other content."
    ),
    "gone": ProblemType(410, "Gone", "The comment was withdrawn."),
    "precondition-failed": ProblemType(
        412, "Precondition failed", "`If-Match` names a revision that is not the current one."
    ),
    "too-large": ProblemType(413, "Too large", "The body is above the documented bound."),
    "address-too-long": ProblemType(
        414, "Address too long", "The address with its parameters is longer than 8 KiB; send less in it."
    ),
    "unsupported-media-type": ProblemType(
        415, "Unsupported media type", "Send the documented content type, in UTF-8."
    ),
    "expectation-failed": ProblemType(
        417, "Expectation failed", "The only expectation that can be met is `Expect: 100-continue`."
    ),
    "invalid-comment": ProblemType(
        422, "Invalid comment", "One or more fields are faulty; each is named in `errors`."
    ),
    "invalid-configuration": ProblemType(
        422, "Invalid configuration", "One or more keys are faulty; each is named in `errors`."
    ),
    "rate-limited": ProblemType(
        429, "Too many requests", "A rate limit was reached; try again after the time in `Retry-After`."
    ),
    "headers-too-large": ProblemType(
        431,
        "Headers too large",
        "A header field is longer than 8 KiB, its name included; often it is cookies that are not ours.",
    ),
    "internal": ProblemType(
        500,
        "Internal error",
        "Something went wrong on our side; nothing was accepted. The request id helps to find it.",
    ),
    "unavailable": ProblemType(
        503,
        "Temporarily unavailable",
        "Nothing was accepted; send the same request again after the time in `Retry-After`.",
    ),
    "version-not-supported": ProblemType(
        505,
        "HTTP version not supported",
        "HTTP/1.1 and HTTP/1.0 are spoken here; a proxy in front may speak others.",
    ),
}


def problem_body(error: ModerationError, language: str) -> dict[str, Any]:
    """Return the members of the problem detail; ``type`` is the same in every language, the words are in ``language``."""
    kind = PROBLEMS[error.code]
    title, in_general = ARABIC[error.code] if language == "ar" else (kind.title, kind.detail)
    said = error.detail.said_in(language) if isinstance(error.detail, Detail) else error.detail
    body: dict[str, Any] = {
        "type": TYPE_BASE + error.code,
        "title": title,
        "status": kind.status,
        "detail": said or in_general,
        **error.context,
    }
    if isinstance(error, InvalidCommentError):
        body["errors"] = [
            {"pointer": e.pointer, "code": e.code, "message": message(e.code, language, e.values)}
            for e in error.errors
        ]
    return body


def problem_response(error: ModerationError, *, request_id: str, language: str) -> web.Response:
    """Render ``error`` with the headers its status demands."""
    body = problem_body(error, language) | {"request_id": request_id}
    status = PROBLEMS[error.code].status
    return web.Response(
        status=status, body=orjson.dumps(body), content_type=CONTENT_TYPE, headers=_headers(error, status)
    )


def _headers(error: ModerationError, status: int) -> dict[str, str]:
    if isinstance(error, RateLimitedError | DependencyUnavailableError):
        return {"Retry-After": str(error.retry_after_s)}
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="moderation"'}
    return {}
