"""Arabic in Latin letters told from English by its letter triples, for texts whose words are in no list.

One small table of weights by hashed triple, learned by `classifiers.train_latin` and kept beside this module.
"""

from functools import cache
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers import letters
from classifiers.ngrams import finish

TABLE = Path(__file__).parent / "latin.npy"
BITS = 13
SCALE = 16  # weight steps per unit of log-odds
_BASE = np.uint64(0x9E3779B97F4A7C15)
_LENGTH_OFFSET = 3


@cache
def table() -> NDArray[np.int8]:
    """Return the weight of each bucket of triples, and last the intercept, in steps: ndarray of shape (8193,), int8."""
    weights: NDArray[np.int8] = np.load(TABLE, allow_pickle=False)
    weights.setflags(write=False)
    return weights


def triples(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the bucket of every three folded code points in a row whose middle one is no space."""
    wide = codes.astype(np.uint64)
    hashes = (wide[:-2] * _BASE + wide[1:-1]) * _BASE + wide[2:]
    return finish(hashes[codes[1:-1] != letters.SPACE], BITS)


def arabizi_score(codes: NDArray[np.uint32]) -> float:
    """Return how much a folded text, spaces at both ends included, looks like Arabic in Latin letters; 0 is doubt.

    Sums are whole steps, so that the answer does not depend on the batch.
    """
    if codes.size < 3:
        return -1.0
    found = triples(codes)
    weights = table()
    steps = int(weights.take(found).sum(dtype=np.int64))
    return (steps / sqrt(found.size + _LENGTH_OFFSET) + int(weights[-1])) / SCALE
