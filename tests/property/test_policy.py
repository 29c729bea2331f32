"""The policy is total, explains itself, and is monotone: worse evidence never gives a milder verdict."""

import math
from dataclasses import replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from moderation.domain.errors import InvalidConfigurationError
from moderation.domain.links import find_links
from moderation.domain.policy import (
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
from moderation.domain.verdict import MODE_ONLY, OUTPUTS, SUSPICIONS, Assessment, ReasonCode, Scores, Verdict
from moderation.domain.word_lists import WordMatcher, is_entry

BANNED = ("كلب", "ابن الكلب", "نصاب*", "spam", "=lot", "bad word")
PIECES = (
    *("كلب", "والكلب", "كلبشة", "ابن", "الكلب", "النصابين", "spam", "SPAMMER", "b4d", "word", "lot", "slot"),
    *(
        "http://a.example",
        "www.b.example",
        "c.com",
        ",",
        ".",
        " ",
        "\n",
        "😀",
        "\u064b",
        "\u200b",
        "\ud800",
        "ـ",
        "ﷺ",
    ),
)

probabilities = st.floats(0, 1)
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join),
    st.text(st.characters(), max_size=40),
)
thresholds = st.builds(Thresholds, st.none() | probabilities, st.none() | probabilities)
tables = st.dictionaries(
    st.sampled_from(["*", "ar", "en"]),
    st.dictionaries(st.sampled_from(OUTPUTS), thresholds, max_size=7),
    max_size=3,
)
word_lists = st.builds(
    WordList,
    name=st.just("words"),
    action=st.sampled_from(WordAction),
    words=st.lists(st.sampled_from(BANNED), max_size=3).map(tuple),
    leetspeak=st.booleans(),
)
policies = st.builds(
    Policy,
    version=st.just(1),
    mode=st.sampled_from(Mode),
    thresholds=st.none() | tables,
    banned_words=st.lists(word_lists, max_size=2).map(tuple),
    link_limit=st.none() | st.integers(0, 3),
    trust_after=st.none() | st.integers(1, 4),
    hold_first_comment=st.booleans(),
    duplicate_action=st.sampled_from(WordAction),
    duplicate_min_length=st.integers(0, 30),
    honeypot_action=st.sampled_from(WordAction),
    reject_blocked=st.booleans(),
)
authors = st.builds(AuthorRecord, st.sampled_from(Standing), st.integers(0, 12), st.integers(0, 4))
score_values = st.none() | probabilities
scores = st.builds(Scores, *[score_values] * len(OUTPUTS))
assessments = st.none() | st.builds(
    Assessment, scores, st.sampled_from([None, "ar", "en", "xx"]), st.booleans(), st.just("m")
)
suspected = st.lists(st.sampled_from(sorted(SUSPICIONS)), unique=True).map(tuple)
signals = st.builds(Signals, st.integers(0, 3), st.booleans(), suspected)
urls = st.sampled_from([None, "https://spam.example/", "https://me.example/", "كلب"])
cases = st.fixed_dictionaries(
    {
        "policy": policies,
        "text": texts,
        "author_url": urls,
        "author": authors,
        "assessment": assessments,
        "signals": signals,
        "default_thresholds": tables,
    }
)
Case = dict[str, Any]


def judge(case: Case) -> Ruling:
    return decide(case["policy"], **{name: value for name, value in case.items() if name != "policy"})


def assert_not_milder(worse: Case, than: Case) -> None:
    assert judge(worse).verdict.severity >= judge(than).verdict.severity


@given(cases)
def test_every_verdict_is_explained(case: Case) -> None:
    made = judge(case)
    codes = [reason.code for reason in made.reasons]
    assert len(codes) == len(set(codes))
    assert bool(codes) is (made.verdict is not Verdict.APPROVE)
    if MODE_ONLY & set(codes):
        assert len(codes) == 1
    for reason in made.reasons:
        for evidence in reason.evidence:
            assert 0 <= evidence.start < evidence.end <= len(case["text"])


@given(cases, st.sampled_from(OUTPUTS), probabilities)
def test_a_higher_score_is_never_milder(case: Case, output: str, higher: float) -> None:
    assessment = case["assessment"] or Assessment(Scores(spam=0.0, abuse=0.0), "ar", True, "m")
    # A missing spam or abuse score is not low but unknown; the other way round is tested below.
    before = getattr(assessment.scores, output) or 0.0
    lower = assessment.changed(scores=assessment.scores.changed(**{output: min(before, higher)}))
    raised = assessment.changed(scores=assessment.scores.changed(**{output: max(before, higher)}))
    assert_not_milder(case | {"assessment": raised}, case | {"assessment": lower})


@given(cases, st.sampled_from(OUTPUTS), st.sampled_from([math.nan, math.inf, -math.inf, -0.1, 1.1]))
def test_what_is_no_probability_counts_as_missing(case: Case, output: str, odd: float) -> None:
    assessment = case["assessment"] or Assessment(Scores(spam=0.0, abuse=0.0), "ar", True, "m")
    missing = assessment.changed(scores=assessment.scores.changed(**{output: None}))
    strange = assessment.changed(scores=assessment.scores.changed(**{output: odd}))
    assert judge(case | {"assessment": strange}) == judge(case | {"assessment": missing})


@given(cases)
def test_what_cannot_be_scored_is_held_at_best(case: Case) -> None:
    unscored = judge(case | {"assessment": None})
    assert unscored.verdict is not Verdict.APPROVE
    assert ReasonCode.NOT_SCORED in [reason.code for reason in unscored.reasons]


@given(cases)
def test_an_unknown_language_is_held_at_best(case: Case) -> None:
    assessment = case["assessment"] or Assessment(Scores(), None, False, "m")
    unknown = judge(case | {"assessment": assessment.changed(is_known_language=False)})
    assert unknown.verdict is not Verdict.APPROVE


@given(cases, st.integers(1, 100), st.booleans(), suspected)
def test_one_more_signal_is_never_milder(
    case: Case, more: int, flood: bool, found: tuple[ReasonCode, ...]
) -> None:
    known = case["signals"]
    worse = Signals(known.duplicates + more, known.flood or flood, (*known.suspicions, *found))
    assert_not_milder(case | {"signals": worse}, case)


@given(cases, st.sampled_from(["كلب", "والنصابين", "spam", "bad word"]), st.sampled_from([" ", "، ", "\n"]))
def test_one_more_banned_word_in_the_text_is_never_milder(case: Case, word: str, separator: str) -> None:
    assert_not_milder(case | {"text": case["text"] + separator + word}, case)


@given(cases, word_lists)
def test_one_more_word_list_is_never_milder(case: Case, banned: WordList) -> None:
    longer = replace(case["policy"], banned_words=(*case["policy"].banned_words, banned))
    assert_not_milder(case | {"policy": longer}, case)


@given(cases, st.sampled_from([" http://x.example", " www.x.example/", "\nx.com"]))
def test_one_more_link_is_never_milder(case: Case, link: str) -> None:
    longer = case["text"] + link
    assert len(list(find_links(longer))) == len(list(find_links(case["text"]))) + 1
    assert_not_milder(case | {"text": longer}, case)


@given(cases)
def test_an_authors_url_is_never_milder(case: Case) -> None:
    assert_not_milder(case | {"author_url": "https://spam.example/"}, case | {"author_url": None})


@given(cases, st.sampled_from(Standing), st.integers(0, 12), st.integers(0, 4))
@example(
    {
        "policy": Policy(1),
        "text": "",
        "author_url": None,
        "author": AuthorRecord(Standing.TRUSTED),
        "assessment": Assessment(Scores(spam=0.0, abuse=0.0), "ar", True, "m"),
        "signals": Signals(),
        "default_thresholds": {},
    },
    Standing.NONE,
    0,
    0,
)
def test_a_worse_standing_is_never_milder(case: Case, standing: Standing, fewer: int, more: int) -> None:
    order = [Standing.TRUSTED, Standing.NONE, Standing.BLOCKED]
    author = case["author"]
    worse = AuthorRecord(
        max(author.standing, standing, key=order.index),
        max(author.approved - fewer, 0),
        author.rejected + more,
    )
    assert_not_milder(case | {"author": worse}, case)


@given(cases)
def test_mode_pre_is_never_milder_than_post(case: Case) -> None:
    pre, post = (case | {"policy": replace(case["policy"], mode=mode)} for mode in (Mode.PRE, Mode.POST))
    author_is_new = replace(case["policy"], mode=Mode.POST).hold_first_comment
    assert_not_milder(pre, post)
    assert author_is_new or not MODE_ONLY & {reason.code for reason in judge(post).reasons}


@given(texts, texts, st.sampled_from(BANNED))
def test_a_banned_word_is_found_wherever_it_stands_alone(before: str, after: str, entry: str) -> None:
    word = entry.strip("=*")
    matcher = WordMatcher([WordList("x", WordAction.HOLD, (entry,))])
    text = f"{before}\n{word}\n{after}"
    here = range(len(before) + 1, len(before) + 1 + len(word))
    matches = matcher.find(text)
    assert len(matches) == 20 or any(
        match.start <= here[0] and match.end >= here[-1] + 1 for match in matches
    )


@given(st.text(st.characters(), max_size=12), st.text(st.characters(), max_size=60))
def test_any_entry_is_judged_and_any_text_searched(entry: str, text: str) -> None:
    if is_entry(entry):
        plain = entry.strip().removeprefix("=").removesuffix("*")
        matcher = WordMatcher([WordList("x", WordAction.HOLD, (entry,), leetspeak=True)])
        for match in matcher.find(text):
            assert 0 <= match.start < match.end <= len(text)
        assert matcher.find(plain)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*Policy(1).as_json(), "words", "name", "action", "spam", "ar", "doubt", "x"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(json_values)
def test_any_json_is_read_or_refused_with_every_fault(value: Any) -> None:
    try:
        policy = Policy.from_json(value, 1)
    except InvalidConfigurationError as error:
        refused: InvalidConfigurationError | None = error
    else:
        refused = None
        assert Policy.from_json(policy.as_json(), 1) == policy
    assert refused is None or refused.errors
