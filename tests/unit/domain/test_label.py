from moderation.domain.label import Targets
from moderation.domain.verdict import ReasonCode, Verdict


def test_an_approval_denies_spam_abuse_and_rejection_and_says_nothing_of_kinds():
    assert Targets.of_decision(Verdict.APPROVE, []) == Targets(spam=0, abuse=0, reject=0)


def test_a_hold_says_nothing():
    assert Targets.of_decision(Verdict.HOLD, [ReasonCode.SPAM]) is None


def test_a_rejection_says_only_what_its_reason_says():
    assert Targets.of_decision(Verdict.REJECT, [ReasonCode.SPAM]) == Targets(spam=1, reject=1)
    assert Targets.of_decision(Verdict.REJECT, [ReasonCode.HATE]) == Targets(abuse=1, hate=1, reject=1)
    assert Targets.of_decision(Verdict.REJECT, [ReasonCode.ABUSE]) == Targets(abuse=1, reject=1)
    assert Targets.of_decision(Verdict.REJECT, [ReasonCode.OFF_TOPIC]) == Targets(reject=1)
