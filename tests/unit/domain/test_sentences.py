"""Sentences are found where readers see them, and their places counted as JavaScript counts."""

from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.sentences import MAX_SENTENCES, find_sentences, in_utf16


def parts(text: str) -> list[str]:
    return [text[begin:end] for begin, end in find_sentences(text)]


def test_arabic_and_english_marks_end_a_sentence():
    assert parts("أين الخط؟ لا أعرف. حسنًا!") == ["أين الخط؟", "لا أعرف.", "حسنًا!"]
    assert parts('He said "no." Then\nhe left…') == ['He said "no."', "Then", "he left…"]
    assert parts("   \n ") == []
    assert parts("no mark") == ["no mark"]
    assert parts("?!") == ["?!"]


def test_the_last_sentence_takes_the_rest():
    found = find_sentences("نعم. " * (MAX_SENTENCES + 50))
    assert len(found) == MAX_SENTENCES
    assert found[-1][1] == 5 * (MAX_SENTENCES + 50) - 1


def test_emoji_count_twice_and_arabic_once():
    text = "😀 نعم. 😀😀 لا."
    [first, second] = in_utf16(text, find_sentences(text))
    assert (first, second) == ((0, 7), (8, 16))


@given(st.text())
def test_places_are_those_of_the_encoded_text(text: str):
    places = find_sentences(text)
    encoded = text.encode("utf-16-le", "surrogatepass")
    for (begin, end), (first, last) in zip(places, in_utf16(text, places), strict=True):
        assert encoded[2 * first : 2 * last].decode("utf-16-le", "surrogatepass") == text[begin:end].encode(
            "utf-16-le", "surrogatepass"
        ).decode("utf-16-le", "surrogatepass")
        assert text[begin:end].strip() == text[begin:end] != ""
