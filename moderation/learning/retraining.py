"""One retraining of one site: its labels in, a version out, promoted where the gates hold; all or nothing.

Training is plain work on the calling thread; what reads or writes the database is beside it (`Material` before, `keep` after).
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from classifiers.artifacts import MANIFEST
from classifiers.retraining import LabelledText, RetrainReport, retrain
from moderation.domain.clock import Clock
from moderation.domain.errors import ConflictError, UnknownSiteError
from moderation.domain.ids import SiteId
from moderation.domain.thresholds import LAST_RESORT, ThresholdTable, in_force, thresholds_as_json
from moderation.domain.verdict import OUTPUTS
from moderation.learning.distributions import distribution
from moderation.learning.engine import LoadedModel
from moderation.learning.registry import read_folder, refusal_words
from moderation.storage import models
from moderation.storage.collection import CollectedLabel
from moderation.storage.database import Connection
from moderation.storage.models import NewModel, Switch

LOCK = 0x6D64_7305
"""Advisory lock of an instance's retraining; lives as long as the connection that took it."""
RETRAINED = "retrained"
_IS_THERE = "SELECT true FROM sites WHERE id = $1 AND removed_at IS NULL FOR SHARE"
_BASELINE_ROWS = 2_000
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Work:
    """What one retraining is about. ``folder`` is its own, for the artefact; ``active`` the folder of the model in force.

    A model that learned from this site's decisions has seen most of those that the new one is judged on, and would win unfairly. It is
    compared on those after ``active_saw``; on the others the shipped model stands in, and what the present one's own report measured on
    decisions that it had not seen.
    """

    site_id: SiteId
    site: str
    folder: Path
    active: Path | None
    active_version: str | None
    thresholds: ThresholdTable | None
    seen_until: datetime
    active_report: Mapping[str, Any] | None = None
    """Of a present model that learned from the same site's decisions."""
    active_saw: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one site's retraining. ``status``: promoted, candidate, unchanged; skipped or failed, with ``why``."""

    site: str
    status: str
    version: str | None = None
    previous: str | None = None
    why: str | None = None
    report: Mapping[str, Any] | None = field(default=None, repr=False)
    errors: Mapping[str, Any] | None = None
    """Of a refit: the errors before and after, by output."""


async def take_lock(connection: Connection) -> None:
    """Take the lock of retraining for as long as the connection lives. Raises `ConflictError` while another run holds it."""
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
        raise ConflictError("Another retraining is under way; wait for it to end.")


def train(work: Work, labels: Iterable[CollectedLabel], progress: Any) -> tuple[RetrainReport, NewModel]:
    """Train and judge; return the report and the version to be kept. Raises `LabelsError` where nothing can be learned."""
    sample = _Sample(_BASELINE_ROWS)
    report = retrain(
        (_labelled(label) for label in sample.passing(labels)),
        out=work.folder / "model",
        active=work.active,
        active_saw=work.active_saw,
        thresholds=_thresholds(work),
        name=f"site-{work.site}",
        progress=progress,
    )
    folder = work.folder / "model"
    files = read_folder(folder)
    new = NewModel(
        version=report.version,
        site_id=work.site_id,
        kind=RETRAINED,
        manifest=orjson.loads(files[MANIFEST]),
        files=files,
        seen_until=work.seen_until,
        report=report.as_json(),
        refusals=[
            *(asdict(refusal) for refusal in report.refusals),
            *_worse_than_before(work, report.as_json()),
        ],
        snapshot=report.snapshot,
        learned_from=[work.site_id],
        baseline=_baseline(LoadedModel.open(folder), sample.rows),
    )
    return report, new


async def keep(
    connection: Connection, work: Work, new: NewModel, *, actor: str, clock: Clock, promotes: bool = True
) -> Outcome:
    """Keep the version and promote it where nothing speaks against it, in one transaction.

    A model that was put in force by somebody meanwhile is not replaced: the comparison was with the one before. Raises
    `UnknownSiteError` where the site was removed meanwhile.
    """
    async with connection.transaction():
        if not await connection.fetchval(_IS_THERE, work.site_id):
            raise UnknownSiteError
        is_new = await models.keep_model(connection, new, actor=actor)
        active = await models.active_version(connection, work.site_id)
        status, why = "promoted", None
        if active == new.version or not is_new:
            status = "unchanged"
        elif not promotes:
            status, why = "candidate", "so it was asked for"
        elif new.refusals:
            status, why = "candidate", refusal_words(new.refusals)
        elif active != work.active_version:
            status, why = "candidate", "another model was put in force while this one was trained"
        else:
            change = Switch(work.site_id, new.version, actor, "every gate held")
            await models.switch(connection, change, clock=clock)
    return Outcome(work.site, status, new.version, active, why, new.report)


def _worse_than_before(work: Work, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the outputs whose ranking fell below what the present model reached when it was made, beyond both intervals."""
    if work.active_report is None:
        return []
    before, now = _areas(work.active_report), _areas(report)
    return [
        {
            "code": "worse_than_before",
            "where": output,
            "part": {"output": output},
            "numbers": {"before": before[output]["value"], "now": one["value"]},
        }
        for output, one in now.items()
        if output in before and _is_below(one, before[output])
    ]


def _areas(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {one["output"]: one["measures"]["new"]["auc"] for one in report["slices"] if one["kind"] == "all"}


def _is_below(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    high, low = now["high"], before["low"]
    return high is not None and low is not None and high < low


def _labelled(label: CollectedLabel) -> LabelledText:
    targets = label.targets
    return LabelledText(
        text=label.text,
        language=label.language,
        author_url=label.author_url,
        spam=targets.spam,
        abuse=targets.abuse,
        reject=targets.reject,
        insult=targets.insult,
        obscene=targets.obscene,
        threat=targets.threat,
        hate=targets.hate,
        weight=label.weight,
        at=label.at,
        reason=label.reason,
        site=label.site,
        id=label.comment_id,
        actor=label.actor,
    )


def _thresholds(work: Work) -> Any:
    """Return what is in force today, in every language: the site's own over the present model's over the last resort."""
    present = LoadedModel.of_program() if work.active is None else LoadedModel.open(work.active)
    own = work.thresholds or {}
    last = {"*": dict.fromkeys(OUTPUTS, LAST_RESORT)}
    languages = {"*", *present.thresholds, *own}
    return thresholds_as_json(
        {language: in_force(language, last, present.thresholds, own) for language in languages}
    )


def _baseline(model: LoadedModel, rows: Sequence[CollectedLabel]) -> dict[str, Any]:
    """Return how the model's scores lie over a sample of what it learned from."""
    scores = []
    for first in range(0, len(rows), _BATCH):
        batch = rows[first : first + _BATCH]
        scores += model.assess([row.text for row in batch], [row.author_url for row in batch])
    return distribution([found.scores for found in scores], [row.weight for row in rows])


class _Sample:
    """Keeps some of the rows that pass by, each with the same chance."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._random = random.Random(0)  # noqa: S311 - draws a sample, guards nothing
        self.rows: list[CollectedLabel] = []

    def passing(self, labels: Iterable[CollectedLabel]) -> Iterator[CollectedLabel]:
        """Yield the labels, and keep some."""
        for seen, label in enumerate(labels):
            if len(self.rows) < self._size:
                self.rows.append(label)
            elif (place := self._random.randrange(seen + 1)) < self._size:
                self.rows[place] = label
            yield label
