"""Other readings of words that were taken apart or written with digits and signs for letters.

What folding cannot undo one character at a time: `i d i o t`, `i.d.i.o.t`, `f*ck`, `1d10t`, `ك ل ب`, `ك.ل.ب`. A plainer
reading of such words is read after the text, each letter remembering where it came from; the pieces themselves are not read,
for parts of civil words look like anything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MAX_ADDED = 2_000  # code points of readings for one text
_SIGNS = "*.•_~|+·"
_SPELLED = re.compile(
    r"(?<!\w)[^\W\d_](?:(?:\s{1,2}[^\W\d_](?!\w)){2,}|(?:[.*_\-~|+•·,/\\]{1,2}[^\W\d_](?!\w)){2,})"
)
_LONE = re.compile(  # two of the letters that _SPELLED needs; quicker to miss
    r"[\s.*_\-~|+•·,/\\][^\W\d_](?=[\s.*_\-~|+•·,/\\]{1,2}[^\W\d_](?!\w))"
)
_SPLIT = re.compile(rf"(?<![\w@/])[^\W\d_]+(?:[{_SIGNS}]{{1,3}}[^\W\d_]+)+(?![\w@/])")
_TWO_WORDS = re.compile(
    r"[^\W\d_]{2,}(?:[.+|_]{1,3}[^\W\d_]{2,})+"
)  # a full stop without its space, or a name
_SIGNED = re.compile(r"(?<![\w@$!./])(?=[A-Za-z0-9]*[0134578@$!])[A-Za-z0-9@$!]{3,24}(?![\w@./])")
_INNER = re.compile(
    r"[A-Za-z][0134578@$!]{1,2}[A-Za-z]|^[$@][A-Za-z]{2}|^[0134578][A-Za-z]+[0134578][A-Za-z]"
)
_HIT = re.compile(
    rf"[{_SIGNS}0134578@$!](?=[^\W\d_])"
)  # what _SPLIT, or _SIGNED with _INNER, cannot match without
_HOST = re.compile(r"\.(?:com|net|org|info|co|io|me|tv|gov|edu|[a-z]{2})$", re.IGNORECASE)
_RUN = re.compile(r"\S+")
_LETTERS = str.maketrans("0134578@$!", "oieastbasi")


@dataclass(frozen=True, slots=True)
class Readings:
    """A text in which broken words are blanked, as long as it was, and what is read after it.

    `added` holds the plainer readings, a space before each; `places` the index in the text of each of their code points.
    """

    text: str
    added: str
    places: list[int]


def readings(text: str) -> Readings:
    """Return the plainer readings of a text; pieces of words that were put together are not read a second time."""
    added: list[str] = []
    origin: list[int] = []
    blanks: list[tuple[int, int]] = []
    for word, places, is_pieces in _find(text):
        if not places:
            continue
        if len(origin) + len(word) + 1 > _MAX_ADDED:
            break
        added.append(" " + word)
        origin += [places[0], *places]
        if is_pieces:
            blanks.append((places[0], places[-1] + 1))
    return Readings(_blanked(text, blanks), "".join(added), origin)


def _blanked(text: str, blanks: list[tuple[int, int]]) -> str:
    if not blanks:
        return text
    letters = list(text)
    for start, end in blanks:
        letters[start:end] = " " * (end - start)
    return "".join(letters)


def _find(text: str) -> Iterator[tuple[str, list[int], bool]]:
    """Yield each reading, where its letters stand, and whether what stands there is nothing but pieces of it."""
    spelled = [match.span() for match in _SPELLED.finditer(text)] if _LONE.search(text) else []
    for span in spelled:
        yield *_letters(text, *span), True
    text = _blanked(text, spelled)
    end = 0
    while hit := _HIT.search(text, end):
        start, end = _part(text, hit.start(), end)
        part = text[start:end]
        for match in _SPLIT.finditer(part):
            if not _HOST.search(match.group()):
                is_pieces = not _TWO_WORDS.fullmatch(match.group())
                yield *_letters(text, start + match.start(), start + match.end()), is_pieces
        for match in _SIGNED.finditer(part):
            word = match.group().rstrip("!")
            if _INNER.search(word):
                first = start + match.start()
                yield word.translate(_LETTERS), list(range(first, first + len(word))), False


def _part(text: str, at: int, earliest: int) -> tuple[int, int]:
    """Return where the run without white space around a place begins and ends."""
    before = text[earliest:at]
    run = _RUN.match(text, at)
    assert run is not None
    start = at - len(before.rsplit(None, 1)[-1]) if before and not before[-1].isspace() else at
    return start, run.end()


def _letters(text: str, start: int, end: int) -> tuple[str, list[int]]:
    places = [at for at in range(start, end) if text[at].isalpha()]
    return "".join([text[at] for at in places]), places
