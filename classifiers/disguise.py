"""Other readings of words that were taken apart or written with digits and signs for letters.

What folding cannot undo one character at a time: `i d i o t`, `i.d.i.o.t`, `f*ck`, `1d10t`, `ك ل ب`, `ك.ل.ب`. The text
stays as it is; a plainer reading of such words is read after it, each letter remembering where it came from.
"""

import re
from collections.abc import Iterator

_MAX_ADDED = 2_000  # code points of readings for one text
_SIGNS = "*.•_~|+·"
_SPELLED = re.compile(r"(?<!\w)[^\W\d_](?:[\s.*_\-~|+•·,/\\]{1,2}[^\W\d_](?!\w)){2,}")
_SPLIT = re.compile(rf"(?<![\w@/])[^\W\d_]+(?:[{_SIGNS}]{{1,3}}[^\W\d_]+)+(?![\w@/])")
_SIGNED = re.compile(r"(?<![\w@$!./])(?=[A-Za-z0-9]*[0134578@$!])[A-Za-z0-9@$!]{3,24}(?![\w@./])")
_INNER = re.compile(
    r"[A-Za-z][0134578@$!]{1,2}[A-Za-z]|^[$@][A-Za-z]{2}|^[0134578][A-Za-z]+[0134578][A-Za-z]"
)
_HOST = re.compile(r"\.(?:com|net|org|info|co|io|me|tv|gov|edu|[a-z]{2})$", re.IGNORECASE)
_ENDS = ".,!?:;()\"'،؟؛«»…"
_LETTERS = str.maketrans("0134578@$!", "oieastbasi")


def readings(text: str) -> tuple[str, list[int]]:
    """Return the plainer readings, a space before each, and the index in the text of each of their code points."""
    added: list[str] = []
    origin: list[int] = []
    for word, places in _find(text):
        if not places:
            continue
        if len(origin) + len(word) + 1 > _MAX_ADDED:
            break
        added.append(" " + word)
        origin += [places[0], *places]
    return "".join(added), origin


def _find(text: str) -> Iterator[tuple[str, list[int]]]:
    for match in _SPELLED.finditer(text):
        yield _letters(text, *match.span())
    end = 0
    for part in text.split():
        if part.isalpha() or part.strip(_ENDS).isalpha():
            continue
        start = text.index(part, end)
        end = start + len(part)
        for match in _SPLIT.finditer(part):
            if not _HOST.search(match.group()):
                yield _letters(text, start + match.start(), start + match.end())
        for match in _SIGNED.finditer(part):
            word = match.group().rstrip("!")
            if _INNER.search(word):
                first = start + match.start()
                yield word.translate(_LETTERS), list(range(first, first + len(word)))


def _letters(text: str, start: int, end: int) -> tuple[str, list[int]]:
    places = [at for at in range(start, end) if text[at].isalpha()]
    return "".join([text[at] for at in places]), places
