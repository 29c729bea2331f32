"""The compiled loops with the tables that they read, all of them made from the definitions of the NumPy code.

`current` is None where nothing was built, or where the environment variable CLASSIFIERS_KERNEL is `numpy`: then NumPy does the same
work, with the same bits.
"""

from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers import latin, letters, lexicon, native, ngrams, signs, threats
from classifiers.lexicon import WordClass
from classifiers.ngrams import Words
from classifiers.text import Stream

_MOST_SIGNS = 32


class Reading(Protocol):
    """Folded texts of a batch, their words and n-grams."""

    def counted(self) -> tuple[list[list[int]], list[tuple[int, int, int]]]:
        """Return the words of each class, of each text, and (text, ways in Arabic, in English) where a threat may be."""

    def lengths(self) -> list[int]:
        """Return the folded code points of each text, its leading space included."""

    def folded(self, text: int, /) -> str:
        """Return a text as folded, with a space before and after each word."""

    def latin(self, text: int, /) -> tuple[float, float]:
        """Return what `latin.scores` does."""

    def lead_back(self, text: int, origins: NDArray[np.int64], /) -> None:
        """Let each character of a text stand where these origins say, by where it stands now."""

    def stream(self) -> tuple[bytearray, bytearray, bytearray | None]:
        """Return codes (uint32), starts and origins (int64)."""

    def found(self) -> tuple[bytearray, bytearray, bytearray, bytearray, bytearray]:
        """Return starts, ends (int64), hashes (uint64), texts (int64) and classes (uint8) of all words."""

    def row(self) -> bytearray:
        """Return the codes of `ngrams.find` (uint32)."""


class ModelWeights(Protocol):
    """The weights of a model as the loops read them."""

    def sums(self, reading: Reading, languages: bytes, /) -> list[list[int]]:
        """Return what `Weights.sums` does."""

    def places(  # noqa: PLR0917 - a call of C, where names cost
        self, reading: Reading, language: int, column: int, unit: float, least: float, most: float, /
    ) -> tuple[float, list[tuple[int, int, float]]]:
        """Return where words of a single text, read with origins, weigh at least `least` of the heaviest of all.

        `most` is the largest weight known before; it is returned, or a larger one that was found. Weights are steps times `unit`.
        """


class Kernel(Protocol):
    """The loops with their tables."""

    def scan(self, texts: list[str], /) -> tuple[list[list[int]], list[int]]:
        """Return how many characters of each `Sign` each text has, and the texts that may hold a broken word."""

    def read(self, texts: list[str], with_origin: bool, /) -> Reading:
        """Fold texts and find their words."""

    def weights(self, quads: NDArray[np.uint64], owners: NDArray[np.uint8], orders: bytes, /) -> ModelWeights:
        """Take the weights of a model, and how many orders of characters each of its languages has."""


@cache
def _loaded() -> tuple[Kernel | None, str]:
    module, reason = native.load()
    if module is None:
        return None, reason
    kernel: Kernel = module.Tables(*_tables())
    return kernel, ""


def current() -> Kernel | None:
    """Return the loops, or None where NumPy does their work."""
    return _loaded()[0]


def status() -> Mapping[str, str]:
    """Return which of the two scores (`native` or `numpy`), and why it is NumPy."""
    kernel, reason = _loaded()
    return {"kernel": "native"} if kernel is not None else {"kernel": native.NUMPY, "reason": reason}


def stream_of(reading: Reading) -> Stream:
    """Return the folded texts of a reading as arrays."""
    codes, starts, origin = reading.stream()
    return Stream(
        np.frombuffer(codes, np.uint32),
        np.frombuffer(starts, np.int64),
        None if origin is None else np.frombuffer(origin, np.int64),
    )


def words_of(reading: Reading) -> Words:
    """Return the words of a reading as arrays."""
    start, end, hashes, text, _ = reading.found()
    values = np.frombuffer(hashes, np.uint64)
    codes = ngrams.finish(values).astype(np.uint32)
    return Words(
        np.frombuffer(start, np.int64),
        np.frombuffer(end, np.int64),
        values,
        codes,
        np.frombuffer(text, np.int64),
    )


def codes_of(reading: Reading) -> NDArray[np.uint32]:
    """Return the codes of a reading's n-grams, as `ngrams.find` does; they may be written to."""
    return np.frombuffer(reading.row(), np.uint32)


def _tables() -> tuple[NDArray[Any], ...]:
    """Return the arrays that the kernel reads, in the order of module.c."""
    return (
        _constants(),
        np.array([latin.LENGTH_OFFSET, latin.SCALE], np.float64),
        *_letters(),
        *_lexicon(),
        latin.table(),
    )


def _constants() -> NDArray[np.uint64]:
    from classifiers.analysis import BUCKET_BITS

    hashing = (*ngrams.MULTIPLIERS, latin.BASE, ngrams.CODE_BITS, BUCKET_BITS, ngrams.ORDERS, latin.BITS)
    return np.array(
        [*hashing, letters.EXPANDS, signs.COUNT, lexicon.COUNT, WordClass.THREAT],
        np.uint64,
    )


def _letters() -> tuple[NDArray[Any], ...]:
    pieces = sorted(letters.expansions().items())
    gaps = np.zeros(_MOST_SIGNS, np.uint8)
    gaps[list(signs.GAPS)] = 1
    return (
        letters.word_table(),
        signs.marked_table(),
        gaps,
        np.array([code for code, _ in pieces], np.uint32),
        np.array(list(accumulate(piece.size for _, piece in pieces)), np.uint32),
        np.concatenate([piece for _, piece in pieces]),
    )


def _lexicon() -> tuple[NDArray[Any], ...]:
    words = lexicon.word_classes()
    return (
        np.array(list(map(ngrams.word_hash, words)), np.uint64),
        np.array(list(words.values()), np.uint8),
        *(
            np.array([ways.get(word, 0) for word in words], np.uint8)
            for ways in (threats.arabic_ways(), threats.english_ways())
        ),
        np.array([ord(letter) for word in words for letter in word], np.uint32),
        np.array(list(accumulate(map(len, words))), np.uint32),
    )
