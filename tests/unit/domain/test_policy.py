"""Every rule of a policy leads to the verdict, the reason and the evidence that the table in `policy` promises."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moderation.domain.errors import InvalidConfigurationError
from moderation.domain.policy import (
    MAX_EVIDENCE,
    AuthorRecord,
    Mode,
    Policy,
    Ruling,
    Signals,
    Standing,
    Thresholds,
    WordAction,
    WordList,
    decide,
)
from moderation.domain.verdict import Assessment, Evidence, Reason, ReasonCode, Scores, Verdict

DEFAULTS = {
    "*": {
        "spam": Thresholds(0.5, 0.95),
        "abuse": Thresholds(0.4, 0.9),
        "insult": Thresholds(0.6, None),
        "reject": Thresholds(0.5, 0.8),
    },
    "en": {"spam": Thresholds(0.7, 0.99)},
}
POST = Policy(version=1, mode=Mode.POST)
PRE = Policy(version=1)
NOBODY = AuthorRecord()
HARMLESS = Scores(spam=0.01, abuse=0.01)
NO_SIGNALS = Signals()
TEXT = "مقال جميل، شكرا للكاتب على هذا الجهد الكبير"


def ruling(
    policy: Policy = POST,
    *,
    text: str = TEXT,
    url: str | None = None,
    author: AuthorRecord = NOBODY,
    scores: Scores | None = HARMLESS,
    language: str | None = "ar",
    is_known: bool = True,
    signals: Signals = NO_SIGNALS,
) -> Ruling:
    assessment = None if scores is None else Assessment(scores, language, is_known, "model-1")
    return decide(
        policy,
        text=text,
        author_url=url,
        author=author,
        assessment=assessment,
        signals=signals,
        default_thresholds=DEFAULTS,
    )


def codes(made: Ruling) -> tuple[str, list[str]]:
    return made.verdict.value, [reason.code.value for reason in made.reasons]


def test_a_clean_comment_is_published_in_mode_post() -> None:
    assert ruling(POST) == Ruling(Verdict.APPROVE, ())


def test_a_clean_comment_waits_in_mode_pre() -> None:
    assert ruling(PRE) == Ruling(Verdict.HOLD, (Reason(ReasonCode.PREMODERATION),))


@pytest.mark.parametrize(
    ("author", "is_trusted"),
    [
        (AuthorRecord(Standing.TRUSTED), True),
        (AuthorRecord(Standing.TRUSTED, 0, 9), True),
        (AuthorRecord(approved=2), False),
        (AuthorRecord(approved=3), True),
        (AuthorRecord(approved=3, rejected=1), False),
        (AuthorRecord(approved=6, rejected=1), True),
        (AuthorRecord(approved=100, rejected=90), False),
        (AuthorRecord(Standing.BLOCKED, approved=100), False),
    ],
)
def test_trust_is_given_by_hand_or_earned(author: AuthorRecord, is_trusted: bool) -> None:
    assert PRE.trusts(author) is is_trusted
    assert (ruling(PRE, author=author).verdict is Verdict.APPROVE) is is_trusted


def test_trust_is_given_by_hand_alone_where_the_site_wants_it() -> None:
    by_hand = replace(PRE, trust_after=None)
    assert not by_hand.trusts(AuthorRecord(approved=1000))
    assert by_hand.trusts(AuthorRecord(Standing.TRUSTED))


@pytest.mark.parametrize("policy", [PRE, POST])
@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (Scores(spam=0.95, abuse=0.01), ("reject", ["spam"])),
        (Scores(spam=0.949, abuse=0.01), ("hold", ["spam"])),
        (Scores(spam=0.5, abuse=0.01), ("hold", ["spam"])),
        (Scores(spam=0.01, abuse=0.9), ("reject", ["abuse"])),
        (Scores(spam=0.01, abuse=0.4), ("hold", ["abuse"])),
        (Scores(spam=0.6, abuse=0.99), ("reject", ["abuse", "spam"])),
        (Scores(spam=0.01, abuse=0.5, insult=0.6, threat=0.4), ("hold", ["abuse", "insult"])),
        (Scores(spam=0.01, abuse=0.1, hate=0.5), ("hold", ["hate"])),
        (Scores(spam=0.01, abuse=0.1, reject=0.5), ("hold", ["likely_reject"])),
        (Scores(spam=0.01, abuse=0.1, reject=1.0), ("hold", ["likely_reject"])),
    ],
)
def test_scores_are_held_or_rejected_by_their_thresholds_in_both_modes(
    policy: Policy, scores: Scores, expected: tuple[str, list[str]]
) -> None:
    assert codes(ruling(policy, scores=scores)) == expected
    assert codes(ruling(policy, scores=scores, author=AuthorRecord(Standing.TRUSTED))) == expected


def test_the_language_of_the_text_chooses_the_thresholds() -> None:
    assert codes(ruling(scores=Scores(spam=0.6, abuse=0.0), language="ar")) == ("hold", ["spam"])
    assert codes(ruling(scores=Scores(spam=0.6, abuse=0.0), language="en")) == ("approve", [])
    assert codes(ruling(scores=Scores(spam=0.6, abuse=0.0), language=None)) == ("hold", ["spam"])


def test_a_sites_thresholds_go_before_the_models() -> None:
    lenient = replace(POST, thresholds={"*": {"spam": Thresholds(0.8, None)}})
    assert codes(ruling(lenient, scores=Scores(spam=0.7, abuse=0.0), language="en")) == ("approve", [])
    assert codes(ruling(lenient, scores=Scores(spam=1.0, abuse=0.0))) == ("hold", ["spam"])
    assert codes(ruling(lenient, scores=Scores(spam=0.0, abuse=0.95))) == ("reject", ["abuse"])


def test_without_any_thresholds_more_likely_than_not_is_doubt_and_nothing_is_sure() -> None:
    made = decide(
        POST,
        text=TEXT,
        author_url=None,
        author=AuthorRecord(),
        assessment=Assessment(Scores(spam=1.0, abuse=0.5), "ar", True, "model-1"),
        signals=Signals(),
        default_thresholds={},
    )
    assert codes(made) == ("hold", ["spam", "abuse"])


@pytest.mark.parametrize(
    "scores",
    [
        None,
        Scores(),
        Scores(spam=0.0),
        Scores(abuse=0.0),
        Scores(spam=math.nan, abuse=0.0),
        Scores(spam=0.0, abuse=math.inf),
        Scores(spam=-1.0, abuse=0.0),
    ],
)
def test_without_scores_the_best_verdict_is_hold(scores: Scores | None) -> None:
    trusted = AuthorRecord(Standing.TRUSTED)
    assert codes(ruling(scores=scores, author=trusted)) == ("hold", ["not_scored"])


def test_an_unknown_language_is_held_at_best_and_may_be_rejected() -> None:
    assert codes(ruling(scores=Scores(spam=0.0), language="xx", is_known=False)) == (
        "hold",
        ["unknown_language"],
    )
    sure = ruling(scores=Scores(spam=0.99), language=None, is_known=False)
    assert codes(sure) == ("reject", ["spam", "unknown_language"])


def test_a_blocked_author_is_rejected_or_held_as_the_site_wants() -> None:
    blocked = AuthorRecord(Standing.BLOCKED, approved=50)
    assert codes(ruling(author=blocked)) == ("reject", ["blocked_author"])
    assert codes(ruling(replace(POST, reject_blocked=False), author=blocked)) == ("hold", ["blocked_author"])


def test_a_first_comment_is_held_in_mode_post_where_the_site_wants_it() -> None:
    careful = replace(POST, hold_first_comment=True)
    assert codes(ruling(careful)) == ("hold", ["first_comment"])
    assert codes(ruling(careful, author=AuthorRecord(approved=1))) == ("approve", [])
    assert codes(ruling(careful, author=AuthorRecord(Standing.TRUSTED))) == ("approve", [])


def test_a_hold_by_mode_is_not_told_where_something_else_holds() -> None:
    assert codes(ruling(PRE, signals=Signals(flood=True))) == ("hold", ["flood"])


def test_a_trap_that_was_filled_in_rejects_or_holds_as_the_policy_says() -> None:
    trapped = Signals(suspicions=(ReasonCode.TOO_FAST, ReasonCode.HONEYPOT))
    assert codes(ruling(POST, signals=trapped)) == ("hold", ["too_fast", "honeypot"])
    harsher = replace(POST, honeypot_action=WordAction.REJECT)
    assert codes(ruling(harsher, signals=trapped)) == ("reject", ["honeypot", "too_fast"])
    assert codes(ruling(POST, signals=Signals(suspicions=(ReasonCode.TOO_FAST,)))) == ("hold", ["too_fast"])


def test_banned_words_lead_to_what_their_list_says_with_evidence() -> None:
    policy = replace(
        POST,
        banned_words=(
            WordList("mild", WordAction.HOLD, ("سخيف",)),
            WordList("grave", WordAction.REJECT, ("كلب",)),
        ),
    )
    text = "😀 كلام سخيف"
    held = ruling(policy, text=text)
    assert codes(held) == ("hold", ["banned_word"])
    (evidence,) = held.reasons[0].evidence
    assert text[evidence.start : evidence.end] == "سخيف"
    assert evidence.rule == "banned_word"
    both = ruling(policy, text="كلام سخيف من الكلب")
    assert codes(both) == ("reject", ["banned_word"])
    assert [e.start for e in both.reasons[0].evidence] == [13, 5]


def test_a_banned_word_in_the_authors_url_has_no_place_in_the_text() -> None:
    policy = replace(POST, banned_words=(WordList("ads", WordAction.REJECT, ("viagra",)),))
    made = ruling(policy, url="https://buy-viagra.example/")
    assert made == Ruling(Verdict.REJECT, (Reason(ReasonCode.BANNED_WORD),))


def test_more_links_than_allowed_are_held_with_evidence() -> None:
    text = "😀 http://a.example و www.b.example وأيضا c.com"
    assert codes(ruling(text=text.replace("www.b.example", ""))) == ("approve", [])
    made = ruling(text=text)
    assert codes(made) == ("hold", ["link_limit"])
    assert made.reasons[0].evidence[0] == Evidence(2, 18, "link", 1.0)
    assert [text[e.start : e.end] for e in made.reasons[0].evidence] == [
        "http://a.example",
        "www.b.example",
        "c.com",
    ]
    assert codes(ruling(replace(POST, link_limit=None), text=text)) == ("approve", [])
    assert codes(ruling(replace(POST, link_limit=0), text="http://a.example")) == ("hold", ["link_limit"])


def test_evidence_is_bounded() -> None:
    lists = WordList("x", WordAction.HOLD, ("spam",)), WordList("y", WordAction.REJECT, ("scam",))
    made = ruling(replace(POST, banned_words=lists), text="spam http://a.example scam " * 500)
    assert [len(reason.evidence) for reason in made.reasons] == [MAX_EVIDENCE, MAX_EVIDENCE]


def test_a_repeated_text_is_held_or_rejected_as_the_site_wants() -> None:
    again = Signals(duplicates=1)
    assert codes(ruling(signals=again)) == ("hold", ["duplicate"])
    strict = replace(POST, duplicate_action=WordAction.REJECT)
    assert codes(ruling(strict, signals=again)) == ("reject", ["duplicate"])


def test_thanks_and_condolences_are_no_duplicates_unless_they_advertise() -> None:
    again = Signals(duplicates=7)
    assert codes(ruling(text="إنا لله وإنا إليه راجعون", signals=again)) == ("approve", [])
    assert codes(ruling(text="شكرا", url="https://shop.example", signals=again)) == ("hold", ["duplicate"])
    assert codes(ruling(text="شكرا shop.com", signals=again)) == ("hold", ["duplicate"])
    assert codes(ruling(replace(POST, duplicate_min_length=0), text="شكرا", signals=again)) == (
        "hold",
        ["duplicate"],
    )


def test_every_reason_is_told_the_gravest_first() -> None:
    policy = replace(PRE, banned_words=(WordList("x", WordAction.HOLD, ("سخيف",)),))
    made = ruling(
        policy,
        text="سخيف a.com b.com c.com",
        author=AuthorRecord(Standing.BLOCKED),
        scores=Scores(spam=0.97, abuse=0.5, insult=0.7, reject=0.9),
        signals=Signals(2, flood=True, suspicions=(ReasonCode.HONEYPOT,)),
    )
    assert codes(made) == (
        "reject",
        [
            "blocked_author",
            "spam",
            "abuse",
            "insult",
            "likely_reject",
            "banned_word",
            "link_limit",
            "duplicate",
            "flood",
            "honeypot",
        ],
    )


FULL: dict[str, Any] = {
    "mode": "post",
    "thresholds": {
        "*": {"spam": {"doubt": 0.4, "reject": 0.9}},
        "ar": {"abuse": {"doubt": None, "reject": 1.0}, "reject": {"doubt": 0.5, "reject": None}},
    },
    "banned_words": [{"name": "insults", "action": "reject", "words": ["كلب", "bad*"], "leetspeak": True}],
    "allowed_words": ["كلبشة"],
    "link_limit": None,
    "trust_after": 10,
    "hold_first_comment": True,
    "audit_share": 0.5,
    "duplicate_action": "reject",
    "duplicate_min_length": 0,
    "honeypot_action": "reject",
    "reject_blocked": False,
}


def test_a_policy_is_read_as_it_was_written() -> None:
    policy = Policy.from_json(FULL, 7)
    assert policy.version == 7
    assert policy.as_json() == FULL
    assert Policy.from_json(policy.as_json(), 7) == policy
    assert Policy.from_json({}, 3) == Policy(version=3)
    assert Policy.from_json(Policy(version=3).as_json(), 3) == Policy(version=3)


def test_bare_words_are_one_list_that_holds() -> None:
    policy = Policy.from_json({"banned_words": ["حرامي", "bad*"]}, 1)
    assert policy.banned_words == (WordList("", WordAction.HOLD, ("حرامي", "bad*")),)
    assert Policy.from_json(policy.as_json(), 1) == policy


def test_the_guide_for_admins_has_every_key_with_its_default() -> None:
    page = (Path(__file__).parents[3] / "docs" / "admins.md").read_text("utf-8")
    _, _, section = page.partition("**What `policy set` knows.**")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section.partition("\n## ")[0], re.MULTILINE))
    defaults = {
        key: "none" if value in ([], None) else str(value).lower()
        for key, value in Policy(1).as_json().items()
    }
    assert {key: written.strip("`") for key, written in rows.items()} == defaults


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        (None, {"": "wrong_type"}),
        ([], {"": "wrong_type"}),
        ({"mod": "pre"}, {"/mod": "unknown_field"}),
        ({"mode": "both"}, {"/mode": "invalid_value"}),
        ({"mode": ["pre"]}, {"/mode": "invalid_value"}),
        ({"mode": None}, {"/mode": "invalid_value"}),
        ({"thresholds": []}, {"/thresholds": "wrong_type"}),
        ({"thresholds": {"arabic": {}}}, {"/thresholds/arabic": "invalid_value"}),
        ({"thresholds": {"ar": {"spma": {}}}}, {"/thresholds/ar/spma": "unknown_field"}),
        ({"thresholds": {"ar": {"spam": {"doubt": 0.5}}}}, {"/thresholds/ar/spam/reject": "missing"}),
        ({"thresholds": {"ar": {"spam": {"doubt": 2, "reject": "1"}}}},
         {"/thresholds/ar/spam/doubt": "invalid_value", "/thresholds/ar/spam/reject": "wrong_type"}),
        ({"thresholds": {"ar": {"spam": {"doubt": 0.9, "reject": 0.5}}}}, {"/thresholds/ar/spam/reject": "invalid_value"}),
        ({"thresholds": {"*": {"reject": {"doubt": 0.5, "reject": 0.9}}}}, {"/thresholds/*/reject/reject": "invalid_value"}),
        ({"banned_words": {}}, {"/banned_words": "wrong_type"}),
        ({"banned_words": ["كلب", 5]}, {"/banned_words/0": "wrong_type", "/banned_words/0/words": "missing",
                                        "/banned_words/1": "wrong_type", "/banned_words/1/words": "missing"}),
        ({"banned_words": ["ok", "*"]}, {"/banned_words/1": "invalid_value"}),
        ({"banned_words": [{"words": ["ok", "*", 3], "action": "burn", "x": 1}]},
         {"/banned_words/0/words/1": "invalid_value", "/banned_words/0/words/2": "wrong_type",
          "/banned_words/0/action": "invalid_value", "/banned_words/0/x": "unknown_field"}),
        ({"banned_words": [{"name": 5, "words": []}]}, {"/banned_words/0/name": "wrong_type"}),
        ({"banned_words": [{"words": ["a b"] * 6000}, {"words": ["c"] * 6000}]}, {"/banned_words": "invalid_value"}),
        ({"banned_words": [{"words": []}] * 51}, {"/banned_words": "invalid_value"}),
        ({"allowed_words": "كلب"}, {"/allowed_words": "wrong_type"}),
        ({"link_limit": -1}, {"/link_limit": "invalid_value"}),
        ({"link_limit": True}, {"/link_limit": "wrong_type"}),
        ({"link_limit": 1.0}, {"/link_limit": "wrong_type"}),
        ({"trust_after": 0}, {"/trust_after": "invalid_value"}),
        ({"audit_share": math.nan}, {"/audit_share": "invalid_value"}),
        ({"audit_share": 1.01}, {"/audit_share": "invalid_value"}),
        ({"hold_first_comment": 1, "reject_blocked": "no"},
         {"/hold_first_comment": "wrong_type", "/reject_blocked": "wrong_type"}),
        ({"a/b~c": 1}, {"/a~1b~0c": "unknown_field"}),
    ],
)  # fmt: skip
def test_every_faulty_key_is_named_at_once(value: Any, faults: dict[str, str]) -> None:
    with pytest.raises(InvalidConfigurationError) as refused:
        Policy.from_json(value, 1)
    assert {error.pointer: error.code for error in refused.value.errors} == faults
    assert all(pointer in str(refused.value) for pointer in faults)
