"""Everything the model looks at in a batch of comments, computed once for all of them.

Training, serving and explaining share this module, so that they cannot disagree.
"""

import re
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers import evidence, languages, latin, lexicon, signs, threats
from classifiers.disguise import Readings, readings
from classifiers.evidence import Rule
from classifiers.lexicon import WordClass
from classifiers.ngrams import CODE_BITS, ORDERS, Words, find, of_one_text, word_runs
from classifiers.signs import Sign
from classifiers.text import MAX_CODE_POINTS, Stream, encode, fold_encoded, whole_text

BUCKET_BITS = 20
BUCKETS = 1 << BUCKET_BITS
CHECK_BITS = CODE_BITS - BUCKET_BITS  # beside the bucket, which weighs only for the n-gram that owns it
CODES = 1 << CODE_BITS
MAX_BATCH = 128  # texts analysed at once; bounded by the bits that number them in a key
MAX_BATCH_CODE_POINTS = (
    1 << 15
)  # code points analysed at once, unless a single text has more; one may become eighteen
CHECK_BIT = BUCKET_BITS + 1
TEXT_BIT = CHECK_BIT + CHECK_BITS
_THREAT_RULE = int(Rule.THREAT)
# Under plain names: what a class holds is looked up anew each time, and every comment passes here.
_SPACE, _JOINER, _DOT, _SLASH = Sign.SPACE, Sign.JOINER, Sign.DOT, Sign.SLASH
_OTHER, _LOWER, _UPPER = Sign.OTHER, Sign.LATIN_LOWER, Sign.LATIN_UPPER
_AT, _MONEY = Sign.AT, Sign.MONEY
_THREAT = np.array(
    WordClass.THREAT, np.uint8
)  # the first of the classes of threats, which are the last of all
_AT_LETTER = re.compile(r"@[sS]{2}")  # the one word that begins so as often as an account's name
_ONLY = np.zeros(1, np.int64)
_CHECK = np.array((1 << CHECK_BITS) - 1, np.uint32)
_CHECK_PLACE, _TO_PLACE = np.array(CHECK_BIT, np.uint32), np.array(CHECK_BITS, np.uint32)
_ENGLISH = np.array(BUCKETS, np.uint32)
_PLACE = np.array((1 << CHECK_BIT) - 1, np.uint32)  # of a key, all but the text


class Analysis(NamedTuple):
    """What was found in each text of a batch; lists follow its order.

    `codes` are those of `ngrams.find`; `language` is a code or None; `rules` are the fired evidence rules, ascending; `lengths` are
    code points after folding, one leading space included, 0 for a text without a word; `read` holds the texts with broken words.
    """

    stream: Stream
    words: Words
    codes: NDArray[np.uint32]
    lengths: list[int]
    language: list[str | None]
    rules: list[list[int]]
    read: Mapping[int, Readings]


def batches(texts: Sequence[str]) -> list[slice]:
    """Cut a sequence into runs that `analyse` takes at once."""
    runs: list[slice] = []
    first = size = 0
    for at, text in enumerate(texts):
        length = min(len(text), MAX_CODE_POINTS) + 1
        if at > first and (at - first == MAX_BATCH or size + length > MAX_BATCH_CODE_POINTS):
            runs.append(slice(first, at))
            first, size = at, 0
        size += length
    if first < len(texts):
        runs.append(slice(first, len(texts)))
    return runs


def analyse(
    texts: Sequence[str],
    author_urls: Sequence[str | None] | None = None,
    *,
    with_origin: bool = False,
    hints: Sequence[str | None] | None = None,
) -> Analysis:
    """Read a batch of at least one and at most MAX_BATCH texts; for `hints` see `languages.tell`."""
    texts = [text if len(text) <= MAX_CODE_POINTS else text[:MAX_CODE_POINTS] for text in texts]
    raw, bounds = encode(texts)
    sign_counts, suspects = signs.read(raw, bounds)
    suspects |= _suspects(texts, sign_counts)
    read = {at: reading for at in suspects if (reading := readings(texts[at])) is not None}
    if read:
        raw, bounds = encode([read[at].text if at in read else text for at, text in enumerate(texts)])
    stream = fold_encoded(raw, bounds, with_origin=with_origin)
    if with_origin and read:
        _lead_back(stream, read)
    words, codes = find(stream)
    classes = lexicon.classify(words)
    word_counts = lexicon.count_classes(words, classes, len(texts))
    starts: list[int] = stream.starts.tolist()
    lengths = [end - start for start, end in pairwise(starts)]
    language = list(map(languages.detect, sign_counts, word_counts))
    for at, told in enumerate(language):
        if told is languages.UNSURE:
            scores = latin.scores(stream.codes[starts[at] : starts[at + 1] + 1])
            hint = hints[at] if hints else None
            language[at] = languages.tell(scores, sign_counts[at], word_counts[at], hint)
    rules = list(map(evidence.find, texts, sign_counts, word_counts, lengths))
    for at in _threatening(stream, words, classes, sign_counts, language):
        rules[at].append(_THREAT_RULE)
    for at, url in enumerate(author_urls or ()):
        if url:
            rules[at] = evidence.with_author_url(rules[at], url)
    return Analysis(stream, words, codes, lengths, language, rules, read)


def alone(text: str, found: Analysis, at: int) -> Analysis:
    """Return what `analyse` finds in a text by itself and with origins, from what it found in a batch of which that is one.

    For a text that came without a hint and without an author's website.
    """
    reading = found.read.get(at)
    read = {} if reading is None else {0: reading}
    as_read = text[:MAX_CODE_POINTS] if reading is None else reading.text
    stream = fold_encoded(*encode([as_read]), with_origin=True)
    _lead_back(stream, read)
    words, codes = of_one_text(found.stream, found.words, found.codes, at)
    return Analysis(stream, words, codes, [found.lengths[at]], [found.language[at]], [found.rules[at]], read)


def _suspects(texts: Sequence[str], sign_counts: Sequence[Sequence[int]]) -> set[int]:
    """Return the texts where a word may begin with a sign for a letter, or so much is gaps that letters may have been kept apart."""
    return {
        at
        for at, (text, counts) in enumerate(zip(texts, sign_counts, strict=True))
        if (counts[_SPACE] + counts[_JOINER] + counts[_DOT] + counts[_OTHER] + counts[_SLASH]) * 10
        > len(text) * 3
        or (counts[_MONEY] and "$" in text)
        or (counts[_AT] and _AT_LETTER.search(text))
    }


def _threatening(
    stream: Stream,
    words: Words,
    classes: NDArray[np.uint8],
    sign_counts: Sequence[Sequence[int]],
    language: Sequence[str | None],
) -> Iterator[int]:
    """Yield which texts threaten somebody."""
    told = (classes >= _THREAT).nonzero()[0]
    in_both_scripts = {
        at
        for at, counts in enumerate(sign_counts)
        if language[at] == languages.ARABIC and (counts[_LOWER] or counts[_UPPER])
    }
    if not (told.size or in_both_scripts):
        return
    folded, starts = whole_text(stream), stream.starts.tolist()
    arabic, english = _ways(folded, words, told) if told.size else ({}, {})
    arabizi: set[int] = set()
    if in_both_scripts:
        arabizi = in_both_scripts & {bisect(starts, at) - 1 for at in threats.arabizi_ends(folded)}
    for at in arabic.keys() | arabizi:
        clues = threats.Clues(arabic.get(at, 0), at in arabizi, english.get(at, 0))
        if threats.is_made(folded[starts[at] : starts[at + 1] + 1], clues):
            yield at


def _ways(folded: str, words: Words, told: NDArray[np.int64]) -> tuple[dict[int, int], dict[int, int]]:
    """Return by text which ways to threaten in Arabic and in English its words may belong to; `told` are such words."""
    arabic: dict[int, int] = {}
    english: dict[int, int] = {}
    of_arabic, of_english = threats.arabic_ways(), threats.english_ways()
    places = (values.take(told).tolist() for values in (words.text, words.start, words.end))
    for at, start, end in zip(*places, strict=True):
        word = folded[start:end]
        arabic[at] = arabic.get(at, 0) | of_arabic.get(word, 0)
        english[at] = english.get(at, 0) | of_english.get(word, 0)
    return arabic, english


def _lead_back(stream: Stream, read: Mapping[int, Readings]) -> None:
    """Let each character of a reading stand where its source stands."""
    assert stream.origin is not None
    for at, reading in read.items():
        own = stream.origin[stream.starts[at] + 1 : stream.starts[at + 1]]  # not the space before the text
        own[:] = np.array(reading.origin(), np.int64)[own]


def keys(found: Analysis) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the n-grams of a batch as sorted keys, and where each text's keys begin.

    A key is text << 25 | check << 21 | language << 20 | bucket. Places where no n-gram begins stand as bucket 0, which weighs
    nothing. Every text has at least one key.
    """
    every = found.codes & _CHECK
    every <<= _CHECK_PLACE
    every |= found.codes >> _TO_PLACE
    english = [(language == languages.ENGLISH) << BUCKET_BITS for language in found.language]
    if len(english) == 1:
        every += np.uint32(english[0])
        every.sort()
        return every, _ONLY
    base = np.array([at << TEXT_BIT | bit for at, bit in enumerate(english)], np.uint32)
    every += _of_texts(base, found)
    every = np.concatenate([every, base])
    every.sort()
    return every, np.asarray(every.searchsorted(base & ~np.uint32((1 << TEXT_BIT) - 1)), np.int64)


def owned_places(found: Analysis, owners: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the distinct n-grams of a single text that own their bucket, each as language << 20 | bucket; see `owned_keys`."""
    places = found.codes >> _TO_PLACE
    if found.language[0] == languages.ENGLISH:
        places += _ENGLISH
    is_owner = owners.take(places, mode="wrap") == found.codes.astype(np.uint8)
    owned = is_owner.nonzero()[0]
    sorted_places = np.zeros(owned.size + 1, np.uint32)
    places.take(owned, out=sorted_places[1:], mode="wrap")
    sorted_places.sort()
    distinct: NDArray[np.uint32] = sorted_places[1:][sorted_places[1:] != sorted_places[:-1]]
    return distinct


def owned_keys(found: Analysis, owners: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return those n-grams of a batch that own their bucket, as sorted keys, and where each text's keys begin.

    A key is text << 21 | language << 20 | bucket; `owners` is indexed by all but the text and holds the last byte of the code that owns
    the bucket. Told before they are sorted, which costs most; of the modes of `take` "wrap" is quickest, and none is too large. Each
    text has at least one key, of bucket 0.
    """
    english = [(language == languages.ENGLISH) << BUCKET_BITS for language in found.language]
    lowest = np.arange(len(english), dtype=np.uint32) << _CHECK_PLACE
    every = _of_texts(lowest + np.array(english, np.uint32), found)
    every += found.codes >> _TO_PLACE
    is_owner = owners.take(every & _PLACE, mode="wrap") == found.codes.astype(np.uint8)
    owned = is_owner.nonzero()[0]
    sorted_keys = np.empty(lowest.size + owned.size, np.uint32)
    sorted_keys[: lowest.size] = lowest
    every.take(owned, out=sorted_keys[lowest.size :], mode="wrap")
    sorted_keys.sort()
    return sorted_keys, sorted_keys.searchsorted(lowest)


def _of_texts(values: NDArray[np.uint32], found: Analysis) -> NDArray[np.uint32]:
    """Return for each of the codes the value of its text."""
    lengths = np.array(found.lengths)
    lengths[-1] += 1  # the last space of the stream
    of_words = values.take(found.words.text)
    return np.concatenate([*[values.repeat(lengths)] * ORDERS, *word_runs(of_words, is_end=True)])
