"""Train the model that is shipped.

    .venv/bin/python -m classifiers.train --data DIR --out DIR [--licences] [--seed N]

DIR holds `<source>.jsonl.gz` files; `.test` files beside them are only measured. Same data, seed and library versions
write the same bytes.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers import artifacts, card, datasets, evaluate, evidence
from classifiers.analysis import BUCKETS
from classifiers.calibration import probability
from classifiers.datasets import Row
from classifiers.pipeline import CommentClassifier
from classifiers.runtime import LANGUAGES, NEUTRAL, Scorer

OUTPUTS = ("abuse", "spam")
AUTHORED = Path(__file__).parent / "authored"
SMALL_WEIGHT = 0.05  # of rows labelled by how they were collected
UNSEEN_WEIGHT = 0.1  # of comments nobody looked at for spam, as negatives
COLLECTED = frozenset({"ar_lowquality_tweets"})
ABUSE_WEIGHTS = {
    "authored": 5.0,  # few rows that stand for many: civil uses of hard words, which no source labels enough
    "en_davidson": 0.2,  # the data notes call it strongly biased
}
PRECISION_WANTED = {"spam": 0.97, "abuse": 0.95}  # of automatic rejection, on every source left out
FALSE_ALARMS_ALLOWED = {"spam": 0.01, "abuse": 0.10}  # above the doubt threshold, mean over sources
RULE_FLOORS = {
    "abuse": dict.fromkeys(
        ("hidden", "lookalikes", "styled", "stretched", "spelled"), 0.0
    ),  # no disguise makes milder
    "spam": {  # log-odds; the labelled spam is older than these habits
        "link_author": 0.3,
        "link_shady": 1.0,
        "link_short": 1.0,
        "messenger_number": 0.8,
        "offer_contact": 0.8,
        "phone": 0.5,
        "email": 0.5,
        "hidden": 0.3,
    },
}
MIN_REJECT = 0.9  # nothing less sure is rejected without a person
_MIN_CALLED = 20  # fewer rejected rows prove no precision
LIBRARIES = ("numpy", "scipy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Sample:
    """What one output of one language learns from; arrays of shape (n_rows,)."""

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


def abuse_sample(rows: Sequence[Row]) -> Sample:
    """Return the rows labelled for abuse, balanced inside their sources."""
    chosen = [row for row in rows if row.abuse is not None]
    target = np.array([row.abuse for row in chosen], np.int64)
    sources = [row.source for row in chosen]
    weight = balanced(sources, target) * [ABUSE_WEIGHTS.get(source, 1.0) for source in sources]
    return Sample([row.text for row in chosen], sources, target, weight, np.ones(target.size, np.bool_))


def spam_sample(rows: Sequence[Row]) -> Sample:
    """Return the rows labelled for spam, and at a small weight those nobody looked at, as negatives."""
    target = np.array([row.spam or 0 for row in rows], np.int64)
    labelled = np.array([row.spam is not None for row in rows], np.bool_)
    weight = np.where(labelled, 1.0, UNSEEN_WEIGHT)
    weight[[row.source in COLLECTED for row in rows]] = SMALL_WEIGHT
    return Sample([row.text for row in rows], [row.source for row in rows], target, weight, labelled)


def train_heads(rows: Sequence[Row]) -> dict[tuple[str, str], tuple[CommentClassifier, Sample]]:
    """Fit every head: each output of each language, and spam from evidence alone for all other languages."""
    by_language = {language: [row for row in rows if row.language == language] for language in LANGUAGES}
    jobs = [
        *(((language, "abuse"), abuse_sample(by_language[language])) for language in LANGUAGES),
        *(((language, "spam"), spam_sample(by_language[language])) for language in LANGUAGES),
        ((NEUTRAL, "spam"), spam_sample(rows)),
    ]
    heads = {}
    for (language, output), sample in tqdm(jobs, desc="training", unit="head", file=sys.stderr, disable=None):
        heads[language, output] = (_fit(output, sample, ngrams=language != NEUTRAL), sample)
    return heads


def _fit(output: str, sample: Sample, *, ngrams: bool) -> CommentClassifier:
    """Leave sources out for abuse; spam is labelled in too few sources, so near copies are kept together instead."""
    model = CommentClassifier(ngrams=ngrams, folds=4, rule_floors=RULE_FLOORS[output])
    groups = sample.sources if output == "abuse" and len(set(sample.sources)) > 1 else None
    return model.fit(sample.texts, sample.target, sample.weight, groups)


def left_out(
    model: CommentClassifier, sample: Sample
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return, per source, the labels and the probabilities given by models that did not see the row's group.

    Authored rows are left out: no figure and no threshold comes from them.
    """
    known = ~np.isnan(model.margins_)
    values = np.array([probability(m, model.calibration_) for m in np.nan_to_num(model.margins_).tolist()])
    sources = np.array(sample.sources)
    return {
        source: (sample.target[chosen], values[chosen])
        for source in sorted(set(sample.sources) - {AUTHORED.name})
        if (chosen := known & (sources == source)).any()
    }


def thresholds(
    output: str, sources: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
) -> dict[str, float | None]:
    """Return the doubt and reject thresholds of an output, from rows left out.

    `doubt` keeps the mean share of negatives above it within FALSE_ALARMS_ALLOWED. `reject` reaches PRECISION_WANTED: for
    abuse on every source with both classes, for spam over all sources together (most have no spam at all, and the labels of
    the only Arabic one miss plain advertisements); None where it is never reached: then nothing is rejected automatically.
    """
    negatives = [values[target == 0] for target, values in sources.values() if (target == 0).any()]
    grid = np.round(np.arange(0.30, 0.9951, 0.005), 3)
    alarms = np.array([np.mean([(values >= step).mean() for values in negatives]) for step in grid])
    allowed = np.flatnonzero(alarms <= FALSE_ALARMS_ALLOWED[output])
    doubt = float(grid[allowed[0]]) if allowed.size else float(grid[-1])
    mixed = [pair for pair in sources.values() if 0 < pair[0].mean() < 1]
    if output == "spam":
        mixed = [tuple(np.concatenate(column) for column in zip(*sources.values(), strict=True))]  # type: ignore[list-item]
    reject = _reject_threshold(PRECISION_WANTED[output], mixed)
    return {"doubt": doubt, "reject": None if reject is None else max(reject, doubt)}


def _reject_threshold(
    wanted: float, sources: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]
) -> float | None:
    """Return the lowest probability, not below MIN_REJECT, from which on every source keeps the precision, or None."""
    lowest = MIN_REJECT
    for target, values in sources:
        order = np.argsort(-values, kind="stable")
        called = np.arange(1, target.size + 1)
        precision = np.cumsum(target[order]) / called
        enough = np.flatnonzero((precision >= wanted) & (called >= _MIN_CALLED))
        if enough.size:
            lowest = max(lowest, float(np.ceil(values[order][enough[-1]] * 1000) / 1000))
        elif target.sum() >= 5 * _MIN_CALLED:
            return None
    return lowest if lowest < 1 else None


def _arrays(
    heads: Mapping[tuple[str, str], tuple[CommentClassifier, Sample]],
) -> dict[str, NDArray[np.integer]]:
    """Return the weights by language, output and bucket, and the rules with the intercept as last column."""
    weights = np.zeros((len(LANGUAGES), len(OUTPUTS), BUCKETS), np.int16)
    rules = np.zeros((len(LANGUAGES) + 1, len(OUTPUTS), evidence.COUNT + 1), np.int32)
    for (language, output), (model, _) in heads.items():
        at, column = (*LANGUAGES, NEUTRAL).index(language), OUTPUTS.index(output)
        steps = model.linear_.steps_
        if language != NEUTRAL:
            weights[at, column] = steps[:BUCKETS]
            weights[at, column, 0] = 0  # bucket 0 marks places without an n-gram
        rules[at, column, :-1] = steps[BUCKETS:]
        rules[at, column, -1] = model.linear_.intercept_steps_
    return {"weights": weights, "rules": rules}


def _describe(
    heads: Mapping[tuple[str, str], tuple[CommentClassifier, Sample]], options: argparse.Namespace
) -> dict[str, Any]:
    """Return the manifest but for what concerns files."""
    manifest: dict[str, Any] = {
        "calibrations": {}, "languages": list(LANGUAGES), "left_out": {}, "name": options.name, "outputs": list(OUTPUTS),
        "seed": options.seed, "thresholds": {}, "libraries": {name: version(name) for name in LIBRARIES},
        "parameters": {}, "licences_required": options.licences,
    }  # fmt: skip
    for (language, output), (model, sample) in heads.items():
        calibration = model.calibration_
        manifest["calibrations"].setdefault(language, {})[output] = {
            "offset": calibration.offset,
            "slope": calibration.slope,
        }
        manifest["parameters"].setdefault(language, {})[output] = model.get_params()
        sources = left_out(model, sample)
        labelled = set(np.array(sample.sources)[sample.is_labelled].tolist())
        pair = thresholds(output, sources)
        manifest["thresholds"].setdefault(language, {})[output] = (
            pair if language != NEUTRAL else pair | {"reject": None}
        )
        manifest["left_out"].setdefault(language, {})[output] = {
            source: evaluate.measure_all(*pair) for source, pair in sources.items() if source in labelled
        }
    return manifest


def read_training(options: argparse.Namespace) -> tuple[list[Row], list[Path]]:
    """Return the rows to learn from, the authored ones included, and the files they came from."""
    paths = datasets.files(options.data)
    if AUTHORED.is_dir() and not options.no_authored:
        paths += datasets.files(AUTHORED)
    rows = [row for path in tqdm(paths, desc="reading", unit="file", file=sys.stderr, disable=None)
            for row in datasets.read_rows(path)]  # fmt: skip
    return datasets.select(rows, accepts=datasets.is_stated if options.licences else lambda _: True), paths


def train(options: argparse.Namespace) -> str:
    """Train, measure and write the artefact; return its version."""
    rows, paths = read_training(options)
    heads = train_heads(rows)
    manifest = _describe(heads, options)
    used = Counter(row.source for row in rows)
    manifest["sources"] = {
        source: {"licence": datasets.licence(source), "rows": count} for source, count in sorted(used.items())
    }
    manifest["data"] = datasets.snapshot(
        [path for path in paths if path.parent == AUTHORED or _source(path) in used]
    )
    arrays = _arrays(heads)
    artifacts.save(options.out, manifest, arrays, card.write(manifest))
    manifest["test"] = _measure_tests(options)
    return artifacts.save(options.out, manifest, arrays, card.write(manifest))


def _source(path: Path) -> str:
    return path.name.split(".")[0]


def _measure_tests(options: argparse.Namespace) -> dict[str, Any]:
    """Return the measures on the `.test` files beside the data, if there are any."""
    if not any(".test." in path.name for path in options.data.iterdir()):
        return {}
    rows = [row for path in datasets.files(options.data, test=True) for row in datasets.read_rows(path)]
    return evaluate.evaluate(Scorer.load(options.out), [row for row in rows if row.language in LANGUAGES])


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the spam and abuse model on a directory of labelled comments and write the artefact."""
    parser = argparse.ArgumentParser(prog="classifiers.train", description=main.__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="directory of .jsonl or .csv files, plain or .gz"
    )
    parser.add_argument("--out", type=Path, required=True, help="directory of the artefact")
    parser.add_argument("--name", default="shipped-2026.11", help="first part of the version")
    parser.add_argument(
        "--licences", action="store_true", help="leave out sources whose licence is not stated"
    )
    parser.add_argument("--no-authored", action="store_true", help="leave out the authored comments")
    parser.add_argument(
        "--seed", type=int, default=0, help="kept in the manifest; nothing in training is random"
    )
    sys.stdout.write(train(parser.parse_args(arguments)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
