"""The n-gram weights of a model as the scorer holds them: an owner and packed weights for each bucket of each language.

Two outputs share one 64-bit integer, so that one look-up and one sum serve both. A bucket weighs only for the n-gram that owns
it: another one that falls into it is told by its check (all but one in sixteen) and weighs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.analysis import BUCKETS, CHECK_BIT, CHECK_BITS, CODES, Analysis, keys
from classifiers.errors import ArtifactIncompatibleError

PER_LANGUAGE = 4  # outputs at most: two integers of two
_HALF = 32
_PLACE = np.uint32(2 * BUCKETS - 1)
_CHECK = np.uint32((1 << CHECK_BITS) - 1)
_NOBODY = 1 << CHECK_BITS
_CHECK_BIT = np.uint32(CHECK_BIT)


@dataclass(frozen=True, slots=True)
class OutputSteps:
    """One output's steps in one language; unpacks only what is looked up."""

    packed: NDArray[np.int64]
    owners: NDArray[np.uint8]
    is_low: bool

    def take(self, codes: NDArray[np.int64], /) -> NDArray[np.int64]:
        """Return the steps of these codes, 0 where another n-gram owns the bucket."""
        place = codes >> CHECK_BITS
        packed = self.packed.take(place)
        packed *= self.owners.take(place) == (codes & int(_CHECK))
        low = (packed << _HALF) >> _HALF
        return low if self.is_low else (packed - low) >> _HALF


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of both languages, one after the other; `columns` names the place of each output of a language."""

    tables: tuple[NDArray[np.int64], ...]
    owners: NDArray[np.uint8]
    columns: Mapping[str, tuple[str, ...]]

    def of(self, output: str, language: str) -> OutputSteps:
        """Return what looks up the steps of one output of one language."""
        column = self.columns[language].index(output)
        first = tuple(self.columns).index(language) * BUCKETS
        table = self.tables[column // 2]
        return OutputSteps(
            table[first : first + BUCKETS], self.owners[first : first + BUCKETS], column % 2 == 0
        )

    def sums(self, found: Analysis) -> list[tuple[int, ...]]:
        """Return for each text the sum of the steps of its distinct n-grams, in the order of its language's columns."""
        found_keys, firsts = keys(found)
        place = found_keys & _PLACE
        found_checks = (found_keys >> _CHECK_BIT & _CHECK).astype(np.uint8)
        counts = self.owners.take(place) == found_checks
        counts[1:] &= found_keys[1:] != found_keys[:-1]
        place *= counts
        packed = [_sum(table.take(place), firsts) for table in self.tables]
        return [
            tuple(half for value in values for half in _halves(value)) for values in zip(*packed, strict=True)
        ]


def _sum(weights: NDArray[np.int64], firsts: NDArray[np.int64]) -> list[int]:
    if firsts.size == 1:
        return [int(weights.sum())]
    sums: list[int] = np.add.reduceat(weights, firsts).tolist()
    return sums


def _halves(packed: int) -> tuple[int, int]:
    low = (packed + (1 << _HALF - 1) & (1 << _HALF) - 1) - (1 << _HALF - 1)
    return low, packed - low >> _HALF


def pack(arrays: Mapping[str, NDArray[np.integer]], columns: Mapping[str, Sequence[str]]) -> Weights:
    """Spread what an artefact keeps (codes in order and, for each, the steps of every output) over all buckets.

    Raises ArtifactIncompatibleError where the arrays have another shape.
    """
    tables = tuple(np.zeros(len(columns) * BUCKETS, np.int64) for _ in range(PER_LANGUAGE // 2))
    owners = np.full(len(columns) * BUCKETS, _NOBODY, np.uint8)
    for at, (language, outputs) in enumerate(columns.items()):
        codes, steps = arrays.get(f"codes_{language}"), arrays.get(f"weights_{language}")
        if codes is None or steps is None or not _is_sound(codes, steps, outputs):
            raise ArtifactIncompatibleError("the weights have another shape than this version reads")
        place = (codes >> CHECK_BITS) + at * BUCKETS
        owners[place] = codes & int(_CHECK)
        wide = np.zeros((codes.size, PER_LANGUAGE), np.int64)
        wide[:, : len(outputs)] = steps
        for pair, table in enumerate(tables):
            table[place] = (wide[:, 2 * pair + 1] << _HALF) + wide[:, 2 * pair]
    return Weights(tables, owners, {language: tuple(outputs) for language, outputs in columns.items()})


def _is_sound(codes: NDArray[np.integer], steps: NDArray[np.integer], outputs: Sequence[str]) -> bool:
    """Return whether codes ascend, one a bucket and none in bucket 0, and each has its steps."""
    if codes.ndim != 1 or steps.shape != (codes.size, len(outputs)) or not 0 < len(outputs) <= PER_LANGUAGE:
        return False
    buckets = (codes >> CHECK_BITS).astype(np.int64)
    return bool(codes.size == 0 or (buckets[0] > 0 and codes[-1] < CODES and (np.diff(buckets) > 0).all()))
