"""The runs of characters that are hashed are all those of each order inside a word and its spaces, and no other."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from classifiers import languages
from classifiers.analysis import ENGLISH_ORDERS, analyse
from classifiers.ngrams import ORDERS, find, finish, word_hash
from classifiers.text import fold, whole_text

texts = st.lists(st.text("ab كل.", max_size=30), min_size=1, max_size=4)


@given(texts)
@example(["a"])
@example(["ab abcdefgh", "", "كلمات"])
def test_every_run_inside_a_word_has_its_code(found):
    stream = fold(found)
    _, codes = find(stream)
    folded = whole_text(stream)
    size = len(folded)
    for row in range(ORDERS):
        order = row + 2
        runs = [folded[at : at + order] for at in range(size)]
        wanted = [
            finish(
                np.array([word_hash(run[::-1])], np.uint64)
                if _is_inside(run, order)
                else np.zeros(1, np.uint64)
            )[0]
            for run in runs
        ]
        assert codes[row * size : (row + 1) * size].tolist() == wanted


def _is_inside(run, order):
    return len(run) == order and " " not in run[1:-1]


def test_an_english_text_has_no_longer_runs_beside_an_arabic_one():
    found = analyse(["the government should resign", "الحكومة الحالية", "they should resign as well"])
    assert found.language == [languages.ENGLISH, languages.ARABIC, languages.ENGLISH]
    size = found.stream.codes.size
    longer = found.codes[ENGLISH_ORDERS * size : ORDERS * size].reshape(-1, size)
    first, second, third, _ = found.stream.starts.tolist()
    assert not longer[:, first:second].any()
    assert not longer[:, third:].any()
    assert longer[:, second:third].any(axis=1).all()
