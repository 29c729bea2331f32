"""The console says everything in both languages, and waits in words."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

import pytest
from jinja2 import nodes

from moderation.console import pages
from moderation.console.desk_words import DESK_WORDS, Words
from moderation.console.words import WORDS, age, duration, words


class Reader(HTMLParser):
    """Gathers what a page says between its tags, and in what people hear or see of attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said += [
            value or "" for name, value in attrs if name in {"title", "alt", "aria-label", "placeholder"}
        ]


def test_both_languages_say_everything():
    assert words("ar").keys() == words("en").keys() == WORDS.keys()
    for key, (arabic, english) in WORDS.items():
        assert arabic.strip(), key
        assert english.strip(), key
        assert re.findall(r"\{\w*\}", arabic) == re.findall(r"\{\w*\}", english), key


def test_arabic_is_written_with_its_own_digits():
    spoken = [arabic for arabic, _ in WORDS.values()]
    spoken += [str(form) for arabic, _ in DESK_WORDS.values() for form in _forms(arabic)]
    spoken += [duration(seconds, "ar") for seconds in range(1, 1200, 7)]
    assert [one for one in spoken if re.search("[0-9]", one)] == []


def _forms(said: Words) -> Iterable[str]:
    return [said] if isinstance(said, str) else said.values()


@pytest.mark.parametrize("name", pages._TEMPLATES.list_templates(extensions=["html"]))
def test_a_page_speaks_by_words_alone(name: str):
    """No sentence stands in a template, and every word that one names is there."""
    source = pages._TEMPLATES.loader.get_source(pages._TEMPLATES, name)[0]
    reader = Reader()
    reader.feed(re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", source, flags=re.DOTALL))
    assert not re.search(r"\w{2}", "".join(reader.said)), reader.said
    tree = pages._TEMPLATES.parse(source)
    named = {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "words"
    }
    assert named <= WORDS.keys()
    assert not named & set(dir(dict)), "a mapping's own: the page would say its method"


@pytest.mark.parametrize(
    ("seconds", "arabic", "english"),
    [
        (0, "ثانية", "1 second"),
        (1, "ثانية", "1 second"),
        (2, "ثانيتان", "2 seconds"),
        (3, "٣ ثوانٍ", "3 seconds"),
        (10, "١٠ ثوانٍ", "10 seconds"),
        (11, "١١ ثانية", "11 seconds"),
        (60, "٦٠ ثانية", "60 seconds"),
        (61, "دقيقتان", "2 minutes"),
        (300, "٥ دقائق", "5 minutes"),
        (660, "١١ دقيقة", "11 minutes"),
    ],
)
def test_a_wait_is_said_in_words(seconds: int, arabic: str, english: str):
    assert duration(seconds, "ar") == arabic
    assert duration(seconds, "en") == english


@pytest.mark.parametrize(
    ("seconds", "arabic", "english"),
    [
        (-5, "الآن", "just now"),
        (59, "الآن", "just now"),
        (60, "قبل دقيقة", "1 minute ago"),
        (150, "قبل دقيقتين", "2 minutes ago"),
        (600, "قبل ١٠ دقائق", "10 minutes ago"),
        (660, "قبل ١١ دقيقة", "11 minutes ago"),
        (3 * 3600, "قبل ٣ ساعات", "3 hours ago"),
        (2 * 24 * 3600, "قبل يومين", "2 days ago"),
        (13 * 24 * 3600, "قبل ١٣ يومًا", "13 days ago"),
    ],
)
def test_how_long_ago_is_said_by_the_number(seconds: int, arabic: str, english: str):
    assert (age(seconds, "ar"), age(seconds, "en")) == (arabic, english)
