"""Traces, off by default: what one comment went through, from the request to its delivery, as OpenTelemetry spans.

Every span is written when it has ended, from times that were noted, and none is open meanwhile. The trace and the first span of a
comment have ids that follow from the comment's id alone: whoever delivers its event days later in another process adds to the
same trace, and all processes draw the same sample. Attributes are what a log line may hold: ids, codes, counts; nothing private.
"""

import random
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

MAX_FRESH = 10_000
"""Comments that were stored a moment ago and whose request has not ended yet; more only lose their first span."""
EXPORT_TIMEOUT_S = 5
CLOSE_TIMEOUT_MS = 3000
Attributes = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Span:
    """What took how long; times in nanoseconds since 1970."""

    name: str
    began_ns: int
    ended_ns: int


def missing_package() -> str | None:
    """Return what has to be installed before traces can be sent; None if nothing."""
    try:
        is_there = find_spec("opentelemetry.exporter.otlp.proto.http.trace_exporter") is not None
    except ModuleNotFoundError:
        is_there = False
    return None if is_there else "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"


def exporting(url: str) -> "SpanProcessor":
    """Return what sends spans to an OTLP collector over HTTP, from a thread of its own; what it cannot send is dropped."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter(endpoint=url, timeout=EXPORT_TIMEOUT_S))


class Traces:
    """Writes spans of a sample of comments and requests: of ``share`` of them, in [0, 1]."""

    def __init__(self, processor: "SpanProcessor", *, share: float) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.id_generator import IdGenerator
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

        class Ids(IdGenerator):
            """Hands out the ids that were asked for, else random ones."""

            wanted: tuple[int, int] | None = None

            def generate_trace_id(self) -> int:
                return self.wanted[0] if self.wanted else random.getrandbits(127) + 1

            def generate_span_id(self) -> int:
                return self.wanted[1] if self.wanted else random.getrandbits(63) + 1

        self._ids = Ids()
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(share),
            resource=Resource({"service.name": "moderation"}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("moderation")
        self._fresh: OrderedDict[UUID, None] = OrderedDict()

    def stored(self, comment: UUID) -> None:
        """Note that a comment is new: the request that brought it is the first span of its trace."""
        self._fresh[comment] = None
        if len(self._fresh) > MAX_FRESH:
            self._fresh.popitem(last=False)

    def request(self, span: Span, comment: UUID | None, attributes: Attributes) -> None:
        """Write the span of a request: the first of a new comment's trace, one more of a known one's, or one by itself."""
        if comment is None:
            self._write(span, attributes, None)
        elif comment in self._fresh:
            del self._fresh[comment]
            self._ids.wanted = ids_of(comment)
            try:
                self._write(span, attributes, None)
            finally:
                self._ids.wanted = None
        else:
            self.step(span, comment, attributes)

    def step(self, span: Span, comment: UUID, attributes: Attributes) -> None:
        """Write one more span of a comment's trace."""
        self._write(span, attributes, ids_of(comment))

    def close(self) -> None:
        """Send what waits, within a bounded time."""
        self._provider.force_flush(CLOSE_TIMEOUT_MS)
        self._provider.shutdown()

    def _write(self, span: Span, attributes: Attributes, parent: tuple[int, int] | None) -> None:
        from opentelemetry.context import Context
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

        context = Context()
        if parent is not None:
            first = SpanContext(*parent, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
            context = set_span_in_context(NonRecordingSpan(first), context)
        written = self._tracer.start_span(
            span.name, context, attributes=dict(attributes), start_time=span.began_ns
        )
        written.end(span.ended_ns)


def ids_of(comment: UUID) -> tuple[int, int]:
    """Return the ids of a comment's trace and of its first span."""
    digest = blake2b(comment.bytes, digest_size=24).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:])
