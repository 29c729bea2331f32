"""The outermost layer of every request: an id, one log line, metrics, and problem details for whatever was raised."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import HttpVersion10, HttpVersion11, web

from moderation.domain.errors import DependencyUnavailableError, ModerationError
from moderation.domain.ids import new_hex
from moderation.protocols.languages import language_of
from moderation.protocols.problems import problem_response
from moderation.telemetry import REQUEST_SECONDS, REQUESTS, log_request, tally

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NOTES = web.RequestKey("notes", dict[str, object])
"""Under this key a handler puts what the log line should say: ids, verdict; nothing private."""

REQUEST_ID = web.RequestKey("request_id", str)
"""Under this name a handler that answers a problem itself finds the request's id."""

IS_PRIVATE = web.RequestKey("is_private", bool)
"""Under this name stands that the answer is for one browser's user: it must not be kept, for the machine may be shared."""

_STATUS_CODES = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    417: "expectation-failed",
    505: "version-not-supported",
}
_SPOKEN = (HttpVersion10, HttpVersion11)
QUIET = {"/livez", "/readyz", "/metrics"}

log = structlog.get_logger()


def note(request: web.Request, **fields: object) -> None:
    """Add fields to this request's log line."""
    request[NOTES].update(fields)


@web.middleware
async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with what the handler returns, or with a problem detail; never let an exception's text out."""
    started = time.perf_counter()
    request_id = new_hex()
    request[NOTES] = {}
    request[REQUEST_ID] = request_id
    is_spoken = request._version in _SPOKEN  # noqa: SLF001 - once asked for by its public name it stays what it was
    response = await _answer(request, handler if is_spoken else _refuse_version, request_id)
    if not response.prepared:
        response.headers.update(edge_headers(request_id))
        if IS_PRIVATE in request:
            response.headers.setdefault("Cache-Control", "no-store")
    route = route_of(request)
    method = request.method if route != "none" else "any"
    duration_s = time.perf_counter() - started
    record(route, method, response.status, duration_s=duration_s, request_id=request_id, notes=request[NOTES])
    return response


async def _refuse_version(request: web.Request) -> web.StreamResponse:
    """Refuse versions that the library's parser takes and answers in kind, 0.9 and 2.0, in ours (RFC 9110 §15.6.6)."""
    request._version = HttpVersion11  # noqa: SLF001 - what the answer's first line says
    raise web.HTTPVersionNotSupported


def edge_headers(request_id: str) -> dict[str, str]:
    """Return what every answer carries."""
    return {"X-Request-ID": request_id, "X-Content-Type-Options": "nosniff"}


async def _answer(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        problem = _from_aiohttp(error)
        note(request, problem=problem.code)
        response = problem_response(problem, request_id=request_id, language=language_of(request))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001 - becomes an answer, and is logged where it is none of ours
        problem = problem_of(error, route_of(request), request_id, request[NOTES])
        return problem_response(problem, request_id=request_id, language=language_of(request))


def problem_of(error: Exception, route: str, request_id: str, notes: dict[str, object]) -> ModerationError:
    """Return what the caller is told of ``error``, and note it; what was not foreseen is logged, and told as `internal`."""
    problem = error if isinstance(error, ModerationError) else ModerationError()
    if problem is not error:
        log.error("request_failed", request_id=request_id, route=route, exc_info=error)
    notes["problem"] = problem.code
    if isinstance(problem, DependencyUnavailableError):
        notes["missing"] = problem.name
    return problem


def _from_aiohttp(error: web.HTTPException) -> ModerationError:
    problem = ModerationError()
    problem.code = _STATUS_CODES.get(error.status, "malformed-request" if error.status < 500 else "internal")
    return problem


def route_of(request: web.Request) -> str:
    """Return the pattern of the route that was asked for; `none` where there is none."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


def record(
    route: str, method: str, status: int, *, duration_s: float, request_id: str, notes: dict[str, object]
) -> None:
    """Count a request that is answered, and write its log line."""
    tally(REQUESTS, route, method, status).inc()
    tally(REQUEST_SECONDS, route).observe(duration_s)
    if route not in QUIET:
        log_request(
            request_id=request_id,
            route=route,
            method=method,
            status=status,
            duration_ms=int(duration_s * 100_000) / 100,
            **notes,
        )
