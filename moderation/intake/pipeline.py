"""The way of a comment in: validate, recognise, limit, score, decide, store. Read `Intake._process` from top to bottom.

The caller is answered only after the commit. What fails, and how: Redis away: limits fall back to coarse ones; scorer
away: held as `not_scored`; PostgreSQL away: 503, nothing was accepted and the same request may be sent again.
"""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import structlog

from moderation.domain.clock import Clock
from moderation.domain.comment import Submission
from moderation.domain.errors import (
    DependencyUnavailableError,
    FieldError,
    InvalidCommentError,
    RateLimitedError,
)
from moderation.domain.ids import CommentId
from moderation.domain.policy import Ruling, Signals, decide
from moderation.domain.ports import Vault
from moderation.domain.site import Site
from moderation.domain.verdict import Verdict
from moderation.intake.candidates import Candidate, History, Outcome, candidate
from moderation.intake.charging import CEILING, ceiling_request, rate_request
from moderation.intake.denials import Denials
from moderation.intake.emails import MailDomains, is_disposable
from moderation.intake.groups import SMALLEST_SHARE, Grouper
from moderation.intake.rates import RateLimiter, RateRequest
from moderation.intake.recognition import make_way, recognise
from moderation.intake.revisions import Reviser
from moderation.intake.scoring import GroupScorer
from moderation.intake.store import store_group, store_threads
from moderation.intake.unheard import Unheard
from moderation.intake.validation import read_submission
from moderation.storage.database import Database
from moderation.telemetry import (
    DECISIONS,
    GROUP_SIZE,
    INTAKE_QUEUE,
    RATE_DENIALS,
    REPLAYS,
    STORE_SECONDS,
    tally,
)

MAX_THREADS_REMEMBERED = 50_000
FORM = "form"
"""The origin of what readers' browsers send by themselves."""
RACES = 5
"""How often a group is recognised again, as a whole, after another process stored one of its submissions first."""

FORGET_EXPIRED = "DELETE FROM recognitions WHERE key = ANY($1) AND expires_at <= $2"
UNSTORABLE = (asyncpg.DataError, asyncpg.ProgramLimitExceededError, ValueError)
"""What the driver and PostgreSQL raise for the data itself; every other error is ours, and the caller may try again."""

log = structlog.get_logger()


class Intake:
    """Accepts comments for any site; one a process."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        limiter: RateLimiter,
        scorer: GroupScorer,
        *,
        clock: Clock,
        bound: int,
    ) -> None:
        self._database = database
        self._vault = vault
        self._limiter = limiter
        self._scorer = scorer
        self._clock = clock
        self._mail_domains = MailDomains()
        self._denials = Denials()
        self._grouper: Grouper[Candidate] = Grouper(self._process, bound=bound)
        self._threads: OrderedDict[tuple[int, str], tuple[str | None, str | None]] = OrderedDict()
        self._random = random.Random()  # noqa: S311 - draws the audit sample, guards nothing
        self.unheard = Unheard(database, clock=clock)
        self.reviser = Reviser(database, vault, scorer, clock=clock)

    async def submit(
        self, site: Site, raw: Any, *, idempotency_key: str | None = None, origin: str = "native"
    ) -> Outcome:
        """Judge and store one comment, given as the object of ``POST /v1/comments``.

        Raises `InvalidCommentError` with every faulty field, `IdempotencyMismatchError`, `RateLimitedError`, or
        `DependencyUnavailableError`; whatever is raised, nothing was stored. Returns only after the commit.
        """
        submission = await self.read(site, raw, idempotency_key=idempotency_key, origin=origin)
        return await self.enter(site, submission)

    def submit_at_once(
        self,
        site: Site,
        raw: Any,
        *,
        idempotency_key: str | None = None,
        foresee: Callable[[Outcome], None] | None = None,
    ) -> "asyncio.Future[Outcome] | None":
        """Begin what `submit` does, where nothing has to be waited for before; None where an e-mail's domain must be asked about.

        The future ends as `submit` does after its validation; what is raised here, is raised before anything was accepted.
        ``foresee`` may be told, while the comment is being stored, the very outcome that the future will have if that succeeds.
        """
        if site.settings.check_dns:
            return None
        submission = read_submission(raw, site.settings, now=self._clock(), idempotency_key=idempotency_key)
        _refuse_disposable(site, submission)
        return self._begin(site, submission, foresee=foresee)

    async def read(
        self, site: Site, raw: Any, *, idempotency_key: str | None = None, origin: str = "native"
    ) -> Submission:
        """Validate only. Raises `InvalidCommentError`."""
        submission = read_submission(
            raw, site.settings, now=self._clock(), idempotency_key=idempotency_key, origin=origin
        )
        await self._check_mail(site, submission)
        return submission

    async def enter(self, site: Site, submission: Submission, history: History | None = None) -> Outcome:
        """Take a valid submission through the rest of the way."""
        return await self._begin(site, submission, history)

    def _begin(
        self,
        site: Site,
        submission: Submission,
        history: History | None = None,
        foresee: Callable[[Outcome], None] | None = None,
    ) -> "asyncio.Future[Outcome]":
        now = self._clock()
        entered = candidate(self._vault, site, submission, now=now, history=history, foresee=foresee)
        self._grouper.add(entered)
        return entered.answer

    async def close(self) -> None:
        """Finish what is under way; refuse the rest."""
        await self._grouper.close()

    async def _check_mail(self, site: Site, submission: Submission) -> None:
        _refuse_disposable(site, submission)
        email = submission.author.email
        if email is None or not site.settings.check_dns:
            return
        if not await self._mail_domains.takes_mail(email):
            raise InvalidCommentError([FieldError("/author/email", "unreachable_email")])

    async def _process(self, group: list[Candidate]) -> None:
        tally(GROUP_SIZE).observe(len(group))
        INTAKE_QUEUE.set(self._grouper.waiting)
        self._while_waiting(self._score_ahead, group)
        fresh, edits = await self._recognise(group)
        if not edits:
            await self._take_in(fresh)
            return
        # By themselves, for an edit may have to wait for a moderator's transaction; they never raise.
        editing = asyncio.gather(*(self._edit(c, comment_id) for c, comment_id in edits))
        try:
            await self._take_in(fresh)
        finally:
            await editing

    async def _take_in(self, fresh: Sequence[Candidate]) -> None:
        self._while_waiting(self._rule_ahead, fresh)
        allowed = await self._limit(fresh)
        await self._score(allowed)
        self._decide(allowed)
        await self._store(allowed)

    async def _recognise(
        self, group: Sequence[Candidate]
    ) -> tuple[list[Candidate], list[tuple[Candidate, CommentId]]]:
        async with self._database.connection() as connection:
            if self.unheard.is_due:
                await self.unheard.settle(connection)
            found = await recognise(connection, group, now=self._clock())
        tally(REPLAYS).inc(found.replays)
        return found.fresh, found.edits

    async def _edit(self, edited: Candidate, comment_id: CommentId) -> None:
        try:
            edited.succeed(await self.reviser.resubmit(edited, comment_id))
        except Exception as error:  # noqa: BLE001 - becomes this caller's answer, and harms nobody else in the group
            edited.fail(error)

    async def _limit(self, fresh: Sequence[Candidate]) -> list[Candidate]:
        charged = [c for c in fresh if c.history is None]
        if charged:
            await self._charge(charged, [rate_request(c) for c in charged])
        flooding = [c for c in charged if c.is_flood]
        if flooding:  # they were charged to nothing; the site's ceiling must bound them all the same
            await self._charge(flooding, [ceiling_request(c) for c in flooding])
        return [c for c in fresh if c.is_open]

    async def _charge(self, charged: Sequence[Candidate], requests: Sequence[RateRequest]) -> None:
        for entering, result in zip(charged, await self._limiter.check(requests), strict=True):
            terms = entering.submission.terms
            entering.rates = result.snapshot
            entering.duplicates = 0 if terms.is_recheck else result.duplicates
            if result.denied_by is not None:
                RATE_DENIALS.labels(result.denied_by).inc()
                self._denials.note(entering, result.denied_by, result.retry_after_s)
                if terms.holds_denied and result.denied_by != CEILING:
                    entering.is_flood = True
                else:
                    entering.fail(RateLimitedError(result.denied_by, result.retry_after_s))

    def _while_waiting(self, do: Callable[[Sequence[Candidate]], None], group: Sequence[Candidate]) -> None:
        """Do something for a small group as soon as it waits for an engine, in time that nobody else wants.

        A large one is done as quickly without, and what a limit denies for the first time, or was there before, is judged for nothing.
        """
        if len(group) <= SMALLEST_SHARE:
            asyncio.get_running_loop().call_soon(do, group)

    def _score_ahead(self, group: Sequence[Candidate]) -> None:
        judged = [c for c in group if c.history is None and c.ruling is None and not self._denials.expects(c)]
        found = self._scorer.assess_at_once(
            [c.submission.text for c in judged],
            [c.submission.author.url for c in judged],
            [c.site.id for c in judged],
        )
        for entering, assessment in zip(
            judged, found, strict=False
        ):  # none at all where that did not succeed
            entering.assessment = assessment

    def _rule_ahead(self, fresh: Sequence[Candidate]) -> None:
        """Decide, with evidence, as if counters will have nothing to say."""
        for entering in fresh:
            if entering.assessment is not None and entering.ruling is None:
                entering.ruling = self._ruling(entering)

    async def _score(self, allowed: Sequence[Candidate]) -> None:
        self._scorer.count([c.assessment for c in allowed if c.assessment is not None])
        judged = [c for c in allowed if c.history is None and c.assessment is None]
        assessments = await self._scorer.assess(
            [c.submission.text for c in judged],
            [c.submission.author.url for c in judged],
            [c.site.id for c in judged],
        )
        for entering, assessment in zip(judged, assessments, strict=True):
            entering.assessment = assessment

    def _decide(self, allowed: Sequence[Candidate]) -> None:
        for entering in allowed:
            if entering.history is not None:
                entering.ruling = entering.history.ruling
                continue
            if entering.ruling is None or entering.duplicates or entering.is_flood:
                entering.ruling = self._ruling(entering)
            is_automatic = entering.ruling.verdict is not Verdict.HOLD
            entering.is_audited = is_automatic and self._random.random() < entering.site.policy.audit_share

    def _ruling(self, entering: Candidate) -> Ruling:
        ruling = decide(
            entering.site.policy,
            text=entering.submission.text,
            author_url=entering.submission.author.url,
            author=entering.author,
            assessment=entering.assessment,
            signals=Signals(entering.duplicates, entering.is_flood, entering.submission.terms.suspicions),
            default_thresholds=self._scorer.thresholds(entering.site.id),
        )
        reasons = self._scorer.with_evidence(ruling.reasons, entering.submission.text, entering.site.id)
        return ruling if reasons is ruling.reasons else Ruling(ruling.verdict, reasons)

    async def _store(self, decided: Sequence[Candidate]) -> None:
        # Who is told 503 already, or gone, and has no id by which it would be recognised, is not stored behind their back.
        remaining = [c for c in decided if c.is_open or c.has_id]
        for _ in range(RACES):
            if not remaining:
                return
            started = time.perf_counter()
            self._while_waiting(_foresee, remaining)
            try:
                await self._commit(remaining)
            except asyncpg.UniqueViolationError:
                remaining = await self._without_known(remaining)
            except UNSTORABLE as error:
                log.warning("group_refused", size=len(remaining), error=type(error).__name__)
                break
            else:
                tally(STORE_SECONDS).observe(time.perf_counter() - started)
                self._answer(remaining)
                return
        await self._store_one_by_one(remaining)

    async def _without_known(self, group: Sequence[Candidate]) -> list[Candidate]:
        """Answer those of a group that another process stored a moment ago."""
        async with self._database.connection() as connection:
            keys = [key for c in group for key in (c.recognition_key, c.earlier_key) if key]
            await connection.execute(FORGET_EXPIRED, keys, self._clock())
        fresh, edits = await self._recognise(group)
        await asyncio.gather(*(self._edit(c, comment_id) for c, comment_id in edits))
        return fresh

    async def _commit(self, group: Sequence[Candidate]) -> None:
        pid = None
        try:
            async with self._database.connection() as connection:
                await self._remember_threads(connection, group)
                await make_way(connection, group)
                pid = connection.get_server_pid()
                await store_group(connection, group, self._vault)
        except DependencyUnavailableError:
            if pid is None or not await self._is_committed(group, pid):
                raise

    async def _is_committed(self, group: Sequence[Candidate], pid: int) -> bool:
        """Look the ids up after a connection was lost in the middle of a commit; one statement stored all or nothing.

        Server process ``pid`` may store them yet, whatever is found.
        """
        self.unheard.doubt(group, pid)
        async with self._database.connection() as connection:
            return bool(
                await connection.fetchval("SELECT EXISTS (SELECT FROM comments WHERE id = $1)", group[0].id)
            )

    def _answer(self, stored: Sequence[Candidate]) -> None:
        self.unheard.doubt([c for c in stored if not c.is_open], None)
        for entering in stored:
            outcome = entering.accepted()
            tally(DECISIONS, outcome.verdict, "site" if entering.history else "service").inc()
            entering.succeed(outcome)

    async def _store_one_by_one(self, group: Sequence[Candidate]) -> None:
        """A group that lost every race, or that the database cannot take: whoever is at fault harms nobody else."""
        for entering in group:
            try:
                await self._commit([entering])
            except UNSTORABLE as own_error:
                log.error("comment_refused", error=type(own_error).__name__, site=entering.site.name)
                entering.fail(InvalidCommentError([FieldError("/text", "unstorable_text")]))
            except asyncpg.UniqueViolationError:
                for known in await self._without_known([entering]):
                    known.fail(DependencyUnavailableError("intake"))
            except DependencyUnavailableError as away:
                entering.fail(away)
            else:
                self._answer([entering])

    async def _remember_threads(self, connection: Any, group: Sequence[Candidate]) -> None:
        told, claimed = {}, {}
        for entering in group:
            thread = entering.submission.thread
            key, seen = (int(entering.site.id), thread.id), (thread.url, thread.title)
            if entering.submission.origin == FORM:  # anybody can send the form: it may not rename an article
                if key not in self._threads:
                    claimed[key] = seen
            elif key not in self._threads or (seen not in {self._threads[key], (None, None)}):
                told[key] = seen
        if told:
            await store_threads(connection, told, is_update=True)
        if claimed:
            await store_threads(connection, claimed, is_update=False)
        self._threads.update(claimed | told)
        while len(self._threads) > MAX_THREADS_REMEMBERED:
            self._threads.popitem(last=False)


def _foresee(group: Sequence[Candidate]) -> None:
    """Tell those who want to prepare their answers."""
    for entering in group:
        if entering.foresee is not None and entering.is_open:
            entering.foreseen = entering.accepted()
            entering.foresee(entering.foreseen)


def _refuse_disposable(site: Site, submission: Submission) -> None:
    email = submission.author.email
    if site.settings.refuse_disposable and email is not None and is_disposable(email):
        raise InvalidCommentError([FieldError("/author/email", "disposable_email")])
