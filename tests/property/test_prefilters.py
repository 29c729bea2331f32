"""What spares a text an expensive look never spares it one that would have found something."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifiers import disguise, evidence, signs, threats
from classifiers.text import encode

PIECES = st.sampled_from(
    ["a", "ك", "b", "9", "٣", ".", "..", " ", "\n", "\u2003", "_", "-", "/", ":", "@", "www.", "http://", "bit.ly", ".com", "x.y", ","]
)  # fmt: skip
broken_text = st.lists(st.one_of(PIECES, st.characters()), max_size=40).map("".join)
arabizi = st.from_regex(re.compile(threats._ARABIZI_KILL, re.ASCII), fullmatch=True)


@given(broken_text)
@example("a f u c k")
@example("x.\u00e9.y.z")
def test_letters_kept_apart_are_hinted_at(text):
    if disguise._SPELLED.search(text):
        assert disguise._LONE.search(text)


@given(broken_text)
@example("see www.a.com.")
@example("http://")
@example("www.a")
def test_links_are_those_of_each_run_that_may_hold_one(text):
    runs = [run for run in text.split() if "." in run[:-2] or ":/" in run]
    assert evidence._links(text) == [link for run in runs for link in evidence._LINK.findall(run)]


@given(st.lists(broken_text, min_size=1, max_size=4))
@example(["a*b", "a9b", "a*9", "*b"])
def test_a_sign_inside_a_word_is_seen_in_a_text_alone_and_in_a_batch(texts):
    _, together = signs.read(*encode([*texts, ""]))
    assert together == {at for at, text in enumerate(texts) if signs.read(*encode([text]))[1]}


@settings(max_examples=1000)
@given(arabizi)
def test_every_threat_in_arabizi_ends_as_is_looked_for(word):
    threat = f" ana {word} "
    assert threats._SPEECH_ARABIZI.patterns[0].search(threat)
    assert threats.may_be_arabizi(threat)


@given(st.from_regex(re.compile(threats._ARABIZI_HEAD, re.ASCII), fullmatch=True))
def test_every_broken_head_in_arabizi_ends_as_is_looked_for(words):
    assert threats._SPEECH_ARABIZI.patterns[0].search(f" ana {words} ")
    assert threats.may_be_arabizi(f" ana {words} ")


@given(st.from_regex(re.compile(threats._ARABIZI_CALL, re.ASCII), fullmatch=True))
def test_every_call_in_arabizi_ends_as_is_looked_for(call):
    assert threats._SPEECH_ARABIZI.patterns[1].search(f" {call} ")
    assert threats.may_be_arabizi(f" {call} ")


@given(broken_text)
@example("a_*a_*a_")
@example("a.b*c_d_")
@example("a*b/c.d")
@example("x a.b@c a_b*c1")
def test_words_split_by_signs_are_those_that_one_expression_finds(text):
    """The expression takes quadratic time where a long chain ends in a word that goes on."""
    signs = re.escape(disguise._SIGNS)
    plain = re.compile(rf"(?<![\w@/])[^\W\d_]+(?:[{signs}]{{1,3}}[^\W\d_]+)+(?![\w@/])")
    assert list(disguise._split(text, 0, len(text))) == [match.span() for match in plain.finditer(text)]
