"""Links in a text, as readers' programs would make them clickable; linear in the text."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

_CHUNK = re.compile(r"[^\s<>\"'`(){}\[\]،؛«»“”]+")
_START = re.compile(r"(?:https?|hxxps?|ftp)://(?=\w)|(?<![\w.@-])www\.(?=\w)", re.IGNORECASE)
_INSIDE = "/=?&%"  # after one of these a second address is part of the first
_HINT = re.compile(r"\.[a-z0-9]|://", re.IGNORECASE)
"""Without one of these there is no link: most texts need no more than this."""
_BARE = re.compile(r"[^,;|]+")
_TRAILING = ".,;:!?؟…*_~|"
_MAX_HOST = 253  # RFC 1035 §2.3.4, in the form people write
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)

_CLEAR = """
    com net org info biz edu gov mobi xyz top site online shop store club live app dev blog news link click website
    space icu vip win bet casino porn xxx loan
    ae bh dz eg iq jo kw lb ly om qa sa sy tn ye ru cn uk de fr tr ir il pk br pl jp kr
"""
_WORDLIKE = """
    ai am at be by cc co do es eu gd gg gl id in io is it la ma me mr my ng no pw ps sd so st to tv us ws
"""
_CLEAR_ENDINGS = frozenset(_CLEAR.split())
_WORDLIKE_ENDINGS = frozenset(_WORDLIKE.split())
"""Endings that are words or abbreviations too: without a path, «done.So» is a missing space and no link."""


class Link(NamedTuple):
    """Where a link stands: code points, end exclusive."""

    start: int
    end: int


def find_links(text: str) -> Iterator[Link]:
    """Yield the links of ``text`` in order: with a scheme, with ``www.``, and plain names such as ``example.com/page``.

    E-mail addresses are no links.
    """
    if _HINT.search(text) is None:
        return
    for chunk in _CHUNK.finditer(text):
        piece = chunk[0]
        if ("." in piece and "." in piece.strip(_TRAILING)) or "://" in piece:
            yield from _links(text, chunk.start(), chunk.end())


def _links(text: str, start: int, end: int) -> Iterator[Link]:
    bounds: list[int] = []
    for found in _START.finditer(text, start, end):
        if not bounds or text[found.start() - 1] not in _INSIDE:
            bounds.append(found.start())
    bounds.append(end)
    yield from _bare_links(text, start, bounds[0])
    for link_start, link_end in pairwise(bounds):
        yield Link(link_start, link_start + len(text[link_start:link_end].rstrip(_TRAILING)))


def _bare_links(text: str, start: int, end: int) -> Iterator[Link]:
    for part in _BARE.finditer(text, start, end):
        written = part[0].rstrip(_TRAILING)
        if "." in written and _is_address(written):
            yield Link(part.start(), part.start() + len(written))


def _is_address(written: str) -> bool:
    host, slash, path = written[: _MAX_HOST + 1].partition("/")
    host = host.partition("?")[0].partition("#")[0].partition(":")[0]
    if len(host) > _MAX_HOST or "@" in host:
        return False
    labels = host.lower().split(".")
    if len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)):
        return False
    ending = labels[-1]
    return ending in _CLEAR_ENDINGS or (ending in _WORDLIKE_ENDINGS and bool(slash and path))
