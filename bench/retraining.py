"""A site's model beside TF-IDF with logistic regression on the same labels, as an admin would make it.

`python -m bench.retraining TRAIN TEST [--labels 200 1000 5000]` (JSON lines, plain or .gz, with `text` and 0 or 1 in `abuse`, `spam` or
`reject`): for each number of labels draws so many rows of TRAIN, runs `moderation models retrain --data` and `models score` on
them, fits words 1-2 and characters 2-5 with scikit-learn's defaults, and prints ROC-AUC, macro-F1 (positive from .5 on) and log-loss of
both on TEST. `--positives .02` draws one-sided logs, `--log` gives the labels as a moderation log does (`state` and `reason`), `--letters`
writes everything in other letters, one for one, so that no shipped model knows anything of it.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline, make_union

from classifiers.site.labels import OUTPUTS

_LATIN = "abcdefghijklmnopqrstuvwxyz"
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщ"
_ARABIC = "".join(map(chr, range(0x621, 0x64B)))
_DEVANAGARI = "".join(map(chr, range(0x905, 0x905 + len(_ARABIC))))
_LETTERS = str.maketrans(_LATIN + _LATIN.upper() + _ARABIC, _CYRILLIC + _CYRILLIC.upper() + _DEVANAGARI)
_CANDIDATE = 3
Row = tuple[str, int]


def main() -> None:
    """Draw, learn both ways, and print one line a draw and a mean for each number of labels."""
    parser = argparse.ArgumentParser(prog="python -m bench.retraining", description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--output", choices=OUTPUTS, default="abuse")
    parser.add_argument("--labels", type=int, nargs="*", default=[200, 1_000, 5_000], help="0: all there are")
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument(
        "--positives", type=float, help="the share of positives to draw; as it comes by default"
    )
    parser.add_argument("--lang", help="the language to state; none by default")
    parser.add_argument(
        "--letters", action="store_true", help="write Latin as Cyrillic, Arabic as Devanagari"
    )
    parser.add_argument("--log", action="store_true", help="give state and reason instead of labels")
    chosen = parser.parse_args()
    pool, test = (list(_read(path, chosen.output, chosen.letters)) for path in (chosen.train, chosen.test))
    print(
        "| labels | positive | AUC TF-IDF | AUC site | macro-F1 TF-IDF / site | log-loss TF-IDF / site | exit code |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for labels in chosen.labels:
        found = [
            line
            for draw in range(chosen.draws if labels else 1)
            if (line := _compare(_draw(pool, labels, chosen.positives, draw), test, chosen)) is not None
        ]
        if len(found) > 1:
            _print(f"mean of {len(found)}", np.mean(found, axis=0))


def _read(path: Path, output: str, letters: bool) -> Iterator[Row]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row.get(output) in (0, 1):
                yield (row["text"].translate(_LETTERS) if letters else row["text"]), int(row[output])


def _draw(pool: Sequence[Row], labels: int, positives: float | None, seed: int) -> list[Row]:
    """Return that many rows (0: all), drawn without repetition; fewer where there are not enough for that share of positives."""
    order = np.random.default_rng(seed).permutation(len(pool)).tolist()
    if positives is None:
        return [pool[at] for at in order[: labels or len(pool)]]
    of_kind = [[at for at in order if pool[at][1] == kind] for kind in (0, 1)]
    size = labels or len(pool)
    for kind, share in ((0, 1 - positives), (1, positives)):
        if share:
            size = min(size, int(len(of_kind[kind]) / share))
    ones = round(size * positives)
    wanted = {*of_kind[1][:ones], *of_kind[0][: size - ones]}
    return [pool[at] for at in order if at in wanted]


def _compare(
    rows: Sequence[Row], test: Sequence[Row], chosen: argparse.Namespace
) -> tuple[float, ...] | None:
    truth = np.array([label for _, label in test])
    with tempfile.TemporaryDirectory() as folder:
        code, site = _site(rows, test, chosen, Path(folder))
    if site is None:
        print(f"| {len(rows)} | {sum(label for _, label in rows)} | | not learned | | | {code} |", flush=True)
        return None
    measured = [measure(truth, probabilities) for probabilities in (tfidf(rows, test), site)]
    line = (
        float(sum(label for _, label in rows)),
        *(value for pair in zip(*measured, strict=True) for value in pair),
    )
    _print(str(len(rows)), np.array(line), str(code))
    return line


def _print(labels: str, line: NDArray[np.float64], code: str = "") -> None:
    positive, *figures = line.tolist()
    auc, auc_site, f1, f1_site, loss, loss_site = (f"{value:.3f}" for value in figures)
    print(
        f"| {labels} | {positive:.0f} | {auc} | {auc_site} | {f1} / {f1_site} | {loss} / {loss_site} | {code} |",
        flush=True,
    )


def measure(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return ROC-AUC, macro-F1 at .5 and log-loss in nats."""
    called = (probabilities >= 0.5).astype(int)
    return (
        float(roc_auc_score(truth, probabilities)),
        float(f1_score(truth, called, average="macro")),
        float(log_loss(truth, probabilities)),
    )


def tfidf(rows: Sequence[Row], test: Sequence[Row]) -> NDArray[np.float64]:
    """Return the probabilities that plain TF-IDF with logistic regression gives."""
    texts = make_union(
        TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char", ngram_range=(2, 5))
    )
    model = make_pipeline(texts, LogisticRegression(max_iter=1_000))
    model.fit([text for text, _ in rows], [label for _, label in rows])
    return np.asarray(model.predict_proba([text for text, _ in test])[:, 1])


def _site(
    rows: Sequence[Row], test: Sequence[Row], chosen: argparse.Namespace, folder: Path
) -> tuple[int, NDArray[np.float64] | None]:
    """Return the exit code of `models retrain` and, where it wrote a model, what `models score` gives."""
    _write(folder / "train.jsonl", (_labelled(text, label, chosen) for text, label in rows))
    _write(folder / "test.jsonl", ({"text": text} for text, _ in test))
    out = str(folder / "model")
    code, _ = _run("retrain", "--data", str(folder / "train.jsonl"), "--out", out)
    if code not in (0, _CANDIDATE):
        return code, None
    _, scored = _run("score", str(folder / "test.jsonl"), "--model", out)
    given = [json.loads(line)[_output(chosen)] for line in scored.splitlines()]
    # a text of which the model says nothing is as likely as any other
    return code, np.array([np.mean([label for _, label in rows]) if one is None else one for one in given])


def _output(chosen: argparse.Namespace) -> str:
    return "reject" if chosen.log else str(chosen.output)


def _labelled(text: str, label: int, chosen: argparse.Namespace) -> dict[str, Any]:
    said: dict[str, Any] = {"state": ("approved", "trash")[label]} if chosen.log else {chosen.output: label}
    return {"text": text} | said | ({"lang": chosen.lang} if chosen.lang else {})


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def _run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "moderation", "models", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


if __name__ == "__main__":
    main()
