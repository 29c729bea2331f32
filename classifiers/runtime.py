"""The scorer that serves: the probabilities of the trained pipeline, from NumPy alone.

Weights are whole steps and two outputs share one 64-bit integer, so that one look-up and one sum serve both, and a text's
score is the same bit for bit whatever batch it came in. Neither scikit-learn nor scipy is imported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import artifacts, evidence
from classifiers.analysis import BUCKETS, Analysis, analyse, batches, keys
from classifiers.calibration import LENGTH_OFFSET, MAX_LOGIT, STEPS, Calibration, log_odds_per_step
from classifiers.errors import ArtifactIncompatibleError
from classifiers.explain import LinearHead, Span, contributions
from classifiers.text import MAX_CODE_POINTS

PRETRAINED = Path(__file__).parent / "pretrained"
LANGUAGES = ("ar", "en")  # in the order of the weight arrays
NEUTRAL = "und"  # the head for languages the model does not know: evidence only, spam only
_PACKED = ("abuse", "spam")  # low and high half of the packed weights
_HALF = 32
_KEY_MASK = np.uint32(2 * BUCKETS - 1)


@dataclass(frozen=True, slots=True)
class TextScores:
    """Calibrated probabilities of one text, each in (0, 1); None where the model does not know.

    `language` is "ar", "en", another code, or None where it cannot be told. Where `is_known_language` is false only
    `spam` is given, from evidence that no language needs, and a person should decide.
    """

    language: str | None
    is_known_language: bool
    spam: float | None
    abuse: float | None
    insult: float | None
    obscene: float | None
    threat: float | None
    hate: float | None
    reject: float | None


@dataclass(frozen=True, slots=True)
class _Head:
    """What one output of one language adds to the n-grams: an intercept, a weight for each rule, its calibration."""

    intercept: int
    rules: list[int]
    calibration: Calibration

    def probability(self, steps: int, rules: Sequence[int], divisor: float) -> float:
        """Return `calibration.probability` of the margin; written out, for every comment passes here twice."""
        steps += self.intercept
        for rule in rules:
            steps += self.rules[rule]
        calibration = self.calibration
        logit = calibration.slope * (steps / divisor) + calibration.offset
        if -MAX_LOGIT < logit < MAX_LOGIT:
            return 1.0 / (1.0 + exp(-logit))
        return 1.0 / (1.0 + exp(-MAX_LOGIT if logit > 0 else MAX_LOGIT))


@dataclass(frozen=True, slots=True)
class _PackedSteps:
    """One output's steps out of the packed weights of a language; unpacks only what is looked up."""

    packed: NDArray[np.int64]
    is_low: bool

    def take(self, buckets: NDArray[np.int64], /) -> NDArray[np.int64]:
        """Return the steps of these buckets."""
        packed = self.packed.take(buckets)
        low = (packed << _HALF) >> _HALF
        return low if self.is_low else (packed - low) >> _HALF


class Scorer:
    """Scores texts; immutable after loading and safe to share between threads."""

    version: str
    languages: frozenset[str]

    def __init__(self, artifact: artifacts.Artifact) -> None:
        self.version = artifact.version
        self.languages = frozenset(artifact.manifest["languages"])
        self.thresholds: Mapping[str, Any] = artifact.manifest["thresholds"]
        self.manifest = artifact.manifest
        self._heads = _read_heads(artifact)
        self._weights = _pack(artifact)

    @classmethod
    def load(cls, directory: Path) -> "Scorer":
        """Load an artefact, a site's own too; raises ArtifactTamperedError or ArtifactIncompatibleError."""
        artifact = artifacts.load(directory)
        if artifact.manifest.get("kind") == "site":
            from classifiers.site.scorer import SiteScorer

            return SiteScorer.open(artifact, directory)
        return cls(artifact)

    @classmethod
    def shipped(cls) -> "Scorer":
        """Load the model that comes with the program."""
        return cls.load(PRETRAINED)

    def score(
        self, texts: Sequence[str], *, author_urls: Sequence[str | None] | None = None
    ) -> list[TextScores]:
        """Return the scores of each text, in order.

        Total on any strings. Of a text the first 20,000 code points are read. `author_urls` are the authors' websites.
        """
        scores: list[TextScores] = []
        for run in batches(texts):
            found = analyse(texts[run], author_urls[run] if author_urls else None)
            scores += self.score_found(found)
        return scores

    def explain(self, text: str, *, limit: int = 8) -> list[Span]:
        """Return the places that moved the scores most, in either direction, the strongest first.

        Weights are exact changes of an output's log-odds; all spans of an output and its base sum to its log-odds.
        """
        return self.decompose(text)[:limit]

    def decompose(self, text: str) -> list[Span]:
        """Return all spans of a text, as `explain` does."""
        text = text[:MAX_CODE_POINTS]
        found = analyse([text], with_origin=True)
        name = self._head_name(found.language[0])
        length = found.lengths[0]
        heads = [
            LinearHead(
                output,
                None if name == NEUTRAL else self._steps(output, LANGUAGES.index(name)),
                head.rules,
                log_odds_per_step(length, head.calibration),
            )
            for output, head in self._heads[name].items()
        ]
        return contributions(text, found, heads)

    def base(self, text: str, output: str) -> float:
        """Return what an output's log-odds are before any place of the text counts."""
        found = analyse([text])
        head = self._heads[self._head_name(found.language[0])][output]
        length = found.lengths[0]
        return head.intercept * log_odds_per_step(length, head.calibration) + head.calibration.offset

    def _head_name(self, language: str | None) -> str:
        return language if language is not None and language in self._heads else NEUTRAL

    def _steps(self, output: str, language: int) -> "_PackedSteps":
        """Return what looks up the steps of one output of one language."""
        return _PackedSteps(
            self._weights[language * BUCKETS : (language + 1) * BUCKETS], output == _PACKED[0]
        )

    def score_found(self, found: Analysis) -> list[TextScores]:
        """Return the scores of texts that were analysed already."""
        sums = self._sum(found)
        return [
            self._scores(language, packed, rules, length)
            for language, packed, rules, length in zip(
                found.language, sums, found.rules, found.lengths, strict=True
            )
        ]

    def _sum(self, found: Analysis) -> list[int]:
        """Return the packed sum of weights of each text's distinct n-grams."""
        found_keys, firsts = keys(found)
        weights = self._weights.take(found_keys & _KEY_MASK)
        weights[1:] *= found_keys[1:] != found_keys[:-1]
        if firsts.size == 1:
            return [int(weights.sum())]
        sums: list[int] = np.add.reduceat(weights, firsts).tolist()
        return sums

    def _scores(self, language: str | None, packed: int, rules: list[int], length: int) -> TextScores:
        divisor = STEPS * sqrt(length + LENGTH_OFFSET)
        heads = self._heads.get(language or "")
        if heads is None:
            spam = self._heads[NEUTRAL]["spam"].probability(0, rules, divisor)
            return TextScores(language, False, spam, None, None, None, None, None, None)
        low = (packed + (1 << _HALF - 1) & (1 << _HALF) - 1) - (1 << _HALF - 1)
        abuse = heads["abuse"].probability(low, rules, divisor)
        spam = heads["spam"].probability(packed - low >> _HALF, rules, divisor)
        return TextScores(language, True, spam, abuse, None, None, None, None, None)


def _read_heads(artifact: artifacts.Artifact) -> dict[str, dict[str, _Head]]:
    rules = artifact.arrays.get("rules")
    outputs = artifact.manifest["outputs"]
    shape = (len(LANGUAGES) + 1, len(outputs), evidence.COUNT + 1)
    if rules is None or rules.shape != shape or sorted(outputs) != sorted(_PACKED):
        raise ArtifactIncompatibleError("the rule weights have another shape than this version reads")
    heads: dict[str, dict[str, _Head]] = {}
    try:
        for language, calibrations in artifact.manifest["calibrations"].items():
            of_language = rules[(*LANGUAGES, NEUTRAL).index(language)].tolist()
            heads[language] = {
                output: _Head(
                    of_language[outputs.index(output)][-1],
                    of_language[outputs.index(output)][:-1],
                    Calibration(float(numbers["slope"]), float(numbers["offset"])),
                )
                for output, numbers in calibrations.items()
            }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactIncompatibleError(
            "the calibrations have another form than this version reads"
        ) from error
    return heads


def _pack(artifact: artifacts.Artifact) -> NDArray[np.int64]:
    """Return the weights of both languages, one after the other, two outputs in each integer."""
    weights = artifact.arrays.get("weights")
    outputs = artifact.manifest["outputs"]
    if weights is None or weights.shape != (len(LANGUAGES), len(outputs), BUCKETS):
        raise ArtifactIncompatibleError("the weights have another shape than this version reads")
    low, high = (weights[:, outputs.index(output)].astype(np.int64).ravel() for output in _PACKED)
    return (high << _HALF) + low
