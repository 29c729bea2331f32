"""How often the service is wrong by itself, estimated from audits; whether scores drift; who labels unlike the others."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moderation.domain.clock import Clock
from moderation.domain.ids import SiteId
from moderation.domain.intervals import Share, Tallied
from moderation.domain.verdict import Verdict
from moderation.learning.distributions import BINS, DRIFTED, counted, drift
from moderation.storage import estimates, models
from moderation.storage.database import ANSWERED_WITHIN_S, Connection, Database
from moderation.storage.estimates import Judged

WINDOW = timedelta(days=90)
"""Decisions that error rates are estimated from."""
RECENT = timedelta(days=7)
BEFORE = timedelta(days=28)
"""The time before `RECENT` that stands in for training where a model brings no picture of its scores."""
ALL = "all"


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Of one automatic verdict in one language: how often people agree, and how much of what they would do it does."""

    precision: Share
    recall: Share


@dataclass(frozen=True, slots=True)
class Health:
    """One site. ``rates`` by language (and ``all``), then by verdict; ``drift`` by output, an index above 0.25 is an alarm."""

    site: str
    model: str
    rates: Mapping[str, Mapping[str, ErrorRate]]
    open_audits: int
    drift: Mapping[str, float]
    is_drifted: bool
    drift_against: str
    outliers: Sequence[Mapping[str, Any]] = field(default_factory=list)
    erasures_since: int = 0
    """People erased after the model learned from the site's labels: retraining is due."""


class HealthReader:
    """Reads the health of sites."""

    def __init__(self, database: Database, *, clock: Clock, shipped: Callable[[], str]) -> None:
        self._database = database
        self._clock = clock
        self._shipped_version = shipped

    async def read(self, site_id: SiteId, site: str) -> Health:
        """Return the health of one site."""
        now = self._clock()
        await self._database.within(ANSWERED_WITHIN_S).check()  # its own statements may take minutes
        async with self._database.connection() as connection:
            version = await models.active_version(connection, site_id)
            judged = await estimates.read_judged(connection, site_id, now - WINDOW)
            drifted, against = await self._drift(connection, site_id, version, now)
            line = None if version is None else await models.find_model(connection, version)
            labellers = await estimates.newest_labellers(connection, site_id)
            waiting = await estimates.open_audits(connection, site_id)
        return Health(
            site=site,
            model=version or self._shipped_version(),
            rates=error_rates(judged),
            open_audits=waiting,
            drift=drifted,
            is_drifted=any(value > DRIFTED for value in drifted.values()),
            drift_against=against,
            outliers=[one for one in labellers if one.get("is_outlier")],
            erasures_since=line.erasures_since if line else 0,
        )

    async def _drift(
        self, connection: Connection, site_id: SiteId, version: str | None, now: datetime
    ) -> tuple[dict[str, float], str]:
        model, recent = version or self._shipped_version(), now - RECENT

        async def between(since: datetime, until: datetime) -> dict[str, Any]:
            return counted(
                await estimates.count_scores(connection, site_id, model, between=(since, until), parts=BINS)
            )

        baseline = None if version is None else await models.read_baseline(connection, version)
        against = "training"
        if baseline is None:
            baseline, against = await between(recent - BEFORE, recent), "the four weeks before"
        return drift(baseline, await between(recent, now)), against


def error_rates(judged: Iterable[Judged]) -> dict[str, dict[str, ErrorRate]]:
    """Return precision and recall of automatic approval and rejection by language, weighted back to all comments.

    Recall of a verdict is its share among all comments of which people say the same: those it was given to by itself, those
    it should have been given to, and held ones.
    """
    found: dict[str, dict[str, ErrorRate]] = {}
    every = list(judged)
    for language in sorted({ALL, *(one.language for one in every)}):
        rows = [one for one in every if language in {ALL, one.language}]
        found[language] = {
            verdict.value: ErrorRate(
                precision=_share(
                    rows, verdict, lambda one, verdict=verdict: one.first is verdict, by_said=True
                ),
                recall=_share(rows, verdict, lambda one, verdict=verdict: one.said is verdict, by_said=False),
            )
            for verdict in (Verdict.APPROVE, Verdict.REJECT)
        }
    return found


def _share(rows: Sequence[Judged], verdict: Verdict, counts: Any, *, by_said: bool) -> Share:
    tally = Tallied()
    for one in rows:
        if counts(one):
            tally.add((one.said if by_said else one.first) is verdict, one.weight, one.comments)
    return tally.share()
