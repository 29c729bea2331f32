"""Scores for every line of a file, in order, in bounded memory."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from classifiers.errors import DatasetError
from classifiers.records import field_text, read_records
from classifiers.runtime import Scorer, TextScores
from classifiers.site import columns

OUTPUTS = ("spam", "abuse", "insult", "obscene", "threat", "hate", "reject")
_BATCH = 64


def score_file(
    scorer: Scorer, path: Path, *, text_column: str = "text", tell: Callable[[str], object] = lambda _: None
) -> Iterator[dict[str, Any]]:
    """Yield {row, language, spam, abuse, insult, obscene, threat, hate, reject} for each record, None where unknown.

    `row` counts records from 1; of one whose text is null all else is None. The file is .jsonl, .csv or .tsv, plain or .gz. Raises
    DatasetError, naming the line, at the first record that cannot be read; what stands before it has been yielded. Where no column
    is called `text` and none was named, a customary one is taken, as retraining does, and `tell` is told.
    """
    records = read_records(path)
    first = next(records, None)
    if first is not None:
        found = columns.Columns(columns.text_column(first[1], text_column))
        if found.text != text_column:
            tell(f"{path.name}: {found.words()}")
        text_column, records = found.text, chain([first], records)
    texts = (
        (
            row,
            None
            if _is_null(record, text_column)
            else field_text(record, text_column, name=path.name, row=row),
        )
        for row, record in records
    )
    while True:
        batch, failure = _take(texts)
        scores = iter(scorer.score([text for _, text in batch if text is not None]))
        for row, text in batch:
            yield {"row": row} | _fields(None if text is None else next(scores))
        if failure is not None:
            raise failure
        if len(batch) < _BATCH:
            return


def _is_null(record: Mapping[str, Any], column: str) -> bool:
    return column in record and record[column] is None


def _fields(score: TextScores | None) -> dict[str, Any]:
    return {name: getattr(score, name, None) for name in ("language", *OUTPUTS)}


def _take(texts: Iterator[tuple[int, str | None]]) -> tuple[list[tuple[int, str | None]], Exception | None]:
    """Return the next batch, and the error that cut it short, if one did."""
    batch: list[tuple[int, str | None]] = []
    try:
        batch.extend(islice(texts, _BATCH))  # keeps what came before an error
    except DatasetError as error:
        return batch, error
    return batch, None
