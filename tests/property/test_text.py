"""Folding is total, idempotent and keeps its way back, for any Unicode."""

from hypothesis import example, given
from hypothesis import strategies as st

from classifiers import letters
from classifiers.analysis import MAX_BATCH_CODE_POINTS, alone, analyse, batches, keys
from classifiers.text import MAX_CODE_POINTS, fold, whole_text

ODD = st.sampled_from(
    ["\ud800", "\udfff", "\0", "ـ", "ّ", "ﷺ", "…", "ﻻ", "\u200b", "\u202e", "ا", "أ", "ي", "a", "a", "  ", "\n", "½", "🐕", "🏿", "٣", "."]
)  # fmt: skip
any_text = st.one_of(
    st.text(st.characters(), max_size=60),
    st.lists(st.one_of(ODD, st.characters()), max_size=60).map("".join),
)


@given(any_text)
@example("aaaa" + "\u0640" * 3 + "a")
@example("kill…them ½℃")
@example("\ud800\ud800")
def test_folding_twice_changes_nothing(text):
    once = whole_text(fold([text]))
    assert whole_text(fold([once.strip()])) == once


@given(any_text)
@example("aaaa" + "\u0640" * 3 + "a")
@example("ﷺﷺﷺ")
@example("…x…")
@example("\ud800\ud800")
def test_every_position_has_a_source_in_order(text):
    stream = fold([text], with_origin=True)
    inside = stream.origin[1 : stream.starts[1]].tolist()
    assert len(stream.codes) == len(stream.origin)
    assert inside == sorted(inside)
    assert all(0 <= at < len(text) for at in inside)


@given(st.lists(any_text, min_size=1, max_size=6))
@example(["", "", ""])
@example(["x", "", "\u200b", "y"])
def test_a_batch_folds_each_text_as_if_alone(texts):
    together = fold(texts, with_origin=True)
    for at, text in enumerate(texts):
        alone = fold([text], with_origin=True)
        start, end = together.starts[at], together.starts[at + 1]
        assert together.codes[start:end].tolist() == alone.codes[: alone.starts[1]].tolist()
        if start < end:
            assert together.origin[start + 1 : end].tolist() == alone.origin[1 : alone.starts[1]].tolist()


@given(st.lists(any_text, min_size=1, max_size=6))
def test_no_two_spaces_meet_and_no_control_survives(texts):
    codes = fold(texts).codes
    assert (codes >= letters.SPACE).all()
    assert not ((codes[1:] == letters.SPACE) & (codes[:-1] == letters.SPACE)).any()


@given(st.lists(any_text, min_size=1, max_size=6))
def test_keys_of_a_text_do_not_depend_on_its_batch(texts):
    found_keys, firsts = keys(analyse(texts))
    for at, text in enumerate(texts):
        alone, _ = keys(analyse([text]))
        end = firsts[at + 1] if at + 1 < len(texts) else found_keys.size
        mask = (1 << 21) - 1
        mine = set((found_keys[firsts[at] : end] & mask).tolist())
        assert mine - {0, 1 << 20} == set((alone & mask).tolist()) - {0, 1 << 20}


@given(st.lists(any_text, min_size=1, max_size=6))
@example(["i d i o t", "", "x", "f*ck \ufdfa", "\u200b", "k1ll"])
def test_what_is_taken_out_of_a_batch_is_what_a_text_alone_gives(texts):
    found = analyse(texts)
    for at, text in enumerate(texts):
        taken, read = alone(text, found, at), analyse([text], with_origin=True)
        assert (taken.language, taken.rules, taken.lengths) == (read.language, read.rules, read.lengths)
        assert taken.read == read.read
        for part, names in (
            ("stream", ("codes", "starts", "origin")),
            ("words", ("start", "end", "hashes", "codes", "text")),
        ):
            for name in names:
                mine, other = (getattr(getattr(one, part), name) for one in (taken, read))
                assert mine.dtype == other.dtype
                assert mine.tolist() == other.tolist()
        assert taken.codes.tolist() == read.codes.tolist()


@given(st.lists(any_text, min_size=1, max_size=6))
@example(["long enough.", "f*ck"])
def test_places_of_readings_in_a_batch_lie_in_their_own_texts(texts):
    found = analyse(texts, with_origin=True)
    for at, text in enumerate(texts):
        start, end = found.stream.starts[at] + 1, found.stream.starts[at + 1]
        assert all(0 <= place < len(text) for place in found.stream.origin[start:end].tolist())


@given(st.lists(st.integers(0, 3 * MAX_CODE_POINTS), max_size=40))
def test_batches_cover_every_text_once(lengths):
    runs = batches(["x" * length for length in lengths])
    assert [at for run in runs for at in range(run.start, run.stop)] == list(range(len(lengths)))
    for run in runs:
        read = sum(min(length, MAX_CODE_POINTS) + 1 for length in lengths[run])
        assert read <= MAX_BATCH_CODE_POINTS or run.stop - run.start == 1
