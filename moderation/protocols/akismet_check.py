"""``comment-check``: one comment through intake, or one that we hold already judged as it stands."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from moderation.domain.comment import Receipt, Submission, Terms
from moderation.domain.errors import GoneError, UnknownCommentError
from moderation.domain.ids import SiteId, parse_uuid
from moderation.domain.rates import Limit, Limits
from moderation.domain.site import Site
from moderation.domain.verdict import Reason, ReasonCode, Verdict
from moderation.intake.candidates import Outcome
from moderation.intake.validation import read_submission
from moderation.protocols.akismet_calls import WORDPRESS, Call, Reply, require
from moderation.protocols.akismet_comments import (
    MAX_TEXT,
    Said,
    blog_of,
    callback_of,
    comment_of,
    match_key,
    name_of,
    read_said,
    suspicions,
    thread_of,
)
from moderation.protocols.akismet_form import Form
from moderation.protocols.akismet_verdicts import Answer, answer
from moderation.storage.akismet import Known, Sought, Totals, add_check, find_check, find_named
from moderation.storage.decisions import AKISMET

AUTHOR_LIMIT = Limit(20, 60, 20)
"""Looser than for readers who can be told to wait: the plugin asks again by itself, and moderators ask for whole queues."""
UNCONFIRMED_FOR = timedelta(days=7)
"""WordPress asks first and refuses some comments afterwards: what it never shows to have kept leaves the queue by then."""

ONE_SPAM, ONE_HAM = Totals(spam=1), Totals(ham=1)

_SENTINEL_NAMES = frozenset({"akismet-guaranteed-spam", "viagra-test-123"})
_SENTINEL_EMAIL = "akismet-guaranteed-spam@example.com"


async def comment_check(call: Call) -> Reply:
    """Answer ``true`` (spam) or ``false``; see `akismet_verdicts` for what is which."""
    require(call.form, "blog", "user_ip")
    known_answer = sentinel(call.form)
    if known_answer is not None:
        return _reply(call, known_answer)
    said = read_said(call.form, may_be_slashed=_is_first_of_wordpress(call))
    check = _Check(call, said, now=call.services.clock())
    if call.form.is_set("is_test"):
        ruling = await call.services.preview.judge(check.site, check.submission())
        return _reply(
            call, check.answer(ruling.verdict, ruling.reasons, can_call=False), reasons=ruling.reasons
        )
    outcome = await check.ask_again() if call.form.get("recheck_reason") else None
    if outcome is None:
        outcome = await check.enter()
    return _reply(
        call,
        check.answer(outcome.verdict, outcome.reasons, can_call=check.callback is not None),
        reasons=outcome.reasons,
        comment=str(outcome.id),
        verdict=outcome.verdict,
    )


def sentinel(form: Form) -> Answer | None:
    """Return the answer that the protocol fixes for some authors, by which clients try a service out; None for all others.

    Such a comment is neither stored nor learned.
    """
    roles = {role.strip().lower() for role in form.get("user_role").split(",")}
    if "administrator" in roles:
        return Answer(is_spam=False)
    is_guaranteed = (
        form.get("comment_author").lower() in _SENTINEL_NAMES
        or form.get("comment_author_email").lower() == _SENTINEL_EMAIL
    )
    return Answer(is_spam=True) if is_guaranteed else None


def sought(call: Call, said: Said, at: datetime) -> Sought:
    """Return what the call says of the check it is about."""
    form = call.form
    return Sought(
        match_key=match_key(call.services.vault, call.site, said) if said.text.strip() else None,
        at=at,
        guid=parse_uuid(form.get("guid")),
        thread=thread_of(form, call.site),
        name=name_of(form),
    )


@dataclass(slots=True)
class _Check:
    """One check on its way."""

    call: Call
    said: Said
    now: datetime
    callback: str | None = None

    def __post_init__(self) -> None:
        self.callback = callback_of(self.call.form, self.call.site)

    @property
    def site(self) -> Site:
        """The site under this dialect's rules."""
        return _under_our_rules(self.call.site)

    def submission(self) -> Submission:
        """Return the comment; cannot be faulty, for what was is left out."""
        raw = comment_of(self.call.form, self.said, self.call.site, now=self.now)
        made = read_submission(raw, self.site.settings, now=self.now, origin=AKISMET)
        is_recheck = bool(self.call.form.get("recheck_reason"))
        terms = Terms(
            holds_denied=True,
            is_recheck=is_recheck,
            suspicions=suspicions(self.call.site, self.call.form, self.said),
        )
        return made.changed(terms=terms, receipt=self.receipt())

    def receipt(self) -> Receipt:
        """Return by what the client may name this answer."""
        name = name_of(self.call.form)
        return Receipt(
            guid=self.call.guid,
            key_id=self.call.key_id,
            match_key=match_key(self.call.services.vault, self.call.site, self.said),
            callback=self.callback,
            name=name,
            unconfirmed_until=None if name else self.now + UNCONFIRMED_FOR,
        )

    async def enter(self) -> Outcome:
        """Take it through intake; the same submission sent twice gets one more receipt."""
        outcome = await self.call.services.intake.enter(self.site, self.submission())
        if outcome.is_replay:
            async with self.call.services.database.connection() as connection:
                await add_check(connection, self.site.id, outcome.id, self.receipt(), now=self.now)
        return outcome

    async def ask_again(self) -> Outcome | None:
        """Judge a comment that we hold as it stands, or by its new text if it has one; None where we hold none."""
        known = await self._find()
        if known is None:
            return None
        self.callback = self.callback or known.callback
        submission = self.submission()
        content = {
            "text": submission.text,
            "author": {"name": submission.author.name, "url": submission.author.url},
        }
        try:
            outcome = await self.call.services.intake.reviser.edit(
                self.site, known.comment_id, content, if_match=None
            )
        except (GoneError, UnknownCommentError):  # withdrawn or erased meanwhile
            return None
        name = name_of(self.call.form)
        services = self.call.services
        async with services.database.connection() as connection:
            await add_check(connection, self.site.id, known.comment_id, self.receipt(), now=self.now)
        if name is not None:
            await services.unconfirmed.confirm(known.comment_id, name)
        return outcome

    async def _find(self) -> Known | None:
        wanted = sought(self.call, self.said, self.now)
        async with self.call.services.database.connection() as connection:
            found = await find_check(connection, self.site.id, wanted)
            if found is None and wanted.name is not None:
                found = await find_named(connection, self.site.id, wanted.name)
        return found

    def answer(self, verdict: Verdict | None, reasons: Iterable[Reason], *, can_call: bool) -> Answer:
        """Translate for this client."""
        codes = [reason.code for reason in reasons]
        return answer(verdict, codes, self.call.site.settings, can_call=can_call)


def _reply(call: Call, given: Answer, *, reasons: Iterable[Reason] = (), **notes: object) -> Reply:
    if not call.form.is_set("is_test"):
        totals = ONE_SPAM if given.is_spam else ONE_HAM
        call.services.usage.count(call.caller, blog_of(call.form), totals)
    headers = dict(given.headers)
    if call.form.is_set("classify"):
        headers["X-akismet-classification"] = _label(given, reasons)
    return Reply(given.body, headers, notes=notes)


def _label(given: Answer, reasons: Iterable[Reason]) -> str:
    first = next((reason.code for reason in reasons), None)
    return (first or (ReasonCode.SPAM if given.is_spam else "ham")).lower()


def _is_first_of_wordpress(call: Call) -> bool:
    return call.user_agent.startswith(WORDPRESS) and not call.form.get("recheck_reason")


def _under_our_rules(site: Site) -> Site:
    known = _derived.get(site.id)
    if known is None or known[0] is not site:
        known = (site, _derive(site))
        _derived[site.id] = known
    return known[1]


_derived: dict[SiteId, tuple[Site, Site]] = {}
"""Made once for each version of a site; a group of submissions shares one call of the limiter only under the same limits."""


def _derive(site: Site) -> Site:
    settings = replace(
        site.settings,
        required=(),
        max_text_length=MAX_TEXT,
        limits=_limits(site.settings.limits),
    )
    return replace(site, settings=settings)


@lru_cache(maxsize=1024)
def _limits(limits: Limits) -> Limits:
    return replace(limits, author=AUTHOR_LIMIT) if limits.author.count else limits
