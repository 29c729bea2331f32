"""Lists of words that a site does not want to see, found in spite of affixes and spelling variants.

An entry is a word, a phrase of several, or a beginning: ``word*`` finds every word that begins so. ``=word`` finds the word
alone, without Arabic affixes. Words are compared folded (`folding`): case, accents, diacritics, shapes of letters and digits
do not matter, nor do invisible characters, nor whether a letter stands there three times or a hundred. Words end where
letters and digits end, so an entry is never found in the middle of a longer word.

The search is linear in the text: each word is looked up in dictionaries for each of the few affixes it may carry, and phrases
are followed word by word up to `MAX_PHRASE`. No regular expression that could backtrack.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import islice, product
from typing import Any

from moderation.domain import arabic
from moderation.domain.configuration import JsonReader
from moderation.domain.folding import fold, word_spans

MAX_PHRASE = 10
"""Words in one entry."""
MAX_ENTRY = 100
"""Code points of one entry."""
MAX_MATCHES = 20
"""Reported for each action; a text full of banned words need not be explained word by word."""
MIN_BEGINNING = 2
"""Letters before ``*``."""

_MAX_LISTS = 50
_MAX_WORDS = 10_000  # in all lists together
_MAX_NAME = 100
_TOO_LONG = MAX_ENTRY + arabic.MAX_PREFIX + arabic.MAX_SUFFIX + 1
"""Letters after which a word can only be found by its beginning."""
_PREFIX_LENGTHS = tuple(range(1, arabic.MAX_PREFIX + 1))
_PREFIX_LETTERS = frozenset(prefix[0] for prefix in arabic.PREFIXES)
_MOST_REMEMBERED = 4096  # words; readers use the same ones again and again
_MOST_REMEMBERED_LETTERS = 32
_HEAD = 3  # letters by which most words are ruled out at once
_RUN = re.compile(r"([^\d ])\1\1+")
_MAX_RUNS = 3  # in one word, each of which may stand for one letter or for two

_LEET = str.maketrans("013457890lL", "oieastbgoii")
_LEET_SIGNS = {"@": "a", "$": "s", "!": "i", "|": "i"}
"""What digits and signs stand for; l and i are one, for 1 stands for either."""
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
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

    def as_json(self) -> dict[str, Any]:
        """Write what `read_word_lists` reads."""
        return {
            "name": self.name,
            "action": self.action.value,
            "words": list(self.words),
            "leetspeak": self.leetspeak,
        }


@dataclass(frozen=True, slots=True)
class WordMatch:
    """A banned word in a text: code points of the source, end exclusive, with the affixes it carries."""

    start: int
    end: int
    action: WordAction


def read_word_lists(reader: JsonReader, key: str) -> tuple[WordList, ...]:
    """Read the lists at ``key``, none if left out; bare words are one list that holds. Faults are noted in ``reader``."""
    value = reader.value(key)
    if isinstance(value, list | tuple) and value and all(isinstance(word, str) for word in value):
        return (WordList("", WordAction.HOLD, tuple(read_words(reader, key))),)
    lists = [
        _read_word_list(reader.element(key, at, item))
        for at, item in enumerate(reader.items(key, most=_MAX_LISTS))
    ]
    if sum(len(words.words) for words in lists) > _MAX_WORDS:
        reader.fault(key, "invalid_value", allowed=f"at most {_MAX_WORDS} words")
    return tuple(lists)


def _read_word_list(reader: JsonReader) -> WordList:
    name = reader.value("name", "")
    if not isinstance(name, str) or len(name) > _MAX_NAME:
        reader.fault("name", "wrong_type", expected=f"text of at most {_MAX_NAME} characters")
    if not reader.has("words"):
        reader.fault("words", "missing")
    words = WordList(
        name=str(name),
        action=reader.choice("action", WordAction.HOLD),
        words=tuple(read_words(reader, "words")),
        leetspeak=reader.flag("leetspeak", default=False),
    )
    reader.refuse_unknown()
    return words


def read_words(reader: JsonReader, key: str) -> Iterator[str]:
    """Yield the entries of the list at ``key``, none if left out; faults are noted in ``reader``."""
    for at, word in enumerate(reader.items(key, most=_MAX_WORDS)):
        if not isinstance(word, str):
            reader.fault_at(key, at, "wrong_type", expected="text")
        elif not is_entry(word):
            allowed = (
                f"letters or digits, at most {MAX_ENTRY} characters and {MAX_PHRASE} words, * only at the end"
            )
            reader.fault_at(key, at, "invalid_value", allowed=allowed)
        else:
            yield word


def is_entry(text: str) -> bool:
    """Tell whether ``text`` can stand in a list: something to look for, not too long, ``=`` and ``*`` only at the ends."""
    entry = _parse(text)
    return (
        len(text) <= MAX_ENTRY
        and 0 < len(entry.words) <= MAX_PHRASE
        and not (entry.is_beginning and len(entry.words[-1]) < MIN_BEGINNING)
        and not {"=", "*"} & set(text.strip().removeprefix("=").removesuffix("*"))
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    words: tuple[str, ...]
    is_beginning: bool
    is_bare: bool


def _parse(text: str) -> _Entry:
    stripped = text.strip()
    words = tuple(_RUN.sub(r"\1\1", fold(stripped)).split())
    return _Entry(words, is_beginning=stripped.endswith("*"), is_bare=stripped.startswith("="))


@dataclass(slots=True)
class _Hit:
    """What a word leads to when it ends an entry, by how it is written: 0 nothing, 1 hold, 2 reject."""

    bare: int = 0
    prefixed: int = 0
    with_pronoun: int = 0


@dataclass(slots=True)
class _Node:
    """Where a phrase has got to: what its next word may be."""

    words: dict[str, _Hit] = field(default_factory=dict)
    beginnings: dict[str, _Hit] = field(default_factory=dict)
    phrases: dict[str, "_Node"] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()
    """Of the beginnings, ascending."""

    def add(self, entry: _Entry, severity: int) -> None:
        """Take in the last word of an entry."""
        word = entry.words[-1]
        hit = (self.beginnings if entry.is_beginning else self.words).setdefault(word, _Hit())
        hit.bare = max(hit.bare, severity)
        if entry.is_beginning:
            self.lengths = tuple(sorted({*self.lengths, len(word)}))
        if entry.is_bare:
            return
        hit.prefixed, hit.with_pronoun = max(hit.prefixed, severity), max(hit.with_pronoun, severity)
        if not entry.is_beginning and len(word) > _HEAD and word.endswith("ه"):
            # A ta marbuta, which turns into a ta before a pronoun.
            hit = self.words.setdefault(word[:-1] + "ت", _Hit())
            hit.with_pronoun = max(hit.with_pronoun, severity)

    def severity(self, word: str, prefix: str) -> int:
        """Return what ``word``, written after ``prefix`` (of `arabic.PREFIXES`, or none), leads to if it ends an entry here."""
        found = 0
        if not self.words and not self.beginnings:
            return found
        if (hit := self.words.get(word)) is not None and arabic.may_begin(prefix, word):
            found = hit.prefixed if prefix else hit.bare
        for suffix in arabic.suffixes(word, has_prefix=bool(prefix)):
            hit = self.words.get(word[: -len(suffix)])
            found = max(found, hit.with_pronoun if hit else 0)
        for length in self.lengths:
            hit = self.beginnings.get(word[:length])
            if hit is not None and arabic.may_begin(prefix, word[:length]):
                found = max(found, hit.prefixed if prefix else hit.bare)
        return found


class _Index:
    """The entries of some lists, word by word."""

    def __init__(self, entries: Iterable[tuple[_Entry, int]], allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._root = _Node()
        self._gravest = 0
        for entry, severity in entries:
            node = self._root
            for word in entry.words[:-1]:
                node = node.phrases.setdefault(word, _Node())
            node.add(entry, severity)
            self._gravest = max(self._gravest, severity)
        root = self._root
        self._heads = frozenset(word[:_HEAD] for word in (*root.words, *root.beginnings, *root.phrases))
        self._has_short_beginning = any(length < _HEAD for length in root.lengths)
        self._known_start = lru_cache(_MOST_REMEMBERED)(self._start)

    def find(self, text: str) -> list[WordMatch]:
        """Return where entries stand in ``text``, in order of their first words."""
        words = fold(text).split()
        found: list[tuple[int, int, int]] = []  # first word, last word, severity
        counts = [0, 0, 0]
        for number, word in enumerate(words):
            severity, nodes = (
                self._start(word) if len(word) > _MOST_REMEMBERED_LETTERS else self._known_start(word)
            )
            last = number
            if nodes:
                severity, last = _follow(nodes, words, number, severity)
            if severity and counts[severity] < MAX_MATCHES:
                counts[severity] += 1
                found.append((number, last, severity))
                if counts[self._gravest] == MAX_MATCHES:
                    break
        if not found:
            return []
        spans = word_spans(text, {number for first, last, _ in found for number in (first, last)})
        return [
            WordMatch(spans[first].start, spans[last].end, _ACTION[severity])
            for first, last, severity in found
        ]

    def _start(self, word: str) -> tuple[int, tuple[_Node, ...]]:
        """Return what ``word`` leads to by itself, and the phrases that it may begin."""
        severity = 0
        nodes: list[_Node] = []
        forms = _forms(word)
        if not self._allowed.isdisjoint(forms):
            return 0, ()
        for form in filter(self._may_start, forms):
            for length in range(arabic.MAX_PREFIX + 1):
                prefix, rest = form[:length], form[length:]
                if prefix and prefix not in arabic.PREFIXES:
                    continue
                severity = max(severity, self._root.severity(rest, prefix))
                node = self._root.phrases.get(rest)
                if node is not None and arabic.may_begin(prefix, rest):
                    nodes.append(node)
        return severity, tuple(nodes)

    def _may_start(self, form: str) -> bool:
        """Rule out most words at once, by their first letters with and without a prefix."""
        heads = self._heads
        if form[:_HEAD] in heads or self._has_short_beginning:
            return True
        if form[0] not in _PREFIX_LETTERS:
            return False
        return any(
            form[length : length + _HEAD] in heads and form[:length] in arabic.PREFIXES
            for length in _PREFIX_LENGTHS
        )


def _follow(nodes: Sequence[_Node], words: Sequence[str], first: int, severity: int) -> tuple[int, int]:
    """Return the gravest that the phrases begun at word ``first`` lead to, and the last word of the longest of them."""
    last = at = first
    while nodes and (at := at + 1) < len(words):
        forms = _forms(words[at])
        reached = max(node.severity(form, "") for node in nodes for form in forms)
        if reached:
            severity, last = max(severity, reached), at
        nodes = [found for node in nodes for form in forms if (found := node.phrases.get(form)) is not None]
    return severity, last


def _forms(word: str) -> list[str]:
    """Return how a word may be meant: each run of three letters and more is one letter or two."""
    runs = list(islice(_RUN.finditer(word), _MAX_RUNS + 1))
    if not runs:
        return [word[:_TOO_LONG]]
    if len(runs) > _MAX_RUNS:
        return [_RUN.sub(meant, word)[:_TOO_LONG] for meant in (r"\1", r"\1\1")]
    pieces: list[tuple[str, ...]] = []
    at = 0
    for run in runs:
        pieces += [(word[at : run.start()],), (run[1], run[1] * 2)]
        at = run.end()
    return ["".join(chosen)[:_TOO_LONG] for chosen in product(*pieces, (word[at:],))]


_SEVERITY = {WordAction.HOLD: 1, WordAction.REJECT: 2}
_ACTION = {severity: action for action, severity in _SEVERITY.items()}


class WordMatcher:
    """Finds the words of some lists; makes its tables when it first looks, and keeps them.

    ``allowed`` are words that are never taken for a banned one, whatever they look like.
    """

    def __init__(self, lists: Sequence[WordList], allowed: Sequence[str] = ()) -> None:
        self._lists = tuple(lists)
        self._allowed = tuple(allowed)
        self._plain: _Index | None = None
        self._leet: _Index | None = None

    def find(self, text: str) -> tuple[WordMatch, ...]:
        """Return where banned words stand, in order; at most `MAX_MATCHES` for each action (and as many in leetspeak)."""
        if not self._lists:
            return ()
        if self._plain is None or self._leet is None:
            self._plain, self._leet = self._compiled()
        found = set(self._plain.find(text))
        if any(words.leetspeak for words in self._lists):
            found.update(
                match
                for match in self._leet.find(_read_leet(text))
                if _is_leet(text[match.start : match.end])
            )
        return tuple(sorted(found, key=lambda match: (match.start, match.end)))

    def _compiled(self) -> tuple[_Index, _Index]:
        allowed = frozenset(fold(" ".join(self._allowed)).split())
        plain = ((_parse(word), _SEVERITY[words.action]) for words in self._lists for word in words.words)
        leet = (
            (_parse(word.translate(_LEET)), _SEVERITY[words.action])
            for words in self._lists
            if words.leetspeak
            for word in words.words
            if _LATIN.search(word)
        )
        return _Index(plain, allowed), _Index(leet, frozenset())


def _read_leet(text: str) -> str:
    """Return the text with digits and signs read as letters, character for character."""
    return _LEET_SIGN.sub(lambda sign: _LEET_SIGNS[sign[0]], text).translate(_LEET)


def _is_leet(source: str) -> bool:
    """Tell whether digits or signs stand among Latin letters: a number is not a word."""
    return _LATIN.search(source) is not None and any(character in "01345789@$!|" for character in source)
