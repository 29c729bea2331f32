"""Hashed n-grams of a whole batch at once, by rolling polynomial hashes over code points.

Characters: every run of 2 to 4 code points inside a word, the spaces around the word included. Words: each word, and each
pair of neighbours. A hash is a polynomial modulo 2**64 of the folded code points, finished by a multiplication; its
upper bits choose the bucket. The hash of a word does not depend on where it stands: prefix sums are divided by the power
of the base at its start, which an odd base allows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from classifiers import letters
from classifiers.text import Stream

CHARACTER_ORDERS = (2, 3, 4)
_BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = pow(_BASE, -1, 2**64)
_FINISH = {
    "word": np.uint64(0xD6E8FEB86659FD93),
    "pair": np.uint64(0xA0761D6478BD642F),
    2: np.uint64(0xE7037ED1A0B428DB),
    3: np.uint64(0x8EBC6AF09C88C6E3),
    4: np.uint64(0x589965CC75374CC3),
}
_PAIR = np.uint64(0xEB44ACCAB455D165)
_MIX = np.uint64(29)
_B = np.uint64(_BASE)


@dataclass(frozen=True, slots=True)
class Words:
    """Where the words of a stream are: `start` and `end` (exclusive) positions, and their 64-bit hashes."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    hashes: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Grams:
    """N-grams of one kind: the stream position where each begins, how many code points it has, and its bucket."""

    kind: str
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    bucket: NDArray[np.int64]


@cache
def _powers(base: int, count: int) -> NDArray[np.uint64]:
    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    powers = np.cumprod(powers, dtype=np.uint64)
    powers.setflags(write=False)
    return powers


def _capacity(size: int) -> int:
    return max(4096, 1 << (size - 1).bit_length())


def bucket(hashes: NDArray[np.uint64], kind: str | int, bits: int) -> NDArray[np.int64]:
    """Return the bucket in [0, 2**bits) of each hash; every kind of n-gram is spread differently."""
    mixed = hashes >> _MIX
    mixed ^= hashes
    mixed *= _FINISH[kind]
    mixed >>= np.uint64(64 - bits)
    return mixed.view(np.int64)


def find_words(codes: NDArray[np.uint32]) -> Words:
    """Return the words of a stream and their hashes."""
    spaces = np.flatnonzero(codes == letters.SPACE)
    start, end = spaces[:-1] + 1, spaces[1:]
    if (end == start).any():
        is_word = end > start
        start, end = start[is_word], end[is_word]
    size = _capacity(codes.size + 1)
    sums = np.zeros(codes.size + 1, np.uint64)
    np.cumsum(codes * _powers(_BASE, size)[: codes.size], out=sums[1:])
    hashes = (sums[end] - sums[start]) * _powers(_BASE_INVERSE, size)[start]
    return Words(start, end, hashes)


def word_hash(word: str) -> int:
    """Return the hash that `find_words` gives to a folded word."""
    return sum(ord(letter) * pow(_BASE, at, 2**64) for at, letter in enumerate(word)) % 2**64


def pair_hashes(words: Words, text: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return a hash for each word with its successor, and whether both stand in the same text.

    `text` is the text of each word.
    """
    hashes = words.hashes[:-1] * _PAIR
    hashes += words.hashes[1:]
    return hashes, text[1:] == text[:-1]


def room(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return how far each position is from the space that ends its word; 0 for a space without a word."""
    spaces = np.flatnonzero(codes == letters.SPACE)
    lengths = np.diff(spaces, append=codes.size)
    ends = spaces + lengths
    ends[lengths == 1] -= 1
    ends[-1] = spaces[-1]
    return np.repeat(ends, lengths) - np.arange(codes.size)


def character_hashes(codes: NDArray[np.uint32]) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """Yield, for each order, the hash of the n-gram at every position, valid or not."""
    wide = codes.astype(np.uint64)
    hashes = wide
    for order in range(2, CHARACTER_ORDERS[-1] + 1):
        hashes = hashes[:-1] * _B
        hashes += wide[order - 1 :]
        yield order, hashes


def text_of(positions: NDArray[np.int64], stream: Stream) -> NDArray[np.int64]:
    """Return the text to which each position of a stream belongs; texts without a word own none."""
    if stream.starts.size == 2:
        return np.zeros(positions.size, np.int64)
    return np.searchsorted(stream.starts[1:-1], positions, side="right")


def grams(stream: Stream, bits: int) -> list[Grams]:
    """Return every n-gram of a batch; the slow form of what the scorer computes, for training and explanations."""
    codes = stream.codes
    words = find_words(codes)
    pairs, is_pair = pair_hashes(words, text_of(words.start, stream))
    found = [
        Grams("word", words.start, words.end, bucket(words.hashes, "word", bits)),
        Grams(
            "pair", words.start[:-1][is_pair], words.end[1:][is_pair], bucket(pairs[is_pair], "pair", bits)
        ),
    ]
    free = room(codes)
    for order, hashes in character_hashes(codes):
        at = np.flatnonzero(free[: hashes.size] >= order - 1)
        found.append(Grams(f"characters_{order}", at, at + order, bucket(hashes[at], order, bits)))
    return found
