"""What each output of each language learns from: rows, labels, and how much each row counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.datasets import AUTHORED, Row

SMALL_WEIGHT = 0.05  # of rows labelled by how they were collected
UNSEEN_WEIGHT = 0.1  # of comments nobody looked at for spam, as negatives
AUTHORED_SPAM_WEIGHT = 5.0  # kinds of spam that the labelled sources are too old, or too few, to know
COLLECTED = frozenset({"ar_lowquality_tweets"})
ABUSE_WEIGHTS = {
    AUTHORED: 2.0,  # few rows that stand for many: civil uses of hard words, which no source labels enough
    "en_davidson": 0.2,  # the data notes call it strongly biased
    "en_insults": 3.0,  # people who answer each other, as under an article
    "en_c3_globe_and_mail": 2.0,  # comments under news
    "en_wiki_talk": 0.3,  # talk about articles of an encyclopedia, one abusive row in fifty
}
# Which of a source's own labels say what a kind means here; sources not named say nothing about it.
KIND_LABELS: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]] = {
    ("ar", "hate"): {
        "ar_egyptian5": ("racism", "religious_discrimination", "sexism"),
        "ar_lhsab": ("hate",),
        "ar_mlma": ("hateful",),
        "ar_osact4": ("hate",),
        "ar_osact5": ("hate",),
        "ar_sohateful": ("hate",),
        "ar_thsab": ("hate",),
    },
    ("ar", "obscene"): {"ar_osact5": ("vulgar",), "ar_sohateful": ("vulgar",)},
    ("en", "insult"): {
        "en_insults": ("insult",),
        "en_jigsaw_sample": ("insult",),
        "en_olid": ("targeted_insult",),
    },
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one output of one language learns from; arrays of shape (n_rows,).

    `at` are the places of the rows among all rows of the language.
    """

    at: NDArray[np.int64]
    texts: list[str]
    sources: list[str]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    is_labelled: NDArray[np.bool_]  # by a person, for this output


def balanced(sources: Sequence[str], target: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights that make both classes of each source weigh the same; a source of one class weighs half."""
    counts = Counter(zip(sources, target.tolist(), strict=True))
    totals = Counter(sources)
    return np.array(
        [
            totals[source] / 2 / counts[source, label] if counts[source, 1 - label] else 0.5
            for source, label in zip(sources, target.tolist(), strict=True)
        ]
    )


def kind_label(row: Row, language: str, kind: str) -> int | None:
    """Return whether a row is of a kind, None where its source does not say."""
    if row.source == AUTHORED:
        if row.abuse == 1 and not row.labels:
            return None
        return int(row.labels.get(kind, 0))
    names = KIND_LABELS[language, kind].get(row.source)
    known = [row.labels[name] for name in names or () if name in row.labels]
    return max(known) if known else None


def output_label(row: Row, language: str, output: str) -> int | None:
    """Return a row's label for an output, None where nobody looked, or where authored spam would only be an easy negative."""
    if output == "spam":
        return row.spam
    if row.source == AUTHORED and row.spam == 1:
        return None
    return row.abuse if output == "abuse" else kind_label(row, language, output)


def balanced_sample(rows: Sequence[Row], language: str, output: str) -> Sample:
    """Return the rows labelled for an output, balanced inside their sources."""
    labels = [output_label(row, language, output) for row in rows]
    at = np.array([place for place, label in enumerate(labels) if label is not None], np.int64)
    chosen = [rows[place] for place in at.tolist()]
    target = np.array([labels[place] for place in at.tolist()], np.int64)
    sources = [row.source for row in chosen]
    weight = balanced(sources, target) * [ABUSE_WEIGHTS.get(source, 1.0) for source in sources]
    return Sample(at, [row.text for row in chosen], sources, target, weight, np.ones(target.size, np.bool_))


def spam_sample(rows: Sequence[Row]) -> Sample:
    """Return the rows labelled for spam, and at a small weight those nobody looked at, as negatives."""
    target = np.array([row.spam or 0 for row in rows], np.int64)
    labelled = np.array([row.spam is not None for row in rows], np.bool_)
    weight = np.where(labelled, 1.0, UNSEEN_WEIGHT)
    weight[[row.source in COLLECTED for row in rows]] = SMALL_WEIGHT
    weight[[row.source == AUTHORED and row.spam is not None for row in rows]] = AUTHORED_SPAM_WEIGHT
    return Sample(
        np.arange(len(rows)),
        [row.text for row in rows],
        [row.source for row in rows],
        target,
        weight,
        labelled,
    )
