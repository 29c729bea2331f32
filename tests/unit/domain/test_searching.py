"""A word is found however it is spelled, and nothing of what is looked for is taken for SQL or for an operator."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.searching import MAX_WORD, words_of, write_query


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("الترام", "ترام"),
        ("والتِّرام", "ترام"),
        ("بالترام", "ترام"),
        ("للترام", "ترام"),
        ("وللترام", "ترام"),
        ("كالترام", "ترام"),
        ("تـــرام", "ترام"),
        ("أحمد", "احمد"),
        ("المدرسة", "مدرسه"),
        ("الله", "الله"),  # what is left would be no word
        ("والله", "والله"),
        ("فلسطين", "فلسطين"),
        ("بلال", "بلال"),
        ("TRAM", "tram"),
        ("Café", "cafe"),
        ("٢٠٢٦", "2026"),
    ],
)
def test_a_word_is_the_same_however_it_is_spelled(written: str, word: str):
    assert words_of(written) == [word]


def test_each_word_counts_once_and_a_long_one_is_cut():
    assert words_of("الترام، ترام! والترام؟") == ["ترام"]
    assert words_of("؟!… \n") == []
    assert words_of("x" * 100) == ["x" * MAX_WORD]


def test_a_query_asks_for_all_words_and_for_longer_ones_but_of_single_letters():
    assert write_query(["ترام", "و"]) == "'ترام':* & 'و'"
    assert write_query([]) == ""


@given(st.text())
def test_nothing_but_words_comes_into_a_query(text: str):
    words = words_of(text)
    assert all(re.fullmatch(r"[^\s'\\&|!():<>*]{1,60}", word) for word in words)
    assert words_of(" ".join(words)) is not None
