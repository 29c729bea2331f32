"""Which characters moved a score, how much, and in which direction; exact, since the model is linear.

Every distinct n-gram belongs to the place where it first stands; n-grams inside a word are summed to the word, pairs of
words stand as pairs, rules point at what they matched or, where they are about the whole text, at all of it. The spans of
one output and its base (intercept and calibration offset) sum to the log-odds of its probability.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.analysis import BUCKET_BITS, CHECK_BITS, Analysis
from classifiers.evidence import Rule, locate
from classifiers.ngrams import buckets, places

WORDS = "words"


_RULE_NAMES = {int(rule): rule.name.lower() for rule in Rule}


@dataclass(frozen=True, slots=True)
class Span:
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


@dataclass(frozen=True, slots=True)
class LinearHead:
    """What explains one output: steps by bucket (None where n-grams do not count), steps by rule, log-odds per step."""

    output: str
    buckets: Steps | None
    rules: Sequence[int]
    unit: float


def contributions(text: str, found: Analysis, heads: Sequence[LinearHead]) -> list[Span]:
    """Return every span of a text, the strongest first; `found` is its analysis alone, with origins."""
    rows: list[tuple[float, int, int, str, str, float]] = []
    placed, where = _placed(found), _where(text, found.rules[0])
    for head in heads:
        totals: dict[tuple[int, int, str], float] = defaultdict(float)
        if head.buckets is not None:
            _add_words(placed, head.buckets, totals)
        _add_rules(where, head.rules, totals)
        for (start, end, rule), steps in totals.items():
            if steps:
                weight = steps * head.unit
                rows.append((-abs(weight), start, end, rule, head.output, weight))
    rows.sort()
    return [Span(start, end, rule, weight, output) for _, start, end, rule, output, weight in rows]


@dataclass(frozen=True, slots=True)
class _Placed:
    """Every distinct bucket of a text, and which place it first stands in; where the places begin and end in the source."""

    buckets: NDArray[np.int64]
    place: NDArray[np.int64]
    begins: list[int]
    ends: list[int]


def _add_words(placed: _Placed, buckets: Steps, totals: dict[tuple[int, int, str], float]) -> None:
    """Add each distinct bucket's steps to the word, or pair of words, where it first stands."""
    steps = buckets.take(placed.buckets)
    # Whole numbers far below 2**53: the sums are exact.
    sums = np.bincount(placed.place, weights=steps, minlength=len(placed.begins)).tolist()
    for start, end, step in zip(placed.begins, placed.ends, sums, strict=True):
        totals[start, end, WORDS] += int(step)


def _placed(found: Analysis) -> _Placed:
    origin = found.stream.origin
    assert origin is not None
    starts, ends, values = _distinct(found)
    word_start, word_end = found.words.start, found.words.end
    first = word_end.searchsorted(starts, side="right").clip(max=max(word_start.size - 1, 0))
    last = (word_start.searchsorted(ends, side="left") - 1).clip(min=first)
    count = max(word_start.size, 1)
    places, place = np.unique(first * count + last, return_inverse=True)
    begins = origin[word_start[places // count]].tolist()
    return _Placed(values, place, begins, (origin[word_end[places % count] - 1] + 1).tolist())


def _distinct(found: Analysis) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return start, end and bucket of each bucket's first n-gram, characters before words."""
    start, end = places(found.stream, found.words)
    value = buckets(found.stream, found.words, BUCKET_BITS + CHECK_BITS)
    _, firsts = np.unique(value, return_index=True)
    firsts = firsts[value[firsts] >= 1 << CHECK_BITS]
    return start[firsts], end[firsts], value[firsts]


def _where(text: str, fired: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """Return the places of each fired rule, ascending; all of the text for a rule that points nowhere."""
    spots: dict[int, list[tuple[int, int]]] = {rule: [] for rule in fired}
    for place in locate(text, fired):
        spots[place.rule].append((place.start, place.end))
    return {rule: found or [(0, len(text))] for rule, found in spots.items()}


def _add_rules(
    where: Mapping[int, list[tuple[int, int]]],
    steps_of_rule: Sequence[int],
    totals: dict[tuple[int, int, str], float],
) -> None:
    for rule, spots in where.items():
        for start, end in spots:
            totals[start, end, _RULE_NAMES[rule]] += steps_of_rule[rule] / len(spots)
