"""What a moderator is shown of an explanation says something; what is left out is still in the decomposition."""

import pytest

from classifiers.explain import Span
from classifiers.telling import telling


def spans(text, *places):
    return [
        Span(text.index(word), text.index(word) + len(word), "words", weight, "abuse")
        for word, weight in places
    ]


def shown(text, found):
    return [text[span.start : span.end] for span in telling(text, found)]


def test_words_that_mean_nothing_alone_and_numbers_are_left_out():
    text = "يا انت غبي 48"
    assert shown(text, spans(text, ("غبي", 2.0), ("يا", 1.5), ("انت", 1.0), ("48", 0.9))) == ["غبي"]


def test_a_pair_with_the_word_that_matters_stays():
    text = "you stupid"
    assert shown(text, spans(text, ("stupid", 2.0), ("you stupid", 1.0), ("you", 0.8))) == [
        "stupid",
        "you stupid",
    ]


def test_what_weighs_little_beside_the_strongest_is_left_out():
    text = "horrible weather again"
    assert shown(text, spans(text, ("horrible", 2.0), ("weather", 0.19), ("again", -0.3))) == [
        "horrible",
        "again",
    ]


def test_rules_stay_and_an_output_with_nothing_better_keeps_its_strongest_place():
    text = "you and me"
    rule = Span(0, len(text), "shouting", 0.5, "spam")
    kept = telling(text, [*spans(text, ("you", 0.6), ("me", 0.4)), rule])
    assert [(text[span.start : span.end], span.output) for span in kept] == [("you", "abuse"), (text, "spam")]


def test_nothing_is_told_of_nothing():
    assert telling("", []) == []


@pytest.mark.parametrize("text", ["يا غبي انت وهو في 2024", "you are a stupid idiot and i know it"])
def test_the_shipped_model_shows_content_words(shipped, text):
    spans = shipped.explain(text, outputs={"abuse"})
    assert spans
    for span in spans:
        assert set(text[span.start : span.end].split()) & {"غبي", "stupid", "idiot"}
