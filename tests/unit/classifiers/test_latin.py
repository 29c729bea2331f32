"""Arabic in Latin letters and other languages are told from English by their letters where no listed word decides."""

import numpy as np
import pytest

from classifiers import latin, train_latin
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
    assert latin.scores(fold([""]).codes) == (-1.0, -1.0)
    assert latin.table().dtype == np.int8


def test_the_profiles_of_other_libraries_are_read_as_triples_of_folded_letters(tmp_path):
    path = tmp_path / "xx"
    path.write_text('{"freq": {"a": 9, "qu": 9, "que": 3, "Ção": 1, " de": 2, "e d": 7, "lle": 7}}', "utf-8")
    buckets, shares = train_latin.profile(path)
    wanted = [latin.triples(fold([text]).codes) for text in ("xquex", "xcaox", "de")]
    assert set(buckets.tolist()) == {int(wanted[0][2]), int(wanted[1][2]), int(wanted[2][0])}
    assert sorted(shares.tolist()) == pytest.approx([1 / 6, 2 / 6, 3 / 6])


def test_a_table_learned_from_two_languages_tells_them():
    english, other = ["the house with the thing"] * 40, ["isso que voce nao viu"] * 40
    found = [latin.triples(fold([text]).codes) for text in english + other]
    sample = train_latin.Sample(found, np.repeat([0, 1], 40), np.ones(80))
    weights = train_latin.learn(sample)
    assert weights.dtype == np.int8
    assert weights[found[-1]].sum() > 0 > weights[found[0]].sum()
    only = np.zeros(1 << latin.BITS, np.bool_)
    only[found[-1]] = True
    assert not train_latin.learn(sample, only)[:-1][~only].any()
