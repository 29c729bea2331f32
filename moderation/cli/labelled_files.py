"""Labelled comments from files, for `moderation models`: how their columns are named, and which rows are faulty."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moderation.domain.verdict import OUTPUTS

if TYPE_CHECKING:
    from classifiers.errors import DatasetError
    from classifiers.retraining import LabelledText
    from classifiers.site.columns import Wished

NO_TEXT, WRONG_VALUE, NO_TIME = "rows_without_text", "rows_with_a_wrong_value", "times_left_out"
_NAMED_FAULTS = 20
_OPTIONS = (
    click.option("--text-column", default="text", show_default=True, help="The field that holds the text."),
    click.option(
        "--label-column",
        help="The field that holds the label, where it is called neither spam, abuse nor the like.",
    ),
    click.option(
        "--label-means",
        type=click.Choice(OUTPUTS),
        default="abuse",
        show_default=True,
        help="What a yes in it says.",
    ),
    click.option(
        "--positive", multiple=True, help="A value of the label that means yes; all others mean no."
    ),
    click.option(
        "--encoding",
        help="Of the files, e.g. windows-1256.  A byte order mark goes before it.  [default: UTF-8]",
    ),
)
_DONE_WITH = {
    NO_TEXT: "rows passed over",
    WRONG_VALUE: "rows passed over",
    NO_TIME: "rows taken without their time",
}


def with_columns(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say how files name their columns; `wished` takes what is given to them."""
    return reduce(lambda command, option: option(command), reversed(_OPTIONS), function)


def wished(
    *,
    text_column: str,
    label_column: str | None,
    label_means: str,
    positive: Sequence[str],
    encoding: str | None,
    reads_labels: bool = True,
) -> "Wished":
    """Return what the options of `with_columns` say."""
    from classifiers.site.columns import Wished

    return Wished(text_column, label_column, label_means, frozenset(positive), reads_labels, encoding)


def column_options(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options of `with_columns` out of all that a command was given."""
    return {
        name: options.pop(name)
        for name in ("text_column", "label_column", "label_means", "positive", "encoding")
    }


@dataclass(slots=True)
class Remarks:
    """What to tell of the files: which columns stand for what, and what was wrong with single rows, by kind and the first ones in full."""

    columns: dict[str, Mapping[str, str]] = field(default_factory=dict)
    sentences: dict[str, str] = field(default_factory=dict)
    found: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in _DONE_WITH})
    more: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_DONE_WITH, 0))

    def add(self, kind: str, error: Exception) -> None:
        """Count a faulty row; the first ones are kept with their line."""
        if len(self.found[kind]) < _NAMED_FAULTS:
            self.found[kind].append(str(error))
        else:
            self.more[kind] += 1

    def counts(self) -> dict[str, int]:
        """Return how many rows there were of each kind of fault."""
        return {kind: len(said) + self.more[kind] for kind, said in self.found.items()}

    def lines(self) -> Iterator[str]:
        """Yield what to tell people."""
        for name, words in self.sentences.items():
            yield f"{name}: {words}"
        for kind, count in self.counts().items():
            if count:
                yield f"{kind}: {count} {_DONE_WITH[kind]}"
                yield from (f"  {said}" for said in self.found[kind])
                if self.more[kind]:
                    yield f"  and {self.more[kind]} more"


def read_files(files: Sequence[Path], wished: "Wished", remarks: Remarks) -> "Iterator[LabelledText]":
    """Read the files one after the other, passing over faulty rows; a file of nothing else is an error."""
    from classifiers.errors import DatasetError

    for path in files:
        first, is_usable = None, False
        for row in _read_file(path, wished, remarks):
            if isinstance(row, DatasetError):
                first = first or row
            else:
                is_usable = True
                yield row
        if first is not None and not is_usable:
            raise first


def _read_file(path: Path, wished: "Wished", remarks: Remarks) -> "Iterator[LabelledText | DatasetError]":
    """Yield each row of a file, or what is wrong with it."""
    from classifiers.errors import DatasetError, NoTextError
    from classifiers.site.columns import opened
    from classifiers.site.labels import from_record

    def forgive(error: DatasetError) -> None:
        remarks.add(NO_TIME, error)

    columns, records = opened(path, wished)
    if taken := columns.taken():
        remarks.columns[path.name], remarks.sentences[path.name] = taken, columns.words()
    for number, record in records:
        plain = columns.plain(record, path.name, number)
        try:
            yield from_record(plain, name=path.name, row=number, text_column=columns.text, forgive=forgive)
        except DatasetError as error:
            remarks.add(NO_TEXT if isinstance(error, NoTextError) else WRONG_VALUE, error)
            yield error
