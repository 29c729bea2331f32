"""Everything the model looks at in a batch of comments, computed once for all of them.

Training, serving and explaining share this module, so that they cannot disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers import evidence, languages, lexicon, signs
from classifiers.ngrams import (
    CHARACTER_ORDERS,
    Words,
    bucket,
    character_hashes,
    find_words,
    pair_hashes,
    room,
    text_of,
)
from classifiers.text import MAX_CODE_POINTS, Stream, encode, fold_encoded

BUCKET_BITS = 20
BUCKETS = 1 << BUCKET_BITS
MAX_BATCH = 512  # texts analysed at once; bounded by the bits that number them in a key
MAX_BATCH_CODE_POINTS = 1 << 17  # and this many code points, unless a single text has more
_LANGUAGE_BIT = BUCKET_BITS
_TEXT_BIT = BUCKET_BITS + 1


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found in each text of a batch; lists and the first axis of arrays follow its order.

    `language` is a code or None; `rules` are the fired evidence rules, ascending.
    """

    stream: Stream
    words: Words
    text_of_word: NDArray[np.int64]
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
    texts: Sequence[str], author_urls: Sequence[str | None] | None = None, *, with_origin: bool = False
) -> Analysis:
    """Read a batch of at least one and at most MAX_BATCH texts."""
    texts = [text if len(text) <= MAX_CODE_POINTS else text[:MAX_CODE_POINTS] for text in texts]
    raw, bounds = encode(texts)
    sign_counts = signs.count_signs(raw, bounds)
    stream = fold_encoded(raw, bounds, with_origin=with_origin)
    words = find_words(stream.codes)
    text_of_word = text_of(words.start, stream)
    word_counts = lexicon.count_classes(lexicon.classify(words), text_of_word, len(texts))
    lengths = np.diff(stream.starts).tolist()
    urls = author_urls or [None] * len(texts)
    return Analysis(
        stream,
        words,
        text_of_word,
        [languages.detect(*counts) for counts in zip(sign_counts, word_counts, strict=True)],
        [
            evidence.find(text, sign, word, folded_length=length, author_url=url)
            for text, sign, word, length, url in zip(
                texts, sign_counts, word_counts, lengths, urls, strict=True
            )
        ],
    )


def keys(found: Analysis) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the n-grams of a batch as sorted keys, and where each text's keys begin.

    A key is text << 21 | language << 20 | bucket. Places where no n-gram begins stand as bucket 0, which weighs nothing.
    Every text has at least one key.
    """
    codes, words = found.stream.codes, found.words
    size, count, pairs = codes.size, len(found.language), max(words.start.size - 1, 0)
    base = np.array(
        [
            at << _TEXT_BIT | (language == languages.ENGLISH) << _LANGUAGE_BIT
            for at, language in enumerate(found.language)
        ],
        np.uint32,
    )
    every = np.zeros(len(CHARACTER_ORDERS) * size + words.start.size + pairs + count, np.uint32)
    owner = np.repeat(base, _owned(found.stream)) if count > 1 else base
    free = room(codes)
    at = 0
    for order, hashes in character_hashes(codes):
        buckets = bucket(hashes, order, BUCKET_BITS)
        buckets *= free[: hashes.size] >= order - 1
        every[at : at + hashes.size] = buckets
        every[at : at + size] += owner
        at += size
    owner = base.take(found.text_of_word)
    every[at : at + words.start.size] = bucket(words.hashes, "word", BUCKET_BITS)
    every[at : at + words.start.size] += owner
    at += words.start.size
    if pairs:
        hashes, is_pair = pair_hashes(words, found.text_of_word)
        every[at : at + pairs] = bucket(hashes, "pair", BUCKET_BITS) * is_pair
        every[at : at + pairs] += owner[1:]
        at += pairs
    every[at:] = base
    every.sort()
    return every, every.searchsorted(base & ~np.uint32((1 << _TEXT_BIT) - 1))


def _owned(stream: Stream) -> NDArray[np.int64]:
    """Return how many positions of a stream belong to each text; the last space goes to the last text."""
    lengths = np.diff(stream.starts)
    lengths[-1] += 1
    return lengths
