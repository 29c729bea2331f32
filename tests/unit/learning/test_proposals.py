"""Thresholds are proposed for the languages whose decisions prove them; elsewhere they stay as they are."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from classifiers.runtime import PRETRAINED
from moderation.domain.ids import CommentId
from moderation.domain.policy import AuthorRecord, Signals
from moderation.domain.thresholds import Thresholds, in_force
from moderation.domain.verdict import Verdict
from moderation.learning.engine import LoadedModel
from moderation.learning.proposals import for_precision, for_queue
from moderation.storage.past import PastComment

ABUSE = "يا ابن الكلب يا حمار يا قذر الله يلعنك رقم"
CIVIL = "خبر جميل، متى يصل الخط إلى حيّنا؟ سؤال"
START = datetime(2026, 1, 1, tzinfo=UTC)


def decided(at: int, text: str, verdict: Verdict) -> PastComment:
    return PastComment(
        CommentId(UUID(int=at)), text, None, START + timedelta(hours=at), None, AuthorRecord(), Signals(), None, None,
        verdict, is_audited=False, weight=1.0, said_at=START,
    )  # fmt: skip


def test_what_arabic_decisions_prove_is_not_said_of_english() -> None:
    model = LoadedModel.open(PRETRAINED)
    past = [decided(n, f"{ABUSE} {n}", Verdict.REJECT) for n in range(40)]
    past += [decided(n, f"{CIVIL} {n}", Verdict.APPROVE) for n in range(40, 80)]
    past += [decided(n, f"you stupid idiot number {n}", Verdict.REJECT) for n in range(80, 85)]
    found = for_precision(past, model, {}, 0.95)
    limit = round(found.expected["abuse"].threshold, 6)
    assert found.thresholds["ar"]["abuse"].reject == limit
    for language in ("en", "und", "*"):
        before = in_force(language, model.thresholds).get("abuse", Thresholds(0.5))
        assert found.thresholds[language]["abuse"] == before
        assert language in found.unproven["abuse"]
    assert "ar" not in found.unproven["abuse"]
    assert found.thresholds["en"]["spam"].reject is None  # nothing called spam was rejected: nowhere proven
    assert "spam" in found.unreached


def test_english_that_people_approved_is_not_rejected_for_what_was_right_of_arabic() -> None:
    model = LoadedModel.open(PRETRAINED)
    past = [decided(n, f"{ABUSE} {n}", Verdict.REJECT) for n in range(600)]
    past += [decided(n, f"{CIVIL} {n}", Verdict.APPROVE) for n in range(600, 640)]
    past += [decided(n, f"you stupid idiot number {n}", Verdict.APPROVE) for n in range(640, 665)]
    found = for_precision(past, model, {}, 0.95)
    assert found.expected["abuse"].threshold < 0.9  # in all, 600 of 625 are right
    assert "en" in found.unproven["abuse"]
    assert found.thresholds["en"]["abuse"] == in_force("en", model.thresholds)["abuse"]
    assert "ar" not in found.unproven["abuse"]


def test_what_to_expect_counts_what_stays_as_it_is_as_it_is() -> None:
    model = LoadedModel.open(PRETRAINED)
    past = [decided(n, f"{ABUSE} {n}", Verdict.REJECT) for n in range(40)]
    past += [decided(n, f"{CIVIL} {n}", Verdict.APPROVE) for n in range(40, 80)]
    past += [decided(n, f"you stupid idiot number {n}", Verdict.REJECT) for n in range(80, 90)]
    own = {"en": {"abuse": Thresholds(0.5, None)}}
    found = for_precision(past, model, own, 0.95)
    assert found.thresholds["en"]["abuse"] == Thresholds(0.5, None)
    assert model.assess(["you stupid idiot number 1"], [None])[0].scores.abuse > 0.9
    called = found.expected["abuse"].rows
    assert 40 <= called <= 42  # the precision wanted allows for two that were right
    assert (
        found.expected["abuse"].recall == 40 / 50
    )  # English insults are still not rejected without a person
    rejecting = {"en": {"abuse": Thresholds(0.5, 0.6)}}
    found = for_precision(past, model, rejecting, 0.95)
    assert found.thresholds["en"]["abuse"] == Thresholds(0.5, 0.6)
    assert found.expected["abuse"].rows == called + 10  # by its own threshold


def test_a_queue_counts_what_waits_in_it_whatever_is_proposed() -> None:
    model = LoadedModel.open(PRETRAINED)
    strange = "그 사람 말은 정말 좋네요 오늘도 좋은 하루"
    past = [decided(n * 24, f"{strange} {n}", Verdict.APPROVE) for n in range(20)]
    past += [decided(n * 24, f"{CIVIL} {n}", Verdict.APPROVE) for n in range(20, 41)]
    assert not model.assess([strange], [None])[0].is_known_language
    found = for_queue(past, model, {}, 0.75).expected["queue"]
    assert 0.7 <= found.per_day <= 0.75  # twenty of an unknown language and ten others, in forty days
    found = for_queue(past, model, {}, 0.25).expected["queue"]
    assert (found.threshold, found.per_day) == (1.0, 0.5)  # fewer than twenty cannot be had by thresholds
