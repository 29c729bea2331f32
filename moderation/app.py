"""The composition root: settings → storage → services → the aiohttp application of one API process."""

import asyncio
import functools
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from redis.asyncio import Redis
from yarl import URL

from moderation.console import visits
from moderation.console.entrance import ENTRANCE, Entrance
from moderation.delivery.callbacks import Callbacks
from moderation.delivery.service import Delivery
from moderation.delivery.standings import Result
from moderation.domain.clock import utc_now
from moderation.intake.analysis import Analyst
from moderation.intake.housekeeping import Housekeeper
from moderation.intake.pipeline import Intake
from moderation.intake.preview import Preview
from moderation.intake.rates import FALLBACK_CAUSES, RateLimiter
from moderation.intake.rescoring import Rescorer
from moderation.intake.scoring import GroupScorer
from moderation.intake.traced import TracedIntake
from moderation.learning.engine import ActiveModel
from moderation.learning.feedback import Feedback
from moderation.learning.health import HealthReader
from moderation.learning.switch import ModelSwitch
from moderation.learning.watch import HealthWatch
from moderation.privacy.erasure import Eraser
from moderation.privacy.keys import Keyring
from moderation.privacy.retention import RetentionJob
from moderation.privacy.vault import KeyedVault
from moderation.protocols import (
    akismet,
    batch,
    colleagues,
    coral,
    coral_feedback,
    feed,
    form,
    insight,
    learning,
    native,
    operations,
    perspective,
    perspective_feedback,
    published,
    reference,
    review,
    rights,
    try_page,
    webhook,
    workplace,
)
from moderation.protocols.addresses import TRUSTED_PROXIES
from moderation.protocols.akismet_keys import KeyFinder
from moderation.protocols.akismet_usage import UsageCounter
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.coral_feedback import CoralFeedback
from moderation.protocols.coral_intake import CoralIntake
from moderation.protocols.edge import edge
from moderation.protocols.express import Express, ExpressConnection, fits_the_library
from moderation.protocols.sessions import PUBLIC_ORIGIN, SESSIONS
from moderation.protocols.strangers import MAX_FIELD_BYTES, MAX_LINE_BYTES, speak_for_the_library
from moderation.protocols.traced import tracing
from moderation.review.authors import Authors
from moderation.review.desk import ReviewDesk
from moderation.review.indexing import Indexer
from moderation.review.records import Records
from moderation.review.search import Search
from moderation.review.unconfirmed import Unconfirmed
from moderation.settings import Settings
from moderation.storage.database import ANSWERED_WITHIN_S, Database
from moderation.storage.directory import Directory
from moderation.storage.sessions import Sessions
from moderation.telemetry import (
    DELIVERIES,
    DELIVERY_SECONDS,
    LIMITER_FALLBACKS,
    LOOP_LAG_SECONDS,
    begin,
    flush_tallies,
)
from moderation.tracing import Attributes, Span, Traces, exporting

DIALECTS = (
    native,
    batch,
    webhook,
    form,
    akismet,
    published,
    perspective,
    coral,
    review,
    workplace,
    insight,
    colleagues,
    learning,
    rights,
    feed,
    operations,
    reference,
    try_page,
    visits,
)
LAG_EVERY_S = 1.0
LARGEST_BODY_BYTES = 2 * 1024 * 1024
log = structlog.get_logger()


def create_app(settings: Settings, keyring: Keyring) -> web.Application:
    """Put the services together. ``settings`` names both engines, wherever they run; nothing is opened yet."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    speak_for_the_library(ExpressConnection)
    traces = _traces(settings)
    middlewares = [edge] if traces is None else [tracing(traces), edge]
    app = web.Application(middlewares=middlewares, client_max_size=LARGEST_BODY_BYTES)
    database = Database(settings.database_url, size=settings.database_connections)
    vault = KeyedVault(keyring)
    model = ActiveModel()
    begin(LIMITER_FALLBACKS, FALLBACK_CAUSES)
    limiter = RateLimiter(settings.redis_url, on_fallback=lambda cause: LIMITER_FALLBACKS.labels(cause).inc())
    scorer = GroupScorer(model, deadline_s=settings.score_deadline_ms / 1000)
    intake = _intake(settings, traces, database, vault, limiter, scorer)
    awaited = database.within(ANSWERED_WITHIN_S)  # for whatever a caller waits for that is quickly done
    delivery = _delivery(settings, traces, database, vault)
    app[DIRECTORY] = Directory(awaited)
    app[native.INTAKE] = intake
    app[review.DESK] = ReviewDesk(awaited, clock=utc_now)
    app[feed.FEED] = delivery.feed
    app[rights.RECORDS] = Records(awaited, vault)
    app[rights.ERASER] = Eraser(database, vault, clock=utc_now)
    app[webhook.VAULT] = vault
    app[operations.DATABASE] = awaited
    app[operations.MODEL] = model
    app[learning.HEALTH] = HealthReader(database, clock=utc_now, shipped=lambda: model.shipped_version)
    _add_surroundings(app, settings)
    _add_console(app, vault, limiter, settings)
    app[perspective.ANALYST] = Analyst(scorer, bound=settings.intake_queue)
    app[perspective_feedback.FEEDBACK] = Feedback(awaited, vault, utc_now)
    _add_coral(app, intake, vault)
    jobs = [
        delivery.run(),
        ModelSwitch(database, model).watch(),
        *_add_akismet(app, database, vault, Preview(awaited, vault, limiter, scorer)),
        *_jobs(app, settings, database, vault),
    ]
    for module in DIALECTS:
        app.add_routes(module.routes())
    if traces is not None:
        app.cleanup_ctx.append(_closing(traces))
    app.cleanup_ctx.append(_lifetime(database, model, limiter, intake, jobs))
    return app


def _add_surroundings(app: web.Application, settings: Settings) -> None:
    """Add what the settings say of the world around: Redis, proxies, the address under which the service is known."""
    assert settings.redis_url is not None
    # Without its own version, which the driver would read from disk, on the loop, for every connection.
    app[operations.REDIS] = Redis.from_url(
        settings.redis_url, socket_timeout=1, socket_connect_timeout=1, driver_info=None
    )
    app[TRUSTED_PROXIES] = settings.trusted_proxies
    app[PUBLIC_ORIGIN] = _origin(settings.public_url)
    app[perspective.PUBLIC_URL] = settings.public_url


def _jobs(
    app: web.Application, settings: Settings, database: Database, vault: KeyedVault
) -> list[Coroutine[Any, Any, None]]:
    """Return what goes on in the background whoever calls, over services that ``app`` has."""
    intake = app[native.INTAKE]
    return [
        app[DIRECTORY].watch(),
        vault.watch(),
        HealthWatch(database, app[learning.HEALTH], clock=utc_now).run(),
        intake.unheard.watch(),
        Rescorer(database, intake.reviser, clock=utc_now).run(),
        Housekeeper(database, clock=utc_now, data_dir=settings.data_dir).run(),
        Indexer(database.url, clock=utc_now).run(),
        RetentionJob(database.url, vault, settings.retention, clock=utc_now).run(),
        Callbacks(database, vault, utc_now, allow_private=settings.allow_private_endpoints).run(),
        _watch_loop_lag(),
    ]


def _add_console(app: web.Application, vault: KeyedVault, limiter: RateLimiter, settings: Settings) -> None:
    """Add what the console's pages need beside review."""
    awaited = app[operations.DATABASE]
    app[SESSIONS] = Sessions(awaited, clock=utc_now)
    is_required = settings.second_factor == "required"
    app[ENTRANCE] = Entrance(awaited, vault, limiter, clock=utc_now, is_second_factor_required=is_required)
    app[insight.AUTHORS] = Authors(awaited, vault)
    app[insight.SEARCH] = Search(awaited)


def _origin(url: str | None) -> str:
    """Return scheme and host as browsers write them, without a default port; empty without an address."""
    found = None if url is None else URL(url)
    return "" if found is None or not found.host else str(found.origin()).rstrip("/").lower()


def server_options(app: web.Application, *, is_leaving: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Return what the HTTP server of ``app`` is to be given; ``is_leaving`` tells when connections are to end with their answers.

    Compressed bodies are refused by name; unpacked by the server, a damaged one would end the connection without a word. Where each
    request is traced, and with an aiohttp that `express` was not tried with, all go the ordinary way.
    """
    intake, express = app[native.INTAKE], None
    if not fits_the_library():
        log.warning("express_left_out", aiohttp=aiohttp.__version__)
    elif not isinstance(intake, TracedIntake):
        express = Express(app[DIRECTORY], intake, is_leaving=is_leaving)
    bounds = {"max_line_size": MAX_LINE_BYTES, "max_field_size": MAX_FIELD_BYTES}
    return {"auto_decompress": False, "express": express, **bounds}


def _intake(settings: Settings, traces: Traces | None, *services: Any) -> Intake:
    if traces is None:
        return Intake(*services, clock=utc_now, bound=settings.intake_queue)
    return TracedIntake(*services, clock=utc_now, bound=settings.intake_queue, traces=traces)


def _delivery(settings: Settings, traces: Traces | None, database: Database, vault: KeyedVault) -> Delivery:
    return Delivery(
        database,
        vault,
        utc_now,
        allow_private=settings.allow_private_endpoints,
        on_attempt=_count_attempt,
        on_result=None if traces is None else functools.partial(_trace_attempt, traces),
        kept_days=settings.retention.events,
    )


def _traces(settings: Settings) -> Traces | None:
    if settings.traces_url is None:
        return None
    return Traces(exporting(settings.traces_url), share=settings.traces_share)


def _closing(traces: Traces) -> Callable[[web.Application], AsyncIterator[None]]:
    async def closing(_: web.Application) -> AsyncIterator[None]:
        """Send the last spans when everything else has ended."""
        yield
        await asyncio.to_thread(traces.close)

    return closing


def _trace_attempt(traces: Traces, result: Result) -> None:
    answer, lease = result.answer, result.parcel.lease
    if answer is None:
        return
    ended_ns = time.time_ns()
    attributes: Attributes = {
        "comment": str(lease.comment_id),
        "sequence": result.parcel.sequence,
        "attempt": lease.attempts + 1,
        "outcome": answer.outcome.value,
    }
    began_ns = ended_ns - round(answer.duration_s * 1e9)
    traces.step(Span("deliver", began_ns, ended_ns), lease.comment_id, attributes)


def _add_coral(app: web.Application, intake: Intake, vault: KeyedVault) -> None:
    database, feedback = app[operations.DATABASE], app[perspective_feedback.FEEDBACK]
    app[coral.CORAL_INTAKE] = CoralIntake(intake, app[perspective.ANALYST], database, vault, clock=utc_now)
    app[coral_feedback.CORAL_FEEDBACK] = CoralFeedback(database, vault, app[review.DESK].decisions, feedback)


def _add_akismet(
    app: web.Application, database: Database, vault: KeyedVault, preview: Preview
) -> list[Coroutine[Any, Any, None]]:
    """Add what the calls of Akismet clients need beside intake and review; return its jobs."""
    awaited = app[operations.DATABASE]
    usage, unconfirmed = UsageCounter(database, utc_now), Unconfirmed(database, clock=utc_now)
    app[akismet.SERVICES] = akismet.AkismetServices(
        database=awaited,
        vault=vault,
        intake=app[native.INTAKE],
        preview=preview,
        decisions=app[review.DESK].decisions,
        unconfirmed=Unconfirmed(awaited, clock=utc_now),
        keys=KeyFinder(app[DIRECTORY], vault),
        usage=usage,
        clock=utc_now,
    )
    return [unconfirmed.run(), usage.run()]


def _lifetime(
    database: Database,
    model: ActiveModel,
    limiter: RateLimiter,
    intake: Intake,
    jobs: list[Coroutine[Any, Any, None]],
) -> Any:
    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        """Open in order, close in reverse. A database that is away does not keep the service from starting."""
        model.load_shipped()
        tasks = [asyncio.create_task(job) for job in jobs]
        for task in tasks:
            task.add_done_callback(_report_end)
        yield
        await app[coral.CORAL_INTAKE].close()  # what it answered from memory is still on its way into intake
        await intake.close()
        await app[perspective.ANALYST].close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await limiter.close()
        flush_tallies()
        await app[operations.REDIS].aclose()
        await database.close()

    return lifetime


def _report_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("job_ended", exc_info=task.exception())
        os.kill(os.getpid(), signal.SIGTERM)  # an orderly end; the supervisor starts a worker whose jobs run


def _count_attempt(outcome: str, duration_s: float) -> None:
    DELIVERIES.labels(outcome).inc()
    DELIVERY_SECONDS.observe(duration_s)


async def _watch_loop_lag() -> None:
    while True:
        due = time.monotonic() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        LOOP_LAG_SECONDS.set(max(time.monotonic() - due, 0.0))
        flush_tallies()  # for scrapes of other workers
