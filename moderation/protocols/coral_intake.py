"""Comments that Coral asks about, taken in so that Coral has an answer in time.

Coral publishes whatever is refused, late or broken. So every signed request has an answer of 200 or 204:

===========================================  ======================================================================
the way in took less than the deadline       the verdict as stored
it took longer, or PostgreSQL is away        scores and policy from memory; blocked authors and duplicates are not seen
the scorer is late too, or the limit denies  `SYSTEM_WITHHELD`: a person at Coral decides
===========================================  ======================================================================

A comment that came in late is stored all the same; one that could not be stored is in Coral alone, and what its moderators say
of it still becomes a label.
"""

import asyncio
from dataclasses import dataclass, replace

import structlog

from moderation.domain.clock import Clock
from moderation.domain.comment import CoralKeys
from moderation.domain.errors import DependencyUnavailableError, ModerationError
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.ports import Vault
from moderation.domain.rates import Limit
from moderation.domain.site import MAX_TEXT_LENGTH, Site
from moderation.intake.analysis import Analyst
from moderation.intake.candidates import Outcome
from moderation.intake.pipeline import Intake
from moderation.protocols.coral_answers import WITHHELD, Answer, answer_for
from moderation.protocols.coral_requests import CoralComment
from moderation.storage.coral import find_edited, remember
from moderation.storage.database import Database

ORIGIN = "coral"
AUTHOR_LIMIT = Limit(20, 60, 20)
"""Coral has limits of its own; ours only stops what Coral would not."""
CLOSE_S = 5.0
_FOR_MEMORY = 0.3
"""The share of the deadline that is kept for an answer from memory."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and what it rests on: stored, memory or nothing."""

    answer: Answer
    rests_on: str
    outcome: Outcome | None = None


class CoralIntake:
    """Takes Coral's comments in; one a process."""

    def __init__(
        self, intake: Intake, analyst: Analyst, database: Database, vault: Vault, *, clock: Clock
    ) -> None:
        self._intake = intake
        self._analyst = analyst
        self._database = database
        self._vault = vault
        self._clock = clock
        self._late: set[asyncio.Task[Outcome]] = set()
        self._sites: dict[SiteId, tuple[Site, Site]] = {}

    async def close(self) -> None:
        """Finish what is under way behind the answers."""
        if self._late:
            await asyncio.wait(self._late, timeout=CLOSE_S)

    async def take(self, site: Site, comment: CoralComment, *, key: str) -> Told:
        """Judge one comment within the site's deadline; never raises. ``key`` is the same for the same request."""
        deadline_s = site.settings.coral_deadline_ms / 1000
        entering = asyncio.create_task(self._enter(self._as_coral_needs(site), comment, key))
        self._late.add(entering)
        entering.add_done_callback(self._finish)
        done, _ = await asyncio.wait({entering}, timeout=deadline_s * (1 - _FOR_MEMORY))
        if not done or isinstance(entering.exception(), DependencyUnavailableError):
            return await self._from_memory(site, comment.text, deadline_s * _FOR_MEMORY)
        if entering.exception() is not None:
            return Told(WITHHELD, "nothing")
        outcome = entering.result()
        codes = [reason.code for reason in outcome.reasons]
        return Told(answer_for(outcome.verdict, codes, site.settings.coral_clean), "stored", outcome)

    def _as_coral_needs(self, site: Site) -> Site:
        """Return the site with rules that Coral's comments can meet: they have no name and no e-mail address.

        The same object for the same site, so that a group of them shares its limits.
        """
        known = self._sites.get(site.id)
        if known is None or known[0] is not site:
            limits = site.settings.limits
            if limits.author.count:
                limits = replace(limits, author=AUTHOR_LIMIT)
            settings = replace(
                site.settings, required=("text",), max_text_length=MAX_TEXT_LENGTH, limits=limits
            )
            known = self._sites[site.id] = (site, replace(site, settings=settings))
        return known[1]

    async def _enter(self, site: Site, comment: CoralComment, key: str) -> Outcome:
        keys = comment.keys(self._vault, site)
        edited = await self._find_edited(site, keys) if comment.is_edit else None
        if edited is not None:
            return await self._edit(site, edited, comment.text, keys)
        submission = await self._intake.read(
            site, comment.as_submission(), idempotency_key=key, origin=ORIGIN
        )
        return await self._intake.enter(site, submission.changed(coral_keys=keys))

    async def _edit(self, site: Site, edited: CommentId, text: str, keys: CoralKeys) -> Outcome:
        outcome = await self._intake.reviser.edit(site, edited, {"text": text}, if_match=None)
        if not outcome.is_replay:
            try:
                async with self._database.connection() as connection:
                    await remember(connection, edited, site.id, keys, now=self._clock())
            except DependencyUnavailableError:  # the edit is stored; feedback on it becomes a label
                log.warning("coral_not_joined", comment_id=str(edited))
        return outcome

    async def _find_edited(self, site: Site, keys: CoralKeys) -> CommentId | None:
        async with self._database.connection() as connection:
            return await find_edited(connection, site.id, keys, now=self._clock())

    async def _from_memory(self, site: Site, text: str, seconds: float) -> Told:
        try:
            async with asyncio.timeout(seconds):
                ruling = await self._analyst.rule(site, text)
        except (TimeoutError, ModerationError):
            return Told(WITHHELD, "nothing")
        codes = [reason.code for reason in ruling.reasons]
        return Told(answer_for(ruling.verdict, codes, site.settings.coral_clean), "memory")

    def _finish(self, task: "asyncio.Task[Outcome]") -> None:
        self._late.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, ModerationError):
            log.warning("coral_not_stored", error=type(error).__name__)
        elif error is not None:
            log.error("coral_failed", exc_info=error)
