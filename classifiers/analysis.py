"""Everything the model looks at in a batch of comments, computed once for all of them.

Training, serving and explaining share this module, so that they cannot disagree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classifiers import evidence, languages, latin, lexicon, signs, threats
from classifiers.disguise import Readings, readings
from classifiers.evidence import Rule
from classifiers.lexicon import WordClass
from classifiers.ngrams import ORDERS, Words, buckets, find_words, word_runs
from classifiers.signs import Sign
from classifiers.text import MAX_CODE_POINTS, Stream, encode, fold_encoded, text_at

BUCKET_BITS = 20
BUCKETS = 1 << BUCKET_BITS
CHECK_BITS = 4  # of a hash, beside its bucket: a bucket weighs only for the n-gram that owns it
CODES = 1 << BUCKET_BITS + CHECK_BITS
MAX_BATCH = 128  # texts analysed at once; bounded by the bits that number them in a key
MAX_BATCH_CODE_POINTS = 1 << 17  # and this many code points, unless a single text has more
CHECK_BIT = BUCKET_BITS + 1
TEXT_BIT = CHECK_BIT + CHECK_BITS
_ONLY = np.zeros(1, np.int64)
_CHECK_SHIFT, _CHECK_PLACE = np.uint32(CHECK_BITS), np.uint32(CHECK_BIT)
_LOW_CHECK = np.uint8((1 << CHECK_BITS) - 1)
_CHECK_MASK = np.uint32((1 << CHECK_BITS) - 1)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found in each text of a batch; lists follow its order.

    `language` is a code or None; `rules` are the fired evidence rules, ascending; `lengths` are code points after
    folding, one leading space included, 0 for a text without a word.
    """

    stream: Stream
    words: Words
    lengths: list[int]
    language: list[str | None]
    rules: list[list[int]]


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
    suspects.update(at for at, counts in enumerate(sign_counts) if _is_spread(len(texts[at]), counts))
    read = {at: reading for at in suspects if (reading := readings(texts[at])) is not None}
    if read:
        raw, bounds = encode([read[at].text if at in read else text for at, text in enumerate(texts)])
    stream = fold_encoded(raw, bounds, with_origin=with_origin)
    if with_origin and read:
        _lead_back(stream, read)
    words = find_words(stream)
    word_counts = lexicon.count_classes(words, len(texts))
    starts = stream.starts.tolist()
    lengths = [end - start for start, end in pairwise(starts)]
    language = list(map(languages.detect, sign_counts, word_counts))
    if languages.UNSURE in language:
        for at, found in enumerate(language):
            if found is languages.UNSURE:
                score = latin.arabizi_score(stream.codes[starts[at] : starts[at + 1] + 1])
                language[at] = languages.tell(
                    score, sign_counts[at], word_counts[at], hints[at] if hints else None
                )
    rules = list(map(evidence.find, texts, sign_counts, word_counts, lengths))
    for at, counts in enumerate(word_counts):
        is_arabizi = language[at] == languages.ARABIC and sign_counts[at][Sign.LATIN_LOWER] > 0
        if counts[WordClass.THREAT] or counts[WordClass.THREAT_ENGLISH] or is_arabizi:
            clues = threats.Clues(
                counts[WordClass.THREAT] > 0, is_arabizi, counts[WordClass.THREAT_ENGLISH] > 0
            )
            if threats.is_made(text_at(stream, at), clues):
                rules[at].append(int(Rule.THREAT))
    for at, url in enumerate(author_urls or ()):
        if url:
            rules[at] = evidence.with_author_url(rules[at], url)
    return Analysis(stream, words, lengths, language, rules)


def _is_spread(length: int, counts: Sequence[int]) -> bool:
    """Return whether so much of a text is gaps that letters may have been kept apart."""
    gaps = (
        counts[Sign.SPACE] + counts[Sign.JOINER] + counts[Sign.DOT] + counts[Sign.OTHER] + counts[Sign.SLASH]
    )
    return gaps * 10 > length * 3


def _lead_back(stream: Stream, read: Mapping[int, Readings]) -> None:
    """Let each character of a reading stand where its source stands."""
    assert stream.origin is not None
    for at, reading in read.items():
        own = stream.origin[stream.starts[at] : stream.starts[at + 1]]
        is_inside = own >= 0  # not the space before the text
        own[is_inside] = np.array(reading.origin(), np.int64)[own[is_inside]]


def keys(found: Analysis) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the n-grams of a batch as sorted keys, and where each text's keys begin.

    A key is text << 25 | check << 21 | language << 20 | bucket. Places where no n-gram begins stand as bucket 0, which weighs
    nothing. Every text has at least one key.
    """
    hashed = buckets(found.stream, found.words, BUCKET_BITS + CHECK_BITS).astype(np.uint32)
    every = hashed >> _CHECK_SHIFT
    hashed &= _CHECK_MASK
    hashed <<= _CHECK_PLACE
    every |= hashed
    english = [(language == languages.ENGLISH) << BUCKET_BITS for language in found.language]
    if len(english) == 1:
        every += np.uint32(english[0])
        every.sort()
        return every, _ONLY
    base = np.array([at << TEXT_BIT | bit for at, bit in enumerate(english)], np.uint32)
    size = found.stream.codes.size
    lengths = np.array(found.lengths)
    lengths[-1] += 1  # the last space of the stream
    every[: ORDERS * size].reshape(ORDERS, size)[:] += base.repeat(lengths)
    owner = base.take(found.words.text)
    every[ORDERS * size :] += np.concatenate(word_runs(owner, is_end=True))
    every = np.concatenate([every, base])
    every.sort()
    return every, np.asarray(every.searchsorted(base & ~np.uint32((1 << TEXT_BIT) - 1)), np.int64)


def owned_keys(found: Analysis, owners: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return those n-grams of a batch whose check owns their bucket, as sorted keys, and the lowest key of each text.

    A key is text << 21 | language << 20 | bucket; `owners` is indexed by all but the text. Told before they are sorted, which costs
    most. The lowest keys, of bucket 0, are among the keys.
    """
    codes = buckets(found.stream, found.words, BUCKET_BITS + CHECK_BITS)
    checks = codes.astype(np.uint8)
    checks &= _LOW_CHECK
    codes >>= CHECK_BITS
    english = [(language == languages.ENGLISH) << BUCKET_BITS for language in found.language]
    base = np.arange(len(english), dtype=np.int64) << CHECK_BIT
    if len(english) == 1:
        codes += english[0]
        every = codes.compress(owners.take(codes) == checks)
    else:
        codes += _of_texts(found, base + np.array(english, np.int64))
        owned = np.flatnonzero(owners.take(codes & ((1 << CHECK_BIT) - 1)) == checks)
        every = codes.take(owned)
    lowest = base.astype(np.uint32)
    sorted_keys = np.concatenate([lowest, every.astype(np.uint32)])
    sorted_keys.sort()
    return sorted_keys, lowest


def _of_texts(found: Analysis, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each entry of `buckets` the value of its text."""
    lengths = np.array(found.lengths)
    lengths[-1] += 1  # the last space of the stream
    of_positions = values.repeat(lengths)
    return np.concatenate([of_positions] * ORDERS + word_runs(values.take(found.words.text), is_end=True))
