"""What the HTTP library answers by itself, in our words: neither its name and version, nor a copy of what a stranger sent.

The library offers no place to say so, so three of its names are replaced, once a process; tests see whether that still works.
"""

from aiohttp import HttpVersion11, web, web_protocol, web_response, web_server, web_urldispatcher
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from moderation.domain.details import detail
from moderation.domain.errors import MalformedRequestError, ModerationError
from moderation.domain.ids import new_hex
from moderation.protocols.edge import edge
from moderation.protocols.problems import problem_response
from moderation.telemetry import REQUESTS, tally

NAME = "moderation"
MAX_LINE_BYTES = 8192
MAX_FIELD_BYTES = 8190
"""Of the address, and of a header field with its name: a little apart, since the library's error says of neither but the limit."""


class Connection(web_protocol.RequestHandler):
    """Answers a request that could not be read, or whose answer failed outside of any handler."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Log and end as the library does; answer with a problem detail."""
        super().handle_error(request, status, exc, message)
        request._version = HttpVersion11  # noqa: SLF001 - of one that was not read the library answers in 1.0
        error = _unreadable(exc) if status < 500 else ModerationError()
        response = problem_response(error, request_id=new_hex(), language="en")
        if isinstance(exc, HttpProcessingError):  # what fails in a handler, the edge has counted
            tally(REQUESTS, "none", "any", response.status).inc()
        response.force_close()
        return response


def _unreadable(cause: BaseException | None) -> ModerationError:
    """Return what is wrong with a request that could not be read, as far as the library says it."""
    problem = MalformedRequestError(detail("no_http"))
    if isinstance(cause, LineTooLong):
        problem = MalformedRequestError()
        problem.code = "address-too-long" if cause.args[1] == MAX_LINE_BYTES else "headers-too-large"
    return problem


_meet_expectation = web_urldispatcher._default_expect_handler  # noqa: SLF001 - there is no other name for it


async def heed_expectation(request: web.Request) -> web.StreamResponse | None:
    """Ask for the body where the caller waits to be asked; refuse any other expectation (RFC 9110 §10.1.1) as a problem.

    The library looks at this before any middleware, for paths that there are and for those that there are not.
    """
    try:
        await _meet_expectation(request)
    except web.HTTPExpectationFailed:
        return await edge(request, _refuse_expectation)
    return None


async def _refuse_expectation(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPExpectationFailed


def speak_for_the_library(connection: type[Connection] = Connection) -> None:
    """Make every connection from now on speak in our words, as ``connection`` does."""
    setattr(web_response, "SERVER_SOFTWARE", NAME)  # noqa: B010 - the type checker refuses a plain assignment
    setattr(web_server, "RequestHandler", connection)  # noqa: B010 - likewise
    setattr(web_urldispatcher, "_default_expect_handler", heed_expectation)  # noqa: B010 - likewise
