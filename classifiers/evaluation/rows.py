"""Files of labelled texts, scored: what is kept of a row is numbers, never its text, so that memory stays bounded."""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import DatasetError, NoTextError
from classifiers.runtime import Scorer, TextScores
from classifiers.site.columns import Columns, Wished, opened
from classifiers.site.labels import OUTPUTS, LabelledText, from_record

MAX_ROWS = 2_000_000  # about 100 bytes each, and 60 more for a second model
DOUBT, REJECT, HAS_DOUBT, HAS_REJECT = 1, 2, 4, 8  # bits of a band
_LENGTHS = ((50, "0 to 49"), (200, "50 to 199"), (500, "200 to 499"))
_LONGEST = "500 and more"
_MAX_NAMES = 10_000
_NAME_LENGTH = 80
_OTHERS = "(others)"
_BATCH = 256
Floats = NDArray[np.float64]
Bytes = NDArray[np.int8]
Numbers = NDArray[np.int32]
Progress = Callable[[int], object]


class Names:
    """Distinct names as small numbers; beyond a bound all further ones share one."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._column = array("i")

    def add(self, name: str) -> None:
        """Note the name of the next row."""
        name = name[:_NAME_LENGTH]
        if name not in self._numbers and len(self._numbers) >= _MAX_NAMES:
            name = _OTHERS
        self._column.append(self._numbers.setdefault(name, len(self._numbers)))

    def finish(self) -> tuple[Numbers, list[str]]:
        """Return each row's number, and the names by number."""
        return np.frombuffer(self._column, np.int32), list(self._numbers)


@dataclass(frozen=True, slots=True)
class ModelScores:
    """What one model said, by output: probabilities (NaN where none), and bands.

    A band holds the bits DOUBT and REJECT where the probability reaches that threshold of the row's language, and HAS_DOUBT and
    HAS_REJECT where there is one.
    """

    version: str
    probabilities: Mapping[str, Floats]
    bands: Mapping[str, Bytes]


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Rows of all files in order; arrays of shape (n_rows,). Labels are 1, 0 or -1 (nobody said).

    `parts` are the numbers and names of `source`, `language` and `length`; `row` counts the records of a file from 1.
    """

    files: list[str]
    file: Numbers
    row: Numbers
    labels: Mapping[str, Bytes]
    parts: Mapping[str, tuple[Numbers, list[str]]]
    models: list[ModelScores]
    without_text: int = 0
    """How many rows had no text and were passed over."""

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return int(self.row.size)


class _Model:
    """One model's numbers, growing."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._probabilities = {output: array("d") for output in OUTPUTS}
        self._bands = {output: array("b") for output in OUTPUTS}

    def take(self, texts: Sequence[LabelledText]) -> list[TextScores]:
        scores = self._scorer.score(
            [one.text for one in texts], author_urls=[one.author_url for one in texts]
        )
        for score in scores:
            language = score.language if score.is_known_language and score.language else "und"
            thresholds = self._scorer.thresholds.get(language) or {}
            for output in OUTPUTS:
                probability = getattr(score, output)
                self._probabilities[output].append(float("nan") if probability is None else probability)
                self._bands[output].append(_band(probability, thresholds.get(output) or {}))
        return scores

    def finish(self) -> ModelScores:
        return ModelScores(
            self._scorer.version,
            {output: np.frombuffer(found, np.float64) for output, found in self._probabilities.items()},
            {output: np.frombuffer(found, np.int8) for output, found in self._bands.items()},
        )


class _Collected:
    """What is kept of the rows, growing."""

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        self.models = [_Model(scorer) for scorer in scorers]
        self.file, self.row = array("i"), array("i")
        self.labels = {output: array("b") for output in OUTPUTS}
        self.parts = {kind: Names() for kind in ("source", "language", "length")}
        self.without_text = 0

    def take(self, file: int, batch: Sequence[tuple[int, str, LabelledText]]) -> None:
        texts = [one for _, _, one in batch]
        scores, *_ = [model.take(texts) for model in self.models]
        for (number, source, one), score in zip(batch, scores, strict=True):
            self.file.append(file)
            self.row.append(number)
            for output in OUTPUTS:
                label = one.label(output)
                self.labels[output].append(-1 if label is None else label)
            self.parts["source"].add(source)
            self.parts["language"].add(one.language or score.language or "und")
            self.parts["length"].add(_length_name(len(one.text)))

    def finish(self, files: Sequence[Path]) -> ScoredRows:
        return ScoredRows(
            _file_names(files),
            np.frombuffer(self.file, np.int32),
            np.frombuffer(self.row, np.int32),
            {output: np.frombuffer(found, np.int8) for output, found in self.labels.items()},
            {kind: names.finish() for kind, names in self.parts.items()},
            [model.finish() for model in self.models],
            self.without_text,
        )


class _WithoutText:
    """The rows of a file that have no text: how many, and what is wrong with the first."""

    def __init__(self) -> None:
        self.rows = 0
        self.first: NoTextError | None = None

    def add(self, error: NoTextError) -> None:
        self.rows += 1
        self.first = self.first or error


def read_scored(
    files: Sequence[Path],
    scorers: Sequence[Scorer],
    *,
    columns: Wished,
    progress: Progress,
    tell: Callable[[str], object] = lambda _: None,
) -> ScoredRows:
    """Score every row of JSON lines or CSV, plain or .gz.

    `progress` is told how many rows were done, `tell` which columns are read as what, where they have other names.
    Labels are read as retraining reads them; rows without text are passed over and counted. Raises DatasetError, naming file
    and line, for a row that cannot be read, a file without rows or without any text, and more than MAX_ROWS rows.
    """
    collected = _Collected(scorers)
    for number, path in enumerate(files):
        without = _WithoutText()
        found, records = opened(path, columns)
        if words := found.words():
            tell(f"{path.name}: {words}")
        rows = _rows_of(path, found, records, without)
        first = next(rows, None)
        if first is None:
            raise without.first or DatasetError("{file}: holds no rows", file=path.name)
        rows = chain([first], rows)
        while batch := list(islice(rows, _BATCH)):
            collected.take(number, batch)
            progress(len(batch))
            if len(collected.row) > MAX_ROWS:
                raise DatasetError(
                    "{file}: more than {most} rows in all; give a sample", file=path.name, most=MAX_ROWS
                )
        collected.without_text += without.rows
    return collected.finish(files)


def read_texts(path: Path, wanted: frozenset[int], *, columns: Wished) -> dict[int, str]:
    """Return the texts of some rows of a file by number, reading it once more."""
    found = {}
    names, records = opened(path, columns)
    for number, record in records:
        if number in wanted:
            found[number] = str(record.get(names.text, ""))
            if len(found) == len(wanted):
                break
    return found


def _rows_of(
    path: Path, columns: Columns, records: Iterator[tuple[int, dict[str, Any]]], without: _WithoutText
) -> Iterator[tuple[int, str, LabelledText]]:
    for number, record in records:
        plain = columns.plain(record, path.name, number)
        try:
            one = from_record(plain, name=path.name, row=number, text_column=columns.text)
        except NoTextError as error:
            without.add(error)
        else:
            yield number, _source(plain, path), one


def _file_names(files: Sequence[Path]) -> list[str]:
    """Return the names of files, with their folders where names alone would not tell them apart."""
    names = [path.name for path in files]
    return names if len(set(names)) == len(names) else [str(path) for path in files]


def _source(record: Mapping[str, Any], path: Path) -> str:
    return str(record.get("source") or record.get("site") or path.name.split(".")[0])


def _length_name(length: int) -> str:
    return next((name for end, name in _LENGTHS if length < end), _LONGEST)


def _band(probability: float | None, thresholds: Mapping[str, Any]) -> int:
    band = 0
    for name, reached, has in (("doubt", DOUBT, HAS_DOUBT), ("reject", REJECT, HAS_REJECT)):
        threshold = thresholds.get(name)
        if threshold is not None and probability is not None:
            band |= has | (reached if probability >= threshold else 0)
    return band
