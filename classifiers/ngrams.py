"""Hashed n-grams of a whole batch at once, by rolling polynomial hashes over code points.

Characters: every run of 2 to 6 code points inside a word, the spaces around the word included. Words: each word, each
pair of neighbours, each pair with one word between them, and each three in a row. A hash is a polynomial modulo 2**64 of the
folded code points, finished by a multiplication; its upper bits choose the bucket. The hash of a word does not depend on
where it stands: prefix sums are divided by the power of the base at its start, which an odd base allows.
"""

from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from classifiers import letters
from classifiers.text import Stream

ORDERS = 5  # of characters: 2 to 6
CODE_BITS = 24  # of a hash that are kept of every n-gram
_BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = pow(_BASE, -1, 2**64)
# Constants as arrays: NumPy makes one of a number anew each time, which costs a short text as much as the sum itself.
_B_POWERS = np.array([[_BASE**order % 2**64] for order in range(1, ORDERS + 1)], np.uint64)
_PAIR = np.array(0xEB44ACCAB455D165, np.uint64)
_SKIP = np.array(0x9E6C63D0676A9A99, np.uint64)
_THREE = np.array(0xC2B2AE3D27D4EB4F, np.uint64)
_FINISH = np.array(0xD6E8FEB86659FD93, np.uint64)
MULTIPLIERS = (_BASE, *map(int, (_PAIR, _SKIP, _THREE, _FINISH)))
"""What hashes are multiplied with: of characters, of pairs, of pairs with a gap, of threes, and last of all."""
_MIX = np.array(29, np.uint64)
# Of the runs in a row those that begin so many places before a space have it inside them.
_ROW_INSIDE, _BEFORE_INSIDE = (1 + part[:, None] for part in np.tril_indices(ORDERS - 1))
_SPACE_BEFORE = np.array(letters.SPACE * _BASE_INVERSE % 2**64, np.uint64)
_SPACE, _ONE = np.array(letters.SPACE, np.uint32), np.array(1)
_FEWER = (0, 1, 2, 2)  # runs than words: words, pairs of neighbours, pairs with a gap, threes
_NONE = np.zeros(1, np.uint32)
_MIN_CAPACITY = 4096
_Any = TypeVar("_Any", bound=np.integer)


class Words(NamedTuple):
    """The words of a stream.

    `start` and `end` (exclusive) are positions, `hashes` 64-bit hashes, `codes` what `finish` makes of them, `text` the text of each word.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    codes: NDArray[np.uint32]
    text: NDArray[np.int64]


@cache
def _powers(base: int, count: int) -> NDArray[np.uint64]:
    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    powers = np.cumprod(powers, dtype=np.uint64)
    powers.setflags(write=False)
    return powers


def _capacity(size: int) -> int:
    return max(_MIN_CAPACITY, 1 << (size - 1).bit_length())


def finish(hashes: NDArray[np.uint64], bits: int = CODE_BITS) -> NDArray[np.int64]:
    """Return the upper bits of each hash, mixed: in [0, 2**bits)."""
    mixed = hashes >> _MIX
    mixed ^= hashes
    mixed *= _FINISH
    mixed >>= 64 - bits
    return mixed.view(np.int64)


def find(stream: Stream) -> tuple[Words, NDArray[np.uint32]]:
    """Return the words of a stream and, in one row, the codes of its n-grams, 0 where none begins.

    The row has for each order of characters one entry for each position of the stream, then for `word_runs` one entry for each.
    """
    wide = stream.codes.astype(np.uint64)
    spaces = (stream.codes == _SPACE).nonzero()[0]
    start, end = spaces[:-1] + _ONE, spaces[1:]
    text = _texts_of_words(start, stream)
    size, count = wide.size, start.size
    hashes = np.empty(ORDERS * size + count + max(count - 1, 0) + 2 * max(count - 2, 0), np.uint64)
    _hash_characters(wide, hashes[: ORDERS * size].reshape(ORDERS, size))
    _empty_across_words(hashes, size, end)
    single = _hash_words(wide, spaces, start)
    hashes[ORDERS * size : ORDERS * size + count] = single
    _join_words(single, text, hashes[ORDERS * size + count :], is_one_text=stream.starts.size == 2)
    codes = finish(hashes).astype(np.uint32)  # half the bytes: what follows waits for memory
    return Words(start, end, single, codes[ORDERS * size : ORDERS * size + count], text), codes


def _hash_words(
    wide: NDArray[np.uint64], spaces: NDArray[np.int64], start: NDArray[np.int64]
) -> NDArray[np.uint64]:
    capacity = _capacity(wide.size)
    sums = np.empty(wide.size + 1, np.uint64)  # of all code points before each, times powers of the base
    sums[0] = 0
    np.multiply(wide, _powers(_BASE, capacity)[: wide.size], out=sums[1:])
    np.add.accumulate(sums, out=sums)
    at_spaces = sums.take(spaces)
    hashes = at_spaces[1:] - at_spaces[:-1]
    hashes *= _powers(_BASE_INVERSE, capacity).take(start)
    hashes -= _SPACE_BEFORE
    return hashes


def _texts_of_words(start: NDArray[np.int64], stream: Stream) -> NDArray[np.int64]:
    """Return what `text_of` does of positions that ascend, which are quicker to count."""
    texts = stream.starts.size - 1
    if texts == 1:
        return np.zeros(start.size, np.int64)
    edges = np.empty(texts + 1, np.int64)
    edges[0], edges[-1] = 0, start.size
    edges[1:-1] = start.searchsorted(stream.starts[1:-1])
    return np.arange(texts).repeat(edges[1:] - edges[:-1])


def word_hash(word: str) -> int:
    """Return the hash that `find` gives to a folded word."""
    return sum(ord(letter) * pow(_BASE, at, 2**64) for at, letter in enumerate(word)) % 2**64


def text_of(positions: NDArray[np.int64], stream: Stream) -> NDArray[np.int64]:
    """Return the text to which each position of a stream belongs; texts without a word own none."""
    if stream.starts.size == 2:
        return np.zeros(positions.size, np.int64)
    return np.searchsorted(stream.starts[1:-1], positions, side="right")


def _hash_characters(wide: NDArray[np.uint64], rows: NDArray[np.uint64]) -> None:
    """Write the hash of every run of characters, those across words too, into one row for each order."""
    np.multiply(wide, _B_POWERS, out=rows)
    shorter = wide
    for longer in rows:  # a run is its first character, raised, and the run without it
        longer[:-1] += shorter[1:]
        shorter = longer


def _empty_across_words(hashes: NDArray[np.uint64], size: int, end: NDArray[np.int64]) -> None:
    """Write 0 where a run of characters has a space inside it, or would go on behind the last space."""
    hashes[size - 1 : ORDERS * size : size] = 0
    hashes[end + (_ROW_INSIDE * size - _BEFORE_INSIDE)] = 0


def _join_words(
    single: NDArray[np.uint64], text: NDArray[np.int64], hashes: NDArray[np.uint64], *, is_one_text: bool
) -> None:
    """Write the hashes of pairs of neighbours, of pairs with a gap and of threes; none crosses from text to text."""
    count = single.size
    if count < 2:
        return
    pairs = hashes[: count - 1]
    np.multiply(single[:-1], _PAIR, out=pairs)
    pairs += single[1:]
    skips, threes = hashes[count - 1 : 2 * count - 3], hashes[2 * count - 3 :]
    np.multiply(single[:-2], _SKIP, out=skips)
    skips += single[2:]
    np.multiply(pairs[:-1], _THREE, out=threes)
    threes += single[2:]
    if not is_one_text:
        pairs[(text[1:] != text[:-1]).nonzero()[0]] = 0
        across = (text[2:] != text[:-2]).nonzero()[0]
        skips[across] = 0
        threes[across] = 0


def of_one_text(
    stream: Stream, words: Words, codes: NDArray[np.uint32], at: int
) -> tuple[Words, NDArray[np.uint32]]:
    """Return what `find` returns of one text of a stream by itself, from what it returned of the stream."""
    size, (start, end) = stream.codes.size, stream.starts[at : at + 2].tolist()
    first, last = words.text.searchsorted((at, at + 1)).tolist()
    count = last - first
    parts: list[NDArray[np.uint32]] = []
    for order in range(ORDERS):
        parts += (codes[order * size + start : order * size + end], _NONE)  # nothing begins at the last space
    begin = ORDERS * size
    for fewer in _FEWER:
        parts.append(codes[begin + first : begin + first + max(count - fewer, 0)])
        begin += max(words.start.size - fewer, 0)
    own = Words(
        words.start[first:last] - start,
        words.end[first:last] - start,
        words.hashes[first:last],
        words.codes[first:last],
        np.zeros(count, np.int64),
    )
    return own, np.concatenate(parts)


def word_runs(values: NDArray[_Any], *, is_end: bool) -> list[NDArray[_Any]]:
    """Return what belongs to the first (or last) word of every run of words, in the order of `find`."""
    if is_end:
        return [values, values[1:], values[2:], values[2:]]
    return [values, values[:-1], values[:-2], values[:-2]]


def places(stream: Stream, words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each entry of the row of `find` starts and ends (exclusive) in the stream."""
    positions = np.arange(stream.codes.size)
    starts = [positions] * ORDERS + word_runs(words.start, is_end=False)
    ends = [positions + order for order in range(2, ORDERS + 2)] + word_runs(words.end, is_end=True)
    return np.concatenate(starts), np.concatenate(ends)
