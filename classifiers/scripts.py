"""A language code from the script of a text, for languages that `languages.detect` cannot tell.

Coarse on purpose: one code for each script, the language most written in it. A site's own statement goes before it.
"""

import numpy as np
from numpy.typing import NDArray

UNKNOWN = "und"
_SCRIPTS = (  # code, first and last code point; folded text: Greek and Cyrillic letters that look Latin are gone
    ("el", 0x0370, 0x03FF), ("ru", 0x0400, 0x052F), ("hy", 0x0530, 0x058F), ("he", 0x0590, 0x05FF), ("hi", 0x0900, 0x097F),
    ("bn", 0x0980, 0x09FF), ("pa", 0x0A00, 0x0A7F), ("gu", 0x0A80, 0x0AFF), ("ta", 0x0B80, 0x0BFF), ("te", 0x0C00, 0x0C7F),
    ("kn", 0x0C80, 0x0CFF), ("ml", 0x0D00, 0x0D7F), ("si", 0x0D80, 0x0DFF), ("th", 0x0E00, 0x0E7F), ("lo", 0x0E80, 0x0EFF),
    ("ka", 0x10A0, 0x10FF), ("ko", 0x1100, 0x11FF), ("am", 0x1200, 0x137F), ("km", 0x1780, 0x17FF), ("ja", 0x3040, 0x30FF),
    ("ko", 0x3130, 0x318F), ("zh", 0x3400, 0x4DBF), ("zh", 0x4E00, 0x9FFF), ("ko", 0xAC00, 0xD7AF), ("zh", 0x20000, 0x323AF),
)  # fmt: skip
_EDGES = np.array([edge for _, first, last in _SCRIPTS for edge in (first, last + 1)], np.uint32)
_CODES = tuple(code for code, _, _ in _SCRIPTS)
_MIN_KANA = 10  # of a hundred letters: Japanese is written mostly in Chinese characters


def of_script(codes: NDArray[np.uint32]) -> str:
    """Return the code of the script that most letters of a folded text are written in, "und" where none stands out."""
    place = np.searchsorted(_EDGES, codes, side="right")
    inside = place[place % 2 == 1] // 2
    if inside.size == 0:
        return UNKNOWN
    counts: dict[str, int] = {}
    for at, count in enumerate(np.bincount(inside, minlength=len(_CODES)).tolist()):
        counts[_CODES[at]] = counts.get(_CODES[at], 0) + count
    if counts["ja"] * 100 >= _MIN_KANA * inside.size and counts["zh"] + counts["ja"] > inside.size // 2:
        return "ja"
    return max(counts, key=lambda code: counts[code])
