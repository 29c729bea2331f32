"""Which characters moved a score, how much, and in which direction; exact, since the model is linear.

Every distinct n-gram belongs to the place where it first stands; n-grams inside a word are summed to the word, pairs of
words stand as pairs, rules point at what they matched or, where they are about the whole text, at all of it. The spans of
one output and its base (intercept and calibration offset) sum to the log-odds of its probability.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers import threats
from classifiers.analysis import Analysis
from classifiers.evidence import Rule, locate
from classifiers.ngrams import ORDERS
from classifiers.text import whole_text

WORDS = "words"
_PLACE_BITS = 32  # below the code in a key; of a text of any length that is read
_REACH = np.array([0, 1, 2, 2])  # from the first to the last word of a run, in the order of `word_runs`
_THREAT_RULE = int(Rule.THREAT)
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

    def take(self, codes: NDArray[np.uint32], /) -> NDArray[np.int64]:
        """Return the steps of these codes."""

    def places(
        self, found: Analysis, unit: float, least: float, most: float, /
    ) -> tuple[float, list[tuple[int, int, float]]] | None:
        """Return (start, end, weight) of the words of a single text that weigh at least `least` of the heaviest place, and its weight.

        `most` is the largest weight known before; weights are steps times `unit`. None where this has no short way to tell.
        """


_Totals = defaultdict[tuple[int, int, str], float]


@dataclass(frozen=True, slots=True)
class LinearHead:
    """What explains one output: steps by bucket (None where n-grams do not count), steps by rule, log-odds per step.

    `repeats`: by how often a text holds an n-gram, what its steps are multiplied with, in parts of a power of two; None: by 1.
    """

    output: str
    buckets: Steps | None
    rules: Sequence[int]
    unit: float
    repeats: NDArray[np.float64] | None = None


def contributions(
    text: str,
    found: Analysis,
    heads: Sequence[LinearHead],
    *,
    limit: int | None = None,
    least: float = 0.0,
) -> list[Span]:
    """Return the spans of a text, the strongest first, at most `limit`; `found` is its analysis alone, with origins.

    Left out is what weighs less than `least` of the strongest span of its output.
    """
    rows: list[tuple[float, int, int, str, str, float]] = []
    where = _where(text, found)
    weighed: list[_Totals] | None = None
    for at, head in enumerate(heads):
        unit, output = head.unit, head.output
        totals: _Totals = defaultdict(float)
        _add_rules(where, head.rules, totals)
        most = max((abs(steps * unit) for steps in totals.values()), default=0.0)
        words = _places(found, head, least, most)
        if words is None:
            weighed = weighed or _weighed(found, heads)
            totals |= weighed[at]
            most = max((abs(steps * unit) for steps in totals.values()), default=0.0)
        else:
            most, places = words
            rows += [(-abs(weight), start, end, WORDS, output, weight) for start, end, weight in places]
        bound = least * most
        rows += [
            (-abs(weight), start, end, rule, output, weight)
            for (start, end, rule), steps in totals.items()
            if steps and abs(weight := steps * unit) >= bound
        ]
    rows.sort()
    return [Span(start, end, rule, weight, output) for _, start, end, rule, output, weight in rows[:limit]]


def _places(
    found: Analysis, head: LinearHead, least: float, most: float
) -> tuple[float, list[tuple[int, int, float]]] | None:
    """Return what words weigh enough, as `Steps.places` does; None where `_weighed` is to say it."""
    if head.buckets is None:
        return most, []
    return head.buckets.places(found, head.unit, least, most) if head.repeats is None else None


def without_weak(spans: Sequence[Span], least: float) -> list[Span]:
    """Return the spans, given the strongest first, that weigh at least `least` of the strongest of their output."""
    strongest: dict[str, float] = {}
    for span in spans:
        strongest.setdefault(span.output, abs(span.weight))
    return [span for span in spans if abs(span.weight) >= least * strongest[span.output]]


def _weighed(found: Analysis, heads: Sequence[LinearHead]) -> list[_Totals]:
    """Return, for each head, the steps of each word, or pair of words, where n-grams that weigh something first stand."""
    codes = found.codes
    columns = [None if head.buckets is None else head.buckets.take(codes) for head in heads]
    weighs = np.zeros(codes.size, np.bool_)
    for column in columns:
        if column is not None:
            weighs |= column != 0
    at = weighs.nonzero()[0]
    if not at.size:
        return [defaultdict(float) for _ in heads]
    every, at = codes.take(at), _firsts(codes.take(at), at)
    pairs = _pairs(found, at)
    order = pairs.argsort()
    pairs, begins = _runs(pairs.take(order))
    spots = _spots(found, pairs)
    at = at.take(order)
    is_counted = any(head.repeats is not None for head in heads)
    counts = _counts(codes.take(at), every) if is_counted else None
    return [
        defaultdict(float)
        if column is None
        else _totals(spots, np.add.reduceat(_repeated(head, column.take(at), counts), begins).tolist())
        for head, column in zip(heads, columns, strict=True)
    ]


def _counts(codes: NDArray[np.uint32], every: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return how often each code stands among `every`, where each does."""
    values, counts = np.unique(every, return_counts=True)
    return counts.take(values.searchsorted(codes))


def _repeated(head: LinearHead, steps: NDArray[np.int64], counts: NDArray[np.int64] | None) -> NDArray[Any]:
    """Return the steps of codes that stand so often; sixteenths of steps, so that sums stay exact."""
    if head.repeats is None or counts is None:
        return steps
    return steps * head.repeats.take(counts.clip(max=head.repeats.size - 1))


def _firsts(codes: NDArray[np.uint32], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, ascending, the places `at` where each code stands for the first time; `at` ascends."""
    keys = codes.astype(np.int64)
    keys <<= _PLACE_BITS
    keys |= at
    keys.sort()
    _, begins = _runs(keys >> _PLACE_BITS)
    firsts = keys.take(begins)
    firsts &= (1 << _PLACE_BITS) - 1
    firsts.sort()
    return firsts


def _runs(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct ones of ascending values, and where each begins."""
    is_first = np.empty(values.size, np.bool_)
    is_first[0] = True
    np.not_equal(values[1:], values[:-1], out=is_first[1:])
    begins = is_first.nonzero()[0]
    return values.take(begins), begins


def _totals(spots: Sequence[tuple[int, int]], steps: Sequence[float]) -> _Totals:
    """Return the sum of the steps at each spot; words that were put together may stand where others do."""
    totals: _Totals = defaultdict(float)
    for (start, end), step in zip(spots, steps, strict=True):
        totals[start, end, WORDS] += step
    return totals


def _pairs(found: Analysis, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return first * words + last of the words that hold each n-gram; `at` are places in the row of codes, ascending."""
    size, words = found.stream.codes.size, found.words.start.size
    characters = at[: at.searchsorted(ORDERS * size)]
    order = characters // size
    starts = characters - order * size
    first = found.words.end.searchsorted(starts, "right")
    np.minimum(first, words - 1, out=first)
    last = found.words.start.searchsorted(starts + order + 2) - 1
    pairs = first * words + np.maximum(last, first)
    runs = at[characters.size :] - ORDERS * size
    pairs_end = words + max(words - 1, 0)
    begins = np.array([0, words, pairs_end, pairs_end + max(words - 2, 0)])
    kind = begins[1:].searchsorted(runs, "right")  # a word, a pair, a pair with a gap, a three
    first = runs - begins.take(kind)
    return np.concatenate([pairs, first * words + first + _REACH.take(kind)])


def _spots(found: Analysis, pairs: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return where in the source a first word begins and a last one ends; see `_pairs`."""
    origin = found.stream.origin
    assert origin is not None
    word_start, word_end = found.words.start, found.words.end
    first, last = np.divmod(pairs, word_start.size)
    begins = origin.take(word_start.take(first))
    stops = origin.take(word_end.take(last) - 1) + 1
    # A plainer reading stands after the text, but points back into it: of a pair that leads there, the first word is told.
    if not (stops > begins).all():
        stops = np.where(stops > begins, stops, origin.take(word_end.take(first) - 1) + 1)
    return list(zip(begins.tolist(), stops.tolist(), strict=True))


def _where(text: str, found: Analysis) -> dict[int, list[tuple[int, int]]]:
    """Return the places of each fired rule, ascending; all of the text for a rule that points nowhere."""
    fired = found.rules[0]
    spots: dict[int, list[tuple[int, int]]] = {rule: [] for rule in fired}
    for start, end, rule in locate(text, fired):
        spots[rule].append((start, end))
    if _THREAT_RULE in spots:
        origin = found.stream.origin
        assert origin is not None
        spots[_THREAT_RULE] = [
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
