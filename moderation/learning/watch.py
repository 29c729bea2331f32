"""Looks at the health of all sites now and then, in one process of the instance: for `/metrics`, and to raise the alarm."""

import asyncio
import math
from collections.abc import Mapping
from typing import Any

import structlog
from prometheus_client import Gauge

from moderation.domain.clock import Clock
from moderation.domain.ids import SiteId
from moderation.learning.distributions import DRIFTED
from moderation.learning.health import WINDOW, Health, HealthReader, error_rates
from moderation.storage import estimates
from moderation.storage.database import Connection, Database
from moderation.storage.estimates import Judged
from moderation.storage.leadership import lead
from moderation.telemetry import AUTOMATIC_PRECISION, AUTOMATIC_RECALL, MODEL_DRIFT, RETRAINING_DUE

EVERY_S = 600.0
_LOCK = 0x6D64_7306
_LANGUAGES = ("ar", "en")
"""Languages with a series of their own in `/metrics`; the rest goes together, for labels come from closed sets."""
_OTHER = "other"

log = structlog.get_logger()


class HealthWatch:
    """The background job."""

    def __init__(
        self, database: Database, reader: HealthReader, *, clock: Clock, every_s: float = EVERY_S
    ) -> None:
        self._database = database
        self._clock = clock
        self._reader = reader
        self._every_s = every_s
        self._alarmed: set[tuple[str, str, str]] = set()
        self._drift = Series(MODEL_DRIFT)
        self._precision, self._recall = Series(AUTOMATIC_PRECISION), Series(AUTOMATIC_RECALL)

    async def run(self) -> None:
        """Look again and again while this process leads, until cancelled."""
        await lead(self._database.url, _LOCK, self._look_on)

    async def _look_on(self, connection: Any) -> None:
        while True:
            await self.look()
            await connection.fetchval("SELECT 1")  # a lost lock must end this
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """Measure every site once."""
        async with self._database.connection() as connection:
            sites = await connection.fetch("SELECT id, name FROM sites WHERE removed_at IS NULL ORDER BY id")
        drifts: dict[tuple[str, ...], float] = {}
        judged: list[Judged] = []
        due = 0
        for row in sites:
            found = await self._reader.read(SiteId(row["id"]), row["name"])
            self._alarm(found)
            due += found.erasures_since > 0
            for output, value in found.drift.items():
                drifts[output,] = max(value, drifts.get((output,), 0.0))
            async with self._database.connection() as connection:
                judged += await self._judged(connection, SiteId(row["id"]))
        self._drift.show(
            drifts
        )  # of a model that was replaced nothing is known until the new one has scored enough
        RETRAINING_DUE.set(due)
        self._precision.show(rates_by_labels(judged, "precision"))
        self._recall.show(rates_by_labels(judged, "recall"))

    async def _judged(self, connection: Connection, site_id: SiteId) -> list[Judged]:
        return await estimates.read_judged(connection, site_id, self._clock() - WINDOW)

    def _alarm(self, found: Health) -> None:
        """Say once of a model that an output began to drift, not every ten minutes."""
        for output, value in found.drift.items():
            key = (found.site, found.model, output)
            if value > DRIFTED and key not in self._alarmed:
                log.error("scores_drifted", site=found.site, model=found.model, output=output, index=value)
                self._alarmed.add(key)
            elif value <= DRIFTED:
                self._alarmed.discard(key)


class Series:
    """A gauge whose series all come anew with each look; one that comes no more is not a number, instead of its last value for ever."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._shown: set[tuple[str, ...]] = set()

    def show(self, values: Mapping[tuple[str, ...], float]) -> None:
        """Set the values by labels."""
        for labels in self._shown - values.keys():
            self._gauge.labels(*labels).set(math.nan)
        for labels, value in values.items():
            self._gauge.labels(*labels).set(value)
        self._shown = set(values)


def rates_by_labels(judged: list[Judged], name: str) -> dict[tuple[str, ...], float]:
    """Return `precision` or `recall` over all sites by verdict, language and bound; what cannot be told is left out."""
    return {
        (verdict, language, bound): value
        for language, rates in _by_shown_language(judged).items()
        for verdict, rate in rates.items()
        for bound in ("value", "low", "high")
        if (value := getattr(getattr(rate, name), bound)) is not None
    }


def _by_shown_language(judged: list[Judged]) -> Mapping[str, Any]:
    shown = [
        Judged(
            one.language if one.language in _LANGUAGES else _OTHER,
            one.first,
            one.said,
            one.weight,
            one.comments,
        )
        for one in judged
    ]
    return error_rates(shown)
