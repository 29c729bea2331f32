"""The compiled loops find, sum and explain what the NumPy code does, bit for bit, in whatever strings."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifiers import artifacts, kernel, latin
from classifiers.analysis import alone, analyse
from classifiers.runtime import PRETRAINED, Scorer
from classifiers.weights import pack

pytestmark = pytest.mark.skipif(
    kernel.current() is None, reason="no compiled kernel: " + kernel.status().get("reason", "")
)

PIECES = st.sampled_from(
    ["a", "ك", "9", "٣", ".", "*", " ", "\n", "\u2003", "_", "-", "@ss", "$", "http://bit.ly/x", "x@y.com", "\u0640", "\u200b", "ﷺ",
     "ﬃ", "½", "𝐀", "\0", "\ud800", "\U0010ffff", "😀", "aa", "  ", "kill you", "i will kill you", "سأقتلك", "لازم نذبحهم كلهم",
     "ra7 n9tlk", "enta kalb", "the", "und", "est", "f*ck", "1d10t", "i d i o t", "ك ل ب", "و", "يا"]
)  # fmt: skip
text = st.one_of(
    st.text(max_size=12),
    st.lists(st.one_of(PIECES, st.characters()), max_size=60).map("".join),
    st.tuples(PIECES, st.integers(1, 300)).map(lambda many: many[0] * many[1]),
)
texts = st.lists(text, min_size=1, max_size=6)
many_examples = settings(max_examples=400, deadline=None)


@pytest.fixture(scope="module", autouse=True)
def shipped():
    return Scorer.shipped()


def by_numpy():
    return patch.object(kernel, "current", lambda: None)


def arrays(found):
    stream, words = found.stream, found.words
    return (stream.codes, stream.starts, stream.origin, *words, found.codes)


def assert_same(one, other):
    for left, right in zip(arrays(one), arrays(other), strict=True):
        if left is None or right is None:
            assert left is right
            continue
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    assert (one.lengths, one.language, one.rules, one.read) == (
        other.lengths,
        other.language,
        other.rules,
        other.read,
    )
    assert one.of.counted()[0] == other.of.counted()[0]
    assert [ways for ways in one.of.counted()[1] if any(ways[1:])] == [
        ways for ways in other.of.counted()[1] if any(ways[1:])
    ]


@many_examples
@given(texts)
@example([""])
@example(["", "", "a", ""])
@example(["ﷺ" * 40, "x"])
@example([" a", "a ", "\u200b"])
@example(["a" * 20_001])
@example(["ab cd ef", "ab", "ab cd"])
def test_texts_are_read_alike(batch):
    found = analyse(batch)
    with by_numpy():
        expected = analyse(batch)
    assert_same(found, expected)
    assert kernel.current().scan(batch) is not None
    for at in range(len(batch)):
        assert found.of.latin(at) == tuple(expected.of.latin(at))
        assert found.of.folded(at) == expected.of.folded(at)


@many_examples
@given(texts)
@example(["", "kill you", "kill you kill you", "كلب يا كلب"])
def test_texts_are_scored_alike(shipped, batch):
    found = analyse(batch)
    with by_numpy():
        expected = analyse(batch)
        scores = shipped.score_found(expected)
    assert shipped._weights.sums(found) == shipped._weights.sums(expected)
    assert shipped.score_found(found) == scores


@many_examples
@given(texts)
@example(["i d i o t and f*ck you", "k1ll"])
def test_texts_are_explained_alike(shipped, batch):
    with by_numpy():
        expected = [shipped.decompose(one) for one in batch]
        kept = {}
        shipped.score(batch, kept=kept)
        told = [shipped.explain(one, kept=kept.get(one)) for one in batch]
    assert [shipped.decompose(one) for one in batch] == expected
    shipped.score(batch, kept=kept)
    assert [shipped.explain(one, kept=kept.get(one)) for one in batch] == told
    found = analyse(batch)
    for at, one in enumerate(batch):
        assert_same(alone(one, found, at), analyse([one], with_origin=True))


def test_a_batch_is_read_by_either_and_summed_by_either(shipped):
    """A model that was loaded while the loops were there sums what NumPy read, and the other way round."""
    with by_numpy():
        plain = Scorer(artifacts.load(PRETRAINED))  # not the one that the tests share
        read_by_numpy = analyse(["you stupid dog", "كلب"])
    read_by_loops = analyse(["you stupid dog", "كلب"])
    sums = [
        scorer._weights.sums(found) for scorer in (plain, shipped) for found in (read_by_numpy, read_by_loops)
    ]
    assert plain._weights.compiled is None
    assert shipped._weights.compiled is not None
    assert sums[0] == sums[1] == sums[2] == sums[3]


def test_the_tables_say_nothing_of_what_is_in_none():
    assert kernel.current().read(["qqqq zzzz"], False).counted() == ([[2] + [0] * 12], [])
    assert kernel.current().read([""], False).latin(0) == tuple(latin.scores(np.array([32], np.uint32)))


def test_of_english_the_longer_runs_weigh_nothing_wherever_they_are_asked_for():
    text = "abominable creatures of the government"
    codes = np.unique(kernel.codes_of(kernel.current().read([text], False)))  # of all orders
    codes = codes[np.append(False, np.diff(codes >> 4) > 0)].astype(np.int32)
    none = {"codes_ar": np.zeros(0, np.int32), "weights_ar": np.zeros((0, 1), np.int16)}
    weights = pack(
        none | {"codes_en": codes, "weights_en": np.ones((codes.size, 1), np.int16)},
        {"ar": ("abuse",), "en": ("abuse",)},
    )
    found = analyse([text], with_origin=True)
    assert found.language == ["en"]
    _, places = weights.of("abuse", "en").places(found, 1.0, 0.0, 0.0)
    (total, *_) = weights.sums(found)[0]
    assert 0 < total == sum(weight for _, _, weight in places) < codes.size
