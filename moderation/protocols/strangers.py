"""What the HTTP library answers by itself, in our words: neither its name and version, nor a copy of what a stranger sent.

The library offers no place to say so, so two of its names are replaced, once a process; a test sees whether that still works.
"""

from aiohttp import web, web_protocol, web_response, web_server

from moderation.domain.details import detail
from moderation.domain.errors import MalformedRequestError, ModerationError
from moderation.domain.ids import new_hex
from moderation.protocols.problems import problem_response

NAME = "moderation"


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
        error = MalformedRequestError(detail("no_http")) if status < 500 else ModerationError()
        response = problem_response(error, request_id=new_hex(), language="en")
        response.force_close()
        return response


def speak_for_the_library(connection: type[Connection] = Connection) -> None:
    """Make every connection from now on speak in our words, as ``connection`` does."""
    setattr(web_response, "SERVER_SOFTWARE", NAME)  # noqa: B010 - the type checker refuses a plain assignment
    setattr(web_server, "RequestHandler", connection)  # noqa: B010 - likewise
