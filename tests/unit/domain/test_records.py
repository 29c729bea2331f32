"""The record of a decision says what the law wants said, in two languages, and nothing of any person."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from moderation.domain.decision import Decider, Decision, deletion
from moderation.domain.ids import CommentId, new_uuid
from moderation.domain.records import Subject, decision_records
from moderation.domain.verdict import Evidence, Reason, ReasonCode, Scores, Verdict

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUBJECT = Subject(
    CommentId(new_uuid()), "77", "akhbar", "أخبار المدينة", "ar", AT, {1: b"\x01" * 16}, {2: AT}
)


def said(
    sequence: int,
    verdict: Verdict,
    *codes: ReasonCode,
    by: Decider = Decider.SERVICE,
    actor: str | None = None,
) -> Decision:
    reasons = tuple(Reason(code, (Evidence(0, 4, f"rule_{code}", 1.0),)) for code in codes)
    return Decision(
        sequence=sequence,
        revision=1,
        state=verdict.state,
        verdict=verdict,
        reasons=reasons,
        scores=Scores(spam=0.1, abuse=0.9),
        model="m-1",
        policy=3,
        decided_by=by,
        actor=actor,
        note="ملاحظة عن ليلى",
        decided_at=AT,
        origin="native",
    )


def last(*history: Decision) -> dict[str, Any]:
    return decision_records(SUBJECT, history)[-1]


def test_a_rejection_by_the_service_is_fully_automated_and_names_rules_and_scores() -> None:
    found = last(said(1, Verdict.REJECT, ReasonCode.INSULT))
    assert (found["measure"], found["ground"], found["automation"]) == ("not_published", "rules", "fully")
    assert found["detection"]["rules"] == ["rule_insult"]
    assert (found["detection"]["model"], found["detection"]["policy"]) == ("m-1", 3)
    assert found["detection"]["scores"]["abuse"] == 0.9
    assert found["comment"]["text_hash"] == "01" * 16
    assert found["statement"]["is_due"] is True
    wire = found["statement"]["transparency"]
    assert wire["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_DISABLED"]
    assert wire["category"] == "STATEMENT_CATEGORY_CYBER_VIOLENCE"
    assert wire["content_language"] == "AR"
    assert wire["incompatible_content_illegal"] == "No"
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,500}", wire["puid"])


@pytest.mark.parametrize(
    ("first", "automation", "is_automated"),
    [
        (ReasonCode.ABUSE, "partially", True),
        (ReasonCode.PREMODERATION, "not_automated", False),
        (ReasonCode.NOT_SCORED, "not_automated", False),
    ],
)
def test_a_persons_decision_is_automated_as_far_as_a_machine_pointed_at_it(
    first: ReasonCode, automation: str, is_automated: bool
) -> None:
    held = said(1, Verdict.HOLD, first)
    found = last(held, said(2, Verdict.REJECT, ReasonCode.HATE, by=Decider.MODERATOR, actor="person-1"))
    assert (found["automation"], found["detection"]["is_automated"]) == (automation, is_automated)
    assert (found["decided_by"], found["moderator"]) == ("moderator", "person-1")
    assert found["notified"] == {"channel": "webhook", "at": "2026-03-01T12:00:00.000Z"}


def test_what_was_visible_before_was_removed() -> None:
    found = last(said(1, Verdict.APPROVE), said(2, Verdict.REJECT, ReasonCode.ILLEGAL, by=Decider.MODERATOR))
    assert (found["measure"], found["ground"]) == ("removed", "illegal")
    wire = found["statement"]["transparency"]
    assert wire["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_REMOVED"]
    assert wire["decision_ground"] == "DECISION_GROUND_ILLEGAL_CONTENT"
    assert "illegal_content_legal_ground" in wire
    assert "incompatible_content_illegal" not in wire


def test_a_language_without_a_code_of_two_letters_is_left_open() -> None:
    (found,) = decision_records(replace(SUBJECT, language="arz"), [said(1, Verdict.REJECT, ReasonCode.HATE)])
    assert found["statement"]["transparency"]["content_language"] is None


def test_each_names_the_one_that_took_its_place() -> None:
    first, second, third = decision_records(
        SUBJECT,
        [
            said(1, Verdict.HOLD, ReasonCode.PREMODERATION),
            said(2, Verdict.APPROVE, by=Decider.MODERATOR),
            deletion(sequence=3, revision=1, decided_by=Decider.SITE, decided_at=AT, origin="native"),
        ],
    )
    assert first["superseded_by"] == second["id"]
    assert second["superseded_by"] == third["id"]
    assert third["superseded_by"] is None
    assert [r["measure"] for r in (first, second, third)] == ["withheld", "none", "withdrawn"]
    assert [r["statement"] for r in (first, second, third)] == [None] * 3


def test_bulk_spam_needs_no_statement() -> None:
    assert last(said(1, Verdict.REJECT, ReasonCode.SPAM))["statement"]["is_due"] is False


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_has_words_in_both_languages_and_none_holds_a_person(code: ReasonCode) -> None:
    login = "desk-login@paper.example"
    found = last(said(1, Verdict.REJECT, code, by=Decider.SITE, actor=login))
    statement = found["statement"]
    assert re.search("[ء-ي]{4}", statement["ar"])
    assert statement["en"].isascii() or "أخبار" in statement["en"]
    assert not re.search(r"[{}]", statement["ar"] + statement["en"])
    assert len(statement["transparency"]["decision_facts"]) <= 5000
    for private in (login, "ملاحظة", "ليلى"):
        assert private not in str(found)
