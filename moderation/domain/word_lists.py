"""Lists of words that a site does not want to see, found in spite of affixes and spelling variants.

An entry is a word, a phrase of several, or a beginning: ``word*`` finds every word that begins so. ``=word`` finds the word
alone, without Arabic affixes. Words are compared folded (`folding`): case, accents, diacritics, shapes of letters and digits
do not matter, nor do invisible characters, nor whether a letter stands there three times or a hundred. Words end where
letters and digits end, so an entry is never found in the middle of a longer word.

The search is linear in the text: each word is looked up in dictionaries for each of the few affixes it may carry, and phrases
are followed word by word up to `MAX_PHRASE`. No regular expression that could backtrack.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from moderation.domain import arabic
from moderation.domain.folding import fold, word_spans

MAX_PHRASE = 10
"""Words in one entry."""
MAX_ENTRY = 100
"""Code points of one entry."""
MAX_MATCHES = 20
"""Reported for each action; a text full of banned words need not be explained word by word."""
MIN_BEGINNING = 2
"""Letters before ``*``."""

_LONGEST_WORD = MAX_ENTRY + arabic.MAX_PREFIX + arabic.MAX_SUFFIX
_HEAD = 3  # letters by which most words are ruled out at once
_RUN = re.compile(r"([^\d ])\1\1+")
_MAX_RUNS = 3  # in one word, each of which may stand for one letter or for two

_LEET = str.maketrans("013457894@$!|l", "oieastbgaasiii")
"""As people write letters; l and i are one, for 1 stands for either."""
_LEET_SIGN = re.compile(r"[@$!|](?=[a-z0-9@$!|])", re.IGNORECASE)


class WordAction(StrEnum):
    """What finding a word of a list does to the comment."""

    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class WordList:
    """A named list of entries with what they lead to."""

    name: str
    action: WordAction
    words: tuple[str, ...]
    leetspeak: bool = False
    """Whether Latin letters may stand as digits and signs (``1d10t``); finds more, and more that is innocent."""


@dataclass(frozen=True, slots=True)
class WordMatch:
    """A banned word in a text: code points of the source, end exclusive, with the affixes it carries."""

    start: int
    end: int
    action: WordAction


def is_entry(text: str) -> bool:
    """Tell whether ``text`` can stand in a list: something to look for, and not too long."""
    entry = _parse(text)
    return (
        len(text) <= MAX_ENTRY
        and 0 < len(entry.words) <= MAX_PHRASE
        and not (entry.is_beginning and len(entry.words[-1]) < MIN_BEGINNING)
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    words: tuple[str, ...]
    is_beginning: bool
    is_bare: bool
    ends_in_ta: bool
    """The last letter is a ta marbuta, which turns into a ta before a pronoun."""


def _parse(text: str) -> _Entry:
    stripped = text.strip()
    is_bare, is_beginning = stripped.startswith("="), stripped.endswith("*")
    words = tuple(_settled(fold(stripped)).split())
    ends_in_ta = not is_beginning and fold(stripped.rstrip("ـ")[-1:]) == "ه" and not stripped.endswith("ه")
    return _Entry(words, is_beginning, is_bare, ends_in_ta)


def _settled(folded: str) -> str:
    """Shorten every run of three and more to two, in entries: as many as a word has."""
    return _RUN.sub(r"\1\1", folded)


@dataclass(slots=True)
class _Hit:
    """What a word leads to when it ends an entry: as a severity (0 nothing, 1 hold, 2 reject) by how it is written."""

    bare: int = 0
    prefixed: int = 0
    with_pronoun: int = 0


@dataclass(slots=True)
class _Node:
    """Where a phrase has got to: what the next word may be."""

    words: dict[str, _Hit] = field(default_factory=dict)
    beginnings: dict[str, _Hit] = field(default_factory=dict)
    phrases: dict[str, "_Node"] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()
    """Of the beginnings."""


_SEVERITY = {WordAction.HOLD: 1, WordAction.REJECT: 2}
_ACTION = {severity: action for action, severity in _SEVERITY.items()}


class WordMatcher:
    """Finds the words of some lists; makes its tables when it first looks (about 5 µs a word), and keeps them."""

    def __init__(self, lists: Sequence[WordList], allowed: Sequence[str] = ()) -> None:
        self._lists = tuple(lists)
        self._allowed = tuple(allowed)
        self._index: _Index | None = None
        self._leet_index: _Index | None = None
        self._is_compiled = False

    def find(self, text: str) -> tuple[WordMatch, ...]:
        """Return where banned words stand, in order; at most `MAX_MATCHES` for each action."""
        if not self._is_compiled:
            self._compile()
        found: list[WordMatch] = []
        if self._index is not None:
            found += self._index.find(text, text)
        if self._leet_index is not None:
            plain = _LEET_SIGN.sub(lambda sign: sign[0].translate(_LEET), text)
            found += [
                match
                for match in self._leet_index.find(plain.casefold().translate(_LEET), text)
                if _is_leet(text[match.start : match.end])
            ]
        return tuple(sorted(set(found), key=lambda match: match.start))

    def _compile(self) -> None:
        allowed = frozenset(word for text in self._allowed for word in fold(text).split())
        leet = [words for words in self._lists if words.leetspeak]
        self._index = _Index(self._lists, allowed) if self._lists else None
        self._leet_index = _Index(leet, allowed) if leet else None
        self._is_compiled = True


class _Index:
    pass
