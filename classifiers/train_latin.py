"""Learn the letter triples that tell Arabic in Latin letters and other languages from English, and write `latin.npy`.

    .venv/bin/python -m classifiers.train_latin --data DIR --profiles DIR

Reads the training files of the same DIR as `classifiers.train`, other languages included, the authored comments, and how often
letter triples stand in other languages: the directory `profiles` of the library langdetect 1.0.9 (Apache-2.0), a JSON file a language.
Same data, same bytes.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from classifiers import datasets, latin, letters
from classifiers.text import fold

AUTHORED = Path(__file__).parent / "authored"
_LATIN, _ARABIC = re.compile("[A-Za-z]"), re.compile("[\u0600-\u06ff]")
_FRENCH_WORDS = """
    le les des une est et que qui dans pour pas vous nous avec sur ce cette il elle ils sont mais plus tout bien fait
    je tu mon ton merci c'est suis du de la"""
_FRENCH = frozenset(_FRENCH_WORDS.split())
_MAX_FRENCH = 0.25  # share of words above which a text counts as French
_WINDOWS = {"en": 40_000, "short": 20_000, "other": 4_000, "pt": 2_500, "id": 2_500, "fr": 1_000, "ar": 1_500}
_WEIGHTS = {"en": 0.15, "other": 0.3, "ar": 0.5, "authored": 3.0}
_MAIN = "fr es pt it de nl tr id"
_REST = "ro pl sv da no fi hu cs sk sl hr et lv lt sq so sw tl vi af ca cy"
_BAGS = {
    **dict.fromkeys(_MAIN.split(), 1_500),
    **dict.fromkeys(_REST.split(), 250),
}  # texts made up of the triples of each language in Latin letters
_BAG_SIZES = (4, 60)  # triples
_MIN_TEXTS = 3  # of other languages that have a triple, before it counts where no profile names it


@dataclass(frozen=True, slots=True)
class Sample:
    """Texts as buckets of triples, 1 for what is looked for, and weights."""

    found: list[NDArray[np.int64]]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Texts:
    """Labelled texts by what they are written in."""

    arabizi: list[str]
    authored: list[str]
    english: list[str]
    portuguese: list[str]
    indonesian: list[str]
    french: list[str]


def _is_latin(text: str) -> bool:
    return len(_LATIN.findall(text)) > 3 * max(1, len(_ARABIC.findall(text)))


def _is_french(text: str) -> bool:
    words = text.lower().split()
    return sum(word in _FRENCH for word in words) >= _MAX_FRENCH * len(words)


def _is_arabizi(text: str) -> bool:
    return _is_latin(text) and not _is_french(text)


def windows(texts: Sequence[str], count: int, longest: int, random: Random) -> list[str]:
    """Return runs of one to `longest` words of some texts, as short comments are."""
    found: list[str] = []
    while len(found) < count:
        words = random.choice(texts).split()
        size = random.randint(1, longest)
        first = random.randrange(max(1, len(words) - size + 1))
        part = " ".join(words[first : first + size])
        if _LATIN.search(part):
            found.append(part)
    return found


def read_texts(data: Path) -> Texts:
    """Return the labelled and authored texts."""
    rows = [row for path in datasets.files(data) for row in datasets.read_rows(path)]
    own = [row for path in datasets.files(AUTHORED) for row in datasets.read_rows(path)]
    arabic = [row for row in rows if row.language == "ar" and row.spam is None]
    return Texts(
        [row.text for row in arabic if _is_arabizi(row.text)],
        [row.text for row in own if row.language == "ar" and _is_arabizi(row.text) and not row.spam],
        [row.text for row in rows if row.language == "en"],
        [row.text for row in rows if row.language == "pt"],
        [row.text for row in rows if row.language == "id"],
        [row.text for row in arabic if _is_latin(row.text) and _is_french(row.text)],
    )


def _triples(texts: Sequence[str]) -> list[NDArray[np.int64]]:
    return [latin.triples(fold([text]).codes) for text in texts]


def _joined(parts: Sequence[tuple[list[NDArray[np.int64]], int, float]]) -> Sample:
    sizes = [len(found) for found, _, _ in parts]
    return Sample(
        [triples for found, _, _ in parts for triples in found],
        np.repeat([label for _, label, _ in parts], sizes),
        np.repeat([weight for _, _, weight in parts], sizes),
    )


def arabizi_sample(texts: Texts) -> Sample:
    """Return Arabic in Latin letters and what is not."""
    random = Random(0)  # noqa: S311  # no secret
    other = [*texts.indonesian, *texts.portuguese]
    return _joined(
        [
            (_triples(texts.arabizi), 1, 1.0),
            (_triples(texts.authored), 1, _WEIGHTS["authored"]),
            (_triples(windows(texts.arabizi, _WINDOWS["ar"], 4, random)), 1, _WEIGHTS["ar"]),
            (_triples(windows(texts.english, _WINDOWS["en"], 8, random)), 0, _WEIGHTS["en"]),
            (_triples(windows(other, _WINDOWS["other"], 8, random)), 0, _WEIGHTS["other"]),
        ]
    )


def foreign_sample(texts: Texts, profiles: Path) -> tuple[Sample, NDArray[np.bool_]]:
    """Return other languages and English, and which buckets may weigh: those that a profile or some texts of other languages have.

    Profiles name the commonest triples alone, so all others would stand for English, which is read whole.
    """
    random = Random(0)  # noqa: S311  # no secret
    draw = np.random.default_rng(0)
    counts = {code: profile(profiles / code) for code in (*_BAGS, "en")}
    bags = [bag for code, size in _BAGS.items() for bag in _bags(*counts[code], size, draw)]
    other = [
        *windows(texts.portuguese, _WINDOWS["pt"], 12, random),
        *windows(texts.indonesian, _WINDOWS["id"], 12, random),
        *windows(texts.french, _WINDOWS["fr"], 8, random),
    ]
    english = [
        *windows(texts.english, _WINDOWS["en"], 12, random),
        *windows(texts.english, _WINDOWS["short"], 4, random),
    ]
    found = _triples(other)
    may_weigh = (
        np.bincount(np.concatenate([np.unique(one) for one in found]), minlength=1 << latin.BITS)
        >= _MIN_TEXTS
    )
    may_weigh[np.concatenate([buckets for buckets, _ in counts.values()])] = True
    return _joined([(bags, 1, 1.0), (found, 1, 0.5), (_triples(english), 0, 0.5)]), may_weigh


def profile(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the buckets of the triples that a profile names, and the share of each."""
    counts: Counter[int] = Counter()
    for written, count in json.loads(path.read_text("utf-8"))["freq"].items():
        folded = fold([f"x{written}x"]).codes[2:-2]  # between letters, so that spaces stay
        if len(written) == folded.size == 3 and folded[1] != letters.SPACE:
            counts[int(latin.triples(folded)[0])] += count
    shares = np.array(list(counts.values()), np.float64)
    return np.array(list(counts), np.int64), shares / shares.sum()


def _bags(
    buckets: NDArray[np.int64], shares: NDArray[np.float64], count: int, draw: np.random.Generator
) -> list[NDArray[np.int64]]:
    return [draw.choice(buckets, size, p=shares) for size in draw.integers(*_BAG_SIZES, count).tolist()]


def learn(sample: Sample, may_weigh: NDArray[np.bool_] | None = None) -> NDArray[np.int8]:
    """Return one column of the table that `latin.table` reads."""
    counts = np.array([triples.size for triples in sample.found])
    row, column = np.repeat(np.arange(counts.size), counts), np.concatenate(sample.found)
    values = (1 / np.sqrt(counts + 3))[row]
    if may_weigh is not None:
        values *= may_weigh[column]
    features = sparse.csr_matrix((values, (row, column)), shape=(counts.size, 1 << latin.BITS))
    model = LogisticRegression(C=1.0, max_iter=200).fit(features, sample.target, sample_weight=sample.weight)
    steps = np.rint(np.append(model.coef_.ravel(), model.intercept_) * latin.SCALE)
    weights: NDArray[np.int8] = np.clip(steps, -127, 127).astype(np.int8)
    return weights


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn the table from a directory of labelled comments and write it beside the module."""
    parser = argparse.ArgumentParser(prog="classifiers.train_latin", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--profiles", type=Path, required=True, help="directory of counts by language")
    parser.add_argument("--out", type=Path, default=latin.TABLE)
    options = parser.parse_args(arguments)
    texts = read_texts(options.data)
    columns = [learn(arabizi_sample(texts)), learn(*foreign_sample(texts, options.profiles))]
    np.save(options.out, np.column_stack(columns), allow_pickle=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
