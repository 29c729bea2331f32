"""The scorer of a site's model: the prior's log-odds and the site's own n-grams, from one reading of the texts.

An output's log-odds are `slope * (own margin + coefficients · prior log-odds + intercept) + offset`. The own margin is a sum of
whole steps over the root of the length, the rest is scalar and in a fixed order, so a text scores the same in any batch.
The artefact carries its prior whole (folder `prior`): an upgrade of the program that ships another prior changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import artifacts, evidence
from classifiers.analysis import BUCKETS, CHECK_BITS, Analysis, analyse, keys
from classifiers.calibration import LENGTH_OFFSET, MAX_LOGIT, STEPS
from classifiers.errors import ArtifactIncompatibleError, ArtifactTamperedError
from classifiers.explain import LinearHead, Span, contributions, without_weak
from classifiers.runtime import Scorer, TextScores
from classifiers.site.inputs import (
    EITHER,
    FEATURES,
    ONCE,
    TIMES,
    OwnWeights,
    language_keys,
    prior_features,
)
from classifiers.site.labels import OUTPUTS
from classifiers.text import MAX_CODE_POINTS

KIND = "site"
PRIOR_FOLDER = "prior"
ANY = "*"  # the heads of languages that the prior knows and the site has too few rows of
_MASK = np.uint32(BUCKETS - 1)


@dataclass(frozen=True, slots=True)
class Head:
    """What makes one output of one language; `own` is 0 where the site's own margin does not count, `prior` along FEATURES."""

    own: float
    prior: tuple[float, ...]
    intercept: float
    slope: float
    offset: float

    def log_odds(self, margin: float, features: Sequence[float]) -> float:
        """Return the calibrated log-odds."""
        total = self.own * margin + self.intercept
        for coefficient, feature in zip(self.prior, features, strict=True):
            total += coefficient * feature
        return self.slope * total + self.offset

    def probability(self, margin: float, features: Sequence[float]) -> float:
        """Return the calibrated probability, in (0, 1)."""
        return 1.0 / (1.0 + exp(-max(min(self.log_odds(margin, features), MAX_LOGIT), -MAX_LOGIT)))


@dataclass(frozen=True, slots=True)
class _Steps:
    """The site's own steps of one output, looked up by bucket; checks are not asked for."""

    column: NDArray[np.int32]

    def places(
        self, found: Analysis, unit: float, least: float, most: float
    ) -> tuple[float, list[tuple[int, int, float]]] | None:
        """Return None: there is no short way."""
        del found, unit, least, most
        return None

    def take(self, codes: NDArray[np.uint32], /) -> NDArray[np.int64]:
        """Return the steps of these codes."""
        # `take` would first copy the whole column.
        steps: NDArray[np.int64] = self.column[codes >> CHECK_BITS].astype(np.int64)
        return steps


class SiteScorer(Scorer):
    """Scores texts with a site's own model; immutable after loading and safe to share between threads.

    Outputs that the site gave too few labels of are the prior's. In a language that neither knows only `spam` is given, but
    where a site writes in one language alone, its head scores those texts too (a few signs, a word in other letters); they
    still count as unknown.
    """

    def __init__(
        self, artifact: artifacts.Artifact, prior: Scorer
    ) -> None:  # the prior makes up for the rest
        manifest = artifact.manifest
        if manifest.get("prior", {}).get("digest") != prior.manifest["digest"]:
            raise ArtifactTamperedError("the prior in the folder is another than the manifest names")
        self.version = artifact.version
        self.languages = frozenset(manifest["languages"])
        self.thresholds = manifest["thresholds"]
        self.manifest = manifest
        self.prior = prior
        self._trained = tuple(manifest["outputs"])
        self._names, self._site_heads = _read(manifest)
        self._fallback = str(manifest.get("fallback") or "")
        self._aliases: Mapping[str, str] = manifest.get("aliases", {})
        self._own = _weights(artifact)

    @classmethod
    def open(cls, artifact: artifacts.Artifact, directory: Path) -> "SiteScorer":
        """Build the scorer of an audited site artefact in a directory, with the prior that lies in it."""
        return cls(artifact, Scorer.load(directory / PRIOR_FOLDER))

    def decompose(
        self,
        text: str,
        *,
        limit: int | None = None,
        outputs: Collection[str] | None = None,
        least: float = 0.0,
        found: Analysis | None = None,
    ) -> list[Span]:
        """Return all spans of a text: the site's own and, scaled by its coefficients, the prior's."""
        text = text[:MAX_CODE_POINTS]
        found = found or analyse([text], with_origin=True)
        features, heads = self._of_one(found)
        told = {output: head for output, head in heads.items() if outputs is None or output in outputs}
        totals: dict[tuple[int, int, str, str], float] = defaultdict(float)
        for span in contributions(text, found, self._own_heads(found.lengths[0], told)):
            totals[span.start, span.end, span.rule, span.output] += span.weight
        for span in self.prior.decompose(text, found=found):
            for output, head in heads.items():
                scale = head.slope * _shares(head, features)[span.output]
                totals[span.start, span.end, span.rule, output] += scale * span.weight
            if span.output not in heads:
                totals[span.start, span.end, span.rule, span.output] += span.weight
        spans = [
            Span(start, end, rule, weight, output)
            for (start, end, rule, output), weight in totals.items()
            if weight and (outputs is None or output in outputs)
        ]
        spans.sort(key=lambda span: (-abs(span.weight), span.start, span.end, span.rule, span.output))
        return without_weak(spans, least)[:limit]

    def base(self, text: str, output: str) -> float:
        """Return what an output's log-odds are before any place of the text counts."""
        features, heads = self._of_one(analyse([text]))
        if output not in heads:
            return self.prior.base(text, output)
        head = heads[output]
        of_places = sum(
            share * (features[FEATURES.index(name)] - self.prior.base(text, name))
            for name, share in _shares(head, features).items()
            if share and features[FEATURES.index(name)]
        )
        return head.log_odds(0.0, features) - head.slope * of_places

    def _of_one(self, found: Analysis) -> tuple[list[float], Mapping[str, Head]]:
        (score,) = self.prior.score_found(found)
        return prior_features(score), self._heads_of(language_keys(found)[0], score)

    def _own_heads(self, length: int, heads: Mapping[str, Head]) -> list[LinearHead]:
        root = STEPS * sqrt(length + LENGTH_OFFSET)
        return [
            LinearHead(
                output,
                _Steps(self._own.buckets[:, at]),
                self._own.rules[:, at].tolist(),
                heads[output].slope / root,
                TIMES if self._own.counts_repeats else None,
            )
            for at, output in enumerate(self._trained)
            if output in heads and heads[output].own
        ]

    def _heads_of(self, key: str, score: TextScores) -> Mapping[str, Head]:
        heads = self._site_heads.get(self._aliases.get(key, key))
        if heads is not None:
            return heads
        return self._site_heads[ANY] if score.is_known_language else self._site_heads.get(self._fallback, {})

    def score_found(self, found: Analysis) -> list[TextScores]:
        """Return the scores of texts that were analysed already."""
        given = self.prior.score_found(found)  # one reading of the texts serves both
        sums = self._own.sums(found, *keys(found), mask=_MASK).tolist()
        return [
            self._changed(score, key, steps, ONCE * STEPS * sqrt(length + LENGTH_OFFSET))
            for score, key, steps, length in zip(
                given, language_keys(found), sums, found.lengths, strict=True
            )
        ]

    def _changed(self, score: TextScores, key: str, steps: Sequence[int], root: float) -> TextScores:
        heads = self._heads_of(key, score)
        features = prior_features(score)
        changed: dict[str, Any] = {
            output: heads[output].probability(steps[at] / root, features)
            for at, output in enumerate(self._trained)
            if output in heads
        }
        is_known = score.is_known_language or self._aliases.get(key, key) in self._site_heads
        return score._replace(
            language=self._names.get(key, score.language),
            is_known_language=is_known,
            **changed,
        )


def _shares(head: Head, features: Sequence[float]) -> dict[str, float]:
    """Return how much of each prior output's log-odds an output takes; `either` moves with the larger of its two."""
    shares = dict(zip(FEATURES, head.prior, strict=True))
    either = shares.pop(EITHER)
    larger = "abuse" if features[FEATURES.index("abuse")] > features[FEATURES.index("spam")] else "spam"
    if features[FEATURES.index(EITHER)]:
        shares[larger] += either
    return shares


def _read(manifest: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, dict[str, Head]]]:
    """Return what languages are called and the heads by language and output."""
    try:
        heads = {
            key: {
                output: Head(
                    float(numbers["own"]),
                    tuple(float(numbers["prior"].get(name, 0.0)) for name in FEATURES),
                    float(numbers["intercept"]),
                    float(numbers["slope"]),
                    float(numbers["offset"]),
                )
                for output, numbers in outputs.items()
            }
            for key, outputs in manifest["calibrations"].items()
        }
        names = {str(key): str(name) for key, name in manifest["names"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactIncompatibleError("the heads have another form than this version reads") from error
    if not set(manifest["outputs"]) <= set(OUTPUTS) or ANY not in heads:
        raise ArtifactIncompatibleError("the outputs are others than this version knows")
    if any(not set(outputs) <= set(manifest["outputs"]) for outputs in heads.values()):
        raise ArtifactIncompatibleError("a head has no weights")
    return names, heads


def _weights(artifact: artifacts.Artifact) -> OwnWeights:
    """Spread the kept weights over all buckets; bucket 0, where no n-gram begins, weighs nothing."""
    count, counts_repeats = len(artifact.manifest["outputs"]), artifact.manifest.get("counts_repeats", False)
    places, weights, rules = (artifact.arrays.get(name) for name in ("buckets", "weights", "rules"))
    if (
        places is None
        or weights is None
        or rules is None
        or places.ndim != 1
        or weights.shape != (places.size, count)
        or rules.shape != (evidence.COUNT, count)
        or (places.size and (places.min() < 1 or places.max() >= BUCKETS))
    ):
        raise ArtifactIncompatibleError("the weights have another shape than this version reads")
    buckets = np.zeros((BUCKETS, count), np.int32)
    buckets[places] = weights
    return OwnWeights(buckets, rules.astype(np.int32), counts_repeats=bool(counts_repeats))
