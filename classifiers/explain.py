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
MESSAGES = {  # rule → what a moderator reads, in Arabic and in English
    WORDS: ("كلمات", "words"),
    "link": ("رابط", "a link"),
    "links_many": ("روابط كثيرة", "several links"),
    "link_short": ("رابط مختصر أو رابط مراسلة", "a shortened or messenger link"),
    "link_shady": ("رابط إلى موقع مشبوه", "a link to a dubious host"),
    "link_author": ("خانة الموقع مملوءة", "the website field is filled"),
    "email": ("عنوان بريد إلكتروني", "an e-mail address"),
    "phone": ("رقم هاتف", "a phone number"),
    "number_long": ("رقم طويل", "a long number"),
    "handle": ("اسم حساب", "an account name"),
    "messenger": ("اسم تطبيق مراسلة", "a messaging service"),
    "messenger_number": ("تطبيق مراسلة مع رقم أو رابط", "a messaging service with a number or link"),
    "contact": ("دعوة إلى التواصل", "a request to get in touch"),
    "contact_many": ("دعوات إلى التواصل", "several requests to get in touch"),
    "offer": ("عرض تجاري", "an offer"),
    "offer_many": ("عروض تجارية", "several offers"),
    "offer_contact": ("عرض مع وسيلة تواصل", "an offer with a way to answer it"),
    "money": ("مبلغ أو نسبة", "money or percent"),
    "money_many": ("مبالغ أو نسب", "several sums or percents"),
    "capitals": ("أحرف كبيرة كثيرة", "many capitals"),
    "capitals_all": ("كله أحرف كبيرة", "almost all capitals"),
    "shouting": ("علامات تعجب واستفهام كثيرة", "many exclamation or question marks"),
    "pictures": ("رموز تعبيرية", "emoji"),
    "pictures_many": ("رموز تعبيرية كثيرة", "many emoji"),
    "hidden": ("أحرف خفية", "hidden characters"),
    "lookalikes": ("أحرف متشابهة من أبجدية أخرى", "look-alike letters of another script"),
    "styled": ("أحرف مزخرفة", "styled letters"),
    "stretched": ("أحرف مكررة", "stretched words"),
    "spelled": ("أحرف مفرقة", "letters kept apart"),
    "digits_half": ("أكثره أرقام", "mostly digits"),
}


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the original text (code points, end exclusive), the rule that points there, and its weight.

    `rule` is "words" or the code of an evidence rule (keys of MESSAGES); `weight` is a change of the log-odds of
    `output`.
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
    spans: list[Span] = []
    placed = _placed(found)
    for head in heads:
        totals: dict[tuple[int, int, str], float] = defaultdict(float)
        if head.buckets is not None:
            _add_words(found, placed, head.buckets, totals)
        _add_rules(text, found.rules[0], head.rules, totals)
        spans += [
            Span(start, end, rule, steps * head.unit, head.output)
            for (start, end, rule), steps in totals.items()
            if steps
        ]
    return sorted(spans, key=lambda span: (-abs(span.weight), span.start, span.end, span.rule, span.output))


def _add_words(
    found: Analysis,
    placed: tuple[NDArray[np.int64], ...],
    buckets: Steps,
    totals: dict[tuple[int, int, str], float],
) -> None:
    """Add each distinct bucket's steps to the word, or pair of words, where it first stands."""
    origin = found.stream.origin
    assert origin is not None
    values, first, last = placed
    steps = buckets.take(values)
    count = max(found.words.start.size, 1)
    places, place = np.unique(first * count + last, return_inverse=True)
    sums = np.bincount(place, weights=steps, minlength=places.size)  # whole numbers far below 2**53: exact
    begins = origin[found.words.start[places // count]]
    ends = origin[found.words.end[places % count] - 1] + 1
    for start, end, step in zip(begins.tolist(), ends.tolist(), sums.tolist(), strict=True):
        totals[start, end, WORDS] += int(step)


def _placed(found: Analysis) -> tuple[NDArray[np.int64], ...]:
    """Return every distinct bucket of the text, with the first and last word it first stands in."""
    starts, ends, values = _distinct(found)
    word_start, word_end = found.words.start, found.words.end
    first = np.searchsorted(word_end, starts, side="right").clip(max=max(word_start.size - 1, 0))
    last = (np.searchsorted(word_start, ends, side="left") - 1).clip(min=first)
    return values, first, last


def _distinct(found: Analysis) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return start, end and bucket of each bucket's first n-gram, characters before words."""
    start, end = places(found.stream, found.words)
    value = buckets(found.stream, found.words, BUCKET_BITS + CHECK_BITS)
    _, firsts = np.unique(value, return_index=True)
    firsts = firsts[value[firsts] >= 1 << CHECK_BITS]
    return start[firsts], end[firsts], value[firsts]


def _add_rules(
    text: str, fired: Sequence[int], steps_of_rule: Sequence[int], totals: dict[tuple[int, int, str], float]
) -> None:
    places: Mapping[int, list[tuple[int, int]]] = defaultdict(list)
    for place in locate(text, fired):
        places[place.rule].append((place.start, place.end))
    for rule in fired:
        where = places[rule] or [(0, len(text))]
        for start, end in where:
            totals[start, end, Rule(rule).name.lower()] += steps_of_rule[rule] / len(where)
