"""A span for every request; a middleware that is there only where traces are on."""

import time
from contextlib import suppress
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Middleware

from moderation.protocols.edge import NOTES, QUIET, Handler, route_of
from moderation.tracing import Span, Traces

_TOLD = ("site", "verdict", "model", "problem", "rests_on")
"""What of a request's log line its span repeats; all of it is from closed sets or names of ours."""


def tracing(traces: Traces) -> Middleware:
    """Return the middleware."""

    @web.middleware
    async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Write what was asked, what was answered and which comment it was about. No header of the caller is believed."""
        began_ns, status = time.time_ns(), 0
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as redirect:
            status = redirect.status
            raise
        finally:
            if route_of(request) not in QUIET:
                _tell(traces, request, status, began_ns)
        return response

    return traced


def _tell(traces: Traces, request: web.Request, status: int, began_ns: int) -> None:
    route, notes = route_of(request), request.get(NOTES, {})
    method = request.method if route != "none" else "any"
    attributes: dict[str, str | int | float] = {
        name: str(notes[name]) for name in _TOLD if notes.get(name) is not None
    }
    attributes |= {"http.request.method": method, "http.route": route}
    if status:  # 0: the caller went away
        attributes["http.response.status_code"] = status
    comment = None
    with suppress(ValueError):  # what stands there is the caller's
        comment = UUID(str(notes.get("comment")))
        attributes["comment"] = str(comment)
    traces.request(Span(f"{method} {route}", began_ns, time.time_ns()), comment, attributes)
