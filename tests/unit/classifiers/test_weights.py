"""A bucket weighs for its owner alone, and what is kept is refused where it is no such table."""

import numpy as np
import pytest

from classifiers.analysis import CODES, analyse
from classifiers.errors import ArtifactIncompatibleError
from classifiers.features import CommentFeatures
from classifiers.weights import _MOST, _sum, _sums, pack


def _codes(text):
    """Return the codes of a text's n-grams, one for each bucket."""
    found = CommentFeatures().transform([text]).indices
    codes = np.sort(found[found < CODES])
    return codes[np.append(True, np.diff(codes >> 4) > 0)].astype(np.int32)


def _pack(codes, steps):
    empty = {"codes_en": np.zeros(0, np.int32), "weights_en": np.zeros((0, 1), np.int16)}
    return pack(
        {"codes_ar": codes, "weights_ar": steps, **empty}, {"ar": ("abuse", "spam"), "en": ("abuse",)}
    )


def test_every_output_sums_the_steps_of_distinct_ngrams_in_any_batch():
    text = "كلب كبير كلب"
    codes = _codes(text)
    weights = _pack(
        codes, np.column_stack([np.full(codes.size, 16), np.full(codes.size, -32)]).astype(np.int16)
    )
    alone = weights.sums(analyse([text]))[0]
    assert alone == [16 * codes.size, -32 * codes.size, 0, 0]
    batch = weights.sums(analyse(["", text, "سلام", text]))
    assert batch[1] == batch[3] == alone
    assert batch[0] == [0, 0, 0, 0]


def test_sums_too_large_for_the_quick_way_are_the_same(monkeypatch):
    texts = ["كلب كبير كلب", "", "سلام", "x", "كلب كبير جدا"]
    codes = _codes(" ".join(texts))
    steps = np.arange(2 * codes.size).reshape(-1, 2) * 97 % 65_535 - 32_767
    weights = _pack(codes, steps.astype(np.int16))
    quick = weights.sums(analyse(texts)), weights.sums(analyse(texts[:1]))
    monkeypatch.setattr("classifiers.weights._MOST", 0)
    assert (weights.sums(analyse(texts)), weights.sums(analyse(texts[:1]))) == quick
    assert quick[0][0] == quick[1][0]


def test_the_quick_way_holds_the_most_weights_it_takes():
    for extreme in (0, 2**16 - 1):
        quads = np.full(_MOST, extreme * 0x0001000100010001, np.uint64)
        assert _sum(quads.copy()) == [(extreme - 2**15) * _MOST] * 4
        assert _sums(quads, np.zeros(1, np.int64)) == [[(extreme - 2**15) * _MOST] * 4]


def test_an_ngram_with_another_check_weighs_nothing():
    codes = _codes("كلب")
    stranger = codes ^ 1
    weights = _pack(stranger, np.full((codes.size, 2), 16, np.int16))
    assert weights.sums(analyse(["كلب"]))[0] == [0, 0, 0, 0]
    assert not weights.of("abuse", "ar").take(codes.astype(np.int64)).any()
    assert weights.of("spam", "ar").take(stranger.astype(np.int64)).all()


@pytest.mark.parametrize(
    "codes",
    [[5, 40], [40, 39], [48, 49], [-1, 40], [40, CODES]],
    ids=["bucket 0", "descending", "one bucket", "negative", "beyond"],
)
def test_codes_that_are_no_table_are_refused(codes):
    with pytest.raises(ArtifactIncompatibleError):
        _pack(np.array(codes, np.int32), np.zeros((2, 2), np.int16))
