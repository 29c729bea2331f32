"""Explaining goes by what scoring read of the same group, and says what it would say of the text alone."""

import pytest

from classifiers import runtime
from classifiers.runtime import Scorer
from moderation.learning import engine
from moderation.learning.engine import LoadedModel

GROUP = [
    "يا كلب يا حمار اخرس",
    "what an 1d10t, f*ck off",
    "",
    "قروض بدون ضمانات واتساب +966501234567 bit.ly/abc",
    "I will kill you",
    "thank you",
    "i d i o t",
    "\ud800 ﷺ يا كلب",
]
OUTPUTS = ("spam", "abuse", "threat")


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.shipped()


def test_it_says_the_same_as_of_a_text_that_was_not_scored_before(scorer: Scorer) -> None:
    model = LoadedModel(scorer)
    alone = [model.explain(text, OUTPUTS) for text in GROUP]
    model.assess(GROUP, [None] * len(GROUP))
    assert [model.explain(text, OUTPUTS) for text in GROUP] == alone
    assert sum(map(bool, alone)) > 4


def test_it_reads_nothing_anew(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    model = LoadedModel(scorer)
    model.assess(GROUP, [None] * len(GROUP))
    calls = _count_readings(monkeypatch)
    for text in GROUP:
        model.explain(text, OUTPUTS)
    assert calls == []
    model.explain("another text", OUTPUTS)
    assert calls == [["another text"]]


def test_what_a_website_or_a_hint_adds_to_a_score_is_not_taken_for_the_text(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = LoadedModel(scorer)
    texts = GROUP[:3]
    alone = [model.explain(text, OUTPUTS) for text in texts]
    model.assess(texts, ["http://casino.example.xyz", None, None], [None, "ar", None])
    calls = _count_readings(monkeypatch)
    assert [model.explain(text, OUTPUTS) for text in texts] == alone
    assert calls == [[texts[0]], [texts[1]]]


def test_of_a_large_group_nothing_is_kept(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    model = LoadedModel(scorer)
    monkeypatch.setattr(engine, "MOST_KEPT", 10)
    model.assess(["a", "b" * 10], [None, None])
    calls = _count_readings(monkeypatch)
    model.explain("a", OUTPUTS)
    assert calls == [["a"]]


def test_groups_that_are_under_way_at_once_are_kept_and_no_more(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = LoadedModel(scorer)
    for text in ("one", "two", "three", "four"):
        model.assess([text], [None])
    calls = _count_readings(monkeypatch)
    for text in ("two", "three", "four"):
        model.explain(text, OUTPUTS)
    assert calls == []
    model.explain("one", OUTPUTS)
    assert calls == [["one"]]


def _count_readings(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []
    analyse = runtime.analyse

    def counted(texts: list[str], *given: object, **options: object) -> object:
        calls.append(list(texts))
        return analyse(texts, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(runtime, "analyse", counted)
    return calls
