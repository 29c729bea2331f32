"""Logs and metrics, declared in one place.

Logs: ``event`` is a constant; never comment text, names, addresses or secrets. Info = changed state, warning = handled
but unexpected, error = somebody should look. Metrics: base units, labels from closed sets.
"""

import asyncio
import atexit
import json
import logging
import os
import sys
from bisect import bisect_left
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
LOG_DELAY_S = 0.05
"""How long lines of level info wait to be written together; a killed process loses these at most. Worse ones do not wait."""
MAX_WAITING_LINES = 512

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_GROUP = (1, 2, 4, 8, 16, 32, 64, 128)
_PROBABILITY = tuple(step / 10 for step in range(1, 11))

REQUESTS = Counter("moderation_requests", "Requests answered", ["route", "method", "status"])
REQUEST_SECONDS = Histogram("moderation_request_seconds", "Time to answer", ["route"], buckets=_FAST)
FAULTS = Counter("moderation_faults", "Errors that nobody foresaw, each with a line in the log")
DECISIONS = Counter("moderation_decisions", "Decisions recorded", ["verdict", "decided_by"])
REPLAYS = Counter("moderation_replays", "Submissions recognised as sent before")
RATE_DENIALS = Counter("moderation_rate_denials", "Submissions denied by a limit", ["rule"])
SIGN_INS = Counter("moderation_sign_ins", "Attempts to sign in to the console", ["outcome"])
LIMITER_FALLBACKS = Counter(
    "moderation_limiter_fallbacks", "Groups limited in process because Redis was away", ["cause"]
)
SCORING_SECONDS = Histogram("moderation_scoring_seconds", "Time to score one group", buckets=_FAST)
SCORING_FAILURES = Counter("moderation_scoring_failures", "Groups that got no scores", ["cause"])
ANALYSES = Counter("moderation_analyses", "Texts scored for somebody who only asked", ["dialect"])
CORAL_ANSWERS = Counter("moderation_coral_answers", "Answers to Coral, by what they rest on", ["rests_on"])
SCORES = Histogram("moderation_scores", "Scores given", ["output", "model"], buckets=_PROBABILITY)
STORE_SECONDS = Histogram("moderation_store_seconds", "Time to commit one group", buckets=_FAST)
GROUP_SIZE = Histogram("moderation_group_size", "Comments in one group", buckets=_GROUP)
INTAKE_QUEUE = Gauge("moderation_intake_queue", "Comments waiting for a group", multiprocess_mode="livesum")
DELIVERIES = Counter("moderation_deliveries", "Attempts to deliver an event", ["outcome"])
DELIVERY_SECONDS = Histogram("moderation_delivery_seconds", "Time of one attempt", buckets=_FAST)
AKISMET_CALLBACKS = Counter(
    "moderation_akismet_callbacks", "Calls that told an Akismet client of a later verdict", ["outcome"]
)
# "livemax": each process measures the same thing by itself, and one that died must not go on being believed.
OPEN_TASKS = Gauge("moderation_open_tasks", "Open review tasks", ["kind"], multiprocess_mode="livemax")
OLDEST_HELD_SECONDS = Gauge(
    "moderation_oldest_held_seconds", "Age of the oldest open task", multiprocess_mode="livemax"
)
UNDELIVERED = Gauge(
    "moderation_undelivered_comments",
    "Comments with events that their site has not heard",
    multiprocess_mode="livemax",
)
OLDEST_UNDELIVERED_SECONDS = Gauge(
    "moderation_oldest_undelivered_seconds",
    "Age of the oldest event a site has not heard",
    multiprocess_mode="livemax",
)
DEAD_LETTERS = Gauge(
    "moderation_dead_letters", "Events given up and not sent again since", multiprocess_mode="livemax"
)
DATABASE_AWAY = Gauge(
    "moderation_database_away", "1 while PostgreSQL does not answer a process", multiprocess_mode="livemax"
)
DATABASE_SLOW = Counter(
    "moderation_database_slow", "Uses of PostgreSQL given up as too slow while it answered others"
)
DATABASE_BYTES = Gauge(
    "moderation_database_bytes", "Size of the database with its indexes", multiprocess_mode="livemax"
)
DISK_FREE_BYTES = Gauge(
    "moderation_disk_free_bytes",
    "Left for an ordinary user where the data directory is; 0 where there is none",
    multiprocess_mode="livemax",
)
DISK_SIZE_BYTES = Gauge(
    "moderation_disk_size_bytes", "Of the disk where the data directory is", multiprocess_mode="livemax"
)
RESTARTS = Gauge(
    "moderation_restarts",
    "Restarts since the service started, of each engine and of the workers together",
    ["part"],
    multiprocess_mode="livemax",
)
MODEL_LOADED = Gauge(
    "moderation_model_loaded", "1 where there is a model to score with", multiprocess_mode="livemin"
)
SCORING_COMPILED = Gauge(
    "moderation_scoring_compiled",
    "1 where compiled loops score, 0 where NumPy does: the same scores at two or three times the time",
    multiprocess_mode="livemin",
)
RETENTION_REMOVED = Counter(
    "moderation_retention_removed", "Rows that a retention clock emptied or removed", ["clock"]
)
RETENTION_ROUND_TIMESTAMP_SECONDS = Gauge(
    "moderation_retention_round_timestamp_seconds",
    "When the last complete retention round ended",
    multiprocess_mode="mostrecent",
)
AUTOMATIC_PRECISION = Gauge(
    "moderation_automatic_precision",
    "Share of automatic verdicts that people agree with, estimated from audits",
    ["verdict", "language", "bound"],
    multiprocess_mode="mostrecent",
)
AUTOMATIC_RECALL = Gauge(
    "moderation_automatic_recall",
    "Share of what people would decide so that is decided automatically, estimated from audits",
    ["verdict", "language", "bound"],
    multiprocess_mode="mostrecent",
)
MODEL_DRIFT = Gauge(
    "moderation_model_drift",
    "Population stability index of scores against training, of the site where it is highest",
    ["output"],
    multiprocess_mode="mostrecent",
)
RETRAINING_DUE = Gauge(
    "moderation_retraining_due",
    "Sites whose model learned from labels of people who were erased since",
    multiprocess_mode="mostrecent",
)
MODEL_REFUSALS = Counter("moderation_model_refusals", "Times a model was refused as damaged or foreign")
MODELS_REFUSED = Gauge(
    "moderation_models_refused", "Models that should be in force and are refused", multiprocess_mode="livemax"
)
LOOP_LAG_SECONDS = Gauge(
    "moderation_loop_lag_seconds", "How late the event loop was", multiprocess_mode="livemax"
)


class Tally:
    """What one metric counted since it was last handed on: a comment passes a dozen of them, and each costs microseconds.

    `flush` hands it on: before a scrape of this process, and once a second for scrapes of the others. For the loop's thread.
    """

    __slots__ = ("_bounds", "_child", "_counts", "_sum")

    def __init__(self, child: Counter | Histogram) -> None:
        self._child = child
        self._bounds = child._upper_bounds if isinstance(child, Histogram) else []  # noqa: SLF001 - see flush
        self._counts = [0] * max(len(self._bounds), 1)
        self._sum = 0.0

    def inc(self, by: int = 1) -> None:
        """Count: for counters."""
        self._counts[0] += by

    def observe(self, value: float) -> None:
        """Note one value: for histograms."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def flush(self) -> None:
        """Hand on what was counted. The library takes values one by one only, so this adds to the buckets behind it."""
        counts, self._counts = self._counts, [0] * len(self._counts)
        total, self._sum = self._sum, 0.0
        if isinstance(self._child, Counter):
            self._child.inc(counts[0])
            return
        self._child._sum.inc(total)  # noqa: SLF001
        for bucket, count in zip(self._child._buckets, counts, strict=True):  # noqa: SLF001
            if count:
                bucket.inc(count)


_log = structlog.get_logger()
_tallies: dict[tuple[object, ...], Tally] = {}


def tally(metric: Counter | Histogram, *labels: object) -> Tally:
    """Return the tally of a metric, with its labels where it has any."""
    found = _tallies.get((metric, *labels))
    if found is None:
        found = _tallies[(metric, *labels)] = Tally(metric.labels(*labels) if labels else metric)
    return found


def begin(counter: Counter, labels: Iterable[str]) -> None:
    """Show a counter with a closed set of labels from 0 on: PromQL sees no increase in a sample that was not there before."""
    for label in labels:
        counter.labels(label)


def flush_tallies() -> None:
    """Hand everything on to the metrics."""
    for each in list(_tallies.values()):
        each.flush()


def render_metrics() -> bytes:
    """Return the metrics of this process, or of all workers where they share a folder, in the text format."""
    flush_tallies()
    if MULTIPROCESS_VARIABLE not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    _WorkersCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class _WorkersCollector(MultiProcessCollector):
    """Reads what every worker counted, without files that a worker has made but not begun: on those the library stumbles."""

    def collect(self) -> Any:
        return self.merge([str(path) for path in Path(self._path).glob("*.db") if _is_begun(path)])  # type: ignore[no-untyped-call]


def _is_begun(path: Path) -> bool:
    with suppress(FileNotFoundError):  # of a worker that ended meanwhile
        return path.stat().st_size > 0
    return False


_requests: "Lines | None" = None
"""Where lines of requests go straight to; None where something else than a JSON object a line is wanted."""


def log_request(**fields: object) -> None:
    """Write the one line of a request, as ``log.info("request", …)`` would at several times the cost."""
    if _requests is None:
        _log.info("request", **fields)
        return
    fields["event"], fields["level"], fields["timestamp"] = "request", "info", datetime.now(UTC)
    _requests.info(_as_json(fields))


def configure_logging(log_format: str, level: str) -> None:
    """Send every log line to standard error: one JSON object a line, or for a terminal."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    renderer: Any = (
        structlog.processors.JSONRenderer(_as_json) if as_json else structlog.dev.ConsoleRenderer()
    )
    lines = Lines(sys.stderr.buffer)
    global _requests  # noqa: PLW0603 - logging is configured once a process, like structlog's own configuration
    number = logging.getLevelNamesMapping()[level.upper()]
    _requests = lines if as_json and number <= logging.INFO else None
    factory: Any = (lambda *_: lines) if as_json else structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_the_exception,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_WithoutText())
    handler.addFilter(_is_ours)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    sys.excepthook = _report_crash


class Lines:
    """Writes lines to a stream: those of level info a moment later and together, any other at once, all in order.

    A stream that cannot be written to loses lines, never a request.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []
        atexit.register(self.write_out)

    def later(self, line: bytes) -> None:
        """Write soon."""
        self._waiting.append(line)
        if len(self._waiting) == 1:
            try:
                asyncio.get_running_loop().call_later(LOG_DELAY_S, self.write_out)
            except RuntimeError:  # no loop: a command
                self.write_out()
        elif len(self._waiting) >= MAX_WAITING_LINES:
            self.write_out()

    def now(self, line: bytes) -> None:
        """Write what waits, and this."""
        self._waiting.append(line)
        self.write_out()

    info = later
    debug = msg = warn = warning = error = err = exception = critical = fatal = failure = log = now

    def write_out(self) -> None:
        """Write what waits."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            try:
                self._stream.write(b"\n".join([*waiting, b""]))
                self._stream.flush()
            except (OSError, ValueError):
                return


class _WithoutText(logging.Formatter):
    """For libraries' own log lines: who and how bad, and an error's type and place, never what was said.

    Their messages quote requests, and exceptions quote rows.
    """

    def format(self, record: logging.LogRecord) -> str:
        event = {"event": "library", "logger": record.name, "level": record.levelname.lower()}
        if record.exc_info and record.exc_info[1] is not None:
            event |= _describe(record.exc_info[1])
        return _as_json(event).decode()


def _is_ours(record: logging.LogRecord) -> bool:
    """Leave out what strangers do to the HTTP server: words that are no HTTP, counted where they are answered; gone before the answer.

    The library calls each of these an error, with which anybody could fill the log and wake the operator. And each try of the
    pool while PostgreSQL is away, which `postgresql_away` says once.
    """
    if record.name == "asyncpg.pool":
        return record.levelno > logging.WARNING
    if record.name != "aiohttp.server":
        return True
    from aiohttp.http_exceptions import (
        HttpProcessingError,  # takes half a second, which commands need not wait for
    )

    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | ConnectionError)


def _report_crash(_kind: type[BaseException], error: BaseException, _trace: Any) -> None:
    print(_as_json({"event": "crashed", "level": "error", **_describe(error)}).decode(), file=sys.stderr)  # noqa: T201


def _as_json(event: Any, **_options: Any) -> bytes:
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_UTC_Z)
    except TypeError:  # a lone surrogate: a log line must never fail a request
        return json.dumps(event, default=str).encode()


def _name_the_exception(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace an exception by its type and place: its text may hold what a reader wrote. Count those that nobody foresaw."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info
    if isinstance(error, BaseException):
        event.update(_describe(error))
        if event.get("level") == "error":
            FAULTS.inc()
    return event


def _describe(error: BaseException) -> dict[str, Any]:
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}")
        trace = trace.tb_next
    described: dict[str, Any] = {"error": type(error).__name__, "at": frames[-4:]}
    if isinstance(error, BaseExceptionGroup):
        described["within"] = [_describe(one) for one in error.exceptions[:3]]
    return described
