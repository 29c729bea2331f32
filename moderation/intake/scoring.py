"""Score a group with a deadline. Late or failed means no scores, never zeros: such comments are held and rescored."""

import asyncio
import time
from collections.abc import Sequence

import structlog

from moderation.domain.ids import SiteId
from moderation.domain.ports import Scorer
from moderation.domain.thresholds import ThresholdTable
from moderation.domain.verdict import Assessment, Evidence, Reason, ReasonCode
from moderation.telemetry import SCORES, SCORING_FAILURES, SCORING_SECONDS, begin, tally

INLINE_CHARACTERS = 64_000
"""Below this a group is scored on the loop, which was measured to be quicker than any thread or pool; above, in a thread."""
LATE, BROKEN = "late", "broken"
"""Why a group got no scores."""

_EXPLAINED = {
    ReasonCode.SPAM: "spam",
    ReasonCode.ABUSE: "abuse",
    ReasonCode.INSULT: "abuse",
    ReasonCode.OBSCENE: "abuse",
    ReasonCode.THREAT: "threat",
    ReasonCode.HATE: "abuse",
    ReasonCode.LIKELY_REJECT: "reject",
}

log = structlog.get_logger()


class GroupScorer:
    """Judges texts in groups through a `Scorer`; None for each text it could not judge in time."""

    def __init__(self, scorer: Scorer, *, deadline_s: float) -> None:
        self._scorer = scorer
        self._deadline_s = deadline_s
        begin(SCORING_FAILURES, (LATE, BROKEN))

    @property
    def scorer(self) -> Scorer:
        """The scorer behind."""
        return self._scorer

    async def assess(
        self,
        texts: Sequence[str],
        author_urls: Sequence[str | None],
        sites: Sequence[SiteId] = (),
        *,
        hints: Sequence[str | None] = (),
    ) -> list[Assessment | None]:
        """Judge the texts, each with its site's model where ``sites`` names them; never raises.

        One pass a model: one pass for all where nobody has a model of their own.
        """
        scorers = {self._scorer.for_site(site) for site in sites} or {self._scorer}
        if len(scorers) == 1:
            return await self._assess(scorers.pop(), texts, author_urls, hints)
        found: list[Assessment | None] = [None] * len(texts)
        for scorer in scorers:
            places = [at for at, site in enumerate(sites) if self._scorer.for_site(site) is scorer]
            own_hints = [hints[at] for at in places] if hints else ()
            part = [texts[at] for at in places], [author_urls[at] for at in places], own_hints
            for at, assessment in zip(places, await self._assess(scorer, *part), strict=True):
                found[at] = assessment
        return found

    def assess_at_once(
        self, texts: Sequence[str], author_urls: Sequence[str | None], sites: Sequence[SiteId]
    ) -> list[Assessment]:
        """Judge texts of sites with one model on the loop; none at all where they are too long, have several, or that fails.

        `assess` then meets the same again, and says and counts it.
        """
        scorers = {self._scorer.for_site(site) for site in sites}
        if len(scorers) != 1 or sum(map(len, texts)) > INLINE_CHARACTERS:
            return []
        started = time.perf_counter()
        try:
            found = scorers.pop().assess(texts, author_urls)
        except Exception:  # noqa: BLE001 - see above
            return []
        tally(SCORING_SECONDS).observe(time.perf_counter() - started)
        return found

    def count(self, assessments: Sequence[Assessment]) -> None:
        """Count what `assess_at_once` found, of those texts that are new and within the limits; `assess` counts by itself."""
        if assessments:
            _count(assessments)

    def thresholds(self, site: SiteId) -> ThresholdTable:
        """Return the thresholds of the model that judges that site's comments."""
        return self._scorer.for_site(site).thresholds

    async def _assess(
        self,
        scorer: Scorer,
        texts: Sequence[str],
        author_urls: Sequence[str | None],
        hints: Sequence[str | None],
    ) -> list[Assessment | None]:
        if not texts:
            return []
        started = time.perf_counter()
        try:
            found = await self._judge(scorer, texts, author_urls, hints)
        except TimeoutError:
            SCORING_FAILURES.labels(LATE).inc(len(texts))
            log.error("scoring_late", size=len(texts))
            return [None] * len(texts)
        except Exception as error:
            SCORING_FAILURES.labels(BROKEN).inc(len(texts))
            log.error("scoring_failed", size=len(texts), exc_info=error)
            return [None] * len(texts)
        tally(SCORING_SECONDS).observe(time.perf_counter() - started)
        _count(found)
        return list(found)

    async def _judge(
        self,
        scorer: Scorer,
        texts: Sequence[str],
        author_urls: Sequence[str | None],
        hints: Sequence[str | None],
    ) -> list[Assessment]:
        if sum(map(len, texts)) <= INLINE_CHARACTERS:
            return scorer.assess(texts, author_urls, hints)
        async with asyncio.timeout(self._deadline_s):
            return await asyncio.to_thread(scorer.assess, texts, author_urls, hints)

    def with_evidence(
        self, reasons: tuple[Reason, ...], text: str, site: SiteId | None = None
    ) -> tuple[Reason, ...]:
        """Add which characters moved the score to the reasons that come from scores."""
        outputs = {_EXPLAINED[r.code] for r in reasons if r.code in _EXPLAINED and not r.evidence}
        if not outputs:
            return reasons
        try:
            scorer = self._scorer if site is None else self._scorer.for_site(site)
            spans = scorer.explain(text[:INLINE_CHARACTERS], outputs)
        except Exception as error:
            log.error("explaining_failed", exc_info=error)
            return reasons
        return tuple(_explained(reason, spans) for reason in reasons)


def _explained(reason: Reason, spans: dict[str, tuple[Evidence, ...]]) -> Reason:
    if reason.evidence or reason.code not in _EXPLAINED:
        return reason
    return Reason(reason.code, spans.get(_EXPLAINED[reason.code], ()))


def _count(assessments: Sequence[Assessment]) -> None:
    model = assessments[0].model  # a group is scored by one model
    spam, abuse = tally(SCORES, "spam", model), tally(SCORES, "abuse", model)
    for assessment in assessments:
        scores = assessment.scores
        if scores.spam is not None:
            spam.observe(scores.spam)
        if scores.abuse is not None:
            abuse.observe(scores.abuse)
