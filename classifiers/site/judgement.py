"""How a new model compares with the active one on rows that neither learned from, slice by slice, and what would change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifiers.site.labels import OUTPUTS, LabelledText
from classifiers.site.measures import RESAMPLES, Interval, Scored, bootstrap

ACTIVE, NEW, DIFFERENCE = "active", "new", "difference"
SINCE = "since"  # kind of the slices of rows that are later than all that the active model learned from
MIN_ROWS = 20
MIN_OF_EACH = 5
_LENGTHS = ((60, "to 60"), (240, "61 to 240"), (None, "above 240"))  # code points
_MAX_VALUES = 20  # of languages, sites and reasons that get a slice of their own, the most frequent ones
_SLICE_RESAMPLES = 100
ALPHA = 0.05
_LAST_RESORT: Mapping[str, float | None] = {"doubt": 0.5, "reject": None}  # as the service judges
Thresholds = Mapping[str, Mapping[str, Mapping[str, float | None]]]
"""By language, or "*" for every one, then by output: {"doubt": …, "reject": …}."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What is judged: rows that were labelled, and the probabilities of both models by output, NaN where one gives none."""

    rows: Sequence[LabelledText]
    languages: Sequence[str | None]
    active: Mapping[str, NDArray[np.float64]]
    new: Mapping[str, NDArray[np.float64]]
    weights: NDArray[np.float64]

    def part(self, chosen: Sequence[int]) -> "Rows":
        """Return some of the rows."""
        at = np.array(chosen, np.int64)
        active, new = (
            {output: given[at] for output, given in one.items()} for one in (self.active, self.new)
        )
        rows, languages = [self.rows[row] for row in chosen], [self.languages[row] for row in chosen]
        return Rows(rows, languages, active, new, self.weights[at])


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of the untouched rows: measures by model (`active` only where it gives that output) and of the difference."""

    output: str
    kind: str  # all, language, site, reason, length, since
    name: str
    rows: int
    positives: int
    measures: Mapping[str, Mapping[str, Interval]]


@dataclass(frozen=True, slots=True)
class Changes:
    """Shares of the rows judged, weighted, before and after: approve, hold, reject; and who changed."""

    before: Mapping[str, float]
    after: Mapping[str, float]
    rows: int
    differently: Sequence[Mapping[str, str | None]] = field(default_factory=list)


def slices(judged: Rows, outputs: Sequence[str], thresholds: Thresholds, *, seed: int = 0) -> list[Slice]:
    """Return every slice with rows enough of both kinds, the whole first for each output."""
    found = []
    for output in outputs:
        labels = _labels(judged.rows, output)
        usable = (labels >= 0) & ~np.isnan(judged.new[output])
        for kind, name, member in _members(judged, labels):
            chosen = usable & member
            one = _slice(judged, output, labels, np.flatnonzero(chosen), thresholds, (kind, name), seed)
            if one is not None:
                found.append(one)
    return found


def _slice(  # noqa: PLR0917
    judged: Rows,
    output: str,
    labels: NDArray[np.int64],
    chosen: NDArray[np.int64],
    thresholds: Thresholds,
    name: tuple[str, str],
    seed: int,
) -> Slice | None:
    target = labels[chosen]
    if chosen.size < MIN_ROWS or np.bincount(target, minlength=2).min() < MIN_OF_EACH:
        return None
    doubt = _doubt(thresholds, judged, chosen, output)
    models = {}
    for model, given in ((ACTIVE, judged.active[output]), (NEW, judged.new[output])):
        if not np.isnan(given[chosen]).any():
            models[model] = Scored(target, given[chosen], judged.weights[chosen], doubt)
    measures = bootstrap(
        models, seed=seed, alpha=ALPHA, resamples=RESAMPLES if name[0] == "all" else _SLICE_RESAMPLES
    )
    return Slice(output, *name, int(chosen.size), int(target.sum()), measures)


def _doubt(thresholds: Thresholds, judged: Rows, chosen: NDArray[np.int64], output: str) -> float:
    """Return the doubt threshold of the language most of these rows are in, 0.5 where there is none."""
    languages = [judged.languages[at] for at in chosen.tolist()]
    most = max(set(languages), key=lambda language: (languages.count(language), language or ""))
    doubt = limits(thresholds, most, output).get("doubt")
    return 0.5 if doubt is None else float(doubt)


def _members(judged: Rows, labels: NDArray[np.int64]) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield kind, name and members of each slice; a reason is compared with everything that is not positive."""
    rows = judged.rows
    yield "all", "all", np.ones(len(rows), np.bool_)
    yield from _by_value("language", [language or "und" for language in judged.languages])
    yield from _by_value("site", [row.site for row in rows])
    for _, name, member in _by_value("reason", [row.reason for row in rows]):
        yield "reason", name, member & (labels == 1) | (labels == 0)
    lengths = np.array([len(row.text) for row in rows], np.int64)
    least = -1
    for most, name in _LENGTHS:
        yield "length", name, (lengths > least) & (lengths <= (most or lengths.max(initial=0)))
        least = most or 0


def _by_value(kind: str, values: Sequence[str | None]) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    array = np.array([value or "" for value in values], np.str_)
    names, counts = np.unique(array[array != ""], return_counts=True)
    if names.size < 2 and kind != "reason":
        return  # the whole says it already
    for at in np.argsort(-counts, kind="stable")[:_MAX_VALUES].tolist():
        yield kind, str(names[at]), array == names[at]


def _labels(rows: Sequence[LabelledText], output: str) -> NDArray[np.int64]:
    return np.array([-1 if (label := row.label(output)) is None else label for row in rows], np.int64)


def limits(thresholds: Thresholds, language: str | None, output: str) -> Mapping[str, float | None]:
    """Return the thresholds of one output in a language; the language goes before "*". Where there are none, one half is doubt."""
    for key in (language or "", "*"):
        if output in thresholds.get(key, {}):
            return thresholds[key][output]
    return _LAST_RESORT


def verdicts(
    languages: Sequence[str | None], given: Mapping[str, NDArray[np.float64]], thresholds: Thresholds
) -> list[str]:
    """Return approve, hold or reject for each row, from scores alone: rules, modes and trust of a site are left out.

    A row without a score for abuse and rejection is held, as an unknown language is.
    """
    found = []
    for at, language in enumerate(languages):
        verdict = "hold" if np.isnan(given["abuse"][at]) and np.isnan(given["reject"][at]) else "approve"
        for output in OUTPUTS:
            value = given[output][at]
            pair = limits(thresholds, language, output)
            doubt, sure = pair.get("doubt"), pair.get("reject")
            if sure is not None and value >= sure:
                verdict = "reject"
                break
            if doubt is not None and value >= doubt:
                verdict = "hold"
        found.append(verdict)
    return found


def changes(judged: Rows, old: Thresholds, new: Thresholds, *, limit: int = 200) -> Changes:
    """Return what both models would do, each at its thresholds, and the ids of up to `limit` rows they part on."""
    before = verdicts(judged.languages, judged.active, old)
    after = verdicts(judged.languages, judged.new, new)
    differently = [
        {"id": row.id, "before": was, "after": now, "said": _said(row)}
        for row, was, now in zip(judged.rows, before, after, strict=True)
        if was != now and row.id is not None
    ]
    return Changes(
        _shares(before, judged.weights), _shares(after, judged.weights), len(before), differently[:limit]
    )


def _said(row: LabelledText) -> str:
    positive = [output for output in OUTPUTS if row.label(output) == 1]
    return ", ".join(positive) or "none of it"


def _shares(found: Sequence[str], weights: NDArray[np.float64]) -> dict[str, float]:
    array = np.array(found, np.str_)
    total = float(weights.sum()) or 1.0
    return {name: float(weights[array == name].sum()) / total for name in ("approve", "hold", "reject")}
