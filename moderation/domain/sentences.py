"""Where the sentences of a text lie, and the same places in UTF-16."""

import re
from collections.abc import Sequence

Place = tuple[int, int]
"""Begin and end in code points, the end exclusive."""

MAX_SENTENCES = 64
_SENTENCE = re.compile(r"[^.!?؟…۔\n]+(?:[.!?؟…۔]+[\"'»”’)\]]*|\n|$)|[.!?؟…۔]+")


def find_sentences(text: str) -> list[Place]:
    """Return the sentences that are more than blanks, in order; the last one takes what lies beyond `MAX_SENTENCES`."""
    found: list[Place] = []
    for match in _SENTENCE.finditer(text):
        written = match[0]
        begin = match.start() + len(written) - len(written.lstrip())
        end = match.end() - len(written) + len(written.rstrip())
        if begin >= end:
            continue
        if len(found) == MAX_SENTENCES:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def in_utf16(text: str, places: Sequence[Place]) -> list[Place]:
    """Return ``places`` counted in UTF-16 code units, as JavaScript and Java count; ``places`` in order, not overlapping."""
    found, at, units = [], 0, 0
    for begin, end in places:
        start = units + _units(text[at:begin])
        units = start + _units(text[begin:end])
        at = end
        found.append((start, units))
    return found


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
