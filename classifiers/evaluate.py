"""Measures of a model on labelled comments, per source.

.venv/bin/python -m classifiers.evaluate --data DIR [--model DIR]
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score
from tqdm import tqdm

from classifiers import datasets
from classifiers.runtime import Scorer

_BINS = 10
Measure = Callable[[NDArray[np.int64], NDArray[np.float64]], float]


def expected_calibration_error(target: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Return the mean gap between stated and true probability over ten bins of equal width, weighted by rows."""
    bins = np.minimum((probability * _BINS).astype(np.int64), _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    gaps = np.abs(np.bincount(bins, probability, _BINS) - np.bincount(bins, target, _BINS))
    return float(gaps.sum() / counts.sum())


def auc(target: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve, NaN where one class is missing."""
    return float(roc_auc_score(target, probability)) if 0 < target.sum() < target.size else float("nan")


def macro_f1(target: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Return the macro-averaged F1 at 0.5."""
    return float(f1_score(target, probability > 0.5, average="macro", zero_division=0))


def positive_f1(target: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Return the F1 of the positive class at 0.5."""
    return float(f1_score(target, probability > 0.5, zero_division=0))


def called_positive(target: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Return the share of rows above 0.5, whatever their label."""
    return float((probability > 0.5).mean()) if target.size else float("nan")


MEASURES: Mapping[str, Measure] = {
    "auc": auc,
    "macro_f1": macro_f1,
    "f1": positive_f1,
    "ece": expected_calibration_error,
    "called_positive": called_positive,
}


def at_threshold(
    target: NDArray[np.int64], probability: NDArray[np.float64], threshold: float | None
) -> dict[str, float | None]:
    """Return precision and recall of calling positive what is at or above a threshold; None where undefined."""
    if threshold is None:
        return {"precision": None, "recall": None}
    called = probability >= threshold
    hits = int((called & (target == 1)).sum())
    positives = int(target.sum())
    return {
        "precision": hits / int(called.sum()) if called.any() else None,
        "recall": hits / positives if positives else None,
    }


def measure_all(target: NDArray[np.int64], probability: NDArray[np.float64]) -> dict[str, float | None]:
    """Return every measure that is defined, rounded to four digits, with rows and share of positives."""
    found: dict[str, float | None] = {"rows": float(target.size), "share": round(float(target.mean()), 4)}
    for name, measure in MEASURES.items():
        value = measure(target, probability)
        found[name] = None if np.isnan(value) else round(value, 4)
    return found


def score_rows(scorer: Scorer, rows: Sequence[datasets.Row]) -> dict[str, NDArray[np.float64]]:
    """Return the probabilities of each output, NaN where the scorer gives none."""
    scores = []
    for first in tqdm(range(0, len(rows), 256), desc="scoring", unit="batch", file=sys.stderr, disable=None):
        scores += scorer.score([row.text for row in rows[first : first + 256]])
    outputs = ("spam", "abuse")
    return {
        output: np.array(
            [np.nan if (p := getattr(score, output)) is None else p for score in scores], np.float64
        )
        for output in outputs
    }


def evaluate(scorer: Scorer, rows: Sequence[datasets.Row]) -> dict[str, dict[str, Any]]:
    """Return the measures per output and source; rows of unknown language count as probability 0.

    `ordinary` measures spam on sources where nobody looked for it: the share called spam.
    """
    probabilities = score_rows(scorer, rows)
    sources = np.array([row.source for row in rows])
    report: dict[str, dict[str, Any]] = {"spam": {}, "abuse": {}, "ordinary": {}}
    for output, given in probabilities.items():
        values = np.nan_to_num(given)
        labels = np.array([-1 if (label := getattr(row, output)) is None else label for row in rows])
        for source in sorted(set(sources.tolist())):
            chosen = (sources == source) & (labels >= 0)
            if chosen.any():
                language = rows[int(np.flatnonzero(chosen)[0])].language
                threshold = scorer.thresholds.get(language, {}).get(output, {}).get("reject")
                report[output][source] = {
                    **measure_all(labels[chosen], values[chosen]),
                    "reject": at_threshold(labels[chosen], values[chosen], threshold),
                }
            elif output == "spam":
                unlabelled = sources == source
                report["ordinary"][source] = measure_all(
                    np.zeros(int(unlabelled.sum()), np.int64), values[unlabelled]
                )
    return report


def table(report: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a report as aligned text."""
    lines = [
        f"{'output':9}{'source':26}{'rows':>7}{'share':>8}{'auc':>8}{'macro':>8}{'f1':>8}{'ece':>8}{'called':>8}  reject"
    ]
    for output, sources in report.items():
        for source, found in sources.items():
            numbers = "".join(
                f"{'-' if (value := found.get(name)) is None else format(value, '.3f'):>8}"
                for name in ("share", "auc", "macro_f1", "f1", "ece", "called_positive")
            )
            reject = found.get("reject") or {}
            sure = "/".join(
                "-" if (value := reject.get(k)) is None else f"{value:.3f}" for k in ("precision", "recall")
            )
            lines.append(f"{output:9}{source:26}{int(found['rows']):>7}{numbers}  {sure}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the measures of a model on the `.test` files of a directory."""
    parser = argparse.ArgumentParser(prog="classifiers.evaluate", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of .test.jsonl.gz files")
    parser.add_argument("--model", type=Path, help="directory of an artefact; the shipped model if absent")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    scorer = Scorer.load(options.model) if options.model else Scorer.shipped()
    rows = [row for path in datasets.files(options.data, test=True) for row in datasets.read_rows(path)]
    report = evaluate(scorer, [row for row in rows if row.language in datasets.LANGUAGES])
    sys.stdout.write((json.dumps(report, indent=1) if options.json else table(report)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
