"""Coral's signatures, bodies and answers."""

import hashlib
import hmac
from typing import Any

import pytest

from moderation.domain.site import CoralClean
from moderation.domain.verdict import ReasonCode, Verdict
from moderation.protocols.coral_answers import WITHHELD, answer_for
from moderation.protocols.coral_feedback import read_word
from moderation.protocols.coral_requests import UnreadableRequestError, is_signed, read_comment
from moderation.protocols.perspective_requests import SuggestRequest

BODY = b'{\n  "action": "NEW"\n}'
STATUSES = {"NONE", "APPROVED", "REJECTED", "PREMOD", "SYSTEM_WITHHELD"}
CODES = {"OFFENSIVE", "ABUSIVE", "SPAM", "BANNED_WORD", "AD", "ILLEGAL_CONTENT", "HARASSMENT_BULLYING"} | {
    "MISINFORMATION",
    "HATE_SPEECH",
    "IRRELEVANT_CONTENT",
    "OTHER",
}


def sign(secret: str, body: bytes = BODY) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_any_live_secret_may_have_signed():
    assert is_signed(sign("new"), BODY, ["new", "old"])
    assert is_signed(f"{sign('new')},{sign('old')}", BODY, ["old"])
    assert is_signed(f"sha1=abc, {sign('old').upper().replace('SHA256', 'sha256')}", BODY, ["old"])


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "sha256",
        "sha256=",
        sign("other"),
        sign("s", BODY + b" "),
        sign("s")[7:],
        "sha256=é",
        "sha256=\udcff",
    ],
)
def test_nothing_else_is_a_signature(header: str):
    assert not is_signed(header, BODY, ["s"])


def test_without_a_secret_nothing_is_signed():
    assert not is_signed(sign(""), BODY, [])


def request(**changes: Any) -> dict[str, Any]:
    return {
        "action": "NEW",
        "comment": {"body": "<div>نص</div>", "parentID": None},
        "author": {"id": "u-1", "role": "COMMENTER"},
        "story": {"id": "s-1", "url": "https://news.example/1"},
        "site": {"id": "site-1"},
        "tenantID": "t-1",
        "tenantDomain": "coral.example",
        **changes,
    }


def test_a_request_is_read():
    found = read_comment(request())
    assert found.as_submission() == {
        "thread": {"id": "s-1", "url": "https://news.example/1"},
        "author": {"external_id": "t-1:u-1"},
        "text": "نص",
        "context": {"coral_role": "COMMENTER", "coral_site": "site-1", "coral_tenant": "t-1"},
    }


def test_what_cannot_be_stored_is_replaced_and_a_wrong_link_left_out():
    found = read_comment(
        request(comment={"body": "a\x00\ud800"}, story={"id": "s", "url": "javascript:alert(1)"})
    )
    assert (found.text, found.story_url) == ("a\ufffd?", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"comment": ["a"]},
        {"comment": {"body": ["a"]}},
        {"comment": {"body": None}},
        {"author": None},
        {"author": {"id": 7}},
        {"story": {"id": ""}},
        {"site": "x"},
    ],
)
def test_another_form_is_named(changes: dict[str, Any]):
    with pytest.raises(UnreadableRequestError):
        read_comment(request(**changes))


@pytest.mark.parametrize("clean", CoralClean)
@pytest.mark.parametrize("verdict", [*Verdict, None])
@pytest.mark.parametrize("code", ReasonCode)
def test_every_answer_is_of_the_form_that_coral_reads(
    verdict: Verdict | None, code: ReasonCode, clean: CoralClean
):
    answer = answer_for(verdict, [] if verdict is Verdict.APPROVE else [code], clean)
    if answer is None:
        assert (verdict, clean) == (Verdict.APPROVE, CoralClean.LEAVE)
        return
    assert answer["status"] in STATUSES
    assert answer.keys() <= {"status", "actions", "moderationAction"}
    for action in answer.get("actions", []):
        assert action["actionType"] == "FLAG"
        assert action["reason"] in {"COMMENT_DETECTED_SPAM", "COMMENT_DETECTED_TOXIC"}
    assert ("moderationAction" in answer) == (verdict is Verdict.REJECT)
    if verdict is Verdict.REJECT:
        assert answer["moderationAction"]["status"] == answer["status"] == "REJECTED"
        assert answer["moderationAction"]["rejectionReason"]["code"] in CODES


def test_verdicts_are_told_as_they_are():
    def told(verdict: Verdict, *codes: ReasonCode) -> Any:
        return answer_for(verdict, codes, CoralClean.APPROVE)

    assert told(Verdict.APPROVE) == {"status": "APPROVED"}
    assert told(Verdict.HOLD, ReasonCode.PREMODERATION) == {"status": "PREMOD"}
    assert told(Verdict.HOLD, ReasonCode.NOT_SCORED) == WITHHELD | {"actions": []}
    assert told(Verdict.HOLD, ReasonCode.INSULT, ReasonCode.PREMODERATION)["status"] == "SYSTEM_WITHHELD"
    rejected = told(Verdict.REJECT, ReasonCode.SPAM)
    assert rejected["actions"] == [{"actionType": "FLAG", "reason": "COMMENT_DETECTED_SPAM"}]
    assert rejected["moderationAction"]["rejectionReason"] == {"code": "SPAM"}


def said(entry: str | None, **values: float) -> SuggestRequest:
    return SuggestRequest("نص", values, (), None, None, entry)


def test_feedback_of_new_and_old_corals_is_told_from_others():
    entry = '{"url": "https://news.example/1?commentID=c", "Coral_comment_id": "c"}'
    assert [read_word(said(entry, TOXICITY=v)).verdict for v in (0.0, 1.0)] == [
        Verdict.APPROVE,
        Verdict.REJECT,
    ]  # type: ignore[union-attr]
    for name, verdict in (
        ("APPROVED", Verdict.APPROVE),
        ("DELETED", Verdict.REJECT),
        ("HIGHLIGHTED", Verdict.APPROVE),
    ):
        word = read_word(said(entry, **{name: 1.0}))
        assert word is not None
        assert word.verdict is verdict
    for other in (
        None,
        "",
        "[]",
        "{",
        "7",
        '{"Coral_comment_id": 7}',
        "[" * 100_000,
        '{"Coral_comment_id": ""}',
    ):
        assert read_word(said(other, TOXICITY=1.0)) is None
    assert read_word(said(entry)) is None
