"""The n-gram weights of a model as the scorer holds them: an owner and four small weights for each bucket of each language.

The weights of a bucket lie side by side, so that one look-up serves all outputs. A bucket weighs only for the n-gram that owns
it: another one that falls into it is told by its check (all but one in sixteen) and weighs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers import kernel, languages
from classifiers.analysis import (
    BUCKETS,
    CHECK_BITS,
    CODES,
    ENGLISH_ORDERS,
    Analysis,
    Compiled,
    owned_keys,
    owned_places,
)
from classifiers.errors import ArtifactIncompatibleError
from classifiers.ngrams import ORDERS

PER_LANGUAGE = 4  # outputs at most: four weights of 16 bits are looked up as one integer
_PLACE, _TO_PLACE = np.array(2 * BUCKETS - 1, np.uint32), np.array(CHECK_BITS, np.uint32)
# The last byte that none of the codes of a bucket has, of sixteen buckets in a row.
_NOBODY = (np.arange(16)[::-1] << CHECK_BITS).astype(np.uint8)
_ONES = np.ones(1 << 12)
_LIMIT = np.iinfo(np.int16).max
_AT_ONCE = 1 << 14  # rows spread at a time: a large copy would stay with the process after it is freed
_BIAS = 1 << 15  # added to each weight: none is negative, so sums of several in one integer do not mix
_ALTERNATE = np.array(0x0000FFFF0000FFFF, np.uint64)
_SHIFT = np.array(16, np.uint64)
_LOW = (1 << 32) - 1
_MOST = 1 << 16  # weights whose sum is sure to need no more than 32 bits


@dataclass(frozen=True, slots=True)
class OutputSteps:
    """One output's steps in one language: a column of its quads; what is compiled has all languages."""

    quads: NDArray[np.uint64]
    owners: NDArray[np.uint8]
    column: int
    compiled: kernel.ModelWeights | None
    language: int

    def places(
        self, found: Analysis, unit: float, least: float, most: float
    ) -> tuple[float, list[tuple[int, int, float]]] | None:
        """Return what compiled loops find in a single text (see `kernel.ModelWeights.places`), None where they did not read it."""
        if self.compiled is None or not isinstance(found.of, Compiled):
            return None
        return self.compiled.places(found.of.reading, self.language, self.column, unit, least, most)

    def take(self, codes: NDArray[np.uint32], /) -> NDArray[np.int64]:
        """Return the steps of these codes, 0 where another n-gram owns the bucket."""
        place = codes >> _TO_PLACE
        owned = (self.owners.take(place, mode="wrap") == codes.astype(np.uint8)).nonzero()[0]
        steps = np.zeros(codes.size, np.int64)
        biased = _columns(self.quads.take(place.take(owned), mode="wrap"))[:, self.column]
        steps[owned] = biased.astype(np.int64) - _BIAS
        return steps


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of both languages, one after the other; `columns` names the place of each output of a language.

    `quads` and `owners` are of shape (languages * BUCKETS,); a quad holds PER_LANGUAGE weights, each _BIAS above what it is. An owner
    is the last byte of its code: its check, and the end of its bucket, which is wrong where nobody owns the bucket.
    """

    quads: NDArray[np.uint64]
    owners: NDArray[np.uint8]
    columns: Mapping[str, tuple[str, ...]]
    compiled: kernel.ModelWeights | None = None

    def of(self, output: str, language: str) -> OutputSteps:
        """Return what looks up the steps of one output of one language."""
        at = tuple(self.columns).index(language)
        of_language = slice(at * BUCKETS, (at + 1) * BUCKETS)
        column = self.columns[language].index(output)
        return OutputSteps(self.quads[of_language], self.owners[of_language], column, self.compiled, at)

    def sums(self, found: Analysis) -> list[list[int]]:
        """Return for each text the sums of the steps of its distinct n-grams, in the order of its language's columns."""
        if self.compiled is not None and isinstance(found.of, Compiled):
            return self.compiled.sums(
                found.of.reading, bytes([told == languages.ENGLISH for told in found.language])
            )
        if len(found.language) == 1:
            return [_sum(self.quads.take(owned_places(found, self.owners), mode="wrap"))]
        keys, begins = owned_keys(found, self.owners)
        is_distinct = keys[1:] != keys[:-1]
        keys &= _PLACE
        keys[1:] *= is_distinct
        return _sums(self.quads.take(keys, mode="wrap"), begins)  # no place is too large; "wrap" is quickest


def _columns(quads: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return the weights of quads: view of shape (quads, PER_LANGUAGE)."""
    return quads.view(np.uint16).reshape(-1, PER_LANGUAGE)


def _sum(quads: NDArray[np.uint64]) -> list[int]:
    """Return the sum of each column."""
    if quads.size > _ONES.size:
        return _slow_sums(quads, np.zeros(1, np.int64))[0]
    # Sums of whole numbers this small are exact in floating point, in any order.
    sums: list[float] = _ONES[: quads.size].dot(_columns(quads).astype(np.float64)).tolist()
    return [int(of_column) - quads.size * _BIAS for of_column in sums]


def _sums(quads: NDArray[np.uint64], begins: NDArray[np.int64]) -> list[list[int]]:
    """Return the sum of each column between each beginning and the next."""
    counts = np.empty(begins.size, np.int64)
    np.subtract(begins[1:], begins[:-1], out=counts[:-1])
    counts[-1] = quads.size - begins[-1]
    if counts.max() > _MOST:
        return _slow_sums(quads, begins)
    even = np.add.reduceat(quads & _ALTERNATE, begins)
    quads >>= _SHIFT
    quads &= _ALTERNATE
    odd = np.add.reduceat(quads, begins)
    sums = np.empty((begins.size, PER_LANGUAGE), np.int64)
    sums[:, 0], sums[:, 1] = even & _LOW, odd & _LOW
    sums[:, 2], sums[:, 3] = even >> 32, odd >> 32
    sums -= (counts * _BIAS)[:, None]
    listed: list[list[int]] = sums.tolist()
    return listed


def _slow_sums(quads: NDArray[np.uint64], begins: NDArray[np.int64]) -> list[list[int]]:
    """Return what `_sums` does, of any number of quads."""
    sums = np.add.reduceat(_columns(quads), begins, axis=0, dtype=np.int64)
    sums -= np.diff(begins, append=quads.size)[:, None] * _BIAS
    listed: list[list[int]] = sums.tolist()
    return listed


def pack(arrays: Mapping[str, NDArray[np.integer]], columns: Mapping[str, Sequence[str]]) -> Weights:
    """Spread what an artefact keeps (codes in order and, for each, the steps of every output) over all buckets.

    Raises ArtifactIncompatibleError where the arrays have another shape.
    """
    quads = np.full(len(columns) * BUCKETS, _BIAS * 0x0001000100010001, np.uint64)
    owners = np.tile(_NOBODY, len(columns) * BUCKETS // _NOBODY.size)
    for at, (language, outputs) in enumerate(columns.items()):
        codes, steps = arrays.get(f"codes_{language}"), arrays.get(f"weights_{language}")
        if codes is None or steps is None or not _is_sound(codes, steps, outputs):
            raise ArtifactIncompatibleError("the weights have another shape than this version reads")
        for first in range(0, codes.size, _AT_ONCE):
            some = codes[first : first + _AT_ONCE]
            place = (some >> CHECK_BITS) + at * BUCKETS
            owners[place] = some.astype(np.uint8)
            _columns(quads)[place, : len(outputs)] = steps[first : first + _AT_ONCE].astype(np.int32) + _BIAS
    loops = kernel.current()
    orders = bytes(ENGLISH_ORDERS if language == languages.ENGLISH else ORDERS for language in columns)
    compiled = None if loops is None else loops.weights(quads, owners, orders)
    return Weights(
        quads, owners, {language: tuple(outputs) for language, outputs in columns.items()}, compiled
    )


def _is_sound(codes: NDArray[np.integer], steps: NDArray[np.integer], outputs: Sequence[str]) -> bool:
    """Return whether codes ascend, one a bucket and none in bucket 0, and each has its steps."""
    if steps.size and (int(steps.max()) > _LIMIT or int(steps.min()) < -_LIMIT):
        return False
    if codes.ndim != 1 or steps.shape != (codes.size, len(outputs)) or not 0 < len(outputs) <= PER_LANGUAGE:
        return False
    buckets = codes >> CHECK_BITS
    return bool(
        codes.size == 0 or (buckets[0] > 0 and codes[-1] < CODES and (buckets[1:] > buckets[:-1]).all())
    )
