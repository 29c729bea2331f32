"""The rules of deciding and undoing, without a database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from moderation.domain.decision import Decider, Decision
from moderation.domain.details import detail
from moderation.domain.errors import (
    ClaimLostError,
    ConflictError,
    GoneError,
    NotPermittedError,
    StaleRevisionError,
    UnknownCommentError,
)
from moderation.domain.ids import ClaimId, CommentId, ModeratorId, SiteId, new_uuid
from moderation.domain.site import Role
from moderation.domain.task import Claim, Task, TaskKind
from moderation.domain.verdict import Reason, ReasonCode, Scores, State, Verdict
from moderation.review.reviewer import Reviewer
from moderation.review.rulings import Change, Ruling, Target, Undo, rule, standing_verdict, take_back
from moderation.storage.decisions import LockedComment
from tests.seeding import START

SITE = SiteId(1)
NOW = START + timedelta(hours=1)
APPROVE, REJECT, HOLD = Ruling(Verdict.APPROVE), Ruling(Verdict.REJECT), Ruling(Verdict.HOLD)


def moderator(role: Role = Role.MODERATOR) -> Reviewer:
    return Reviewer(Decider.MODERATOR, str(new_uuid()), {SITE: role})


ANNA, BILAL, LEAD = moderator(), moderator(), moderator(Role.LEAD)
DESK = Reviewer(Decider.SITE, "editor", {SITE: Role.ADMIN})


def comment(*, state: State = State.HELD, task: TaskKind | None = TaskKind.HELD) -> LockedComment:
    verdict = {State.HELD: Verdict.HOLD, State.APPROVED: Verdict.APPROVE, State.REJECTED: Verdict.REJECT}.get(
        state
    )
    first = Decision(
        sequence=1,
        revision=1,
        state=state,
        verdict=verdict,
        reasons=(Reason(ReasonCode.PREMODERATION),),
        scores=Scores(spam=0.2, abuse=0.1),
        model="model-1",
        policy=3,
        decided_by=Decider.SERVICE,
        actor=None,
        note=None,
        decided_at=START,
        origin="form",
    )
    return LockedComment(
        id=CommentId(new_uuid()),
        site_id=SITE,
        thread_id="article-1",
        language="ar",
        identity=None,
        revision=1,
        state=state,
        sequence=1,
        received_at=START,
        history=(first,),
        task=None if task is None else Task(task, 1),
    )


def decide(
    subject: LockedComment, ruling: Ruling, by: Reviewer, *, revision: int = 1, sequence: int | None = None
) -> Change | None:
    return rule(subject, Target(subject.id, revision, sequence), ruling, reviewer=by, now=NOW)


def decided(
    subject: LockedComment, ruling: Ruling, by: Reviewer, *, sequence: int | None = None
) -> LockedComment:
    change = decide(subject, ruling, by, sequence=sequence)
    assert change is not None
    return settled(change)


def settled(change: Change) -> LockedComment:
    task = None if change.opens is None else Task(change.opens, change.comment.revision)
    return replace(change.after, task=task)


def undone(subject: LockedComment, by: Reviewer, *, sequence: int | None = None) -> LockedComment:
    change = take_back(subject, Undo(sequence), reviewer=by, now=NOW)
    assert change is not None
    return settled(change)


def test_an_undo_that_names_what_it_took_back_may_be_sent_again_by_the_same_person() -> None:
    """After a 503 nobody knows whether it was recorded."""
    after = undone(decided(comment(), APPROVE, ANNA), ANNA, sequence=2)
    assert take_back(after, Undo(2), reviewer=ANNA, now=NOW) is None
    with pytest.raises(ConflictError):
        take_back(after, Undo(2), reviewer=LEAD, now=NOW)
    with pytest.raises(ConflictError):
        take_back(after, Undo(), reviewer=ANNA, now=NOW)


def test_a_decision_keeps_the_scores_and_versions_that_the_person_had_before_them() -> None:
    change = decide(comment(), Ruling(Verdict.REJECT, ReasonCode.SPAM, "third time today"), ANNA)
    assert change is not None
    decision = change.decision
    assert (decision.sequence, decision.state, decision.verdict) == (2, State.REJECTED, Verdict.REJECT)
    assert decision.reasons == (Reason(ReasonCode.SPAM),)
    assert (decision.scores, decision.model, decision.policy) == (Scores(spam=0.2, abuse=0.1), "model-1", 3)
    assert (decision.decided_by, decision.actor, decision.note) == (
        Decider.MODERATOR,
        ANNA.actor,
        "third time today",
    )
    assert (decision.decided_at, decision.task, change.opens) == (NOW, TaskKind.HELD, None)


def test_a_rejection_without_a_reason_has_the_reason_other_and_an_approval_none() -> None:
    assert REJECT.reasons == (Reason(ReasonCode.OTHER),)
    assert APPROVE.reasons == ()


@pytest.mark.parametrize("by", [ANNA, LEAD, DESK], ids=["moderator", "lead", "site"])
def test_a_stale_revision_is_refused_and_told_the_current_one(by: Reviewer) -> None:
    with pytest.raises(StaleRevisionError) as caught:
        decide(replace(comment(), revision=2), APPROVE, by, revision=1)
    assert caught.value.context == {"revision": 2}


def test_a_comment_of_another_site_is_unknown_even_when_withdrawn() -> None:
    stranger = Reviewer(Decider.MODERATOR, "m", {SiteId(2): Role.ADMIN})
    for subject in (comment(), comment(state=State.DELETED)):
        with pytest.raises(UnknownCommentError):
            decide(subject, APPROVE, stranger)
        with pytest.raises(UnknownCommentError):
            take_back(subject, Undo(), reviewer=stranger, now=NOW)


def test_a_withdrawn_comment_is_gone() -> None:
    with pytest.raises(GoneError):
        decide(comment(state=State.DELETED, task=None), APPROVE, ANNA)


def test_a_live_claim_of_another_binds_everybody_and_an_expired_one_nobody() -> None:
    claim = Claim(ClaimId(new_uuid()), ModeratorId(new_uuid()), NOW + timedelta(seconds=1))
    claimed = replace(comment(), task=Task(TaskKind.HELD, 1, claim))
    for by in (ANNA, LEAD, DESK, Reviewer(Decider.SITE, str(claim.by), {SITE: Role.ADMIN})):
        with pytest.raises(ClaimLostError) as caught:
            decide(claimed, APPROVE, by)
        assert caught.value.context == {"claimed_by": str(claim.by), "expires_at": "2025-03-01T13:00:01.000Z"}
    holder = Reviewer(Decider.MODERATOR, str(claim.by), {SITE: Role.MODERATOR})
    assert decide(claimed, APPROVE, holder) is not None
    expired = replace(claimed, task=Task(TaskKind.HELD, 1, replace(claim, expires_at=NOW)))
    assert decide(expired, APPROVE, ANNA) is not None


def test_the_same_request_sent_again_changes_nothing_whatever_decision_it_named() -> None:
    ruling = Ruling(Verdict.REJECT, ReasonCode.HATE, "note")
    subject = decided(comment(), ruling, ANNA, sequence=1)
    assert decide(subject, ruling, ANNA) is None
    assert decide(subject, ruling, ANNA, sequence=1) is None
    corrected = decide(subject, Ruling(Verdict.REJECT, ReasonCode.SPAM), ANNA)
    assert corrected is not None
    assert corrected.decision.sequence == 3


def test_a_person_may_change_their_own_mind() -> None:
    assert decided(decided(comment(), APPROVE, ANNA), REJECT, ANNA).state is State.REJECTED


@pytest.mark.parametrize("by", [BILAL, LEAD, DESK], ids=["moderator", "lead", "site"])
def test_whoever_did_not_see_another_persons_decision_does_not_overturn_it(by: Reviewer) -> None:
    subject = decided(comment(), APPROVE, ANNA)
    with pytest.raises(ConflictError) as caught:
        decide(subject, REJECT, by)
    assert caught.value.code == "conflict"
    assert caught.value.context == {
        "decided_by": "moderator",
        "moderator": ANNA.actor,
        "verdict": "approve",
        "decided_at": "2025-03-01T13:00:00.000Z",
        "sequence": 2,
        "revision": 1,
    }
    with pytest.raises(ConflictError):
        decide(subject, REJECT, by, sequence=1)
    assert decided(subject, REJECT, by, sequence=2).state is State.REJECTED


def test_agreeing_with_another_person_changes_nothing() -> None:
    subject = decided(comment(), APPROVE, ANNA)
    assert decide(subject, APPROVE, BILAL) is None


def test_a_verdict_of_the_service_is_overturned_without_ado() -> None:
    subject = comment(state=State.APPROVED, task=None)
    assert decided(subject, REJECT, ANNA).state is State.REJECTED


def test_an_agreeing_audit_is_recorded_and_an_opposite_one_changes_the_state() -> None:
    subject = comment(state=State.APPROVED, task=TaskKind.AUDIT)
    agreed = decide(subject, APPROVE, ANNA)
    assert agreed is not None
    assert (agreed.decision.state, agreed.decision.task, agreed.opens) == (
        State.APPROVED,
        TaskKind.AUDIT,
        None,
    )
    assert decided(subject, REJECT, ANNA).state is State.REJECTED


def test_only_leads_and_the_site_send_a_comment_back_to_the_queue() -> None:
    subject = comment(state=State.APPROVED, task=None)
    with pytest.raises(NotPermittedError) as caught:
        decide(subject, HOLD, ANNA)
    assert caught.value.context == {"required_role": "lead"}
    for by in (LEAD, DESK):
        change = decide(subject, HOLD, by)
        assert change is not None
        assert (change.decision.state, change.opens) == (State.HELD, TaskKind.HELD)


def test_a_held_comment_is_decided_by_anybody_although_a_lead_held_it() -> None:
    held = decided(comment(state=State.APPROVED, task=None), HOLD, LEAD)
    assert decided(held, REJECT, ANNA).state is State.REJECTED


def test_an_escalated_task_is_for_leads_who_may_send_it_back() -> None:
    subject = comment(task=TaskKind.ESCALATED)
    with pytest.raises(NotPermittedError):
        decide(subject, REJECT, ANNA)
    assert decided(subject, REJECT, LEAD).state is State.REJECTED
    returned = decide(subject, HOLD, LEAD)
    assert returned is not None
    assert returned.opens is TaskKind.HELD


def test_a_lead_settles_an_escalation_with_the_verdict_they_gave_before() -> None:
    subject = replace(decided(comment(), REJECT, LEAD), task=Task(TaskKind.ESCALATED, 1))
    assert decided(subject, REJECT, LEAD).task is None


def test_undoing_restores_verdict_reasons_and_task_under_the_undoers_name() -> None:
    subject = undone(decided(comment(), REJECT, ANNA), ANNA)
    latest = subject.latest
    assert (latest.state, latest.verdict, latest.reasons) == (
        State.HELD,
        Verdict.HOLD,
        (Reason(ReasonCode.PREMODERATION),),
    )
    assert (latest.sequence, latest.undoes, latest.decided_by, latest.actor) == (
        3,
        2,
        Decider.MODERATOR,
        ANNA.actor,
    )
    assert subject.task is not None
    assert subject.task.kind is TaskKind.HELD


@pytest.mark.parametrize("kind", [TaskKind.AUDIT, TaskKind.ESCALATED])
def test_undoing_opens_the_same_kind_of_task_again(kind: TaskKind) -> None:
    subject = undone(decided(comment(state=State.APPROVED, task=kind), REJECT, LEAD), LEAD)
    assert subject.state is State.APPROVED
    assert subject.task is not None
    assert subject.task.kind is kind


def test_undoing_a_decision_on_a_published_comment_opens_no_task() -> None:
    subject = undone(decided(comment(state=State.APPROVED, task=None), REJECT, ANNA), ANNA)
    assert (subject.state, subject.task) == (State.APPROVED, None)


def test_undoing_a_leads_hold_closes_the_task_it_opened() -> None:
    subject = undone(decided(comment(state=State.APPROVED, task=None), HOLD, LEAD), LEAD)
    assert (subject.state, subject.task) == (State.APPROVED, None)


def test_who_leaves_a_held_comment_held_leaves_what_it_was_held_for() -> None:
    escalated = comment(task=TaskKind.ESCALATED)
    kept = decided(escalated, HOLD, LEAD)
    assert [reason.code for reason in kept.latest.reasons] == [ReasonCode.PREMODERATION]
    assert kept.task is not None
    assert kept.task.kind is TaskKind.HELD
    assert rule(kept, Target(kept.id, kept.revision), HOLD, reviewer=LEAD, now=NOW) is None
    said = decided(escalated, Ruling(Verdict.HOLD, ReasonCode.OFF_TOPIC), LEAD)
    assert [reason.code for reason in said.latest.reasons] == [ReasonCode.OFF_TOPIC]
    published = decided(comment(state=State.APPROVED, task=None), HOLD, LEAD)
    assert [reason.code for reason in published.latest.reasons] == [ReasonCode.OTHER]


def test_only_leads_and_the_site_undo_what_another_decided() -> None:
    subject = decided(comment(), APPROVE, ANNA)
    with pytest.raises(NotPermittedError):
        undone(subject, BILAL)
    assert undone(subject, LEAD).state is State.HELD
    assert undone(subject, DESK).state is State.HELD


def test_a_lead_who_means_their_own_decision_undoes_no_colleagues() -> None:
    subject = decided(comment(), APPROVE, ANNA)
    assert rule(subject, Target(subject.id, subject.revision), APPROVE, reviewer=LEAD, now=NOW) is None
    with pytest.raises(ConflictError) as caught:
        take_back(subject, Undo(2, is_own=True), reviewer=LEAD, now=NOW)
    assert caught.value.context["moderator"] == ANNA.actor
    assert take_back(subject, Undo(2, is_own=True), reviewer=ANNA, now=NOW) is not None
    replaced = decided(subject, REJECT, LEAD, sequence=2)
    with pytest.raises(ConflictError) as caught:
        take_back(replaced, Undo(is_own=True), reviewer=ANNA, now=NOW)
    assert str(caught.value) == str(ConflictError(detail("decided_otherwise"))), (
        "it was theirs, and was replaced"
    )


def test_ones_own_decision_that_another_replaced_is_not_undone() -> None:
    subject = decided(decided(comment(), APPROVE, ANNA), REJECT, BILAL, sequence=2)
    with pytest.raises(ConflictError) as caught:
        undone(subject, ANNA)
    assert caught.value.context["moderator"] == BILAL.actor


def test_there_is_nothing_to_undo_in_the_services_decisions_nor_in_an_undo() -> None:
    subject = decided(comment(), APPROVE, ANNA)
    for nothing in (comment(), undone(subject, ANNA)):
        with pytest.raises(ConflictError):
            undone(nothing, LEAD)
    with pytest.raises(ConflictError):
        undone(subject, ANNA, sequence=1)


def test_after_an_undo_anybody_decides_anew() -> None:
    subject = undone(decided(comment(), APPROVE, ANNA), LEAD)
    assert decided(subject, REJECT, BILAL).state is State.REJECTED
    assert decided(subject, APPROVE, ANNA).latest.sequence == 4


def test_the_standing_verdict_is_the_last_word_of_a_person_that_was_not_taken_back() -> None:
    subject = comment()
    assert standing_verdict(subject.history) is None
    subject = decided(subject, APPROVE, ANNA)
    assert standing_verdict(subject.history) is Verdict.APPROVE
    subject = decided(subject, REJECT, BILAL, sequence=2)
    assert standing_verdict(subject.history) is Verdict.REJECT
    subject = undone(subject, BILAL)
    assert (subject.state, standing_verdict(subject.history)) == (State.APPROVED, Verdict.APPROVE)
