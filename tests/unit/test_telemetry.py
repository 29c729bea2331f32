"""Counts and log lines kept back for a moment say the same as those handed on one by one."""

import asyncio
import io
import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import orjson
import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage, InvalidURLError
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from moderation import telemetry
from moderation.telemetry import LOG_DELAY_S, MAX_WAITING_LINES, Lines, Tally, _as_json

BUCKETS = (0.1, 0.5, 1.0)


@given(st.lists(st.floats(min_value=0, max_value=4) | st.sampled_from(BUCKETS), max_size=30))
def test_a_tally_fills_a_histogram_as_the_library_itself_does(values: list[float]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tallied = Tally(Histogram("seconds", "x", buckets=BUCKETS, registry=ours))
    plain = Histogram("seconds", "x", buckets=BUCKETS, registry=theirs)
    for value in values:
        tallied.observe(value)
        plain.observe(value)
    tallied.flush()
    tallied.flush()
    assert _rounded(generate_latest(ours)) == _rounded(generate_latest(theirs))


def _rounded(text: bytes) -> list[tuple[str, float]]:
    lines = [line.rpartition(" ") for line in text.decode().splitlines() if not line.startswith("#")]
    return [(name, round(float(value), 6)) for name, _, value in lines if "created" not in name]


def test_a_tally_hands_on_each_count_once() -> None:
    registry = CollectorRegistry()
    tallied = Tally(Counter("things", "x", ["kind"], registry=registry).labels("a"))
    tallied.inc()
    tallied.inc(4)
    tallied.flush()
    tallied.flush()
    assert registry.get_sample_value("things_total", {"kind": "a"}) == 5


async def test_mild_lines_wait_and_grave_ones_take_them_along_in_order() -> None:
    stream = io.BytesIO()
    lines = Lines(stream)
    lines.info(b"one")
    lines.info(b"two")
    assert stream.getvalue() == b""
    lines.error(b"three")
    assert stream.getvalue() == b"one\ntwo\nthree\n"
    lines.info(b"four")
    async with asyncio.timeout(30):
        while not stream.getvalue().endswith(b"four\n"):
            await asyncio.sleep(LOG_DELAY_S)


async def test_no_more_lines_wait_than_the_bound() -> None:
    stream = io.BytesIO()
    lines = Lines(stream)
    for _ in range(MAX_WAITING_LINES):
        lines.info(b"x")
    assert stream.getvalue().count(b"\n") == MAX_WAITING_LINES


def test_without_a_loop_lines_are_written_at_once() -> None:
    stream = io.BytesIO()
    Lines(stream).info(b"one")
    assert stream.getvalue() == b"one\n"


class Full(io.BytesIO):
    """A stream on a full disk."""

    def write(self, _data: object) -> int:
        raise OSError("no space left")


def test_a_log_that_cannot_be_written_harms_nobody() -> None:
    stream: BinaryIO = Full()
    Lines(stream).error(b"lost")


def test_a_line_with_a_lone_surrogate_is_still_json() -> None:
    assert orjson.loads(_as_json({"name": "x\ud800"}).replace(b"\\ud800", b"?")) == {"name": "x?"}


@pytest.mark.parametrize(
    ("logger", "error", "is_kept"),
    [
        ("aiohttp.server", BadHttpMessage("no HTTP"), False),
        ("aiohttp.server", InvalidURLError("x"), False),
        ("aiohttp.server", ConnectionResetError(), False),
        ("aiohttp.server", ValueError("ours"), True),
        ("asyncio", ConnectionResetError(), True),
    ],
)
def test_strangers_do_not_fill_the_log_with_errors(logger: str, error: Exception, is_kept: bool) -> None:
    details = (type(error), error, None)
    record = logging.LogRecord(logger, logging.ERROR, "", 0, "", (), details)
    assert telemetry._is_ours(record) is is_kept


@pytest.mark.parametrize(("level", "is_kept"), [(logging.WARNING, False), (logging.ERROR, True)])
def test_the_pool_does_not_tell_of_every_try_while_postgresql_is_away(level: int, is_kept: bool) -> None:
    record = logging.LogRecord("asyncpg.pool", level, "", 0, "", (), None)
    assert telemetry._is_ours(record) is is_kept


def test_a_request_is_logged_as_any_other_line_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(stream))
    fields = {
        "request_id": "r1",
        "route": "/v1/comments",
        "status": 201,
        "duration_ms": 1.25,
        "text": "\ud800",
    }
    try:
        telemetry.configure_logging("json", "info")
        telemetry.log_request(**fields)
        structlog.get_logger().info("request", **fields)
        ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
        assert list(ours) == list(theirs)
        assert ours | {"timestamp": None} == theirs | {"timestamp": None}
        assert datetime.fromisoformat(ours["timestamp"]) <= datetime.fromisoformat(theirs["timestamp"])
        telemetry.configure_logging("json", "warning")
        telemetry.log_request(**fields)
        assert stream.getvalue().count(b"\n") == 2
    finally:
        telemetry.configure_logging("json", "warning")


def test_a_worker_killed_as_it_makes_its_file_leaves_the_metrics_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(telemetry.MULTIPROCESS_VARIABLE, str(tmp_path))
    written = MmapedDict(str(tmp_path / "counter_1.db"))
    written.write_value(mmap_key("things", "things_total", ("kind",), ("a",), "x"), 5.0, 0.0)
    written.close()
    (tmp_path / "counter_2.db").touch()
    assert b'things_total{kind="a"} 5.0' in telemetry.render_metrics()


def test_errors_that_nobody_foresaw_are_counted_and_no_other_line_is() -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("moderation_faults_total") or 0.0

    log, before = structlog.get_logger(), counted()
    log.warning("foreseen", exc_info=ValueError("x"))
    log.error("said_alone")
    assert counted() == before
    log.error("failed", exc_info=ValueError("x"))
    assert counted() == before + 1
