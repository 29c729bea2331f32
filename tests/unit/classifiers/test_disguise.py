"""Words that were taken apart are read together, and their pieces are not read a second time."""

import pytest

from classifiers.disguise import readings


@pytest.mark.parametrize(
    ("text", "blanked", "added"),
    [
        ("you i d i o t", "you          ", " idiot"),
        ("يا ك.ل.ب", "يا      ", " كلب"),
        ("كل*ب", "    ", " كلب"),
        ("s-h-i-t man", "        man", " shit"),
        ("1d10t", "1d10t", " idiot"),
        ("he said.Then left", "he said.Then left", " saidThen"),
        ("see www.example.com", "see www.example.com", ""),
        ("plain words", "plain words", ""),
    ],
)
def test_a_reading_replaces_pieces_but_not_whole_words(text, blanked, added):
    found = readings(text)
    assert (found.text, found.added) == (blanked, added)
    assert len(found.text) == len(text)
    assert len(found.places) == len(found.added)
    for letter, place in zip(found.added, found.places, strict=True):
        assert letter == " " or text[place].isalnum()
