"""``submit-spam`` and ``submit-ham``: a person at the site decided; about a comment of ours it is a decision, else a label."""

from datetime import datetime

from moderation.domain.comment import Author
from moderation.domain.errors import ConflictError, GoneError, NotPermittedError, UnknownCommentError
from moderation.domain.identity import identify
from moderation.domain.ids import CommentId
from moderation.domain.label import Label, LabelSource, Targets
from moderation.domain.verdict import ReasonCode, Verdict
from moderation.protocols.akismet_calls import Answer, Call, Reply, require
from moderation.protocols.akismet_check import sentinel, sought
from moderation.protocols.akismet_comments import Said, blog_of, comment_of, match_key, name_of, read_said
from moderation.protocols.akismet_verdicts import answer
from moderation.review.reviewer import Reviewer
from moderation.review.rulings import Ruling, Target
from moderation.storage.akismet import Known, Totals, find_check
from moderation.storage.decisions import AKISMET, read_histories
from moderation.storage.labels import keep_labels

THANKS = "Thanks for making the web a better place."
NOBODY = "akismet"
"""Who decided, where the client does not say."""
MAX_LOGIN = 100
RACES = 3
"""How often a decision is made anew because somebody else's came between."""
SPAM = Targets(spam=1, reject=1)
HAM = Targets(spam=0, reject=0)

_BLOCKED = (ConflictError, NotPermittedError)
"""Another person is at work on the comment: the word is kept beside theirs."""


def feedback(*, is_spam: bool) -> Answer:
    """Return the call that takes a person's word."""

    async def submit(call: Call) -> Reply:
        require(call.form, "blog", "user_ip")
        if not call.form.is_set("is_test") and sentinel(call.form) is None:
            await _take(call, is_spam=is_spam)
        return Reply(THANKS)

    return submit


async def _take(call: Call, *, is_spam: bool) -> None:
    said, now = read_said(call.form, may_be_slashed=False), call.services.clock()
    known = await _find(call, said, now)
    if known is None:
        await _keep_label(call, said, None, is_spam=is_spam, now=now)
        _count(call, is_spam=is_spam, was_spam=_said_before(call))
        return
    was_spam = await _was_spam(call, known)
    is_decided = await _decide(call, known.comment_id, is_spam=is_spam)
    if not is_decided:
        await _keep_label(call, said, known.comment_id, is_spam=is_spam, now=now)
    await call.services.unconfirmed.confirm(known.comment_id, name_of(call.form))
    _count(call, is_spam=is_spam, was_spam=was_spam)


async def _find(call: Call, said: Said, now: datetime) -> Known | None:
    """Find the comment; of several alike the one written nearest to when this one was."""
    raw = comment_of(call.form, said, call.site, now=now)
    written = raw["created_at"]
    at = datetime.fromisoformat(written) if written else now
    async with call.services.database.connection() as connection:
        return await find_check(connection, call.site.id, sought(call, said, at))


async def _decide(call: Call, comment_id: CommentId, *, is_spam: bool) -> bool:
    """Record the word as the site's decision; tell whether that was possible. Nothing is said of a withdrawn comment."""
    reviewer = Reviewer.site(call.caller, call.form.get("reporter")[:MAX_LOGIN] or NOBODY)
    verdict, reason = (Verdict.REJECT, ReasonCode.SPAM) if is_spam else (Verdict.APPROVE, None)
    ruling = Ruling(verdict, reason, origin=AKISMET)
    decisions = call.services.decisions
    for _ in range(RACES):
        target = await _target(call, comment_id)
        try:
            if target is not None:
                await decisions.decide(reviewer, target, ruling)
        except _BLOCKED:
            continue
        except (GoneError, UnknownCommentError):
            return True
        return True
    return False


async def _target(call: Call, comment_id: CommentId) -> Target | None:
    async with call.services.database.connection() as connection:
        histories = await read_histories(connection, [comment_id])
    history = histories.get(comment_id)
    return None if not history else Target(comment_id, history[-1].revision, history[-1].sequence)


async def _was_spam(call: Call, known: Known) -> bool:
    """Tell what the client was told first."""
    async with call.services.database.connection() as connection:
        history = (await read_histories(connection, [known.comment_id])).get(known.comment_id, ())
    if not history:
        return False
    codes = [reason.code for reason in history[0].reasons]
    can_call = known.callback is not None
    return answer(history[0].verdict, codes, call.site.settings, can_call=can_call).is_spam


def _said_before(call: Call) -> bool | None:
    """Tell what the client says that it was told; None where it says nothing."""
    return {"true": True, "false": False}.get(call.form.get("comment_check_response").lower())


def _count(call: Call, *, is_spam: bool, was_spam: bool | None) -> None:
    if was_spam is None or was_spam is is_spam:
        return
    totals = Totals(missed_spam=1) if is_spam else Totals(false_positives=1)
    call.services.usage.count(call.caller, blog_of(call.form), totals)


async def _keep_label(
    call: Call, said: Said, comment_id: CommentId | None, *, is_spam: bool, now: datetime
) -> None:
    if not said.text.strip():
        return
    author = comment_of(call.form, said, call.site, now=now)["author"]
    identities = identify(
        call.services.vault, call.site.name, Author(name=author["name"], email=author["email"])
    )
    label = Label(
        site_id=call.site.id,
        key=match_key(call.services.vault, call.site, said),
        source=LabelSource.AKISMET,
        text=said.text,
        targets=SPAM if is_spam else HAM,
        labelled_at=now,
        comment_id=comment_id,
        identity=identities.author,
        email_hash=identities.email,
        actor=call.form.get("reporter")[:MAX_LOGIN] or None,
    )
    async with call.services.database.connection() as connection:
        await keep_labels(connection, [label])
