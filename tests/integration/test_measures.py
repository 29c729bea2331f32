"""What `/metrics` tells of the machine and the program: there from the start, and right."""

import asyncio
import shutil
import threading
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from classifiers import kernel
from moderation.domain.clock import utc_now
from moderation.intake.housekeeping import Housekeeper
from moderation.intake.rates import FALLBACK_CAUSES
from moderation.storage.database import Database
from moderation.telemetry import DISK_FREE_BYTES, DISK_SIZE_BYTES
from tests.service import RunningService


async def test_the_room_that_is_left_and_the_size_of_the_database_are_told(
    database: Database, tmp_path: Path
) -> None:
    DISK_FREE_BYTES.set(0)
    DISK_SIZE_BYTES.set(0)
    gone = Housekeeper(database, clock=utc_now, data_dir=tmp_path / "nowhere")
    await gone.tend()
    await ended(disk_threads())
    assert REGISTRY.get_sample_value("moderation_disk_free_bytes") == 0
    await Housekeeper(database, clock=utc_now, data_dir=tmp_path).tend()
    await ended(disk_threads())
    usage = shutil.disk_usage(tmp_path)
    assert REGISTRY.get_sample_value("moderation_disk_size_bytes") == usage.total
    assert 0 < (REGISTRY.get_sample_value("moderation_disk_free_bytes") or 0) <= usage.total
    async with database.connection() as connection:
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
    assert abs((REGISTRY.get_sample_value("moderation_database_bytes") or 0) - size) < 64 << 20


async def test_a_disk_that_hangs_holds_up_neither_housekeeping_nor_more_than_one_thread(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, asked = threading.Event(), []

    def hang(path: Path) -> object:
        asked.append(path)
        answered.wait(60)
        raise OSError

    monkeypatch.setattr(shutil, "disk_usage", hang)
    housekeeper = Housekeeper(database, clock=utc_now, data_dir=tmp_path)
    try:
        async with asyncio.timeout(60):
            await housekeeper.tend()
            housekeeper.look_at_disk()
        (hanging,) = disk_threads()
        assert hanging.daemon  # the program ends without it
    finally:
        answered.set()
    await ended([hanging])
    assert asked == [tmp_path]
    housekeeper.look_at_disk()
    await ended(disk_threads())
    assert asked == [tmp_path, tmp_path]


def disk_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "disk"]


async def ended(threads: list[threading.Thread]) -> None:
    for thread in threads:
        await asyncio.to_thread(thread.join, 60)
        assert not thread.is_alive()


async def test_counters_of_closed_sets_begin_before_anything_is_counted(service: RunningService) -> None:
    """PromQL's `increase` sees nothing in a sample that was not there before: the first fallback would ring nowhere."""
    async with service.client.get("/metrics") as response:
        families = text_string_to_metric_families(await response.text())
        samples = {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}
    for cause in FALLBACK_CAUSES:
        assert ("moderation_limiter_fallbacks_total", cause) in samples
    for cause in ("late", "broken"):
        assert ("moderation_scoring_failures_total", cause) in samples
    for name in ("moderation_faults_total", "moderation_database_slow_total"):
        assert (name,) in samples
    assert samples["moderation_scoring_compiled",] == (kernel.status()["kernel"] == "native")
