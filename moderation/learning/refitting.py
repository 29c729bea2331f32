"""The first days of a site: two numbers for each output, which make the shipped model's probabilities the site's own.

Every site has its own share of spam and abuse. With the share that a site states, the offset is moved until its recent comments have
it on average; from 200 decisions on, slope and offset are fitted to them. Both are gated like any model: on decisions that were
not fitted on, the log-loss must not grow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from classifiers import evidence
from classifiers.artifacts import MANIFEST
from classifiers.calibration import Calibration
from classifiers.errors import LabelsError
from classifiers.retraining import refit_two_parameters, shift_to_share
from classifiers.runtime import LANGUAGES, PRETRAINED, Scorer
from classifiers.site.artefact import Parts, write
from classifiers.site.scorer import ANY
from moderation.domain.ids import SiteId
from moderation.learning.registry import read_folder
from moderation.storage.collection import CollectedLabel
from moderation.storage.models import NewModel

OUTPUTS = ("spam", "abuse")
REFITTED = "refitted"
MIN_JUDGED = 50
"""Held-out decisions that a gate needs to say anything."""
MIN_RECENT = 50
"""Recent comments that a stated share is met on."""
MOST_DECISIONS = 50_000
_HELD_OUT = 0.2
_BINS = 10
_MAX_LOGIT = 30.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Request:
    """What a refit is made of: the site's decisions, its recent comments, the shares that it states by output, a folder."""

    site_id: SiteId
    site: str
    labels: Sequence[CollectedLabel]
    recent: Sequence[str]
    shares: Mapping[str, float]
    folder: Path
    seen_until: Any


@dataclass(frozen=True, slots=True)
class Errors:
    """On held-out decisions: log-loss and expected calibration error (ten bins), before and after; None where nothing was held out."""

    by: str
    rows: int
    log_loss_before: float | None = None
    log_loss_after: float | None = None
    calibration_error_before: float | None = None
    calibration_error_after: float | None = None

    @property
    def is_worse(self) -> bool:
        """Whether the gate refuses it."""
        before, after = self.log_loss_before, self.log_loss_after
        return before is not None and after is not None and after > before


def refit(request: Request) -> NewModel | None:
    """Return a version with two numbers for each output that there is ground for; None without any."""
    shipped = Scorer.shipped()
    found: dict[str, tuple[Calibration, Errors]] = {}
    for output in OUTPUTS:
        one = _refit_one(shipped, request, output)
        if one is not None:
            found[output] = one
    if not found:
        return None
    errors = {output: measured for output, (_, measured) in found.items()}
    version, files = _write(shipped, request, found)
    return NewModel(
        version=version,
        site_id=request.site_id,
        kind=REFITTED,
        manifest=orjson.loads(files[MANIFEST]),
        files=files,
        seen_until=request.seen_until,
        refusals=[
            {"code": "refit_worse", "where": output, "numbers": _numbers(measured)}
            for output, measured in errors.items()
            if measured.is_worse
        ],
        learned_from=[request.site_id],
        baseline=None,
    )


def errors_of(new: NewModel) -> Mapping[str, Any]:
    """Return what a refitted version's manifest says of the error before and after, by output."""
    found: Mapping[str, Any] = new.manifest["errors"]
    return found


def _refit_one(shipped: Scorer, request: Request, output: str) -> tuple[Calibration, Errors] | None:
    told = [label for label in request.labels if getattr(label.targets, output) is not None]
    told.sort(key=lambda label: label.at)
    log_odds = _log_odds(shipped, [label.text for label in told], output)
    known = ~np.isnan(log_odds)
    labels = np.array([getattr(label.targets, output) for label in told], np.int64)[known]
    weights = np.array([label.weight for label in told], np.float64)[known]
    log_odds = log_odds[known]
    cut = labels.size - int(labels.size * _HELD_OUT)
    try:
        fitted = refit_two_parameters(log_odds, labels, weights)
        earlier = _of_earlier(log_odds[:cut], labels[:cut], weights[:cut])
        rows = (log_odds, labels, weights)
        return fitted, Errors("decisions", 0) if earlier is None else _errors("decisions", earlier, rows, cut)
    except LabelsError:
        share = request.shares.get(output)
    recent = _log_odds(shipped, request.recent, output)
    recent = recent[~np.isnan(recent)]
    if share is None or recent.size < MIN_RECENT:
        return None
    shifted = shift_to_share(recent, share)
    return shifted, _errors("stated share", shifted, (log_odds, labels, weights), 0)


def _of_earlier(log_odds: Floats, labels: NDArray[np.int64], weights: Floats) -> Calibration | None:
    """Fit on the earlier decisions, for the gate; None where they alone are too few."""
    try:
        return refit_two_parameters(log_odds, labels, weights)
    except LabelsError:
        return None


def _errors(by: str, fitted: Calibration, rows: tuple[Floats, NDArray[np.int64], Floats], cut: int) -> Errors:
    log_odds, labels, weights = rows[0][cut:], rows[1][cut:], rows[2][cut:]
    if labels.size < MIN_JUDGED:
        return Errors(by, int(labels.size))
    before, after = _probabilities(log_odds), _probabilities(fitted.slope * log_odds + fitted.offset)
    return Errors(
        by,
        int(labels.size),
        log_loss_before=round(_log_loss(before, labels, weights), 5),
        log_loss_after=round(_log_loss(after, labels, weights), 5),
        calibration_error_before=round(_calibration_error(before, labels, weights), 5),
        calibration_error_after=round(_calibration_error(after, labels, weights), 5),
    )


def _log_odds(shipped: Scorer, texts: Sequence[str], output: str) -> Floats:
    values = [getattr(found, output) for found in shipped.score(texts)]
    array = np.array([np.nan if value is None else value for value in values], np.float64)
    clipped = np.clip(array, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _probabilities(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -_MAX_LOGIT, _MAX_LOGIT))))


def _log_loss(values: Floats, labels: NDArray[np.int64], weights: Floats) -> float:
    said = np.where(labels == 1, values, 1 - values)
    return float(-(weights * np.log(said)).sum() / weights.sum())


def _calibration_error(values: Floats, labels: NDArray[np.int64], weights: Floats) -> float:
    bins = np.minimum((values * _BINS).astype(np.int64), _BINS - 1)
    error = 0.0
    for at in range(_BINS):
        inside = bins == at
        if inside.any():
            error += abs(float((weights[inside] * (values[inside] - labels[inside])).sum()))
    return error / float(weights.sum())


def _write(
    shipped: Scorer, request: Request, found: Mapping[str, tuple[Calibration, Errors]]
) -> tuple[str, dict[str, bytes]]:
    """Write an artefact that is the shipped model with other calibrations, and nothing of anybody's words."""
    heads = {
        output: {
            "own": 0.0,
            "intercept": 0.0,
            "prior": {output: 1.0},
            "slope": one.slope,
            "offset": one.offset,
        }
        for output, (one, _) in found.items()
    }
    manifest: dict[str, Any] = {
        "name": f"refit-{request.site}",
        "outputs": list(found),
        "languages": sorted(shipped.languages),
        "names": {},
        "fallback": None,
        "calibrations": {ANY: {}} | dict.fromkeys(LANGUAGES, heads),
        "thresholds": shipped.thresholds,
        "counts": {"labels": len(request.labels), "recent": len(request.recent)},
        "errors": {output: asdict(measured) for output, (_, measured) in found.items()},
    }
    arrays: dict[str, NDArray[np.integer]] = {
        "buckets": np.zeros(0, np.int32),
        "weights": np.zeros((0, len(found)), np.int16),
        "rules": np.zeros((evidence.COUNT, len(found)), np.int32),
    }
    card = f"# Model card: refit-{request.site}\n\nThe shipped model with two numbers of the site's own for each output.\n"
    folder = request.folder / "refit"
    folder.mkdir()
    scorer = write(folder, Parts(manifest, arrays, card), PRETRAINED)
    return scorer.version, read_folder(folder)


def _numbers(measured: Errors) -> dict[str, float]:
    return {
        "before": measured.log_loss_before or 0.0,
        "after": measured.log_loss_after or 0.0,
        "rows": float(measured.rows),
    }
