"""Other readings of words that were taken apart or written with digits and signs for letters.

What folding cannot undo one character at a time: `i d i o t`, `i.d.i.o.t`, `f*ck`, `1d10t`, `ك ل ب`, `ك.ل.ب`. The plainer
reading stands in place of such a word, each letter remembering where it came from; the pieces are not read, for parts of civil
words look like anything. Where a word may be meant as it stands too, the reading comes after the text instead.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_MAX_ADDED = 2_000  # code points of readings for one text
_SIGNS = "*.•_~|+·"
_SPELLED = re.compile(
    r"(?<!\w)[^\W\d_](?:(?:\s{1,2}[^\W\d_](?!\w)){2,}|(?:[.*_\-~|+•·,/\\]{1,2}[^\W\d_](?!\w)){2,})"
)
_SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))  # \s, which is slower
_GAPS = rf"{_SPACES}.*_\-~|+•·,/\\"
_LONE = re.compile(  # what _SPELLED cannot match without, and other things; quicker to miss
    rf"[{_GAPS}][^{_GAPS}][{_GAPS}]{{1,2}}[^{_GAPS}](?!\w)"
)
_CHAIN = re.compile(rf"(?<![\w@/])[^\W\d_]++(?:[{_SIGNS}]{{1,3}}+[^\W\d_]++)++")
_BEFORE_SIGN = re.compile(rf"[^\W\d_]+(?:[{_SIGNS}]{{1,3}}[^\W\d_]+)+(?=[{_SIGNS.replace('_', '')}])")
_GOES_ON = re.compile(r"[\w@/]")
_TWO_WORDS = re.compile(
    r"[^\W\d_]{2,}(?:[.+|_]{1,3}[^\W\d_]{2,})+"
)  # a full stop without its space, or a name
_SIGNED = re.compile(r"(?<![\w@$!./])(?=[A-Za-z0-9]*[0134578@$!])[A-Za-z0-9@$!]{3,24}(?![\w@/]|\.\w)")
_INNER = re.compile(
    r"[A-Za-z][0134578@$!]{1,2}[A-Za-z]|^[$@][A-Za-z]{2}|^[0134578][A-Za-z]+[0134578][A-Za-z]"
)
_NAME = re.compile(r"@(?![sS$]{2})")  # of an account; "@ss" is none
_TICKER = re.compile(r"\$[A-Z]{1,5}")  # what a company is called on an exchange
_NO_ARABIZI = re.compile(r"[014@$!]")  # signs that stand for no Arabic letter
_HIT = re.compile(
    rf"[{_SIGNS}0134578@$!](?=[^\W\d_])"
)  # what _CHAIN, or _SIGNED with _INNER, cannot match without
_HOST = re.compile(r"\.(?:com|net|org|info|co|io|me|tv|gov|edu|[a-z]{2})$", re.IGNORECASE)
_RUN = re.compile(r"\S+")
_LETTERS = str.maketrans("0134578@$!", "oieastbasi")


class Reading(NamedTuple):
    """A plainer word, where its letters stand in the text, and whether it is read instead of what stands there."""

    word: str
    places: Sequence[int]
    is_instead: bool


@dataclass(frozen=True, slots=True)
class Readings:
    """A text as it is read, and the edits that made it: what is read instead, in order, and what is read after it."""

    text: str
    length: int  # of the source
    instead: Sequence[Reading]
    after: Sequence[Reading]

    def origin(self) -> list[int]:
        """Return the index in the source of each code point of the text; spaces between readings stand where words begin."""
        origin: list[int] = []
        end = 0
        for reading in self.instead:
            origin += [*range(end, reading.places[0]), *reading.places]
            end = reading.places[-1] + 1
        origin += range(end, self.length)
        for reading in self.after:
            origin += [reading.places[0], *reading.places]
        return origin


def readings(text: str) -> Readings | None:
    """Return a text with its broken words in plainer readings, None where it has none."""
    instead: list[Reading] = []
    after: list[Reading] = []
    room = _MAX_ADDED
    for reading in _find(text):
        if not reading.places:
            continue
        if reading.is_instead:
            instead.append(reading)
            continue
        if room > len(reading.word):  # else there is none after the text: those in their place need none
            room -= len(reading.word) + 1
            after.append(reading)
    if not (instead or after):
        return None
    instead = _without_overlap(instead)
    return Readings(_read(text, instead, after), len(text), instead, after)


def _without_overlap(found: Sequence[Reading]) -> list[Reading]:
    """Return the readings in the order of the text, of two that share a place the first."""
    kept: list[Reading] = []
    end = 0
    for reading in sorted(found, key=lambda reading: reading.places[0]):
        if reading.places[0] >= end:
            kept.append(reading)
            end = reading.places[-1] + 1
    return kept


def _read(text: str, instead: Sequence[Reading], after: Sequence[Reading]) -> str:
    parts: list[str] = []
    end = 0
    for reading in instead:
        parts += (text[end : reading.places[0]], reading.word)
        end = reading.places[-1] + 1
    parts.append(text[end:])
    for reading in after:
        parts += (" ", reading.word)
    return "".join(parts)


def _blanked(text: str, blanks: list[tuple[int, int]]) -> str:
    if not blanks:
        return text
    letters = list(text)
    for start, end in blanks:
        letters[start:end] = " " * (end - start)
    return "".join(letters)


def _find(text: str) -> Iterator[Reading]:
    """Yield each reading."""
    spelled = [match.span() for match in _SPELLED.finditer(text)] if _LONE.search(text) else []
    for span in spelled:
        yield _letters(text, *span, is_instead=True)
    text = _blanked(text, spelled)
    end = 0
    while hit := _HIT.search(text, end):
        start, end = run_around(text, hit.start(), end)
        yield from _of_part(text, start, end)


def _of_part(text: str, start: int, end: int) -> Iterator[Reading]:
    """Yield the readings of a run without white space."""
    for first, last in _split(text, start, end):
        if not _HOST.search(text, first, last):
            yield _letters(text, first, last, is_instead=not _TWO_WORDS.fullmatch(text, first, last))
    for match in _SIGNED.finditer(text, start, end):
        word = match.group().rstrip("!")
        if _INNER.search(word) and not _NAME.match(word):
            places = range(match.start(), match.start() + len(word))
            is_instead = _NO_ARABIZI.search(word) is not None and not _TICKER.fullmatch(word)
            yield Reading(word.translate(_LETTERS), places, is_instead)


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where words are split by signs, up to a place where no word, address or path goes on.

    A chain of letters and signs is tried from its first letters alone: where nothing ends it there, nothing does from later ones.
    """
    while chain := _CHAIN.search(text, start, end):
        first, last = chain.span()
        start = last
        if _GOES_ON.match(text, last, end):
            shorter = _BEFORE_SIGN.match(text, first, last)
            if shorter is None:
                continue
            start = last = shorter.end()
        yield first, last


def run_around(text: str, at: int, earliest: int = 0) -> tuple[int, int]:
    """Return where the run without white space around a place begins, not before `earliest`, and ends."""
    before = text[earliest:at]
    run = _RUN.match(text, at)
    assert run is not None
    start = at - len(before.rsplit(None, 1)[-1]) if before and not before[-1].isspace() else at
    return start, run.end()


def _letters(text: str, start: int, end: int, *, is_instead: bool) -> Reading:
    places = [at for at in range(start, end) if text[at].isalpha()]
    return Reading("".join([text[at] for at in places]), places, is_instead)
