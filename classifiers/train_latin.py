"""Learn the letter triples that tell Arabic in Latin letters from English and other languages, and write `latin.npy`.

    .venv/bin/python -m classifiers.train_latin --data DIR

Reads the training files of the same DIR as `classifiers.train`, other languages included, and the authored comments.
Same data, same bytes.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from classifiers import datasets, latin
from classifiers.text import fold

AUTHORED = Path(__file__).parent / "authored"
_LATIN, _ARABIC = re.compile("[A-Za-z]"), re.compile("[\u0600-\u06ff]")
_FRENCH_WORDS = """
    le les des une est et que qui dans pour pas vous nous avec sur ce cette il elle ils sont mais plus tout bien fait
    je tu mon ton merci c'est suis du de la"""
_FRENCH = frozenset(_FRENCH_WORDS.split())
_MAX_FRENCH = 0.25  # share of words above which a text counts as French
_WINDOWS = {"en": 40_000, "other": 4_000, "ar": 1_500}
_WEIGHTS = {"en": 0.15, "other": 0.3, "ar": 0.5, "authored": 3.0}


def _is_arabizi(text: str) -> bool:
    words = text.lower().split()
    french = sum(word in _FRENCH for word in words)
    is_latin = len(_LATIN.findall(text)) > 3 * max(1, len(_ARABIC.findall(text)))
    return is_latin and french < _MAX_FRENCH * len(words)


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


def sample(data: Path) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
    """Return texts, 1 for Arabic in Latin letters, and weights."""
    rows = [row for path in datasets.files(data) for row in datasets.read_rows(path)]
    own = [row for path in datasets.files(AUTHORED) for row in datasets.read_rows(path)]
    random = Random(0)  # noqa: S311  # no secret
    arabizi = [
        row.text for row in rows if row.language == "ar" and _is_arabizi(row.text) and row.spam is None
    ]
    authored = [row.text for row in own if row.language == "ar" and _is_arabizi(row.text) and not row.spam]
    english = [row.text for row in rows if row.language == "en"]
    other = [row.text for row in rows if row.language not in {"ar", "en", "ko"}]
    parts = [
        (arabizi, 1, 1.0),
        (authored, 1, _WEIGHTS["authored"]),
        (windows(arabizi, _WINDOWS["ar"], 4, random), 1, _WEIGHTS["ar"]),
        (windows(english, _WINDOWS["en"], 8, random), 0, _WEIGHTS["en"]),
        (windows(other, _WINDOWS["other"], 8, random), 0, _WEIGHTS["other"]),
    ]
    texts = [text for part, _, _ in parts for text in part]
    target = np.repeat([label for _, label, _ in parts], [len(part) for part, _, _ in parts])
    weight = np.repeat([weight for _, _, weight in parts], [len(part) for part, _, _ in parts])
    return texts, target, weight


def learn(texts: Sequence[str], target: NDArray[np.int64], weight: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return the table that `latin.table` reads."""
    found = [latin.triples(fold([text]).codes) for text in texts]
    counts = np.array([triples.size for triples in found])
    row, column = np.repeat(np.arange(len(found)), counts), np.concatenate(found)
    scale = 1 / np.sqrt(counts + 3)
    features = sparse.csr_matrix((scale[row], (row, column)), shape=(len(found), 1 << latin.BITS))
    model = LogisticRegression(C=1.0, max_iter=200).fit(features, target, sample_weight=weight)
    steps = np.rint(np.append(model.coef_.ravel(), model.intercept_) * latin.SCALE)
    table: NDArray[np.int8] = np.clip(steps, -127, 127).astype(np.int8)
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn the table from a directory of labelled comments and write it beside the module."""
    parser = argparse.ArgumentParser(prog="classifiers.train_latin", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=latin.TABLE)
    options = parser.parse_args(arguments)
    np.save(options.out, learn(*sample(options.data)), allow_pickle=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
