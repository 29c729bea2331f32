"""What every Akismet call has in common: its caller, its answer as bare text, and what each failure is to these clients.

================================  ======  ==============  ==========================================================
what                              status  body            direction
================================  ======  ==============  ==========================================================
wrong key, missing parameter      200     ``invalid``     the client shows the help text; WordPress holds and asks again
body too large, cut off, packed   200     ``invalid``     the same
above the site's ceiling          429     ``throttled``   WordPress holds and asks again; libraries raise
PostgreSQL away, late, our fault  503     ``unavailable`` the same; nothing was accepted unless we were only late
================================  ======  ==============  ==========================================================

Never 4xx for what the client did: libraries would take it for an outage. Every answer to a check carries a fresh
``X-akismet-guid``, refusals too, for without it the WordPress plugin publishes whatever the body says.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from aiohttp import web

from moderation.domain.clock import Clock
from moderation.domain.errors import (
    DependencyUnavailableError,
    MalformedRequestError,
    ModerationError,
    RateLimitedError,
    TooLargeError,
    UnsupportedMediaTypeError,
)
from moderation.domain.ids import new_uuid
from moderation.domain.ports import Vault
from moderation.domain.site import Site, SiteCaller
from moderation.intake.pipeline import Intake
from moderation.intake.preview import Preview
from moderation.protocols.akismet_form import BODY_BYTES, Form, read_form
from moderation.protocols.akismet_keys import KeyFinder
from moderation.protocols.akismet_usage import UsageCounter, id_of_key
from moderation.protocols.edge import REQUEST_ID, note
from moderation.protocols.languages import SITE_LANGUAGE
from moderation.review.decisions import Decisions
from moderation.review.unconfirmed import Unconfirmed
from moderation.storage.database import Database

DEADLINE_S = 0.8
"""From the whole request read to the answer: the Python client gives up after 1 s."""
PATIENT_DEADLINE_S = 5.0
"""For the WordPress plugin, which waits 15 s, and would only ask again later."""
WORDPRESS = "WordPress/"
"""What the plugin's `User-Agent` begins with."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AkismetServices:
    """What the calls need of the service."""

    database: Database
    vault: Vault
    intake: Intake
    preview: Preview
    decisions: Decisions
    unconfirmed: Unconfirmed
    keys: KeyFinder
    usage: UsageCounter
    clock: Clock


SERVICES = web.AppKey("akismet", AkismetServices)


class RefusedCallError(Exception):
    """The call cannot be answered: ``invalid``, with the reason in a header."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a known caller; ``guid`` names it to the client."""

    form: Form = field(repr=False)
    caller: SiteCaller
    services: AkismetServices
    guid: UUID
    user_agent: str = field(default="", repr=False)

    @property
    def site(self) -> Site:
        """The caller's site."""
        return self.caller.site

    @property
    def key_id(self) -> UUID:
        """Of the key it came with."""
        return id_of_key(self.caller)


@dataclass(frozen=True, slots=True)
class Reply:
    """A body of bare text, and headers; ``notes`` are for the log."""

    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "text/plain"
    notes: Mapping[str, object] = field(default_factory=dict)


Handler = Callable[[web.Request], Awaitable[web.Response]]
Answer = Callable[[Call], Awaitable[Reply]]


def answering(answer: Answer, *, key_names: tuple[str, ...] = ("api_key", "key")) -> Handler:
    """Return a handler that reads the call, finds its caller, and turns whatever happens into an answer of this dialect."""

    async def handle(request: web.Request) -> web.Response:
        guid = new_uuid()
        try:
            form = await read_form(request)
            async with asyncio.timeout(_deadline_s(request)):
                reply = await answer(await _call(request, form, key_names, guid))
        except RefusedCallError as error:
            return _text(request, guid, "invalid", headers={"X-akismet-debug-help": str(error)})
        except TimeoutError:
            return _unavailable(request, guid, 2)
        except ModerationError as error:
            return _failure(request, guid, error)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.error("akismet_call_failed", request_id=request[REQUEST_ID], exc_info=error)
            return _unavailable(request, guid, 60)
        note(request, **reply.notes)
        return _text(request, guid, reply.body, headers=reply.headers, content_type=reply.content_type)

    return handle


def _deadline_s(request: web.Request) -> float:
    is_patient = request.headers.get("User-Agent", "").startswith(WORDPRESS)
    return PATIENT_DEADLINE_S if is_patient else DEADLINE_S


async def _call(request: web.Request, form: Form, key_names: tuple[str, ...], guid: UUID) -> Call:
    services = request.app[SERVICES]
    caller = await services.keys.find(request, form, key_names)
    if caller is None:
        raise RefusedCallError("The API key is missing, unknown, revoked or of another protocol.")
    request[SITE_LANGUAGE] = caller.site.language
    note(request, site=caller.site.name)
    return Call(form, caller, services, guid, request.headers.get("User-Agent", ""))


def require(form: Form, *names: str) -> None:
    """Raise `RefusedCallError` unless every parameter came; only ``user_ip`` may be blank."""
    for name in names:
        if not (form.has(name) if name == "user_ip" else form.get(name)):
            raise RefusedCallError(f"Missing required field: {name}.")


def _failure(request: web.Request, guid: UUID, error: ModerationError) -> web.Response:
    note(request, problem=error.code)
    if isinstance(error, TooLargeError):
        text = f"The body is larger than {BODY_BYTES} bytes."
    elif isinstance(error, MalformedRequestError | UnsupportedMediaTypeError):
        text = f"The body could not be read: {error.detail}"
    elif isinstance(error, RateLimitedError):
        return _text(
            request, guid, "throttled", status=429, headers=_problem("Too many calls.", error.retry_after_s)
        )
    elif isinstance(error, DependencyUnavailableError):
        return _unavailable(request, guid, error.retry_after_s)
    else:
        text = "The call could not be understood."
    return _text(request, guid, "invalid", headers={"X-akismet-debug-help": text})


def _unavailable(request: web.Request, guid: UUID, retry_after_s: int) -> web.Response:
    note(request, problem="unavailable")
    headers = _problem("The service cannot answer now; ask again.", retry_after_s)
    return _text(request, guid, "unavailable", status=503, headers=headers)


def _problem(text: str, retry_after_s: int) -> dict[str, str]:
    return {"X-akismet-error": text, "X-akismet-debug-help": text, "Retry-After": str(retry_after_s)}


def _text(
    request: web.Request,
    guid: UUID,
    body: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "text/plain",
) -> web.Response:
    if body in {"true", "false", "valid", "invalid"}:
        note(request, answer=body)
    return web.Response(
        body=body.encode(),
        status=status,
        headers={
            "X-akismet-guid": str(guid),
            "Cache-Control": "no-store",
            "Content-Type": f"{content_type}; charset=utf-8",
            **(headers or {}),
        },
    )
