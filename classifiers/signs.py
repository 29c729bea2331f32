"""What kind of sign each code point is, as received: the raw material of language and evidence."""

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

from classifiers import letters


class Sign:
    """Kinds of code points; every one has exactly one. Plain integers: they index lists in the hot path."""

    OTHER = 0
    DIGIT = 1
    LATIN_LOWER = 2
    LATIN_UPPER = 3
    LATIN_MARKED = 4
    ARABIC = 5
    ARABIC_ONLY = 6  # letters that Persian and Urdu do not use
    PERSIAN_URDU = 7  # letters that Arabic does not use
    LOOKALIKE = 8  # Cyrillic and Greek
    OTHER_LETTER = 9
    AT = 10
    DOT = 11
    SLASH = 12
    MONEY = 13  # currency and percent signs
    SHOUT = 14  # exclamation and question marks
    PICTURE = 15
    HIDDEN = 16  # zero-width and bidi controls, tags
    SPACE = 17
    MARK = 18  # vowel signs, tatweel, combining marks
    JOINER = 19  # signs that split words from inside: * _ - ~ |
    STYLED = 20  # mathematical, enclosed and full-width letters


COUNT = 21
GAPS = (Sign.SPACE, Sign.JOINER, Sign.DOT, Sign.OTHER, Sign.SLASH)
"""What letters are kept apart by."""
_SIGN, _LETTER, _INNER, _GOES_ON = 0x1F, 0x20, 0x40, 0x80
_ONLY_SIGN, _ONE_UP = np.array(_SIGN, np.uint8), np.array(1, np.uint8)
_HIDDEN = ((0x00AD, 0x00AE), (0x061C, 0x061D), (0x200B, 0x2010), (0x202A, 0x202F), (0x2060, 0x2070), (0xFEFF, 0xFF00),
           (0xE0000, 0xE0080))  # fmt: skip
_MARKS = (
    (0x0300, 0x0370),
    (0x0610, 0x061B),
    (0x0640, 0x0641),
    (0x064B, 0x0660),
    (0x0670, 0x0671),
    (0x06D6, 0x06DE),
)
_PICTURES = ((0x2600, 0x27C0), (0x1F000, 0x1FB00), (0x2B00, 0x2C00))
_STYLED = ((0xFF21, 0xFF3B), (0xFF41, 0xFF5B), (0x1D400, 0x1D800), (0x1F110, 0x1F18A), (0x24B6, 0x24EA))
_EXACT = {
    Sign.AT: "@＠",
    Sign.DOT: ".",
    Sign.SLASH: "/:",
    Sign.MONEY: "$€£¥₺₪%٪﷼",
    Sign.SHOUT: "!?؟！？¡¿",
    Sign.JOINER: "*_-~|+•·",
    Sign.ARABIC_ONLY: "ةىكيأإؤ",
    Sign.PERSIAN_URDU: "پچژگکیٹڈڑںھہےۂۃۓێۆەڕڵ",
}


_SIGN_OF_CATEGORY = {"Nd": Sign.DIGIT, "No": Sign.DIGIT, "Zs": Sign.SPACE, "Cc": Sign.SPACE}
_LETTER_BLOCKS = (
    (Sign.LATIN_MARKED, 0x80, 0x250),
    (Sign.LATIN_MARKED, 0x1E00, 0x1F00),
    (Sign.LOOKALIKE, 0x370, 0x530),
    (Sign.ARABIC, 0x600, 0x780),
    (Sign.ARABIC, 0x8A0, 0x900),
    (Sign.ARABIC, 0xFB50, 0xFF00),
)


def _letter_sign(code: int) -> int:
    character = chr(code)
    category = letters.category(character)
    if category[0] != "L":
        return _SIGN_OF_CATEGORY.get(category, Sign.OTHER)
    if code < 0x80:
        return Sign.LATIN_UPPER if character.isupper() else Sign.LATIN_LOWER
    for sign, first, last in _LETTER_BLOCKS:
        if first <= code < last:
            return sign
    return Sign.OTHER_LETTER


def sign_table() -> NDArray[np.uint8]:
    """Return the `Sign` of every code point: ndarray of shape (0x110000,), uint8."""
    table = np.zeros(letters.SIZE, np.uint8)
    table[0x3040:0xD800] = Sign.OTHER_LETTER
    table[0x20000:0x30000] = Sign.OTHER_LETTER
    for first, last in ((0, 0x2000), (0xFB00, 0xFFF0)):
        table[first:last] = [_letter_sign(code) for code in range(first, last)]
    for sign, blocks in (
        (Sign.PICTURE, _PICTURES),
        (Sign.STYLED, _STYLED),
        (Sign.HIDDEN, _HIDDEN),
        (Sign.MARK, _MARKS),
    ):
        for first, last in blocks:
            table[first:last] = sign
    for sign, characters in _EXACT.items():
        table[[ord(character) for character in characters]] = sign
    table.setflags(write=False)
    return table


def _marks() -> NDArray[np.uint8]:
    """Return each sign with three marks above it: a letter, may stand for one between two letters, may do so twice in a row."""
    marks = np.arange(COUNT, dtype=np.uint8)
    letter = slice(Sign.LATIN_LOWER, Sign.OTHER_LETTER + 1)
    marks[letter] |= _LETTER | _GOES_ON
    marks[[Sign.DIGIT, Sign.AT, Sign.DOT, Sign.MONEY, Sign.SHOUT, Sign.JOINER]] |= _INNER
    marks[[Sign.DIGIT, Sign.AT, Sign.MONEY, Sign.JOINER]] |= _GOES_ON
    return marks


@cache
def marked_table() -> NDArray[np.uint8]:
    table = _marks().take(sign_table())
    table.setflags(write=False)
    return table


def _marked_with(mark: int) -> bytes:
    marks = _marks()
    return b"[" + re.escape(marks[marks & mark > 0].tobytes()) + b"]"


_INSIDE = re.compile(
    _marked_with(_INNER) + b"(?<=" + _marked_with(_LETTER) + b".)" + _marked_with(_GOES_ON), re.DOTALL
)  # what `_inside` finds, which is quicker for many texts


def _inside(marked: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return where a letter stands before what may stand for one, after which the word goes on."""
    # The mark of a letter comes to lie over that of a sign, then both over the third.
    inside = marked[:-2] << _ONE_UP
    inside &= marked[1:-1]
    inside <<= _ONE_UP
    inside &= marked[2:]
    return (inside >= _GOES_ON).nonzero()[0]


def read(raw: NDArray[np.uint32], bounds: NDArray[np.int64]) -> tuple[list[list[int]], set[int]]:
    """Return, for each text of a batch that `text.encode` joined, how many characters of each `Sign` it has.

    And the texts where a sign or digit stands inside a word, as disguises write it.
    """
    marked = marked_table().take(raw)
    texts = bounds.size - 1
    if texts == 1:
        suspects = {0} if _INSIDE.search(marked.tobytes()) else set()
        marked &= _ONLY_SIGN
        return [np.bincount(marked[:-1], minlength=COUNT).tolist()], suspects
    suspects = set(bounds[1:].searchsorted(_inside(marked)).tolist())
    marked &= _ONLY_SIGN
    keys = np.arange(0, texts * COUNT, COUNT).repeat(bounds[1:] - bounds[:-1])
    keys += marked[:-1]
    counts: list[list[int]] = np.bincount(keys, minlength=texts * COUNT).reshape(texts, COUNT).tolist()
    return counts, suspects
