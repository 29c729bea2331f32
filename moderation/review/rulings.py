"""What a reviewer's word does to a comment: pure rules over a locked comment (docs/decisions/0005-review-queue.md)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from moderation.domain.clock import wire_time
from moderation.domain.decision import Decider, Decision
from moderation.domain.details import detail
from moderation.domain.errors import ConflictError, NotPermittedError, StaleRevisionError
from moderation.domain.ids import CommentId
from moderation.domain.site import Role
from moderation.domain.task import Task, TaskKind
from moderation.domain.verdict import Reason, ReasonCode, State, Verdict
from moderation.review.reviewer import Reviewer, require_claimable, require_reachable
from moderation.storage.decisions import LockedComment


@dataclass(frozen=True, slots=True)
class Target:
    """What a reviewer saw: a comment at one revision, and where they say so the decision they knew of."""

    id: CommentId
    revision: int
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A reviewer's word; the same for every comment of a bulk."""

    verdict: Verdict
    reason: ReasonCode | None = None
    note: str | None = field(default=None, repr=False)
    origin: str = "native"
    """The door by which the word came."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reason given; `other` where a comment is rejected or held without one."""
        if self.reason is not None:
            return (Reason(self.reason),)
        return () if self.verdict is Verdict.APPROVE else (Reason(ReasonCode.OTHER),)

    def reasons_after(self, latest: Decision) -> tuple[Reason, ...]:
        """Return the reasons that stand afterwards: who leaves a held comment held, and gives none, leaves what it was held for."""
        is_left = self.verdict is Verdict.HOLD and self.reason is None and latest.verdict is Verdict.HOLD
        return latest.reasons if is_left else self.reasons

    @property
    def opens(self) -> TaskKind | None:
        """The task that stands afterwards."""
        return TaskKind.HELD if self.verdict is Verdict.HOLD else None


@dataclass(frozen=True, slots=True)
class Undo:
    """A reviewer's wish to take the latest decision back; ``sequence`` names it, where they say what they saw."""

    sequence: int | None = None
    note: str | None = field(default=None, repr=False)
    origin: str = "native"
    is_own: bool = False
    """Whether only a decision of the reviewer's own is meant, whatever else they may undo."""


@dataclass(frozen=True, slots=True)
class Change:
    """A decision to record, and the task that is open afterwards (None: any open one is closed)."""

    comment: LockedComment
    decision: Decision
    opens: TaskKind | None

    @property
    def after(self) -> LockedComment:
        """The comment as it stands once this is recorded, as far as further rulings go."""
        return replace(
            self.comment,
            state=self.decision.state,
            sequence=self.decision.sequence,
            history=(*self.comment.history, self.decision),
            task=None if self.opens is None else Task(self.opens, self.comment.revision),
        )


def rule(
    comment: LockedComment, target: Target, ruling: Ruling, *, reviewer: Reviewer, now: datetime
) -> Change | None:
    """Return what the ruling changes; None where the comment stands so already.

    Raises `UnknownCommentError`, `GoneError`, `StaleRevisionError`, `NotPermittedError`, `ClaimLostError`, or `ConflictError`
    where another person decided differently and the target does not name that decision.
    """
    require_reachable(reviewer, comment)
    if _is_repeated(comment, target, ruling, reviewer):
        return None
    if target.revision != comment.revision:
        raise StaleRevisionError(revision=comment.revision)
    if ruling.verdict is Verdict.HOLD:
        reviewer.require(comment.site_id, Role.LEAD)
    require_claimable(reviewer, comment.site_id, comment.task, now=now)
    if _is_agreed(comment, target, ruling, reviewer):
        return None
    latest = comment.latest
    decision = Decision(
        sequence=comment.sequence + 1,
        revision=comment.revision,
        state=ruling.verdict.state,
        verdict=ruling.verdict,
        reasons=ruling.reasons_after(latest),
        scores=latest.scores,  # what the person had before them stays with what they said of it
        model=latest.model,
        policy=latest.policy,
        decided_by=reviewer.decider,
        actor=reviewer.actor,
        note=ruling.note,
        decided_at=now,
        origin=ruling.origin,
        task=_kind(comment),
    )
    return Change(comment, decision, ruling.opens)


def take_back(comment: LockedComment, undo: Undo, *, reviewer: Reviewer, now: datetime) -> Change | None:
    """Return what undoing the latest decision changes: the one before it holds again. None where the same undo was sent before.

    Raises `ConflictError` where the latest decision is the service's, an undo, the only one, or not the one named;
    `NotPermittedError` for somebody else's decision, except to leads; `ConflictError` where their own is meant, and it is not.
    """
    require_reachable(reviewer, comment)
    latest = comment.latest
    if undo.sequence is not None and undo.sequence == latest.undoes and reviewer.made(latest):
        return None
    if undo.sequence is not None and undo.sequence != latest.sequence:
        raise _decided_meanwhile(comment, reviewer)
    if latest.decided_by is Decider.SERVICE or latest.undoes is not None or len(comment.history) < 2:
        raise ConflictError(detail("nothing_to_undo"), **_who(comment, reviewer))
    if not reviewer.made(latest):
        _require_right_to_others(comment, undo, reviewer)
    require_claimable(reviewer, comment.site_id, comment.task, now=now)
    restored = replace(
        comment.history[-2],
        sequence=comment.sequence + 1,
        revision=comment.revision,
        decided_by=reviewer.decider,
        actor=reviewer.actor,
        note=undo.note,
        decided_at=now,
        origin=undo.origin,
        undoes=latest.sequence,
        task=_kind(comment),
    )
    return Change(comment, restored, _reopened(latest, restored))


def _require_right_to_others(comment: LockedComment, undo: Undo, reviewer: Reviewer) -> None:
    """Refuse to take back the latest decision, somebody else's, to whoever means their own, and to all but leads."""
    is_lead = reviewer.role_on(comment.site_id).includes(Role.LEAD)
    if is_lead and not undo.is_own:
        return
    if any(reviewer.made(decision) for decision in comment.history):
        raise _decided_meanwhile(comment, reviewer)
    if undo.is_own:
        raise ConflictError(detail("decided_before"), **_who(comment, reviewer))
    raise NotPermittedError(detail("leads_undo"), required_role=Role.LEAD.value)


def standing_verdict(history: Iterable[Decision]) -> Verdict | None:
    """Return the last word of a person on the comment that was not taken back; None without one."""
    decisions = tuple(history)
    undone = {decision.undoes for decision in decisions}
    for decision in reversed(decisions):
        is_own_word = decision.decided_by is not Decider.SERVICE and decision.undoes is None
        if is_own_word and decision.sequence not in undone and decision.verdict is not None:
            return decision.verdict
    return None


def _is_repeated(comment: LockedComment, target: Target, ruling: Ruling, reviewer: Reviewer) -> bool:
    """Whether this is the request that made the latest decision, sent once more."""
    latest = comment.latest
    return (
        reviewer.made(latest)
        and latest.undoes is None
        and target.revision == latest.revision
        and (latest.verdict, latest.reasons, latest.note)
        == (ruling.verdict, ruling.reasons_after(latest), ruling.note)
        and _kind(comment) is ruling.opens
    )


def _is_agreed(comment: LockedComment, target: Target, ruling: Ruling, reviewer: Reviewer) -> bool:
    """Whether another person said the same before; raises `ConflictError` where they said something else.

    Whoever names the latest decision by its sequence has seen it and may replace it.
    """
    latest = comment.latest
    if target.sequence is not None:
        if target.sequence != latest.sequence:
            raise _decided_meanwhile(comment, reviewer)
        return False
    is_open = comment.task is not None
    if is_open or latest.decided_by is Decider.SERVICE or reviewer.made(latest):
        return False
    if latest.verdict is not ruling.verdict:
        raise _decided_meanwhile(comment, reviewer)
    return True


def _reopened(undone: Decision, restored: Decision) -> TaskKind | None:
    if undone.task in (TaskKind.AUDIT, TaskKind.ESCALATED):
        return undone.task
    return TaskKind.HELD if restored.state is State.HELD else None


def _kind(comment: LockedComment) -> TaskKind | None:
    return None if comment.task is None else comment.task.kind


def _decided_meanwhile(comment: LockedComment, reviewer: Reviewer) -> ConflictError:
    return ConflictError(detail("decided_otherwise"), **_who(comment, reviewer))


def _who(comment: LockedComment, reviewer: Reviewer) -> dict[str, Any]:
    """What the caller is told of the decision that stands in the way; people not its verdict while they may yet audit it."""
    decision = comment.latest
    is_blind = reviewer.decider is Decider.MODERATOR and _kind(comment) is TaskKind.AUDIT
    return {
        "decided_by": decision.decided_by.value,
        "moderator": decision.actor,
        "verdict": None if decision.verdict is None or is_blind else decision.verdict.value,
        "decided_at": wire_time(decision.decided_at),
        "sequence": decision.sequence,
        "revision": decision.revision,
    }
