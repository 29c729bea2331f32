"""Errors as Google's APIs write them, with the type of error that clients of Perspective branch on."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from moderation.domain.errors import (
    DependencyUnavailableError,
    ModerationError,
    NotAuthenticatedError,
    RateLimitedError,
    TooLargeError,
)

_ERROR_TYPE = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
_INFO_TYPE = "type.googleapis.com/google.rpc.ErrorInfo"


class PerspectiveError(Exception):
    """A refusal in this dialect's words."""

    def __init__(
        self, message: str, error_type: str = "INVALID_REQUEST", more: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type
        self.more = more or {}
        """Further members of the detail."""


def unsupported(attribute: str, *, requested: Sequence[str], detected: str | None) -> PerspectiveError:
    """Return that the model says nothing of the attribute for such a text: clients drop the attribute and ask again."""
    found = [] if detected is None else [detected]
    named = ", ".join(found or requested) or "und"
    more = {
        "languageNotSupportedByAttributeError": {
            "attribute": attribute,
            "detectedLanguages": found,
            "requestedLanguages": list(requested),
        }
    }
    return PerspectiveError(
        f"Attribute {attribute} does not support request languages: {named}",
        "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        more,
    )


def undetected() -> PerspectiveError:
    """Return that nobody can tell which language the text is in: too short, or no words at all."""
    return PerspectiveError("Unable to detect language", "LANGUAGE_DETECTION_FAILED")


def refusal(error: PerspectiveError | ModerationError) -> web.Response:
    """Render whatever went wrong as this dialect's clients expect it."""
    if isinstance(error, PerspectiveError):
        detail = {"@type": _ERROR_TYPE, "errorType": error.error_type, **error.more}
        return _envelope(400, "INVALID_ARGUMENT", error.message, [detail])
    if isinstance(error, NotAuthenticatedError):
        return _key_refusal(is_missing=bool(error.context.get("is_missing")))
    if isinstance(error, RateLimitedError):
        return _later(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", error.retry_after_s)
    if isinstance(error, DependencyUnavailableError):
        return _later(503, "UNAVAILABLE", "The service is currently unavailable.", error.retry_after_s)
    if isinstance(error, TooLargeError):
        return refusal(PerspectiveError("Comment text too long.", "COMMENT_TOO_LONG"))
    return refusal(PerspectiveError(error.detail or "The request could not be read."))


def _key_refusal(*, is_missing: bool) -> web.Response:
    if is_missing:
        return _envelope(403, "PERMISSION_DENIED", "The request is missing a valid API key.", [])
    info = {"@type": _INFO_TYPE, "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
    message = "API key not valid. Please pass a valid API key."
    return _envelope(400, "INVALID_ARGUMENT", message, [info])


def _later(code: int, status: str, message: str, retry_after_s: int) -> web.Response:
    response = _envelope(code, status, message, [])
    response.headers["Retry-After"] = str(retry_after_s)
    return response


def _envelope(code: int, status: str, message: str, details: list[dict[str, Any]]) -> web.Response:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        error["details"] = details
    return web.Response(
        status=code, body=orjson.dumps({"error": error}), content_type="application/json", charset="utf-8"
    )
