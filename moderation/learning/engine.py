"""The active model; the only module of the service that imports `classifiers`."""

from collections.abc import Mapping, Sequence

import structlog

from classifiers.errors import ClassifierError
from classifiers.runtime import Scorer as Runtime
from classifiers.runtime import TextScores
from moderation.domain.policy import Thresholds
from moderation.domain.verdict import Assessment, Evidence, Scores
from moderation.telemetry import MODEL_LOADED

log = structlog.get_logger()


class NoModelError(RuntimeError):
    """There is no model to score with; comments are held as `not_scored`."""


class ActiveModel:
    """Scores with the model in force; implements `domain.ports.Scorer`.

    A model that cannot be loaded is refused and the one before stays; without any, `assess` raises `NoModelError`.
    """

    def __init__(self) -> None:
        self._runtime: Runtime | None = None
        self._thresholds: Mapping[str, Mapping[str, Thresholds]] = {}

    @property
    def model(self) -> str | None:
        """The version in use; None while there is none."""
        return self._runtime.version if self._runtime else None

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, Thresholds]]:
        """The model's own thresholds by language and output."""
        return self._thresholds

    def load_shipped(self) -> None:
        """Use the model that comes with the program; if it is damaged, say so in the log and go on without."""
        try:
            self.use(Runtime.shipped())
        except (ClassifierError, OSError) as error:
            log.error("model_refused", exc_info=error)
        MODEL_LOADED.set(self._runtime is not None)

    def use(self, runtime: Runtime) -> None:
        """Score with ``runtime`` from now on."""
        self._runtime = runtime
        self._thresholds = {
            language: {output: Thresholds(**limits) for output, limits in outputs.items()}
            for language, outputs in runtime.thresholds.items()
        }
        log.info("model_active", model=runtime.version)

    def assess(self, texts: Sequence[str], author_urls: Sequence[str | None]) -> list[Assessment]:
        """Judge a group at once, on the calling thread."""
        runtime = self._require()
        return [
            _assessment(found, runtime.version) for found in runtime.score(texts, author_urls=author_urls)
        ]

    def explain(self, text: str) -> dict[str, tuple[Evidence, ...]]:
        """Return which characters moved the scores up, by output."""
        spans = self._require().explain(text)
        found: dict[str, list[Evidence]] = {}
        for span in spans:
            if span.weight > 0:
                found.setdefault(span.output, []).append(
                    Evidence(span.start, span.end, span.rule, span.weight)
                )
        return {output: tuple(evidence) for output, evidence in found.items()}

    def _require(self) -> Runtime:
        if self._runtime is None:
            raise NoModelError
        return self._runtime


def _assessment(found: TextScores, model: str) -> Assessment:
    scores = Scores(
        found.spam, found.abuse, found.insult, found.obscene, found.threat, found.hate, found.reject
    )
    return Assessment(scores, found.language, found.is_known_language, model)
