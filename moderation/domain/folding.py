"""Text as the word lists compare it: one spelling for many, and the way back to the characters it came from.

Case, accents, compatibility and presentation forms, the shapes of Arabic letters (hamza, alef, ya, ta marbuta, Persian and
Urdu variants), Arabic diacritics and tatweel, invisible and bidi controls, and the digits of all scripts are folded away.
Letters, digits and the marks of other scripts stay; all else becomes a space, so that words are what spaces separate.
"""

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_LETTERS = {
    "ٱ": "ا",
    "ى": "ي",
    "ی": "ي",
    "ې": "ي",
    "ے": "ي",
    "ة": "ه",
    "ۃ": "ه",
    "ہ": "ه",
    "ھ": "ه",
    "ە": "ه",
    "ک": "ك",
    "ڪ": "ك",
    "گ": "ك",
    "ڭ": "ك",
    "پ": "ب",
    "چ": "ج",
    "ژ": "ز",
    "ڤ": "ف",
    "ڨ": "ف",
    "ۆ": "و",
    "ۋ": "و",
    "ء": "",  # written or not: شيء, شي
    "ـ": "",
    "ß": "ss",
    "ı": "i",
    "ø": "o",
    "đ": "d",
    "ł": "l",
    "æ": "ae",
    "œ": "oe",
}
"""What decomposition (NFKD) and case folding leave apart."""

_DROPPED_MARKS = (
    (0x0300, 0x036F),  # accents
    (0x0591, 0x05C7),  # Hebrew points
    (0x0610, 0x061A),  # Arabic signs
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
    (0x0898, 0x08FF),
    (0x180B, 0x180F),
    (0xFE00, 0xFE0F),  # variation selectors
    (0xE0100, 0xE01EF),
)
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")  # Hangul fillers
_ARABIC_SPACING_MARKS = range(0xFE70, 0xFE80)  # decompose to a space and a mark

_MOST_REMEMBERED = 70_000  # foldings; a text of ever new characters cannot fill the memory


class _Folding(dict[int, str]):
    """What each code point becomes, worked out when it is first met; for `str.translate`."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        folded = self[code] = _fold(chr(code))
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Return ``text`` folded, words apart by spaces. Total on any string; linear."""
    return text.translate(_FOLDING)


@dataclass(frozen=True, slots=True)
class Span:
    """Where a word stands in the text it came from: code points, end exclusive, with the marks on its last letter."""

    start: int
    end: int


def word_spans(text: str, wanted: Collection[int]) -> dict[int, Span]:
    """Return where the words with the numbers ``wanted`` of ``fold(text).split()`` stand in ``text``."""
    return {number: span for number, span in enumerate(_spans(text)) if number in wanted}


def _spans(text: str) -> Iterator[Span]:
    start = end = -1
    for at, character in enumerate(text):
        folded = _FOLDING[ord(character)]
        # A character may become several words (few do, such as fractions): each counts.
        for piece in folded:
            if piece == " ":
                if start >= 0:
                    yield Span(start, end)
                start = -1
            else:
                start = at if start < 0 else start
                end = at + 1
        if not folded and start >= 0 and unicodedata.category(character)[0] == "M" and end == at:
            end = at + 1
    if start >= 0:
        yield Span(start, end)


def _fold(character: str) -> str:
    if character in _INVISIBLE_LETTERS or unicodedata.category(character) == "Cf":
        return ""
    folded = "".join(map(_fold_piece, unicodedata.normalize("NFKD", character).casefold()))
    if ord(character) in _ARABIC_SPACING_MARKS:
        return folded.replace(" ", "")
    return folded


def _fold_piece(piece: str) -> str:
    if piece in _LETTERS:
        return _LETTERS[piece]
    if any(low <= ord(piece) <= high for low, high in _DROPPED_MARKS):
        return ""
    digit = unicodedata.digit(piece, None)
    if digit is not None:
        return str(digit)
    return piece if unicodedata.category(piece)[0] in "LNM" else " "
