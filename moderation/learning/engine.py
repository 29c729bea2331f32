"""The models in use, by site; with `retraining` the only part of the service that imports `classifiers`."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Self

import structlog

from classifiers import kernel
from classifiers.errors import ClassifierError
from classifiers.runtime import Kept, TextScores
from classifiers.runtime import Scorer as Runtime
from moderation.domain.ids import SiteId
from moderation.domain.policy import Thresholds
from moderation.domain.verdict import Assessment, Evidence, Scores
from moderation.telemetry import MODEL_LOADED, SCORING_COMPILED

MOST_KEPT = 64_000
"""Characters of a group; of one that has more nothing is kept for explaining."""

GROUPS_KEPT = 3
"""As many as are under way in a process at once."""

log = structlog.get_logger()


class NoModelError(RuntimeError):
    """There is no model to score with; comments are held as `not_scored`."""


class LoadedModel:
    """One model, whole in memory; implements `domain.ports.Scorer` for whatever site asks.

    What was read of the groups judged last is kept until others come (a few hundred kilobytes each, 4 MB at most): who asks why a text
    got its scores asks soon after.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._kept: tuple[Mapping[str, Kept], ...] = ()
        self.thresholds: Mapping[str, Mapping[str, Thresholds]] = {
            language: {output: Thresholds(**limits) for output, limits in outputs.items()}
            for language, outputs in runtime.thresholds.items()
        }

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Audit and load an artefact. Raises `ClassifierError`, `OSError`, or `TypeError` for thresholds of another form."""
        return cls(Runtime.load(folder))

    @classmethod
    def of_program(cls) -> Self:
        """Load the model that comes with the program. Raises as `open` does."""
        return cls(Runtime.shipped())

    @property
    def model(self) -> str:
        """The version."""
        return self._runtime.version

    def for_site(self, site_id: SiteId) -> Self:
        """Return this model."""
        del site_id
        return self

    def assess(
        self, texts: Sequence[str], author_urls: Sequence[str | None], hints: Sequence[str | None] = ()
    ) -> list[Assessment]:
        """Judge a group at once, on the calling thread."""
        kept: dict[str, Kept] | None = {} if sum(map(len, texts)) <= MOST_KEPT else None
        found = self._runtime.score(texts, author_urls=author_urls, hints=hints, kept=kept)
        # One assignment: threads that judge at once keep either group, and explain the other anew.
        self._kept = (kept or {}, *self._kept[: GROUPS_KEPT - 1])
        return [_assessment(scores, self._runtime.version) for scores in found]

    def explain(self, text: str, outputs: Collection[str]) -> dict[str, tuple[Evidence, ...]]:
        """Return which characters moved the scores of these outputs up."""
        found: dict[str, list[Evidence]] = {}
        kept = next((group[text] for group in self._kept if text in group), None)
        for span in self._runtime.explain(text, outputs=outputs, kept=kept):
            if span.weight > 0:
                found.setdefault(span.output, []).append(
                    Evidence(span.start, span.end, span.rule, span.weight)
                )
        return {output: tuple(evidence) for output, evidence in found.items()}


class ActiveModel:
    """Scores with the model in force, each site with its own; implements `domain.ports.Scorer`.

    A model that cannot be loaded is refused and the one before stays; without any, `assess` raises `NoModelError`.
    Changing what is in force is one assignment: whoever scores at that moment finishes with the model they began with.
    """

    def __init__(self) -> None:
        self._shipped: LoadedModel | None = None
        self._everywhere: LoadedModel | None = None
        self._by_site: Mapping[SiteId, LoadedModel | None] = {}

    @property
    def model(self) -> str | None:
        """The version for sites without one of their own; None while there is none."""
        loaded = self._default
        return loaded.model if loaded else None

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, Thresholds]]:
        """The thresholds, by language and output, of the model for sites without one of their own."""
        loaded = self._default
        return loaded.thresholds if loaded else {}

    @property
    def shipped_version(self) -> str:
        """The version of the model that comes with the program; a name that no comment has where it was damaged."""
        return self._shipped.model if self._shipped else "none"

    def load_shipped(self) -> None:
        """Use the model that comes with the program; if it is damaged, say so in the log and go on without."""
        try:
            self.use(Runtime.shipped())
        except (ClassifierError, OSError, TypeError) as error:
            log.error("model_refused", exc_info=error)
        MODEL_LOADED.set(self._shipped is not None)

    def use(self, runtime: Runtime) -> None:
        """Score with ``runtime`` from now on wherever nothing else is in force."""
        self._shipped = LoadedModel(runtime)
        scoring = kernel.status()["kernel"]
        SCORING_COMPILED.set(scoring == "native")
        log.info("model_active", model=runtime.version, kernel=scoring)

    def put_in_force(
        self, everywhere: LoadedModel | None, by_site: Mapping[SiteId, LoadedModel | None]
    ) -> None:
        """Score with these from now on; None is the shipped model."""
        self._everywhere, self._by_site = everywhere, dict(by_site)

    def for_site(self, site_id: SiteId) -> "LoadedModel | Self":
        """Return what scores a site's comments: the same object for sites with the same model."""
        own = self._by_site.get(site_id, self._everywhere)
        return own or self._shipped or self

    def assess(
        self, texts: Sequence[str], author_urls: Sequence[str | None], hints: Sequence[str | None] = ()
    ) -> list[Assessment]:
        """Judge a group at once, on the calling thread, with the model for sites without one of their own."""
        return self._require().assess(texts, author_urls, hints)

    def explain(self, text: str, outputs: Collection[str]) -> dict[str, tuple[Evidence, ...]]:
        """Return which characters moved the scores of these outputs up."""
        return self._require().explain(text, outputs)

    @property
    def _default(self) -> LoadedModel | None:
        return self._everywhere or self._shipped

    def _require(self) -> LoadedModel:
        loaded = self._default
        if loaded is None:
            raise NoModelError
        return loaded


def _assessment(found: TextScores, model: str) -> Assessment:
    scores = Scores(
        found.spam, found.abuse, found.insult, found.obscene, found.threat, found.hate, found.reject
    )
    return Assessment(scores, found.language, found.is_known_language, model)
