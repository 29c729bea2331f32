"""Scoring beside the plainest peer, `HashingVectorizer` (characters 2 to 5) and `LogisticRegression`, in one run.

Process time on one thread, the least of several tries in turn. The comments are sentences of `texts.TEXTS` and of the authored
examples, put together to 80 to 300 characters; the peer gives one probability, the scorer all of its own, evidence included.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import classifiers
from bench.sizes import Sizes
from bench.texts import TEXTS
from classifiers.runtime import Scorer

COUNT = 640
TRIES = 8
_LENGTHS = (80, 300)  # characters


def measure(sizes: Sizes) -> None:
    """Print what a comment costs each, in batches and alone, and the ratio."""
    texts = _comments()
    tries = 1 if sizes.tries < 10 else TRIES
    scorer, peer = Scorer.shipped(), _peer(texts)
    print(f"{COUNT} comments of {sum(map(len, texts)) / COUNT:.0f} characters")
    for batch in (64, 1):
        theirs, ours = _least_of_each(texts, batch, tries, (peer, scorer.score))
        print(
            f"batches of {batch:>2}: {ours:6.1f} µs a comment, peer {theirs:6.1f}: {theirs / ours:.1f} times"
        )


def _comments() -> list[str]:
    authored = Path(classifiers.__file__).parent / "authored"
    sentences = list(TEXTS) * 20  # most comments are civil
    for path in sorted(authored.glob("*.jsonl")):
        sentences += [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    chance = random.Random(1)
    texts = []
    for _ in range(COUNT):
        wanted, text = chance.randint(*_LENGTHS), chance.choice(sentences)
        while len(text) < wanted:
            text += " " + chance.choice(sentences)
        texts.append(text[: _LENGTHS[1]])
    return texts


def _peer(texts: Sequence[str]) -> Callable[[Sequence[str]], object]:
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = HashingVectorizer(analyzer="char", ngram_range=(2, 5))
    labels = [at % 2 for at in range(len(texts))]  # what it learns costs nothing in use
    model = LogisticRegression(max_iter=5, tol=1.0).fit(vectorizer.transform(texts), labels)
    return lambda batch: model.predict_proba(vectorizer.transform(batch))


def _least_of_each(
    texts: Sequence[str], batch: int, tries: int, steps: Sequence[Callable[[Sequence[str]], object]]
) -> list[float]:
    """Return the least CPU µs a comment of each step; the steps take turns, so that other programs disturb both."""
    best = [float("inf")] * len(steps)
    for _ in range(tries):
        for at, step in enumerate(steps):
            before = time.process_time_ns()
            for start in range(0, len(texts), batch):
                step(texts[start : start + batch])
            best[at] = min(best[at], (time.process_time_ns() - before) / 1000 / len(texts))
    return best
