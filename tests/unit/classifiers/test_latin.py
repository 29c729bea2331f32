"""Arabic in Latin letters is told from English by its letters where no listed word decides."""

import numpy as np
import pytest

from classifiers import latin
from classifiers.analysis import analyse
from classifiers.text import fold


@pytest.mark.parametrize(
    "text",
    [
        "N3el hechoun yemak",
        "Mazal mafrat machi officiel",
        "eda ya 3am el 7okoma di",
        "jibleeeh Khetaak t3almah",
    ],
)
def test_arabizi_without_listed_words_is_arabic(text):
    assert analyse([text]).language == ["ar"]


@pytest.mark.parametrize("text", ["Netanyahu", "gg wp", "bitches aint shit", "Trump Biden", "lmao"])
def test_short_english_is_not_taken_for_it(text):
    assert analyse([text]).language == ["en"]


def test_the_score_is_the_same_in_any_batch():
    texts = ["N3el hechoun yemak", "hello world", "x", "", "7aram 3aleko"]
    assert analyse(texts).language == [analyse([text]).language[0] for text in texts]


def test_no_letters_are_no_arabizi():
    assert latin.arabizi_score(fold([""]).codes) < 0
    assert latin.table().dtype == np.int8
