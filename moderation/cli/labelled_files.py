"""Labelled comments from files, for `moderation models retrain --data`: faulty rows are passed over and told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifiers.errors import DatasetError
    from classifiers.retraining import LabelledText
    from classifiers.site.columns import Wished

NO_TEXT, WRONG_VALUE, NO_TIME = "rows_without_text", "rows_with_a_wrong_value", "times_left_out"
_NAMED_FAULTS = 20
_DONE_WITH = {
    NO_TEXT: "rows passed over",
    WRONG_VALUE: "rows passed over",
    NO_TIME: "rows taken without their time",
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
        plain = columns.plain(record, f"{path.name}: line {number}")
        try:
            yield from_record(plain, name=path.name, row=number, text_column=columns.text, forgive=forgive)
        except DatasetError as error:
            remarks.add(NO_TEXT if isinstance(error, NoTextError) else WRONG_VALUE, error)
            yield error
