"""What only a corpus writes, or an authored text for safety's sake, is not learned as a word."""

import json

import pytest

from classifiers.datasets import clean, files, read_rows, with_hosts
from classifiers.train import AUTHORED

PLACES = {
    "ar": "فلبين كيني أوغند سودان ماليزي ترك أوكران كوري كند ألمان أمريك فرنس هند باكستان يمن مغرب سوري مصر سعود كويت قطر عمان بحرين "
    "خليج الرياض جدة الدمام دبي القاهرة طرابزون اسطنبول أوروبا روس",
    "en": "filipin russia canad bulgaria dublin nigeria chin india german turk korea dubai",
}


def test_an_authored_host_is_made_up_and_the_word_stays():
    text = "For example, the loan from www.example.com, or @fx_example on Telegram"
    read = with_hosts(text)
    assert read.startswith("For example, the loan from www.")
    assert read.count("example") == 1
    assert with_hosts(text) == read
    assert with_hosts(text + "!") != read + "!"


def test_only_authored_rows_are_changed(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [{"text": "see www.example.com", "lang": "en", "source": name} for name in ("authored", "other")]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    authored, other = read_rows(path)
    assert "example" not in authored.text
    assert other.text == "see www.example.com"


def test_a_mask_becomes_what_its_rule_sees_and_no_word():
    read = clean("@USER: write to <EMAIL> or <PHONE>")
    assert "USER" not in read
    assert "@" in read
    assert "example" not in read


@pytest.mark.parametrize("language", list(PLACES))
def test_a_people_or_place_that_authored_spam_names_stands_in_civil_rows_too(language):
    rows = [row for path in files(AUTHORED) for row in read_rows(path) if row.language == language]
    spam = " ".join(row.text.lower() for row in rows if row.spam)
    civil = " ".join(row.text.lower() for row in rows if not row.spam and not row.abuse)
    assert [name for name in PLACES[language].split() if name in spam and name not in civil] == []
