"""Rules fire on what a moderator would point at, and not on ordinary writing."""

import pytest

from classifiers.analysis import analyse
from classifiers.evidence import Rule, locate


def rules(text, url=None):
    return {Rule(rule).name.lower() for rule in analyse([text], [url]).rules[0]}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("see http://example.com/a?b=c", "link"),
        ("see www.example.org", "link"),
        ("زوروا example.com الان", "link"),
        ("hxxp://bad.example.com", "link"),
        ("http://a.com http://b.com", "links_many"),
        ("join t.me/abc", "link_short"),
        ("best-casino.xyz/win", "link_shady"),
        ("write to some.one@example.com", "email"),
        ("someone (at) example (dot) com", "email"),
        ("اتصل على 0501234567", "phone"),
        ("اتصل على ٠٥٠١٢٣٤٥٦٧", "phone"),
        ("+966 50 123 45 67", "phone"),
        ("00966501234567 واتساب", "messenger_number"),
        ("تابعني @some_account", "handle"),
        ("قروض بدون كفيل تواصل واتس", "messenger"),
        ("قرض وتمويل وسداد قروض واتساب 0501234567", "offer_contact"),
        ("only $500", "money"),
        ("نسبة ٥٪ و ٦٪", "money_many"),
        ("THIS IS AN OUTRAGE and I say so", "capitals"),
        ("THIS IS AN OUTRAGE", "capitals_all"),
        ("what!!!!!", "shouting"),
        ("🎉🎉🎉", "pictures"),
        ("ك\u200bل\u200bب", "hidden"),
        ("yоu іdiot", "lookalikes"),
        ("𝖋𝖚𝖈𝖐", "styled"),
        ("جميييييييييييييييييييل جدااااااااا", "stretched"),
        ("i d i o t", "spelled"),
        ("ك ل ب", "spelled"),
    ],
)
def test_a_rule_fires(text, rule):
    assert rule in rules(text)


@pytest.mark.parametrize(
    "text",
    ["تعليق رقم 36 عن خط الترام الجديد", "القطاع الخاص لا يوظف أحدا", "the text of article no. 5"],
)
def test_what_has_a_number_or_is_private_asks_nobody_to_call(text):
    assert not rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "The U.S. economy grew by 2.5 this year.I agree.",
        "انتهت المباراة 3-1 في عام 2022.",
        "الحرب 1948 والحرب 1967 والحرب 1973",
        "He said it in 2019-2020, on page 12.",
        "I don't know what you mean.",
    ],
)
def test_ordinary_writing_has_no_link_phone_or_address(text):
    assert not rules(text) & {"link", "phone", "email", "number_long", "handle", "spelled", "hidden"}


def test_the_website_field_counts():
    assert "link_author" in rules("nice", "http://example.org")
    assert "link_shady" in rules("nice", "http://casino-bonus.example.org")
    assert "link_author" not in rules("nice", "  ")


def test_places_are_those_of_the_original_text():
    text = "اتصل ٠٥٠١٢٣٤٥٦٧ أو www.example.com"
    found = {place.rule: text[place.start : place.end] for place in locate(text, analyse([text]).rules[0])}
    assert found[Rule.PHONE] == "٠٥٠١٢٣٤٥٦٧"
    assert found[Rule.LINK] == "www.example.com"


def test_a_sum_is_no_telephone_number():
    assert "phone" not in rules("803+628 9567)75700")
