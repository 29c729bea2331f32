"""How a table begins: what sets its fields apart. For every program here that reads tables, so nothing else of this package is imported."""

import re
from collections.abc import Iterator
from itertools import chain

DELIMITERS = (",", ";", "\t")
_QUOTED = re.compile(r'"[^"]*"')
_SAID = re.compile(r'^"?sep=(.)"?\s*$')


def opening(lines: Iterator[str]) -> tuple[str, Iterator[str], int]:
    """Return what sets a table's fields apart, its lines from the one with the names on, and how many lines stand before that.

    A comma, where the names have none outside quotes a semicolon or a tab; or what a line before them says, as spreadsheets
    write it (`sep=;`).
    """
    head = next(lines, "")
    said = _SAID.match(head)
    if said is not None:
        return said[1], lines, 1
    bare = _QUOTED.sub("", head)
    return next((one for one in DELIMITERS if one in bare), ","), chain([head] if head else [], lines), 0
