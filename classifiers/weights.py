"""The n-gram weights of a model as the scorer holds them: an owner and four small weights for each bucket of each language.

The weights of a bucket lie side by side, so that one look-up serves all outputs. A bucket weighs only for the n-gram that owns
it: another one that falls into it is told by its check (all but one in sixteen) and weighs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.analysis import BUCKETS, CHECK_BITS, CODES, Analysis, owned_keys
from classifiers.errors import ArtifactIncompatibleError

PER_LANGUAGE = 4  # outputs at most: four weights of 16 bits are looked up as one integer
_PLACE = np.uint32(2 * BUCKETS - 1)
_CHECK = np.uint32((1 << CHECK_BITS) - 1)
_NOBODY = 1 << CHECK_BITS
_LIMIT = np.iinfo(np.int16).max


@dataclass(frozen=True, slots=True)
class OutputSteps:
    """One output's steps in one language."""

    steps: NDArray[np.int16]
    owners: NDArray[np.uint8]

    def take(self, codes: NDArray[np.int64], /) -> NDArray[np.int64]:
        """Return the steps of these codes, 0 where another n-gram owns the bucket."""
        place = codes >> CHECK_BITS
        # `take` would first copy the whole column.
        steps: NDArray[np.int64] = self.steps[place].astype(np.int64)
        steps *= self.owners.take(place) == (codes & int(_CHECK))
        return steps


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of both languages, one after the other; `columns` names the place of each output of a language."""

    table: NDArray[np.int16]  # of shape (languages * BUCKETS, PER_LANGUAGE)
    owners: NDArray[np.uint8]
    columns: Mapping[str, tuple[str, ...]]

    def of(self, output: str, language: str) -> OutputSteps:
        """Return what looks up the steps of one output of one language."""
        first = tuple(self.columns).index(language) * BUCKETS
        of_language = slice(first, first + BUCKETS)
        column = self.columns[language].index(output)
        return OutputSteps(self.table[of_language, column], self.owners[of_language])

    def sums(self, found: Analysis) -> list[list[int]]:
        """Return for each text the sums of the steps of its distinct n-grams, in the order of its language's columns."""
        owned, base = owned_keys(found, self.owners)
        is_distinct = np.empty(owned.size, np.bool_)
        is_distinct[0] = True
        np.not_equal(owned[1:], owned[:-1], out=is_distinct[1:])
        distinct = owned.compress(is_distinct)
        begins = distinct.searchsorted(base)  # each text has its own, so none is empty
        distinct &= _PLACE
        quads = self.table.view(np.int64).ravel().take(distinct).view(np.int16)
        sums: list[list[int]] = np.add.reduceat(
            quads.reshape(-1, PER_LANGUAGE), begins, axis=0, dtype=np.int64
        ).tolist()
        return sums


def pack(arrays: Mapping[str, NDArray[np.integer]], columns: Mapping[str, Sequence[str]]) -> Weights:
    """Spread what an artefact keeps (codes in order and, for each, the steps of every output) over all buckets.

    Raises ArtifactIncompatibleError where the arrays have another shape.
    """
    table = np.zeros((len(columns) * BUCKETS, PER_LANGUAGE), np.int16)
    owners = np.full(len(columns) * BUCKETS, _NOBODY, np.uint8)
    for at, (language, outputs) in enumerate(columns.items()):
        codes, steps = arrays.get(f"codes_{language}"), arrays.get(f"weights_{language}")
        if codes is None or steps is None or not _is_sound(codes, steps, outputs):
            raise ArtifactIncompatibleError("the weights have another shape than this version reads")
        place = (codes >> CHECK_BITS) + at * BUCKETS
        owners[place] = codes & int(_CHECK)
        table[place, : len(outputs)] = steps
    return Weights(table, owners, {language: tuple(outputs) for language, outputs in columns.items()})


def _is_sound(codes: NDArray[np.integer], steps: NDArray[np.integer], outputs: Sequence[str]) -> bool:
    """Return whether codes ascend, one a bucket and none in bucket 0, and each has its steps."""
    if steps.size and np.abs(steps.astype(np.int64)).max() > _LIMIT:
        return False
    if codes.ndim != 1 or steps.shape != (codes.size, len(outputs)) or not 0 < len(outputs) <= PER_LANGUAGE:
        return False
    buckets = (codes >> CHECK_BITS).astype(np.int64)
    return bool(codes.size == 0 or (buckets[0] > 0 and codes[-1] < CODES and (np.diff(buckets) > 0).all()))
