"""The probe stays unlearned, and the shipped model holds as much of it as is written down."""

import json
from pathlib import Path

import pytest

import classifiers
from tests.probe import ABUSE, CIVIL, SPAM, alike, ask, comments, words


@pytest.mark.parametrize("language", ["ar", "en"])
def test_no_authored_row_is_nearly_one_of_the_probe(language):
    authored = Path(classifiers.__file__).parent / "authored" / f"authored_{language}.jsonl"
    learned = [words(json.loads(line)["text"]) for line in authored.read_text(encoding="utf-8").splitlines()]
    asked = [row.text for row in comments() if row.language == language]
    assert len(asked) > 100
    assert [text for text in asked if any(alike(words(text), known) for known in learned)] == []


def test_texts_that_share_most_words_are_alike():
    text = words("Kill yourself, nobody would miss you.")
    assert alike(text, words("kill yourself nobody would miss you at all"))
    assert not alike(text, words("nobody would miss the old bridge"))


def test_no_topic_of_the_rule_holds_a_civil_comment(shipped):
    held = [
        row.text
        for row, scores, _ in ask(shipped, comments())
        if row.label == CIVIL and (scores.threat or 0) > 0.5
    ]
    assert held == []


@pytest.mark.parametrize(
    ("label", "least", "most"), [(CIVIL, 0.0, 0.12), (ABUSE, 0.7, 1.0), (SPAM, 0.95, 1.0)]
)
def test_most_civil_comments_pass_and_most_others_wait(shipped, label, least, most):
    held = [is_held for row, _, is_held in ask(shipped, comments()) if row.label == label]
    assert least <= sum(held) / len(held) <= most
