"""Judging a comment for a client that only tries us out: nothing is stored, counted as seen, or learned."""

from moderation.domain.comment import Submission
from moderation.domain.errors import RateLimitedError
from moderation.domain.identity import identify
from moderation.domain.policy import Ruling, Signals, decide
from moderation.domain.ports import Vault
from moderation.domain.site import Site
from moderation.intake.authors import combine, read_records
from moderation.intake.charging import trial_request
from moderation.intake.rates import RateLimiter
from moderation.intake.scoring import GroupScorer
from moderation.storage.database import Database
from moderation.telemetry import RATE_DENIALS


class Preview:
    """Gives the verdict that intake would give; only the site's ceiling limits it."""

    def __init__(self, database: Database, vault: Vault, limiter: RateLimiter, scorer: GroupScorer) -> None:
        self._database = database
        self._vault = vault
        self._limiter = limiter
        self._scorer = scorer

    async def judge(self, site: Site, submission: Submission) -> Ruling:
        """Judge. Raises `RateLimitedError` or `DependencyUnavailableError`."""
        (charged,) = await self._limiter.check([trial_request(site)])
        if charged.denied_by is not None:
            RATE_DENIALS.labels(charged.denied_by).inc()
            raise RateLimitedError(charged.denied_by, charged.retry_after_s)
        identities = identify(self._vault, site.name, submission.author)
        async with self._database.connection() as connection:
            author = combine(identities, await read_records(connection, identities.known()))
        (assessment,) = await self._scorer.assess([submission.text], [submission.author.url], [site.id])
        ruling = decide(
            site.policy,
            text=submission.text,
            author_url=submission.author.url,
            author=author,
            assessment=assessment,
            signals=Signals(suspicions=submission.terms.suspicions),
            default_thresholds=self._scorer.thresholds(site.id),
        )
        return ruling.changed(reasons=self._scorer.with_evidence(ruling.reasons, submission.text, site.id))
