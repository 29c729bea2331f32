"""Words that were taken apart are read together, in their place, and their pieces are not read a second time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import disguise
from classifiers.analysis import analyse
from classifiers.disguise import readings
from classifiers.text import whole_text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("you i d i o t", "you idiot"),
        ("يا ك.ل.ب", "يا كلب"),
        ("كل*ب يا هذا", "كلب يا هذا"),
        ("s-h-i-t man", "shit man"),
        ("you 1d10t.", "you idiot."),
        ("3ala r3asi", "3ala r3asi reasi"),
        ("he said.Then left", "he said.Then left saidThen"),
        ("an f*c$k", "an fc$k"),
    ],
)
def test_a_reading_stands_for_pieces_and_after_what_may_be_meant(text, read):
    found = readings(text)
    assert found is not None
    assert found.text == read


def as_scored(text):
    """Return a text as the model reads it, folded."""
    return whole_text(analyse([text]).stream).strip()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("you 1d10t", "you idiot"),
        ("1d10t", "idiot"),
        ("an old f00l", "an old fol"),  # folding makes one letter of two
        ("what an a55hole", "what an a5hole ashole"),  # Arabizi writes a 5 too
        ("full of $hit", "ful of shit"),
        ("$hit!", "shit"),
        ("kiss my @ss", "kis my as"),
        ("FULL OF $HIT", "ful of hit shit"),  # as companies are named on an exchange too
        ("buy $TSLA now", "buy tsla now stsla"),
        ("hey @name you m0ron", "hey name you moron"),
        ("hey @j0hn_d you m0ron", "hey j0hn d you moron"),
        ("@ali you 1d10t", "ali you idiot"),
        ("covid19 in 2020", "covid19 in 2020"),
        ("pay $20k or 50% of it", "pay 20k or 50 of it"),
        ("3andak 7a2", "3andak 7a2"),
    ],
)
def test_digits_and_signs_in_any_place_of_a_word_are_read_as_letters_and_names_as_names(text, read):
    assert as_scored(text) == read


@pytest.mark.parametrize("text", ["see www.example.com", "plain words", "", "name@example.com", "0.5"])
def test_what_is_not_taken_apart_has_no_reading(text):
    assert readings(text) is None


@given(st.text(st.sampled_from("ab1@$*. -_!كل4٣\n"), max_size=40))
def test_each_letter_that_is_read_knows_its_source(text):
    found = readings(text)
    if found is None:
        return
    origin = found.origin()
    assert len(origin) == len(found.text)
    for letter, at in zip(found.text, origin, strict=True):
        assert letter == text[at] or letter == " " or text[at] in "0134578@$!"
    stream = analyse([text], with_origin=True).stream
    assert all(-1 <= at < len(text) for at in stream.origin.tolist())


def test_many_broken_words_hide_none_that_is_read_in_its_place():
    assert "you are all fcking morons" in readings("and.the " * 300 + "you are all f*cking m0r0ns").text


class Counting:
    """A pattern that adds up how many code points its matches passed over."""

    def __init__(self, pattern):
        self.pattern, self.passed = pattern, 0

    def search(self, text, start, end):
        match = self.pattern.search(text, start, end)
        self.passed += (match.end() if match else end) - start
        return match

    def match(self, text, start, end):
        self.passed += end - start
        return self.pattern.match(text, start, end)


@pytest.mark.parametrize("unit", ["_*a", "_*ك", "a_", "a*b_", "a.b@"])
def test_a_chain_that_nothing_ends_is_passed_over_once_and_not_from_each_of_its_letters(monkeypatch, unit):
    chain, before_sign = Counting(disguise._CHAIN), Counting(disguise._BEFORE_SIGN)
    monkeypatch.setattr(disguise, "_CHAIN", chain)
    monkeypatch.setattr(disguise, "_BEFORE_SIGN", before_sign)
    text = (unit * 20_000)[:20_000]
    readings(text)
    assert 0 < chain.passed + before_sign.passed <= 3 * len(text)
