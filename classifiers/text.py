"""Text as the scorer reads it, with a way back to the characters it came from.

A batch of texts is joined, encoded as UTF-32 and folded by one table look-up, so that a comment costs well under a
microsecond in a batch. What folding does is in `letters`: case, compatibility and presentation forms, Arabic letter forms
and look-alikes of other languages, digits of other scripts, marks, tatweel, zero-width and bidi controls, homoglyphs.
Here runs of a character are shortened, and every kept position remembers its source.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers import letters

MAX_CODE_POINTS = 20_000  # of one text; what follows is not read


class Stream(NamedTuple):
    """Folded texts in one row of code points.

    `codes` (uint32) holds the characters of all texts, a single space between words and between texts, before the first
    and after the last. `starts` (int64, one more than there are texts) are the positions of the spaces before each text
    and of the last one; texts without a word share theirs with their successor.
    `origin` (int64, as long as `codes`, or None) is the index of each character in its own source text.
    """

    codes: NDArray[np.uint32]
    starts: NDArray[np.int64]
    origin: NDArray[np.int64] | None


def encode(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return all texts as raw code points, a zero before each and one at the end, and where those zeros are."""
    joined = np.array(["\0".join(("", *texts, ""))])  # NumPy keeps strings as UTF-32, surrogates too
    bounds = np.array([0, *accumulate([len(text) + 1 for text in texts])], np.int64)
    return joined.view(np.uint32), bounds


def fold(texts: Sequence[str], *, with_origin: bool = False) -> Stream:
    """Fold a batch as the scorer reads it: punctuation becomes space, every run of a character becomes one.

    Texts are cut at MAX_CODE_POINTS.
    """
    return fold_encoded(*encode([text[:MAX_CODE_POINTS] for text in texts]), with_origin=with_origin)


def fold_encoded(raw: NDArray[np.uint32], bounds: NDArray[np.int64], *, with_origin: bool = False) -> Stream:
    """Fold what `encode` returned; the texts are short enough already."""
    origin = _positions(bounds) if with_origin else None
    codes, origin, bounds = _fold_letters(raw, bounds, letters.word_table(), origin)
    is_first = np.empty(codes.size, np.bool_)
    is_first[0] = True
    np.not_equal(codes[1:], codes[:-1], out=is_first[1:])
    kept = is_first.nonzero()[0]
    starts = kept.searchsorted(bounds, "right")
    starts -= 1
    return Stream(codes.take(kept), starts, None if origin is None else origin.take(kept))


def fold_words(words: Sequence[str]) -> list[str]:
    """Return single words as `fold` leaves them in its stream."""
    stream = fold(words)
    folded = whole_text(stream)
    found = [folded[start:end].strip() for start, end in pairwise(stream.starts.tolist())]
    return [word for word in found if word and " " not in word]


def whole_text(stream: Stream) -> str:
    """Return all folded texts of a stream in one."""
    folded: str = stream.codes.view(f"U{stream.codes.size}").item()
    return folded


def _fold_letters(
    raw: NDArray[np.uint32],
    bounds: NDArray[np.int64],
    table: NDArray[np.uint32],
    origin: NDArray[np.int64] | None,
) -> tuple[NDArray[np.uint32], NDArray[np.int64] | None, NDArray[np.int64]]:
    """Fold each character, replace those that become several, delete those that become none."""
    codes = table.take(raw)
    if np.maximum.reduce(codes) >= letters.EXPANDS:
        codes, origin, bounds = _expand(codes, origin, bounds)
    if np.count_nonzero(codes) != codes.size:
        kept = (codes != letters.DROPPED).nonzero()[0]  # of truths, quicker than of codes
        bounds = kept.searchsorted(bounds)
        codes = codes.take(kept)
        origin = None if origin is None else origin.take(kept)
    return codes, origin, bounds


def _positions(bounds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each raw code point, its index in its own text; boundaries get the index before the first."""
    if bounds.size == 2:
        positions = np.arange(-1, bounds[-1])
        positions[-1] = -1
        return positions
    lengths = np.diff(bounds, append=bounds[-1] + 1)
    return np.arange(bounds[-1] + 1) - np.repeat(bounds, lengths) - 1


def _expand(
    codes: NDArray[np.uint32], origin: NDArray[np.int64] | None, bounds: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64] | None, NDArray[np.int64]]:
    """Replace characters that become several; the copies share their source position."""
    where = np.flatnonzero(codes >= letters.EXPANDS)
    pieces = [letters.expansions()[code - letters.EXPANDS] for code in codes[where].tolist()]
    counts = np.ones(codes.size, np.int64)
    counts[where] = [piece.size for piece in pieces]
    shift = np.cumsum(counts) - counts
    wide = np.repeat(codes, counts)
    for at, piece in zip(where, pieces, strict=True):
        wide[shift[at] : shift[at] + piece.size] = piece
    return wide, None if origin is None else np.repeat(origin, counts), shift[bounds]
