"""The scorer that serves: the probabilities of the trained pipeline, from NumPy alone.

Weights are whole steps, so that a text's score is the same bit for bit whatever batch it came in.
Neither scikit-learn nor scipy is imported.
"""

from collections.abc import Collection, Mapping, Sequence
from math import exp, log, sqrt
from pathlib import Path
from typing import Any, NamedTuple

from classifiers import artifacts, evidence, threats
from classifiers.analysis import Analysis, alone, analyse, batches
from classifiers.calibration import LENGTH_OFFSET, MAX_LOGIT, STEPS, Calibration, log_odds_per_step
from classifiers.errors import ArtifactIncompatibleError
from classifiers.explain import LinearHead, Span, contributions
from classifiers.telling import LEAST, telling
from classifiers.text import MAX_CODE_POINTS
from classifiers.weights import Weights, pack

PRETRAINED = Path(__file__).parent / "pretrained"
LANGUAGES = ("ar", "en")  # in the order of the weight arrays
NEUTRAL = "und"  # the head for languages the model does not know: evidence only, spam only
KINDS = ("insult", "obscene", "threat", "hate")
THREAT = "threat"  # told by a rule, not learned
_THREAT_RULE = int(evidence.Rule.THREAT)
_THREAT_BASE = log(threats.SILENT / (1 - threats.SILENT))
_THREAT_WEIGHT = log(threats.FIRED / (1 - threats.FIRED)) - _THREAT_BASE


class TextScores(NamedTuple):
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


_FIELDS = {output: place for place, output in enumerate(TextScores._fields)}
_THREAT_FIELD = _FIELDS[THREAT]
_MOST_KEPT = 1 << 16  # folded code points of a batch
_new = tuple.__new__  # a named tuple's own way takes twice as long
_NO_STEPS = [0]  # of an unknown language: its n-grams are not asked for


class Kept(NamedTuple):
    """What was read of a text: the analysis of its batch, and its place there."""

    found: Analysis
    at: int


class _Head(NamedTuple):
    """What one output of one language adds to the n-grams: an intercept, a weight for each rule, its calibration."""

    field: int  # of TextScores
    intercept: int
    rules: list[int]
    slope: float
    offset: float

    @property
    def calibration(self) -> Calibration:
        """The two numbers that make a margin a probability."""
        return Calibration(self.slope, self.offset)


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
        self._columns = {language: tuple(heads.values()) for language, heads in self._heads.items()}
        self._weights = _read_weights(artifact)

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
        self,
        texts: Sequence[str],
        *,
        author_urls: Sequence[str | None] | None = None,
        hints: Sequence[str | None] | None = None,
        kept: dict[str, Kept] | None = None,
    ) -> list[TextScores]:
        """Return the scores of each text, in order.

        Total on any strings. Of a text the first 20,000 code points are read. `author_urls` are the authors' websites; `hints`
        are "ar", "en" or None, for texts of a few words in Latin script whose language cannot be told. In `kept` is noted what was read
        of each text that came without either, for `explain`; it refers to all that was read together with it (3 MB at most, else nothing is
        noted).
        """
        scores: list[TextScores] = []
        for run in batches(texts):
            found = analyse(
                texts[run],
                author_urls[run] if author_urls else None,
                hints=hints[run] if hints else None,
            )
            scores += self.score_found(found)
            if kept is not None and sum(found.lengths) < _MOST_KEPT:
                _keep(kept, found, texts[run], author_urls and author_urls[run], hints and hints[run])
        return scores

    def explain(
        self,
        text: str,
        *,
        limit: int = 8,
        outputs: Collection[str] | None = None,
        kept: Kept | None = None,
    ) -> list[Span]:
        """Return the places that moved the scores most, in either direction, the strongest first.

        Of all outputs, or of those in `outputs`, which costs less. Places that would tell a reader nothing are left out (see
        `telling`); weights are those of `decompose`. What `score` kept of the text spares reading it again.
        """
        found = None if kept is None else alone(text, *kept)
        return telling(text, self.decompose(text, outputs=outputs, least=LEAST, found=found))[:limit]

    def decompose(
        self,
        text: str,
        *,
        limit: int | None = None,
        outputs: Collection[str] | None = None,
        least: float = 0.0,
        found: Analysis | None = None,
    ) -> list[Span]:
        """Return the spans of a text, the strongest first; all of an output and its base sum to its log-odds, exactly.

        A weight is a change of the log-odds. `least` leaves out what weighs less than this share of its output's strongest span;
        `found` is the text's analysis alone, with origins, if there is one already.
        """
        text = text[:MAX_CODE_POINTS]
        found = found or analyse([text], with_origin=True)
        name = self._head_name(found.language[0])
        length = found.lengths[0]
        heads = [
            LinearHead(
                output,
                None if name == NEUTRAL else self._weights.of(output, name),
                head.rules,
                log_odds_per_step(length, head.calibration),
            )
            for output, head in self._heads[name].items()
            if outputs is None or output in outputs
        ]
        if name != NEUTRAL and (outputs is None or THREAT in outputs):
            only = [int(rule == _THREAT_RULE) for rule in range(evidence.COUNT)]
            heads.append(LinearHead(THREAT, None, only, _THREAT_WEIGHT))
        return contributions(text, found, heads, limit=limit, least=least)

    def base(self, text: str, output: str) -> float:
        """Return what an output's log-odds are before any place of the text counts."""
        if output == THREAT:
            return _THREAT_BASE
        found = analyse([text])
        head = self._heads[self._head_name(found.language[0])][output]
        length = found.lengths[0]
        return head.intercept * log_odds_per_step(length, head.calibration) + head.offset

    def _head_name(self, language: str | None) -> str:
        return language if language is not None and language in self._heads else NEUTRAL

    def score_found(self, found: Analysis) -> list[TextScores]:
        """Return the scores of texts that were analysed already."""
        scores: list[TextScores] = []
        # `calibration.probability` is written out, for every comment passes here twice.
        for language, steps, rules, length in zip(
            found.language, self._weights.sums(found), found.rules, found.lengths, strict=True
        ):
            fields: list[Any] = [language, True, None, None, None, None, threats.SILENT, None, None]
            heads = self._columns.get(language)
            if heads is None:
                heads, steps = self._columns[NEUTRAL], _NO_STEPS  # noqa: PLW2901
                fields[1] = False
                fields[_THREAT_FIELD] = None
            elif _THREAT_RULE in rules:
                fields[_THREAT_FIELD] = threats.FIRED
            divisor = STEPS * sqrt(length + LENGTH_OFFSET)
            for (field, total, weights, slope, offset), more in zip(heads, steps, strict=False):
                total += more  # noqa: PLW2901 - the intercept
                for rule in rules:
                    total += weights[rule]  # noqa: PLW2901
                logit = slope * (total / divisor) + offset
                if not -MAX_LOGIT < logit < MAX_LOGIT:
                    logit = MAX_LOGIT if logit > 0 else -MAX_LOGIT
                fields[field] = 1.0 / (1.0 + exp(-logit))
            scores.append(_new(TextScores, fields))
        return scores


def _keep(
    kept: dict[str, Kept],
    found: Analysis,
    texts: Sequence[str],
    author_urls: Sequence[str | None] | None,
    hints: Sequence[str | None] | None,
) -> None:
    for at, text in enumerate(texts):
        if not (author_urls and author_urls[at]) and not (hints and hints[at]):
            kept[text] = Kept(found, at)


def _read_heads(artifact: artifacts.Artifact) -> dict[str | None, dict[str, _Head]]:
    """Return the heads by language and output, in the order of their columns."""
    manifest = artifact.manifest
    heads: dict[str | None, dict[str, _Head]] = {}
    try:
        for language, outputs in manifest["heads"].items():
            rules = artifact.arrays[f"rules_{language}"]
            known = _FIELDS.keys() & {*KINDS, *manifest["outputs"]}
            if rules.shape != (len(outputs), evidence.COUNT + 1) or not known.issuperset(outputs):
                raise ArtifactIncompatibleError("the rule weights have another shape than this version reads")
            heads[language] = {}
            for (*weights, intercept), output in zip(rules.tolist(), outputs, strict=True):
                numbers = manifest["calibrations"][language][output]
                slope, offset = float(numbers["slope"]), float(numbers["offset"])
                heads[language][output] = _Head(_FIELDS[output], intercept, weights, slope, offset)
        if heads.keys() != {*LANGUAGES, NEUTRAL} or heads[NEUTRAL].keys() != {"spam"}:
            raise ArtifactIncompatibleError("the heads are for other languages than this version reads")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactIncompatibleError(
            "the calibrations have another form than this version reads"
        ) from error
    return heads


def _read_weights(artifact: artifacts.Artifact) -> Weights:
    return pack(artifact.arrays, {language: artifact.manifest["heads"][language] for language in LANGUAGES})
