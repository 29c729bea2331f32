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
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers import artifacts, card, datasets, evaluate, evidence, opinions
from classifiers.analysis import CHECK_BITS, CODES
from classifiers.datasets import Row, near_copy_groups
from classifiers.decision import BALANCED_SHARE, common_share, probabilities, spam_share, thresholds
from classifiers.opinions import Opinions
from classifiers.pipeline import CommentClassifier, Reading, deal, read
from classifiers.runtime import KINDS, LANGUAGES, NEUTRAL, THREAT, Scorer
from classifiers.samples import Sample, balanced_sample, spam_sample

OUTPUTS = {  # of each language, in the order of their columns; kinds only where labels of more than one source allow
    "ar": ("abuse", "spam", "hate", "obscene"),
    "en": ("abuse", "spam", "insult"),
    NEUTRAL: ("spam",),
}
AUTHORED = Path(__file__).parent / "authored"
TWINS = {"ar": (0.1, 1.0)}  # C and own of a second model of abuse; with a teacher one alone ranks better
OWN = 0.4  # see `LogCountClassifier`: how readily a source explains its own rows
FOLDS = 4
RULE_FLOORS = {
    "abuse": {  # no disguise makes milder; threats are too few to learn from
        **dict.fromkeys(("hidden", "lookalikes", "styled", "stretched", "spelled"), 0.0),
        "threat": 1.9,
    },
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
LIBRARIES = ("numpy", "scipy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Head:
    """One trained output of one language: its model, what it learned from, the share its calibration stands for."""

    model: CommentClassifier
    sample: Sample
    share: float


def train_heads(
    rows: Sequence[Row], taught: Mapping[str, Opinions] = MappingProxyType({})
) -> dict[tuple[str, str], Head]:
    """Fit every head: each output of each language, and spam from evidence alone for all other languages.

    A kind of which the rows hold no two classes has no head. `taught` has by language what a teacher thinks of the rows for abuse.
    """
    heads: dict[tuple[str, str], Head] = {}
    jobs = sum(map(len, OUTPUTS.values()))
    with tqdm(total=jobs, desc="training", unit="head", file=sys.stderr, disable=None) as progress:
        for language, outputs in OUTPUTS.items():
            own = [row for row in rows if language in {row.language, NEUTRAL}]
            reading = read([row.text for row in own], ngrams=language != NEUTRAL)
            for output in outputs:
                sample = spam_sample(own) if output == "spam" else balanced_sample(own, language, output)
                if len(np.unique(sample.target)) == 2:
                    told = taught.get(language) if output == "abuse" else None
                    heads[language, output] = _fit((language, output), sample, reading, told)
                progress.update()
    return heads


def _fit(of: tuple[str, str], sample: Sample, reading: Reading, told: Opinions | None) -> Head:
    """Leave sources out for abuse and its kinds; spam is labelled in too few sources, so near copies are kept together."""
    language, output = of
    has_sources = output != "spam" and len(set(sample.sources)) > 1
    model = CommentClassifier(
        ngrams=bool(reading.columns[0] < CODES),
        own=OWN if has_sources else 0.0,
        twin=TWINS.get(language) if has_sources and output == "abuse" else None,
        folds=FOLDS,
        rule_floors=RULE_FLOORS.get(output),
    )
    groups = sample.sources if has_sources else near_copy_groups(sample.texts)
    chances = None if told is None else told.chances(sample, deal(groups, FOLDS))
    model.fit_reading(reading.rows(sample.at), sample.target, sample.weight, groups, chances)
    share = BALANCED_SHARE
    if has_sources:
        share, model.calibration_ = common_share(left_out_margins(model, sample), model.calibration_)
    elif model.ngrams:
        share, model.calibration_ = spam_share(left_out_margins(model, sample), model.calibration_)
    return Head(model, sample, share)


def left_out_margins(
    model: CommentClassifier, sample: Sample
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return labels and margins by source of rows the model was not trained on.

    Sources that nobody labelled count as negatives; authored rows are in no measure.
    """
    sources = np.array(sample.sources)
    known = ~np.isnan(model.margins_)
    return {
        source: (sample.target[chosen], model.margins_[chosen])
        for source in sorted(set(sample.sources) - {AUTHORED.name})
        if (chosen := known & (sources == source)).any()
    }


def left_out(head: Head) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return labels and probabilities as `left_out_margins` does."""
    return {
        source: (target, probabilities(margins, head.model.calibration_))
        for source, (target, margins) in left_out_margins(head.model, head.sample).items()
    }


def columns(heads: Mapping[tuple[str, str], Head]) -> dict[str, list[str]]:
    """Return the outputs of each language in the order of their columns."""
    return {
        language: [output for output in outputs if (language, output) in heads]
        for language, outputs in OUTPUTS.items()
    }


def _arrays(heads: Mapping[tuple[str, str], Head]) -> dict[str, NDArray[np.integer]]:
    """Return by language the codes that weigh, their steps by output, and the rules with the intercept as last column."""
    arrays: dict[str, NDArray[np.integer]] = {}
    for language, outputs in columns(heads).items():
        models = [heads[language, output].model for output in outputs]
        steps = np.column_stack([model.linear_.steps_ for model in models])
        intercepts = np.array([model.linear_.intercept_steps_ for model in models])
        arrays[f"rules_{language}"] = np.column_stack([steps[-evidence.COUNT :].T, intercepts]).astype(
            np.int32
        )
        if language != NEUTRAL:
            codes = models[0].columns_[: -evidence.COUNT]
            weighs = steps[: codes.size].any(axis=1) & (codes >= 1 << CHECK_BITS)
            arrays[f"codes_{language}"] = codes[weighs].astype(np.int32)
            arrays[f"weights_{language}"] = steps[: codes.size][weighs].astype(np.int16)
    return arrays


def _describe(heads: Mapping[tuple[str, str], Head], options: argparse.Namespace) -> dict[str, Any]:
    """Return the manifest but for what concerns files."""
    manifest: dict[str, Any] = {
        "calibrations": {}, "heads": columns(heads), "languages": list(LANGUAGES), "left_out": {}, "name": options.name,
        "outputs": sorted({output for _, output in heads}), "seed": options.seed, "thresholds": {},
        "libraries": {name: version(name) for name in LIBRARIES}, "parameters": {}, "licences_required": options.licences,
    }  # fmt: skip
    for (language, output), head in heads.items():
        calibration = head.model.calibration_
        manifest["calibrations"].setdefault(language, {})[output] = {
            "offset": calibration.offset,
            "share": head.share,
            "slope": calibration.slope,
        }
        manifest["parameters"].setdefault(language, {})[output] = head.model.get_params()
        sources = left_out(head)
        labelled = set(np.array(head.sample.sources)[head.sample.is_labelled].tolist())
        pair = thresholds(output, sources)
        if language == NEUTRAL or output in KINDS:
            pair["reject"] = None  # a kind says why, not whether
        manifest["thresholds"].setdefault(language, {})[output] = pair
        manifest["left_out"].setdefault(language, {})[output] = {
            source: measures_left_out(*pair, manifest["thresholds"][language][output]["reject"])
            for source, pair in sources.items()
            if source in labelled
        }
    for language in LANGUAGES:
        manifest["thresholds"][language][THREAT] = {"doubt": 0.5, "reject": None}
    return manifest


def measures_left_out(
    target: NDArray[np.int64], values: NDArray[np.float64], reject: float | None
) -> dict[str, Any]:
    """Return the measures of a source that was left out, with precision and recall of rejection."""
    return {**evaluate.measure_all(target, values), "reject": evaluate.at_threshold(target, values, reject)}


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
    taught = {} if options.licences or options.no_opinions else _opinions({row.source for row in rows})
    heads = train_heads(rows, taught)
    manifest = _describe(heads, options)
    manifest["teachers"] = {
        language: {**told.about["teacher"], "share": opinions.SHARE} for language, told in taught.items()
    }
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


def _opinions(sources: set[str]) -> dict[str, Opinions]:
    """Return by language what a teacher thinks of its rows, where it was asked about any of these sources.

    It learned from sources of any licence.
    """
    found = {language: opinions.load(language) for language in LANGUAGES}
    return {
        language: told
        for language, told in found.items()
        if told is not None and sources & told.values.keys()
    }


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
    parser.add_argument("--no-opinions", action="store_true", help="learn from the labels alone")
    parser.add_argument("--no-authored", action="store_true", help="leave out the authored comments")
    parser.add_argument(
        "--seed", type=int, default=0, help="kept in the manifest; nothing in training is random"
    )
    sys.stdout.write(train(parser.parse_args(arguments)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
