"""A bounded, unbiased sample of any number of labelled rows.

Weighted sampling without replacement (Efraimidis and Spirakis 2006): each row draws a key, the highest keys stay. Rows with a
positive label draw better ones, for they are few; every kept row weighs the inverse of its chance of staying, so sums over the
sample stand for sums over all rows. Below the bounds everything stays, with its own weight.
"""

import hashlib
import heapq
import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from classifiers.site.labels import OUTPUTS, LabelledText

MAX_ROWS = 150_000
MAX_CODE_POINTS = 16_000_000  # of all kept texts together; each has about two n-grams: 18 million took 1.97 GB, 30 million 2.45
MAX_TEXT = 5_000  # code points of one text that training reads
_POSITIVE_ADVANTAGE = 8.0
_DIGEST_BITS = 256


@dataclass(slots=True)
class Sample:
    """The kept rows in the order they came, with what was seen of all of them."""

    rows: list[LabelledText]
    seen: int
    unlabelled: int
    snapshot: str
    replaced: int = 0
    """Rows left out because the same comment was decided otherwise later."""


@dataclass(slots=True)
class Reservoir:
    """Takes rows one at a time; same rows in the same order and the same seed keep the same ones."""

    max_rows: int = MAX_ROWS
    max_code_points: int = MAX_CODE_POINTS
    seed: int = 0
    _heap: list[tuple[float, int, LabelledText]] = field(default_factory=list)
    _seen: int = 0
    _unlabelled: int = 0
    _code_points: int = 0
    _floor: float = 0.0
    _digest: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # a sample, not a secret

    def add(self, row: LabelledText) -> None:
        """Take a row; one without a label is only counted."""
        self._seen += 1
        if not row.is_labelled:
            self._unlabelled += 1
            return
        self._digest += _digest(row)
        key = self._random.random() ** (1 / _advantage(row))
        if len(self._heap) >= self.max_rows and key <= self._heap[0][0]:
            self._floor = max(self._floor, key)
            return
        kept = row if len(row.text) <= MAX_TEXT else replace(row, text=row.text[:MAX_TEXT])
        heapq.heappush(self._heap, (key, self._seen, kept))
        self._code_points += len(kept.text)
        while len(self._heap) > self.max_rows or self._code_points > self.max_code_points:
            lowest, _, dropped = heapq.heappop(self._heap)
            self._floor = max(self._floor, lowest)
            self._code_points -= len(dropped.text)

    def sample(self) -> Sample:
        """Return what is kept."""
        ordered = sorted(self._heap, key=lambda entry: entry[1])
        rows = [
            row
            if self._floor == 0
            else replace(row, weight=row.weight / (1 - self._floor ** _advantage(row)))
            for _, _, row in ordered
        ]
        digest = (self._digest % (1 << _DIGEST_BITS)).to_bytes(_DIGEST_BITS // 8).hex()
        return Sample(rows, self._seen, self._unlabelled, digest)


def draw(rows: Iterable[LabelledText], *, seed: int = 0, max_rows: int = MAX_ROWS) -> Sample:
    """Read all rows and return a sample of them, of what was said of one comment the last where it contradicts."""
    reservoir = Reservoir(max_rows=max_rows, seed=seed)
    for row in rows:
        reservoir.add(row)
    found = reservoir.sample()
    kept = _last_said(found.rows)
    return replace(found, rows=kept, replaced=len(found.rows) - len(kept))


def _last_said(rows: list[LabelledText]) -> list[LabelledText]:
    """Leave out what was said of a comment, known by its id, site and text, and taken back later; without times the order tells."""
    last: dict[tuple[str | None, str, str], int] = {}
    gone: set[int] = set()
    for at, row in enumerate(rows):
        if row.id is None:
            continue
        name = (row.site, row.id, row.text)
        before = last.setdefault(name, at)
        if before == at or not _contradict(rows[before], row):
            continue
        first, second = rows[before].at, row.at
        is_later = first is None or second is None or first <= second
        gone.add(before if is_later else at)
        last[name] = at if is_later else before
    return [row for at, row in enumerate(rows) if at not in gone]


def _contradict(one: LabelledText, other: LabelledText) -> bool:
    return any({one.label(output), other.label(output)} == {0, 1} for output in OUTPUTS)


def _advantage(row: LabelledText) -> float:
    return _POSITIVE_ADVANTAGE if any(row.label(output) for output in OUTPUTS) else 1.0


def _digest(row: LabelledText) -> int:
    """Return a number whose sum over rows names the set, whatever their order."""
    content = repr((row.id, row.text, row.weight, row.at, *(row.label(output) for output in OUTPUTS)))
    return int.from_bytes(hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=32).digest())
