"""The outermost layer of every request: an id, one log line, metrics, and problem details for whatever was raised."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

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

_STATUS_CODES = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
}
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
    response = await _answer(request, handler, request_id)
    if not response.prepared:
        response.headers["X-Request-ID"] = request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
    _record(request, response.status, time.perf_counter() - started, request_id)
    return response


async def _answer(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except ModerationError as error:
        problem = error
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
    except Exception as error:
        log.error("request_failed", request_id=request_id, route=route_of(request), exc_info=error)
        problem = ModerationError()
    note(request, problem=problem.code)
    if isinstance(problem, DependencyUnavailableError):
        note(request, missing=problem.name)
    return problem_response(problem, request_id=request_id, language=language_of(request))


def _from_aiohttp(error: web.HTTPException) -> ModerationError:
    problem = ModerationError()
    problem.code = _STATUS_CODES.get(error.status, "malformed-request" if error.status < 500 else "internal")
    return problem


def route_of(request: web.Request) -> str:
    """Return the pattern of the route that was asked for; `none` where there is none."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


def _record(request: web.Request, status: int, duration_s: float, request_id: str) -> None:
    route = route_of(request)
    method = request.method if route != "none" else "any"
    tally(REQUESTS, route, method, status).inc()
    tally(REQUEST_SECONDS, route).observe(duration_s)
    if route not in QUIET:
        log_request(
            request_id=request_id,
            route=route,
            method=method,
            status=status,
            duration_ms=int(duration_s * 100_000) / 100,
            **request[NOTES],
        )
