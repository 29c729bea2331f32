"""Links are counted as readers' programs would make them clickable."""

import time

import pytest

from moderation.domain.links import find_links


def links(text: str) -> list[str]:
    return [text[start:end] for start, end in find_links(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see http://a.example/x, and www.b.example!", ["http://a.example/x", "www.b.example"]),
        ("HTTPS://A.EXAMPLE WWW.B.EXAMPLE", ["HTTPS://A.EXAMPLE", "WWW.B.EXAMPLE"]),
        ("http://www.a.example", ["http://www.a.example"]),
        ("hxxp://a.example ftp://b.example", ["hxxp://a.example", "ftp://b.example"]),
        (
            "http://a.example,http://b.example;http://c.example",
            ["http://a.example", "http://b.example", "http://c.example"],
        ),
        ("http://a.example/,b", ["http://a.example/,b"]),
        (
            "<a href='http://a.example'>x</a>[url=http://b.example]y[/url]",
            ["http://a.example", "http://b.example"],
        ),
        ("href=http://a.example", ["http://a.example"]),
        ("https://share.example/?u=https://a.example", ["https://share.example/?u=https://a.example"]),
        ("رابط:https://a.example، وانتهى", ["https://a.example"]),
        ("«https://a.example/مقال»؟", ["https://a.example/مقال"]),
        ("http://موقع.example/", ["http://موقع.example/"]),
        ("زوروا shop.com أو t.me/shop", ["shop.com", "t.me/shop"]),
        ("a.com,b.net;c.org", ["a.com", "b.net", "c.org"]),
        ("example.com:8080?x=1", ["example.com:8080?x=1"]),
    ],
)
def test_links_are_found(text: str, expected: list[str]) -> None:
    assert links(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "لا رابط هنا. انتهى",
        "write to me@shop.com",
        "done.So what.In fact it.is",
        "version 1.2.3 costs 3.50",
        "http://",
        "www.",
        "and/or he.she/it",
        "..com -.com a..com",
        "a" * 64 + ".com",
    ],
)
def test_what_is_no_link_is_not_counted(text: str) -> None:
    assert links(text) == []


@pytest.mark.parametrize(
    "unit", ["http://a", "a.", "www.", ".com ", "a.com,", "//", "-.", "http://a.com ", "a.a/", ":"]
)
def test_the_search_is_linear_in_a_hostile_text(unit: str) -> None:
    started = time.process_time()
    list(find_links(unit * (200_000 // len(unit))))
    assert time.process_time() - started < 3
