"""Traces with the SDK's in-memory exporter: one comment's way from the request to its delivery, and nothing private on it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from moderation import app as composition
from moderation.engines import EngineAddresses
from moderation.intake.pipeline import Intake
from moderation.protocols import native
from moderation.tracing import Span, Traces, ids_of
from tests.receiver import Receiver
from tests.service import RunningService, running_service

PLANTED = (
    "planted-name",
    "planted@example.com",
    "192.0.2.77",
    "planted text",
    "planted-thread",
    "planted-agent",
)
STEPS = {"group", "recognise", "limit", "score", "decide", "commit"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(composition, "exporting", lambda _: SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


@pytest.fixture
async def traced(
    spans: InMemorySpanExporter, fresh_database_url: str, running_engines: EngineAddresses, receiver: Receiver
) -> AsyncIterator[RunningService]:
    options = {"traces_url": "http://127.0.0.1:9/v1/traces", "traces_share": "1"}
    async with running_service(
        fresh_database_url,
        running_engines.redis_url,
        webhook_url=receiver.url,
        allow_private_endpoints="true",
        **options,
    ) as running:
        yield running


def planted(**fields: Any) -> dict[str, Any]:
    return {
        "thread": {"id": "planted-thread", "url": "https://news.example/planted-thread"},
        "author": {
            "name": "planted-name",
            "email": "planted@example.com",
            "ip": "192.0.2.77",
            "user_agent": "planted-agent",
        },
        "text": "planted text that nobody else wrote",
        **fields,
    }


def of(spans: InMemorySpanExporter, comment: str) -> dict[str, ReadableSpan]:
    found = [span for span in spans.get_finished_spans() if span.attributes.get("comment") == comment]
    assert len({span.name for span in found}) == len(found)
    return {span.name: span for span in found}


async def until_delivered(spans: InMemorySpanExporter) -> None:
    async with asyncio.timeout(30):
        while not any(span.name == "deliver" for span in spans.get_finished_spans()):
            await asyncio.sleep(0.02)


async def test_a_comment_is_one_trace_from_the_request_to_the_delivery(
    traced: RunningService, spans: InMemorySpanExporter
) -> None:
    status, body = await traced.call("POST", "/v1/comments", json=planted(external_id="1"))
    assert status == 201
    await until_delivered(spans)
    found = of(spans, body["id"])
    assert set(found) == {"POST /v1/comments", *STEPS, "deliver"}
    first = found.pop("POST /v1/comments")
    trace, root = ids_of(UUID(body["id"]))
    assert (first.context.trace_id, first.context.span_id, first.parent) == (trace, root, None)
    assert first.attributes["http.response.status_code"] == 201
    assert first.attributes["site"] == traced.site.name
    for span in found.values():
        assert (span.context.trace_id, span.parent.span_id) == (trace, root)
        assert span.start_time <= span.end_time
    for step in STEPS:
        assert first.start_time <= found[step].start_time <= found[step].end_time
    assert found["group"].start_time <= found["commit"].start_time <= found["commit"].end_time
    assert found["deliver"].attributes["outcome"] == "delivered"

    status, again = await traced.call("POST", "/v1/comments", json=planted(external_id="1"))
    assert (status, again["id"]) == (200, body["id"])
    replay = spans.get_finished_spans()[-1]
    assert (replay.context.trace_id, replay.parent.span_id) == (trace, root), "what comes later belongs to it"


async def test_nothing_private_is_on_any_span(traced: RunningService, spans: InMemorySpanExporter) -> None:
    await traced.call("POST", "/v1/comments", json=planted())
    await traced.call(
        "POST", "/v1/comments", json=planted(author={"name": "planted-name", "email": "planted"})
    )
    await traced.call("GET", "/v1/comments?author=planted-name&thread=planted-thread", key="mds_planted-key")
    await traced.call("GET", "/nowhere/planted-name")
    form = {"name": "planted-name", "email": "planted@example.com", "comment": "planted text"}
    async with traced.client.post(f"/sites/{traced.site.name}/comments", data=form) as answer:
        await answer.read()
    await until_delivered(spans)
    written = "".join(span.to_json() for span in spans.get_finished_spans())
    assert len(spans.get_finished_spans()) > 8
    for word in (*PLANTED, "planted", traced.site.key, traced.site.webhook_secret):
        assert word not in written
    assert json.loads(spans.get_finished_spans()[0].to_json())["resource"]["attributes"] == {
        "service.name": "moderation"
    }


async def test_all_processes_draw_the_same_share() -> None:
    exporters = [InMemorySpanExporter(), InMemorySpanExporter()]
    processes = [Traces(SimpleSpanProcessor(exporter), share=0.25) for exporter in exporters]
    comments = [
        UUID(int=(0x0190 << 112) + number) for number in range(2000)
    ]  # all of one moment, as UUIDv7 are
    for comment in comments:
        for process in processes:
            process.step(Span("deliver", 1, 2), comment, {"comment": str(comment)})
    drawn = [{span.attributes["comment"] for span in exporter.get_finished_spans()} for exporter in exporters]
    assert drawn[0] == drawn[1]
    assert 400 < len(drawn[0]) < 600
    for process in processes:
        process.close()


async def test_off_there_is_nothing_of_it(service: RunningService) -> None:
    app: web.Application = service.client.app
    assert type(app[native.INTAKE]) is Intake
    assert [middleware.__name__ for middleware in app.middlewares] == ["edge"]


async def test_a_collector_that_is_away_costs_no_comment_and_no_time_at_the_end(
    fresh_database_url: str, running_engines: EngineAddresses
) -> None:
    options = {"traces_url": "http://127.0.0.1:9/v1/traces", "traces_share": "1"}
    async with running_service(fresh_database_url, running_engines.redis_url, **options) as running:
        assert (await running.submit())[0] == 201
