"""Every rule that evidence names reads as words, in both languages."""

import re

import pytest

from classifiers.evidence import Rule
from classifiers.explain import WORDS
from moderation.domain.evidence_words import rule_words, rules

ARABIC = re.compile("[\u0621-\u064a]")


def test_each_rule_of_the_model_and_of_policies_has_words() -> None:
    assert rules() == {WORDS, "banned_word"} | {rule.name.lower() for rule in Rule}


@pytest.mark.parametrize("rule", [*sorted(rules()), "rule_of_a_later_model"])
def test_the_words_are_in_the_language_asked_for_and_no_code(rule: str) -> None:
    assert ARABIC.search(rule_words(rule, "ar"))
    assert not ARABIC.search(rule_words(rule, "en"))
    assert rule_words(rule, "fr") == rule_words(rule, "en")
    assert "_" not in rule_words(rule, "ar") + rule_words(rule, "en")


def test_no_two_rules_read_the_same() -> None:
    for language in ("ar", "en"):
        assert len({rule_words(rule, language) for rule in rules()}) == len(rules())
