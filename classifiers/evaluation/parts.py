"""The parts that figures are given for, per source, language and length, and what two models judge differently in them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import LabelsError
from classifiers.evaluation.figures import Judged, bootstrap, confusion
from classifiers.evaluation.rows import DOUBT, REJECT, ModelScores, ScoredRows
from classifiers.page_words import NO_PROBABILITY, ONE_SIDED
from classifiers.site.labels import OUTPUTS
from classifiers.site.measures import Interval
from classifiers.site.reports import Note

MAX_PARTS = 50  # of a kind; the largest
VERDICTS = ("pass", "doubt", "reject")
_DECIDING = ("spam", "abuse")
_Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """One output's figures on one part; `kind` is all, source, language or length.

    `figures` has an entry for each model, then, of two, their difference. `not_scored` rows are labelled, but a model gave
    them no probability: they count in no figure.
    """

    output: str
    kind: str
    name: str
    rows: int
    positives: int
    not_scored: int
    judged: list[Judged]
    figures: list[dict[str, Interval]]
    confusions: list[dict[str, dict[str, int]]]


@dataclass(frozen=True, slots=True)
class Different:
    """A row that two models judge differently: its file and number, both verdicts, and what people said of it."""

    file: str
    row: int
    before: str
    after: str
    labels: dict[str, int]


def judge(scored: ScoredRows, *, seed: int, progress: Callable[[int], object]) -> list[Part]:
    """Return the figures of each output on all rows and on each part; raises LabelsError where no row can be judged."""
    parts = []
    for output in OUTPUTS:
        for kind, name, chosen in _selections(scored, output):
            parts.append(_part(scored, output, (kind, name), chosen, seed))
            progress(1)
    if not parts:
        if said := missing(scored):
            raise LabelsError("no_labels", said[0].sentence, **said[0].fields)
        raise LabelsError(
            "no_labels",
            "no row has a label: none of the columns {columns} says yes or no; name the one that does with --label-column NAME, "
            "and each of its values that means yes with --positive VALUE",
            columns=", ".join(("state", *OUTPUTS)),
        )
    return parts


def missing(scored: ScoredRows) -> list[Note]:
    """Return a note for each output that has labels but no probability of every model."""
    return [
        Note("no_probability", NO_PROBABILITY, {"output": output, "version": model.version})
        for output in OUTPUTS
        for model in scored.models
        if (known := scored.labels[output] >= 0).any() and np.isnan(model.probabilities[output][known]).all()
    ]


def one_sided(scored: ScoredRows) -> list[Note]:
    """Return a note for each output of which all labels are the same."""
    found = []
    for output in OUTPUTS:
        labels = scored.labels[output]
        kinds = np.unique(labels[labels >= 0]).tolist()
        if len(kinds) == 1:
            fields: dict[str, str | int] = {
                "output": output, "rows": int((labels >= 0).sum()), "label": kinds[0]
            }  # fmt: skip
            found.append(Note("one_sided_labels", ONE_SIDED, fields))
    return found


def differences(scored: ScoredRows) -> Iterator[Different]:
    """Yield the rows whose verdict by spam and abuse together differs between two models, in order."""
    before, after = (_verdicts(model) for model in scored.models)
    for at in np.flatnonzero(before != after).tolist():
        yield Different(
            scored.files[scored.file[at]],
            int(scored.row[at]),
            VERDICTS[before[at]],
            VERDICTS[after[at]],
            {output: int(found[at]) for output, found in scored.labels.items() if found[at] >= 0},
        )


def count_different(scored: ScoredRows) -> int:
    """Return how many rows the last model judges differently from the first."""
    return int((_verdicts(scored.models[0]) != _verdicts(scored.models[-1])).sum())


def verdict_counts(scored: ScoredRows) -> list[dict[str, int]]:
    """Return how many rows each model passes, doubts and rejects."""
    found = [np.bincount(_verdicts(model), minlength=len(VERDICTS)).tolist() for model in scored.models]
    return [dict(zip(VERDICTS, counts, strict=True)) for counts in found]


def as_json(part: Part) -> dict[str, Any]:
    """Return what identifies a part and how large it is."""
    names = ("output", "kind", "name", "rows", "positives", "not_scored")
    return {name: getattr(part, name) for name in names}


def _verdicts(model: ModelScores) -> NDArray[np.int64]:
    """Return 0 (pass), 1 (doubt) or 2 (reject) for each row; without any probability a person has to decide: doubt."""
    bands = np.bitwise_or.reduce([model.bands[output] for output in _DECIDING])
    unknown = np.all([np.isnan(model.probabilities[output]) for output in _DECIDING], axis=0)
    found = np.where(bands & REJECT, 2, np.where((bands & DOUBT) > 0, 1, 0))
    return np.where(unknown, 1, found).astype(np.int64)


def _selections(scored: ScoredRows, output: str) -> Iterator[tuple[str, str, _Chosen]]:
    labelled = scored.labels[output] >= 0
    if not _known(scored, output, labelled).any():
        return
    yield "all", "", labelled
    for kind, (numbers, names) in scored.parts.items():
        counts = np.bincount(numbers[labelled], minlength=len(names))
        largest = sorted(np.argsort(-counts, kind="stable")[:MAX_PARTS].tolist(), key=lambda at: names[at])
        for number in (
            largest if kind != "length" else sorted(largest, key=lambda at: int(names[at].split()[0]))
        ):
            chosen = labelled & (numbers == number)
            if _known(scored, output, chosen).any():
                yield kind, names[number], chosen


def _known(scored: ScoredRows, output: str, chosen: _Chosen) -> _Chosen:
    for model in scored.models:
        chosen = chosen & ~np.isnan(model.probabilities[output])
    return chosen


def _part(scored: ScoredRows, output: str, named: tuple[str, str], chosen: _Chosen, seed: int) -> Part:
    known = _known(scored, output, chosen)
    judged = [
        Judged(scored.labels[output][known], model.probabilities[output][known], model.bands[output][known])
        for model in scored.models
    ]
    return Part(
        output,
        *named,
        rows=int(known.sum()),
        positives=int((judged[0].labels == 1).sum()),
        not_scored=int(chosen.sum() - known.sum()),
        judged=judged,
        figures=bootstrap(judged, seed=seed),
        confusions=[confusion(one) for one in judged],
    )


def seen(parts: Sequence[Part]) -> list[str]:
    """Return the outputs that could be judged, in order."""
    return list(dict.fromkeys(part.output for part in parts))
