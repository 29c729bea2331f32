"""Comments as a news site's moderator sees them, written before a model was asked and never learned from.

`python -m tests.probe` asks the shipped model again. Rows of part "a" were read where they went wrong, and the rule and the authored rows
were mended with other sentences; of part "b" only counts were read, so that it stays a blind test.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from classifiers.runtime import Scorer, TextScores

ROWS = Path(__file__).parent / "rows.jsonl"
CIVIL, ABUSE, SPAM = "civil", "abuse", "spam"
OUTPUTS = ("abuse", "threat", "spam")
_WORD = re.compile(r"\w+")
_LIKE, _LEAST_WORDS = 0.75, 4  # share of the shorter one's words in both, and how many


class Comment(NamedTuple):
    """One comment: `label` is what a moderator would say it is, `part` "a" or "b"."""

    language: str
    label: str
    topic: str
    part: str
    text: str


class Count(NamedTuple):
    """How many comments there are, and how many of them wait for a person."""

    comments: int = 0
    held: int = 0


def comments() -> list[Comment]:
    """Return every comment of the probe."""
    return [Comment(**json.loads(line)) for line in ROWS.read_text(encoding="utf-8").splitlines()]


def is_held(scores: TextScores, thresholds: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> bool:
    """Return whether a site with the model's own thresholds lets a comment with these scores wait."""
    of_language = thresholds.get(scores.language or "und", {})
    return any(
        (value := getattr(scores, output)) is not None and value >= of_language[output]["doubt"]
        for output in OUTPUTS
        if output in of_language
    )


def ask(scorer: Scorer, rows: Iterable[Comment]) -> Iterator[tuple[Comment, TextScores, bool]]:
    """Yield each comment with its scores and whether it is held."""
    rows = list(rows)
    for row, scores in zip(rows, scorer.score([row.text for row in rows]), strict=True):
        yield row, scores, is_held(scores, scorer.thresholds)


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(_WORD.findall(text.lower()))


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether two texts share so many of their words that who learned one knows the other."""
    common = len(one & other)
    return common >= _LEAST_WORDS and common >= _LIKE * min(len(one), len(other))
