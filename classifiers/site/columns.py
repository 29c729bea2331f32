"""Which columns of a file hold text and labels, where they have other names than this program's.

Published corpora and other programs write `comment` and `toxic`, or `label` with words. Customary names are taken, and told; what is said
outright goes first. A file that has a label under this program's own name is read by that alone, and a column with a value that is
neither yes nor no (numbers of annotators, three classes, fractions) is left alone: half of it would teach the opposite.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from classifiers.errors import DatasetError, DoubtfulColumnError
from classifiers.records import listed, place, read_records
from classifiers.site.labels import NOTHING, OUTPUTS, of_state

TEXT = "text"
_TEXTS = (
    TEXT, "comment", "comment_text", "content", "body", "message", "post", "tweet", "sentence", "document",
    "نص", "النص", "تعليق", "التعليق",
)  # fmt: skip
_NAMES: Mapping[str, tuple[str, ...]] = {
    "spam": ("spam", "is_spam"),
    "abuse": (
        "abuse", "is_abuse", "abusive", "is_abusive", "toxic", "is_toxic", "toxicity", "offensive", "is_offensive",
    ),
    "reject": ("reject", "is_reject", "rejected", "is_rejected", "removed", "is_removed"),
    "insult": ("insult", "is_insult"),
    "obscene": ("obscene", "is_obscene"),
    "threat": ("threat", "is_threat"),
    "hate": ("hate", "is_hate", "hateful", "is_hateful", "hate_speech", "hatespeech", "identity_hate"),
}  # fmt: skip
_GENERAL = ("label", "labels", "class", "target", "category", "gold", "y", "التصنيف", "تصنيف", "الوسم", "وسم")
_YES = frozenset({
    "1", "1.0", "true", "yes", "y", "spam", "abuse", "abusive", "toxic", "offensive", "offense", "off", "hate",
    "hateful", "hatespeech", "hate_speech", "hof", "insult", "profanity", "obscene", "threat", "hostile", "harassment",
    "bullying", "cyberbullying", "racist", "racism", "sexist", "sexism", "inappropriate", "rejected", "removed",
    "نعم", "مسيء", "مسيئ", "مسيئة", "إساءة", "مزعج", "سبام", "كراهية", "مرفوض", "محذوف", "غير_لائق", "غير_لائقة",
})  # fmt: skip
_NO = frozenset({
    "0", "0.0", "false", "no", "n", "not", "none", "normal", "neutral", "clean", "ham", "ok", "other", "civil", "neither",
    "acceptable", "appropriate", "benign", "safe", "harmless", "approved",
    "لا", "غير_مسيء", "غير_مسيئة", "عادي", "عادية", "سليم", "مقبول", "نظيف", "محايد",
})  # fmt: skip
_FIELDS = frozenset({
    "state", "reason", "created_at", "decided_at", "lang", "language", "site", "id", "weight", "actor", "moderator",
    "author_url", "source", "labels", *OUTPUTS,
})  # fmt: skip
_STATE, _STATES = "state", ("status", "الحالة", "حالة")
_SPAM = frozenset({"spam", "ham", "سبام", "مزعج"})
_DENIALS = ("not_", "non_", "no_")
_HEAD, _HEAD_LETTERS = (
    2_000,
    1 << 23,
)  # records that tell what the columns are, and how long they may be together
_DOUBT = "column {column!r} holds more than yes and no; name each value that means yes: --label-column {column} --positive VALUE"


@dataclass(frozen=True, slots=True)
class Wished:
    """What somebody says of a file's columns: where the text is, where a label, of which output, and which of its values mean yes."""

    text: str = TEXT
    label: str | None = None
    output: str = "abuse"
    positive: frozenset[str] = frozenset()
    reads_labels: bool = True
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the text is, and the labels that stand under other names, by output; `named` is where somebody said that the text is.

    `fields` are the other columns that are written otherwise than this program writes them, in capitals for instance.
    """

    text: str = TEXT
    labels: Mapping[str, str] = field(default_factory=dict)
    positive: frozenset[str] = frozenset()
    named: str = TEXT
    fields: Mapping[str, str] = field(default_factory=dict)

    def plain(self, record: Mapping[str, Any], name: str, number: int) -> dict[str, Any]:
        """Return a record with its fields and labels under this program's names.

        Raises DoubtfulColumnError for a value that is neither yes nor no: what was read before it may have been misread.
        """
        found = renamed(record, self.fields)
        for output, column in self.labels.items():
            try:
                found[output] = said(record.get(column), self.positive)
            except ValueError as error:
                raise DoubtfulColumnError(
                    "{file}: {unit} {number}: " + _DOUBT, **place(name, number), column=column
                ) from error
        return found

    def words(self) -> str:
        """Return a sentence on what was recognised under another name; empty where nothing was."""
        return ", ".join(f"column {column!r} is read as {own}" for own, column in self.taken().items())

    def taken(self) -> dict[str, str]:
        """Return which columns stand for what, where they are called otherwise and nobody said so of the text."""
        own = {} if self.text in (TEXT, self.named) else {TEXT: self.text}
        own |= {name: column for column, name in self.fields.items() if _word(column) != name}
        return own | {output: column for output, column in self.labels.items() if output != column}


def opened(path: Path, wished: Wished) -> tuple[Columns, Iterator[tuple[int, dict[str, Any]]]]:
    """Return the columns of a labelled file, and its records as `read_records` yields them, with the same errors."""
    records = read_records(path, wished.encoding)
    head: list[tuple[int, dict[str, Any]]] = []
    letters = 0
    for number, record in records:
        head.append((number, record))
        letters += sum(len(value) for value in record.values() if isinstance(value, str))
        if len(head) == _HEAD or letters > _HEAD_LETTERS:
            break
    return recognise([record for _, record in head], wished, path.name), chain(head, records)


def recognise(head: Sequence[Mapping[str, Any]], wished: Wished, name: str) -> Columns:
    """Tell the columns from a file's first records.

    Raises DatasetError where a wished column is missing, or DoubtfulColumnError where it holds more than yes and no.
    """
    text = text_column(head[0], wished.text) if head else wished.text
    positive = frozenset(map(_word, wished.positive))
    if not wished.reads_labels:
        return Columns(text, named=wished.text)
    fields = _fields(head, {text, wished.label})
    head = [renamed(record, fields) for record in head]
    if wished.label is None:
        own = any(_speaks(record) for record in head)
        labels = {} if own else _customary(head, text) or _general(head, text, positive)
        return Columns(text, labels, positive, wished.text, fields)
    if not any(wished.label in record for record in head):
        raise DatasetError(
            "{file}: no column {column!r}; there are {columns}",
            file=name, column=wished.label, columns=listed(dict.fromkeys(one for record in head for one in record)),
        )  # fmt: skip
    if not _is_clear(head, wished.label, positive):
        raise DoubtfulColumnError("{file}: " + _DOUBT, file=name, column=wished.label)
    return Columns(text, {wished.output: wished.label}, positive, wished.text, fields)


def text_column(record: Mapping[str, Any], wished: str) -> str:
    """Return the column of the text: the wished one, or where it is missing and none was named, the customary one that is there."""
    if wished != TEXT or TEXT in record:
        return wished
    found = [column for column in record if _word(column) in _TEXTS]
    return min(found, key=lambda column: _TEXTS.index(_word(column)), default=wished)


def said(value: Any, positive: frozenset[str] = frozenset()) -> int | None:
    """Return 1, 0 or None (nothing) for what a label's column holds; of several words one yes is enough.

    With `positive`, those mean yes and all else no. Raises ValueError for a word that is none of the customary ones.
    """
    if isinstance(value, list | tuple | set):
        return int(any(said(one, positive) for one in value))
    words = [_word(one) for one in str("" if value is None else value).split(",")]
    known = [word for word in words if word not in NOTHING]
    return max((_one(word, positive) for word in known), default=0 if words == ["none"] else None)


def _one(word: str, positive: frozenset[str]) -> int:
    if positive:
        return int(word in positive)
    if word in _YES:
        return 1
    if word in _NO or word.startswith(_DENIALS):
        return 0
    raise ValueError(word)


def _word(value: Any) -> str:
    return str(value).strip().casefold().replace("-", "_").replace(" ", "_")


def _customary(head: Sequence[Mapping[str, Any]], text: str) -> dict[str, str]:
    """Return the clear columns of customary names, by output."""
    columns = _columns(head, text)
    found = {
        output: next((columns[name] for name in names if name in columns), None)
        for output, names in _NAMES.items()
    }
    return {
        output: column
        for output, column in found.items()
        if column is not None and _is_clear(head, column, frozenset())
    }


def _columns(head: Sequence[Mapping[str, Any]], text: str) -> dict[str, str]:
    return {_word(column): column for record in head for column in record if column != text}


def renamed(record: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return a record with its columns under other names where there are any."""
    return {fields.get(column, column): value for column, value in record.items()}


def _fields(head: Sequence[Mapping[str, Any]], besides: Container[str | None]) -> dict[str, str]:
    """Return the columns that are fields of this program's in other letters, by column; a label only where it is clear."""
    columns = dict.fromkeys(column for record in head for column in record if column not in besides)
    found: dict[str, str] = {}
    for column in columns:
        name = _word(column)
        if name in _STATES and _are_states(head, column):
            name = _STATE
        is_free = name in _FIELDS and name not in columns and name not in found.values()
        if name == _STATE and not _has_state(head, column):
            continue  # of a country, say; one that is misspelled in some rows is told of in these
        if is_free and (name not in OUTPUTS or _is_clear(head, column, frozenset())):
            found[column] = name
    return found


def _are_states(head: Sequence[Mapping[str, Any]], column: str) -> bool:
    """Whether a column holds what this program calls states, and nothing else."""
    told = [_is_state(record[column]) for record in head if record.get(column)]
    return bool(told) and all(told)


def _has_state(head: Sequence[Mapping[str, Any]], column: str) -> bool:
    """Whether a column holds what this program calls a state in some row."""
    return any(_is_state(record[column]) for record in head if record.get(column))


def _is_state(value: Any) -> bool:
    try:
        of_state(_word(value), frozenset())
    except KeyError:
        return False
    return True


def _speaks(record: Mapping[str, Any]) -> bool:
    """Whether a record says something under this program's names."""
    finer = record.get("labels")
    stated = {**(finer if isinstance(finer, dict) else {}), **record}
    return any(name in stated for name in ("state", *OUTPUTS))


def _general(head: Sequence[Mapping[str, Any]], text: str, positive: frozenset[str]) -> dict[str, str]:
    """Return the column that holds the only label, where it is clear: as spam where its words say so, else as abuse."""
    columns = _columns(head, text)
    column = next((columns[one] for one in _GENERAL if one in columns), None)
    if column is None or not _is_clear(head, column, positive):
        return {}
    is_spam = any(_word(record.get(column)) in _SPAM for record in head)
    return {"spam" if is_spam else "abuse": column}


def _is_clear(head: Sequence[Mapping[str, Any]], column: str, positive: frozenset[str]) -> bool:
    """Whether a column says yes or no somewhere, and nothing else anywhere."""
    try:
        told = [said(record.get(column), positive) for record in head]
    except ValueError:
        return False
    return any(one is not None for one in told)
