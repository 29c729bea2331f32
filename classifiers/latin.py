"""Arabic in Latin letters, and other languages, told from English by letter triples, for texts whose words do not decide.

One small table of two weights by hashed triple, learned by `classifiers.train_latin` and kept beside this module.
"""

from functools import cache
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers import letters
from classifiers.ngrams import finish

TABLE = Path(__file__).parent / "latin.npy"
BITS = 13
SCALE = 16  # weight steps per unit of log-odds
BASE = np.uint64(0x9E3779B97F4A7C15)
LENGTH_OFFSET = 3


class Scores(NamedTuple):
    """How much a text looks like Arabic in Latin letters rather than anything else, and like another language rather than English.

    Log-odds; 0 is doubt.
    """

    arabizi: float
    foreign: float


_NOTHING = Scores(-1.0, -1.0)


@cache
def table() -> NDArray[np.int8]:
    """Return the two weights of each bucket of triples, and last the intercepts, in steps: ndarray of shape (8193, 2), int8."""
    weights: NDArray[np.int8] = np.load(TABLE, allow_pickle=False)
    weights.setflags(write=False)
    return weights


def triples(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the bucket of every three folded code points in a row whose middle one is no space."""
    wide = codes.astype(np.uint64)
    hashes = (wide[:-2] * BASE + wide[1:-1]) * BASE + wide[2:]
    return finish(hashes[codes[1:-1] != letters.SPACE], BITS)


def scores(codes: NDArray[np.uint32]) -> Scores:
    """Return what the triples of a folded text, spaces at both ends included, look like.

    Sums are whole steps, so that the answer does not depend on the batch.
    """
    if codes.size < 3:
        return _NOTHING
    found = triples(codes)
    weights = table()
    length = sqrt(found.size + LENGTH_OFFSET)
    arabizi, foreign = weights.take(found, axis=0).sum(axis=0, dtype=np.int64).tolist()
    at_arabizi, at_foreign = weights[-1].tolist()
    return Scores((arabizi / length + at_arabizi) / SCALE, (foreign / length + at_foreign) / SCALE)
