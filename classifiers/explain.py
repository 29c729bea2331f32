"""Which characters moved a score, how much, and in which direction; exact, since the model is linear.

Every distinct n-gram belongs to the place where it first stands; n-grams inside a word are summed to the word, pairs of
words stand as pairs, rules point at what they matched or, where they are about the whole text, at all of it. The spans of
one output and its base (intercept and calibration offset) sum to the log-odds of its probability.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers import threats
from classifiers.analysis import BUCKET_BITS, CHECK_BITS, Analysis
from classifiers.evidence import Rule, locate
from classifiers.ngrams import buckets, places
from classifiers.text import whole_text

WORDS = "words"


_RULE_NAMES = {int(rule): rule.name.lower() for rule in Rule}


class Span(NamedTuple):
    """A place in the original text (code points, end exclusive), the rule that points there, and its weight.

    `rule` is "words" or the code of an evidence rule; `weight` is a change of the log-odds of `output`.
    """

    start: int
    end: int
    rule: str
    weight: float
    output: str


class Steps(Protocol):
    """What can look up the steps of codes: a bucket in the upper 20 bits, its check in the rest."""

    def take(self, codes: NDArray[np.int64], /) -> NDArray[np.int64]:
        """Return the steps of these codes."""


_Totals = defaultdict[tuple[int, int, str], float]


@dataclass(frozen=True, slots=True)
class LinearHead:
    """What explains one output: steps by bucket (None where n-grams do not count), steps by rule, log-odds per step."""

    output: str
    buckets: Steps | None
    rules: Sequence[int]
    unit: float


def contributions(
    text: str, found: Analysis, heads: Sequence[LinearHead], *, limit: int | None = None
) -> list[Span]:
    """Return the spans of a text, the strongest first, at most `limit`; `found` is its analysis alone, with origins."""
    rows: list[tuple[float, int, int, str, str, float]] = []
    weighed, where = _weighed(found, heads), _where(text, found)
    for at, head in enumerate(heads):
        totals = weighed[at]
        _add_rules(where, head.rules, totals)
        for (start, end, rule), steps in totals.items():
            if steps:
                weight = steps * head.unit
                rows.append((-abs(weight), start, end, rule, head.output, weight))
    rows.sort()
    return [Span(start, end, rule, weight, output) for _, start, end, rule, output, weight in rows[:limit]]


def _weighed(found: Analysis, heads: Sequence[LinearHead]) -> list[_Totals]:
    """Return, for each head, the steps of each word, or pair of words, where n-grams that weigh something first stand."""
    value = buckets(found.stream, found.words, BUCKET_BITS + CHECK_BITS)
    columns = [None if head.buckets is None else head.buckets.take(value) for head in heads]
    weighs = np.zeros(value.size, np.bool_)
    for column in columns:
        if column is not None:
            weighs |= column != 0
    at = np.flatnonzero(weighs)
    _, firsts = np.unique(value.take(at), return_index=True)
    at = at.take(firsts)  # characters before words
    if not at.size:
        return [defaultdict(float) for _ in heads]
    spots, place = _places(found, at)
    return [
        defaultdict(float) if column is None else _summed(column.take(at), spots, place) for column in columns
    ]


def _summed(steps: NDArray[np.int64], spots: Sequence[tuple[int, int]], place: NDArray[np.int64]) -> _Totals:
    """Return the sum of the steps at each spot; words that were put together may stand where others do."""
    totals: _Totals = defaultdict(float)
    # Whole numbers far below 2**53: the sums are exact.
    for (start, end), step in zip(spots, np.bincount(place, weights=steps).tolist(), strict=True):
        totals[start, end, WORDS] += step
    return totals


def _places(found: Analysis, at: NDArray[np.int64]) -> tuple[list[tuple[int, int]], NDArray[np.int64]]:
    """Return where in the source the words, or pairs, that hold these n-grams begin and end, and which of them holds each."""
    origin = found.stream.origin
    assert origin is not None
    starts, ends = (every.take(at) for every in places(found.stream, found.words))
    word_start, word_end = found.words.start, found.words.end
    first = word_end.searchsorted(starts, side="right").clip(max=word_start.size - 1)
    last = (word_start.searchsorted(ends, side="left") - 1).clip(min=first)
    pairs, place = np.unique(first * word_start.size + last, return_inverse=True)
    first, last = np.divmod(pairs, word_start.size)
    begins, stops = origin[word_start[first]], origin[word_end[last] - 1] + 1
    # A plainer reading stands after the text, but points back into it: of a pair that leads there, the first word is told.
    stops = np.where(stops > begins, stops, origin[word_end[first] - 1] + 1)
    return list(zip(begins.tolist(), stops.tolist(), strict=True)), place


def _where(text: str, found: Analysis) -> dict[int, list[tuple[int, int]]]:
    """Return the places of each fired rule, ascending; all of the text for a rule that points nowhere."""
    fired = found.rules[0]
    spots: dict[int, list[tuple[int, int]]] = {rule: [] for rule in fired}
    for place in locate(text, fired):
        spots[place.rule].append((place.start, place.end))
    if Rule.THREAT in spots:
        origin = found.stream.origin
        assert origin is not None
        spots[Rule.THREAT] = [
            (int(origin[start]), int(origin[end - 1]) + 1)
            for start, end in threats.find(whole_text(found.stream))
        ]
    return {rule: found or [(0, len(text))] for rule, found in spots.items()}


def _add_rules(
    where: Mapping[int, list[tuple[int, int]]],
    steps_of_rule: Sequence[int],
    totals: _Totals,
) -> None:
    for rule, spots in where.items():
        for start, end in spots:
            totals[start, end, _RULE_NAMES[rule]] += steps_of_rule[rule] / len(spots)
