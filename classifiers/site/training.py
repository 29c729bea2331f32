"""Choose, fit and calibrate every output that there are labels enough of."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration, fit_calibration
from classifiers.errors import LabelsError
from classifiers.scripts import UNKNOWN
from classifiers.site.fitting import (
    FLOOR,
    PRIOR_ALONE,
    RATIO,
    WAYS,
    WAYS_OF_MANY,
    Fitted,
    Way,
    anchor,
    fit,
    mixed,
)
from classifiers.site.inputs import FEATURES
from classifiers.site.labels import OUTPUTS
from classifiers.site.material import Material
from classifiers.site.refit import check_decisions, fit_steady, refine
from classifiers.site.splits import Plan, Split
from classifiers.site.workers import Workers

MIN_ROWS = 40
MIN_OF_EACH = 8
MIN_LANGUAGE_ROWS = 30  # of a language with the output's label; a smaller one is scored by the prior alone
MIN_LANGUAGE_OF_EACH = 5
MAX_CHOICE_ROWS = 10_000  # the strength of the penalty is chosen on so many at most
ENOUGH_ROWS = (
    40_000  # from so many on, two folds (by time: the latest) calibrate as well as all, and each fit is dear
)
ALONE = Workers()
_ENOUGH_FOR_RATIOS = (
    60  # rows of the rarer kind; log-count ratios of fewer are mostly chance, the more so the fewer
)
_ENOUGH_TO_CHOOSE = 100  # rows of the rarer kind
_NO_SPREAD = 1e-6  # of log-odds
_LEAST_SHARE = 0.05  # of a strength in the mix; below, it is not worth its fit


@dataclass(frozen=True, slots=True)
class Trained:
    """One output: what was learned, how it is calibrated by language (`overall` elsewhere).

    `ways` are those that were mixed, each with what it is multiplied by.

    `held_rows` and `held_log_odds` are rows that the calibration was fitted on, each scored by a model that had not seen it.
    `is_prior_alone`: nothing but the calibration was learned.
    """

    fitted: Fitted
    ways: Mapping[Way, float]
    languages: tuple[str, ...]
    overall: Calibration
    by_language: Mapping[str, Calibration]
    held_rows: NDArray[np.int64]
    held_log_odds: NDArray[np.float64]
    is_prior_alone: bool = False

    def calibration(self, language: str) -> Calibration:
        """Return the calibration of a language."""
        return self.by_language.get(language, self.overall)

    def apply(
        self, material: Material, rows: NDArray[np.int64], log_odds: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Calibrate log-odds of rows."""
        languages = material.languages[rows].tolist()
        slopes = np.array([self.calibration(key).slope for key in languages])
        offsets = np.array([self.calibration(key).offset for key in languages])
        return np.asarray(slopes * log_odds + offsets)


def trainable(material: Material, rows: NDArray[np.int64]) -> list[str]:
    """Return the outputs that rows have labels enough of, copies of a text counted once; raises LabelsError where there is none.

    One advertisement, however often it came, teaches what it says and not what advertisements are.
    """
    found, best = [], (0, 0, "")
    for output in OUTPUTS:
        counts = distinct_labels(material, rows, output)
        if counts.sum() >= MIN_ROWS and counts.min() >= MIN_OF_EACH:
            found.append(output)
        best = max(best, (int(counts.min()), int(counts.sum()), output))
    if not found:
        raise _refusal(*best)
    return found


def distinct_labels(material: Material, rows: NDArray[np.int64], output: str) -> NDArray[np.int64]:
    """Return how many different texts are labelled 0 and 1; near copies with one label are one."""
    labels = material.labels[output]
    said = {(material.groups[at], label) for at in rows.tolist() if (label := int(labels[at])) >= 0}
    return np.bincount([label for _, label in said], minlength=2)


def _refusal(fewer: int, labelled: int, output: str) -> LabelsError:
    if labelled == 0:
        return LabelsError(
            "no_labels", "no row has a label: none of the fields that say what a person decided is filled"
        )
    return LabelsError(
        "one_sided_labels" if fewer == 0 else "too_few_labels",
        "an output needs {needed} labels with {each} of each kind, copies of a text counted once; "
        "{output} has most: {labelled} labels, {fewer} of the rarer kind",
        needed=MIN_ROWS, each=MIN_OF_EACH, output=output, labelled=labelled, fewer=fewer,
    )  # fmt: skip


def train(material: Material, plan: Plan, output: str, *, workers: Workers = ALONE) -> Trained:
    """Choose what to mix on the folds, calibrate on what they held, and fit on all rows but the untouched ones.

    Raises LabelsError where the rows to develop on are too few.
    """
    rows = _labelled(material, plan.develop, output)
    trainable_here = np.bincount(material.labels[output][rows], minlength=2).min() >= 2
    if not trainable_here:
        raise LabelsError(
            "too_few_labels", "{output} has too few labels besides the untouched rows", output=output
        )
    languages = tuple(learned_languages(material, rows, output))
    folds = _folds(material, plan.folds, output)
    is_many = rows.size >= ENOUGH_ROWS
    calibrating = folds[-2:] if is_many else folds
    mix, said = _choose(
        material, calibrating, output, ways=_ways(rows.size), languages=languages, workers=workers
    )
    held = said[-len(calibrating) :]
    unfitted = [] if held else calibrating
    *of_folds, fitted = workers.each(
        lambda learned: _fit(material, learned, output, mix, languages),
        [*(fold.learn for fold in unfitted), rows],
    )
    held = held or [
        _held(material, fold, rows, one, output) for fold, one in zip(unfitted, of_folds, strict=True)
    ]
    held_rows = np.concatenate([fold.score for fold in calibrating] or [rows[:0]])
    held_log_odds = np.concatenate(held) if held else np.zeros(0)
    return calibrate(material, output, Trained(
        fitted, mix, languages, Calibration(1.0, 0.0), {}, held_rows, held_log_odds))  # fmt: skip


def _ways(labels: int) -> Sequence[Way]:
    return WAYS_OF_MANY if labels >= MAX_CHOICE_ROWS else WAYS


def refit(material: Material, plan: Plan, output: str) -> Trained:
    """Leave the prior's log-odds as they are and fit two numbers on them, for languages in which it gives some.

    Raises LabelsError below MIN_DECISIONS labels there, or MIN_OF_EACH of either kind.
    """
    rows = _labelled(material, plan.develop, output)
    everything = _labelled(material, np.concatenate([plan.develop, plan.test]), output)
    pulled = anchor(output)
    given = np.abs(material.prior @ pulled[1:]) > 0
    languages = tuple(
        key for key in learned_languages(material, rows, output) if given[material.languages == key].any()
    )
    rows, everything = (part[np.isin(material.languages[part], languages)] for part in (rows, everything))
    check_decisions(material.labels[output][everything])
    fitted = Fitted(np.zeros(0), pulled, {})
    log_odds = fitted.log_odds(material, rows)
    return calibrate(material, output, Trained(
        fitted, {PRIOR_ALONE: 1.0}, languages, Calibration(1.0, 0.0), {}, rows, log_odds, is_prior_alone=True))  # fmt: skip


def finish(material: Material, plan: Plan, output: str, trained: Trained) -> Trained:
    """Fit again on every row with what was chosen; the untouched rows, scored before, join the calibration.

    A language that has rows enough only with the untouched ones gets no head: nobody would have judged it.
    """
    test = _labelled(material, plan.test, output)
    # in the order of the material: where all are labelled they need no copy
    everything = np.sort(np.concatenate([_labelled(material, plan.develop, output), test]))
    languages, fitted = trained.languages, trained.fitted
    if trained.is_prior_alone:
        test = test[np.isin(material.languages[test], languages)]
    else:
        fitted = _fit(material, everything, output, trained.ways, languages)
    held_rows = np.concatenate([trained.held_rows, test])
    held = np.concatenate([trained.held_log_odds, trained.fitted.log_odds(material, test)])
    return calibrate(material, output, replace(
        trained, fitted=fitted, held_rows=held_rows, held_log_odds=held))  # fmt: skip


def calibrate(material: Material, output: str, trained: Trained) -> Trained:
    """Fit the calibration on the held rows, and refine it for each language."""
    labels = material.labels[output][trained.held_rows]
    if np.bincount(labels, minlength=2).min() < 2:
        return trained
    weights = material.weights[trained.held_rows] / material.weights[trained.held_rows].mean()
    overall = (fit_calibration if trained.is_prior_alone else fit_steady)(
        trained.held_log_odds, labels, weights
    )
    by_language = {}
    for key in trained.languages if len(trained.languages) > 1 else ():
        chosen = material.languages[trained.held_rows] == key
        by_language[key] = refine(overall, trained.held_log_odds[chosen], labels[chosen], weights[chosen])
    return replace(trained, overall=overall, by_language=by_language)


def learned_languages(material: Material, rows: NDArray[np.int64], output: str) -> list[str]:
    """Return the languages of which rows have labels enough for heads of their own.

    A language of which the prior says nothing needs no positives: what all rows taught is better than no score. Where more rows
    are of no language that can be told, one that was told is doubtful, and what all rows taught counts from the first positive on.
    """
    found = []
    untold = int((material.languages[rows] == UNKNOWN).sum())
    is_foreign = material.prior[rows, FEATURES.index("abuse")] == 0
    for key in np.unique(material.languages[rows]).tolist():
        of_key = material.languages[rows] == key
        counts = np.bincount(material.labels[output][rows][of_key], minlength=2)
        least = 1 if untold > counts.sum() else MIN_LANGUAGE_OF_EACH
        has_both = counts.min() >= least or is_foreign[of_key].all()
        if counts.sum() >= MIN_LANGUAGE_ROWS and has_both:
            found.append(key)
    return found


def log_loss(log_odds: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    """Return the weighted mean log-loss in nats."""
    losses = np.logaddexp(0, -(2 * labels - 1) * log_odds)
    return float(np.average(losses, weights=weights))


def _labelled(material: Material, rows: NDArray[np.int64], output: str) -> NDArray[np.int64]:
    return rows[material.labels[output][rows] >= 0]


def _folds(material: Material, folds: Sequence[Split], output: str) -> list[Split]:
    """Return the folds with labelled rows only, without those that cannot be learned from."""
    found = [
        Split(_labelled(material, fold.learn, output), _labelled(material, fold.score, output))
        for fold in folds
    ]
    return [
        fold
        for fold in found
        if fold.score.size and np.bincount(material.labels[output][fold.learn], minlength=2).min() >= 2
    ]


def _fit(
    material: Material,
    rows: NDArray[np.int64],
    output: str,
    mix: Mapping[Way, float],
    languages: Sequence[str],
) -> Fitted:
    return mixed(fit(material, rows, output, list(mix), languages), list(mix.values()))


def _choose(
    material: Material,
    folds: Sequence[Split],
    output: str,
    *,
    ways: Sequence[Way],
    languages: Sequence[str],
    workers: Workers,
) -> tuple[dict[Way, float], list[NDArray[np.float64]]]:
    """Return what to mix, each with its factor, and what the mix says of each fold's rows; nothing of these where they were thinned."""
    if not folds:
        return {ways[0]: 1.0}, []
    used = [Split(_thinned(fold.learn), _thinned(fold.score)) for fold in folds]
    rows = np.concatenate([fold.score for fold in used])
    said = workers.each(  # by fold, then by way
        lambda fold: [
            _held(material, fold, rows, fitted, output)
            for fitted in fit(material, fold.learn, output, ways, languages)
        ],
        used,
    )
    labels, weights = material.labels[output][rows], material.weights[rows] / material.weights[rows].mean()
    by_way = [np.concatenate(parts) for parts in zip(*said, strict=True)]
    factors = _shares(ways, by_way, labels, weights)
    if FLOOR in ways:
        part = _part_of_floor(labels, is_silent=material.prior[rows, FEATURES.index("abuse")] == 0)
        factors = _floored(factors, by_way, weights, floor=ways.index(FLOOR), part=part)
    mix = {way: factor for way, factor in zip(ways, factors, strict=True) if factor}
    if any(
        one.learn.size + one.score.size < fold.learn.size + fold.score.size
        for one, fold in zip(used, folds, strict=True)
    ):
        return mix, []
    return mix, [
        np.asarray(sum(factor * one for factor, one in zip(factors, of_fold, strict=True)))
        for of_fold in said
    ]


def _part_of_floor(labels: NDArray[np.int64], *, is_silent: NDArray[np.bool_]) -> float:
    """Return how much of the mix is FLOOR in any case: up to half, the more the fewer are of the rarer kind, and where the prior is silent.

    Few rows choose badly among many ways; where the prior speaks, it is what holds.
    """
    rarer = int(np.bincount(labels, minlength=2).min())
    return 0.5 * max(1 - rarer / _ENOUGH_TO_CHOOSE, 0.0) * float(is_silent.mean())


def _floored(
    shares: Sequence[float],
    by_way: Sequence[NDArray[np.float64]],
    weights: NDArray[np.float64],
    *,
    floor: int,
    part: float,
) -> list[float]:
    """Return factors with which one way is a part of the mix and as loud as all others together."""
    mix = np.asarray(sum(share * one for share, one in zip(shares, by_way, strict=True)))
    loudness = _spread(mix, weights) / max(_spread(by_way[floor], weights), _NO_SPREAD)
    return [(1 - part) * share + (at == floor) * part * loudness for at, share in enumerate(shares)]


def _spread(log_odds: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return math.sqrt(np.average((log_odds - np.average(log_odds, weights=weights)) ** 2, weights=weights))


def _shares(
    ways: Sequence[Way],
    said: Sequence[NDArray[np.float64]],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> list[float]:
    """Return the share of each way: its likelihood, after calibration, on rows that it had not seen.

    With many rows that is the best one; with few it is several, which is steadier than the one that luck prefers.
    """
    losses = []
    for log_odds in said:
        fitted_to = fit_steady(log_odds, labels, weights)
        losses.append(log_loss(fitted_to.slope * log_odds + fitted_to.offset, labels, weights))
    shares = np.exp(-labels.size * (np.array(losses) - min(losses)))
    few = min(int(np.bincount(labels, minlength=2).min()) / _ENOUGH_FOR_RATIOS, 1.0)
    shares *= [few**2 if way.scale == RATIO and way.strength else 1.0 for way in ways]
    shares[shares < _LEAST_SHARE * shares.sum()] = 0.0
    shares /= shares.sum()
    return [float(share) for share in shares]


def _held(
    material: Material, fold: Split, rows: NDArray[np.int64], fitted: Fitted, output: str
) -> NDArray[np.float64]:
    """Return what a fold's model says of the rows that the fold holds, as if it had seen the share of positives of all `rows`."""
    return fitted.log_odds(material, fold.score) - _lift(material, fold.learn, rows, output)


def _lift(material: Material, learned: NDArray[np.int64], rows: NDArray[np.int64], output: str) -> float:
    """Return by how much the log-odds of a fold's model lie higher for its rows' share of positives than those of all rows.

    What a fold holds more of, its model has seen less of: without this, folds put together rank worse than each by itself.
    """
    return _log_odds_of_share(material, learned, output) - _log_odds_of_share(material, rows, output)


def _log_odds_of_share(material: Material, rows: NDArray[np.int64], output: str) -> float:
    labels, weights = material.labels[output][rows], material.weights[rows]
    positive, negative = float(weights[labels == 1].sum()), float(weights[labels == 0].sum())
    return math.log((positive + 1) / (negative + 1))


def _thinned(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    step = -(-rows.size // MAX_CHOICE_ROWS)
    return rows if step == 1 else rows[::step]
