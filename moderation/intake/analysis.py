"""Scores for texts that are not to be kept: concurrent calls travel as one group, through the same scorer as comments."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from moderation.domain.ids import SiteId
from moderation.domain.policy import AuthorRecord, Ruling, Signals, decide
from moderation.domain.site import Site
from moderation.domain.verdict import Assessment
from moderation.intake.groups import Grouper
from moderation.intake.scoring import GroupScorer


@dataclass(slots=True)
class _Asked:
    """One caller's texts, and the caller who waits."""

    site: SiteId
    texts: Sequence[str]
    answer: asyncio.Future[list[Assessment | None]]
    hint: str | None = None
    keys: tuple[bytes, ...] = ()

    def fail(self, error: BaseException) -> None:
        if self.answer.done():
            return
        if isinstance(error, asyncio.CancelledError):
            self.answer.cancel()
        else:
            self.answer.set_exception(error)


class Analyst:
    """Judges texts for whoever only wants to know; one a process. Nothing is stored, limited or decided."""

    def __init__(self, scorer: GroupScorer, *, bound: int) -> None:
        self._scorer = scorer
        self._grouper: Grouper[_Asked] = Grouper(self._judge, bound=bound)

    async def assess(
        self, site: SiteId, texts: Sequence[str], hint: str | None = None
    ) -> list[Assessment | None]:
        """Judge the texts of one caller, in order, with the site's own model if it has one; None for each that could not be judged in time.

        ``hint`` is the language, `ar` or `en`, in which the caller says that they are.
        Raises `DependencyUnavailableError` when too many wait.
        """
        asked = _Asked(site, texts, asyncio.get_running_loop().create_future(), hint)
        self._grouper.add(asked)
        return await asked.answer

    async def rule(self, site: Site, text: str) -> Ruling:
        """Decide by scores and the site's policy alone, from memory: nothing is known of the author, nor of other comments.

        A text that could not be scored is held. Raises `DependencyUnavailableError` when too many wait.
        """
        (assessment,) = await self.assess(site.id, [text])
        return decide(
            site.policy,
            text=text,
            author_url=None,
            author=AuthorRecord(),
            assessment=assessment,
            signals=Signals(),
            default_thresholds=self._scorer.thresholds(site.id),
        )

    async def close(self) -> None:
        """Finish what is under way; refuse the rest."""
        await self._grouper.close()

    async def _judge(self, group: list[_Asked]) -> None:
        texts = [text for asked in group for text in asked.texts]
        sites = [asked.site for asked in group for _ in asked.texts]
        hints = [asked.hint for asked in group for _ in asked.texts]
        found = iter(await self._scorer.assess(texts, [None] * len(texts), sites, hints=hints))
        for asked in group:
            own = [next(found) for _ in asked.texts]
            if not asked.answer.done():
                asked.answer.set_result(own)
