"""Every word of the desk's pages is there in both languages, is used, and stands nowhere else."""

import re
from importlib import resources

import pytest

from moderation.console.desk_words import DESK_WORDS, Words, desk_words
from moderation.domain.policy import Standing
from moderation.domain.task import TaskKind
from moderation.domain.verdict import HUMAN_REASONS, OUTPUTS, ReasonCode, State, Verdict

STATIC = resources.files("moderation.console") / "static"
MODULES = {one.name: one.read_text("utf-8") for one in STATIC.iterdir() if one.name.endswith(".js")}
CODE = "\n".join(MODULES.values())
KEY = re.compile(r"""["`]([a-z]+\.[a-z_]*)(?:\$\{[^}]*\}([a-z_]*))?["`]""")
VALUE = re.compile(r"""["`]([a-z_]+)["`]""")
CODES = {code for codes in (ReasonCode, OUTPUTS, State, TaskKind, Verdict, Standing) for code in codes}
FORMS = {"ar": {"zero", "one", "two", "few", "many", "other"}, "en": {"one", "other"}}


def texts(words: Words) -> list[str]:
    return [words] if isinstance(words, str) else list(words.values())


def places(words: Words) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", " ".join(texts(words))))


@pytest.mark.parametrize("key", DESK_WORDS)
def test_both_languages_say_the_same(key: str) -> None:
    arabic, english = DESK_WORDS[key]
    assert isinstance(arabic, str) == isinstance(english, str)
    assert places(arabic) == places(english)
    if re.search(r"[A-Za-z]", re.sub(r"\{\w+\}", "", "".join(texts(english)))):
        assert re.search(r"[\u0600-\u06ff]", "".join(texts(arabic)))
    assert not re.search(r"[\u0600-\u06ff]", "".join(texts(english)))
    for words, language in ((arabic, "ar"), (english, "en")):
        if not isinstance(words, str):
            assert set(words) == FORMS[language]
            assert all(text for form, text in words.items() if form != "zero")


def test_a_hundred_of_something_is_not_written_as_eleven_are() -> None:
    forms = [arabic for arabic, _ in DESK_WORDS.values() if not isinstance(arabic, str)]
    wrong = [form["other"] for form in forms if re.search(r"\{count\} \w+ًا", form["other"])]
    assert wrong == []  # تمييز المئة مفرد مجرور: ١٠٠ تعليق
    assert sum(bool(re.search(r"\{count\} \w+ًا", form["many"])) for form in forms) > 5


def test_every_key_is_used_and_every_used_key_is_there() -> None:
    values = {*VALUE.findall(CODE), *CODES}
    whole = {match[1] for match in KEY.finditer(CODE) if match[2] is None}
    made = {
        match[1] + one + match[2] for match in KEY.finditer(CODE) if match[2] is not None for one in values
    }
    assert [key for key in DESK_WORDS if key not in whole | made] == []
    asked = {match[1] for match in re.finditer(r"""say(?:With)?\(\s*"([^"]+)\"""", CODE)}
    assert asked - set(DESK_WORDS) == set()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_code_of_the_service_has_a_name(language: str) -> None:
    words = desk_words(language)
    assert [code for code in ReasonCode if f"reason.{code}" not in words] == []
    assert [name for name in OUTPUTS if f"score.{name}" not in words] == []


def test_the_queue_is_filtered_by_every_reason_that_the_service_gives() -> None:
    listed = re.search(r"const FILTER_REASONS = \[(.*?)\];", MODULES["filters.js"], re.DOTALL)
    assert listed is not None
    offered = re.findall(r'"(\w+)"', listed[1])
    of_people_alone = {ReasonCode.OFF_TOPIC, ReasonCode.ILLEGAL, ReasonCode.OTHER}
    assert len(offered) == len(set(offered))
    assert set(offered) == set(ReasonCode) - of_people_alone


def test_the_palette_of_reasons_offers_all_that_a_person_may_give() -> None:
    listed = re.search(r"export const REASONS = \[(.*?)\];", MODULES["reasons.js"], re.DOTALL)
    assert listed is not None
    offered = re.findall(r'"(\w+)"', listed[1])
    assert len(offered) == len(set(offered))
    assert set(offered) == set(HUMAN_REASONS)


@pytest.mark.parametrize("name", MODULES)
def test_no_words_stand_in_the_code(name: str) -> None:
    code = re.sub(r"^\s*(//|/?\*).*$|//[^\"'`]*$", "", MODULES[name], flags=re.MULTILINE)
    assert re.findall(r"[\u0600-\u06ff]{2,}", code) == []  # «؟» alone is a key of keyboards
    assert re.findall(r'h\("\w+", \{[^}]*\}, "[A-Za-z]{2,}', code) == []


@pytest.mark.parametrize("name", MODULES)
def test_nothing_is_ever_read_as_html(name: str) -> None:
    assert (
        re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\b",
            MODULES[name],
        )
        == []
    )
