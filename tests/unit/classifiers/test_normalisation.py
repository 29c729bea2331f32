"""What each kind of disguise and spelling becomes."""

import unicodedata

import pytest

from classifiers import letters, signs
from classifiers.runtime import Scorer
from classifiers.text import MAX_CODE_POINTS, fold, whole_text


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("أحمد إلى آخر ٱلكتاب", "احمد الي اخر الكتاب"),
        ("مسؤول شاطئ مدرسة", "مسول شاطي مدرسه"),
        ("كــــلب", "كلب"),
        ("كَلْبٌ", "كلب"),
        ("ﻛﻠﺐ ﻻ", "كلب لا"),
        ("کلب یا گ چ پ ڤ", "كلب يا ك ج ب ف"),
        ("ہے ھ ۀ ے", "هي ه ه ي"),
        ("٠١٢٣ ۴۵۶", "0123 456"),
        ("رااااائع", "رايع"),
        ("ك\u200bل\u200cب\u202e", "كلب"),
        ("ＦＵＣＫ 𝖋𝖚𝖈𝖐 ⓕⓤ 🅵🅺", "fuck fuck fu fk"),
        ("іdіоt ΙDΙΟΤ", "idiot idiot"),
        ("Crème BRÛLÉE", "creme brule"),
        ("  two \n\t spaces  ", "two spaces"),
        ("soooooo!!!!!", "so"),
        ("1000000", "10"),
        ("ﷺ", "صلي اله عليه وسلم"),
        ("kill…them‼", "kil them"),
        ("½ 25℃ ⑴ 5℅", "1 2 25 c 1 5c o"),
        ("\ud800x\udfff", "x"),
        ("", ""),
    ],
)
def test_a_text_is_read_as_it_sounds(written, plain):
    assert whole_text(fold([written])).strip() == plain


def test_every_character_leads_back_to_the_one_as_written():
    text = "يا كَـــلْب"
    stream = fold([text], with_origin=True)
    start = whole_text(stream).index("كلب")
    assert [text[at] for at in stream.origin[start : start + 3]] == list("كلب")


def test_an_expanded_character_is_one_place_of_the_source():
    stream = fold(["x ﷺ y"], with_origin=True)
    start = whole_text(stream).index("صلي")
    assert stream.origin[start : start + 3].tolist() == [2, 2, 2]


def test_only_the_first_part_of_a_huge_text_is_read():
    assert fold(["ab " * MAX_CODE_POINTS]).codes.size <= MAX_CODE_POINTS + 2


def test_every_code_point_settles_in_one_step():
    """Folding a folded text changes nothing: what each of them becomes, one or several, stays itself."""
    for table in (letters.fold_table(), letters.word_table()):
        plain = table[(table < letters.EXPANDS) & (table != letters.DROPPED)]
        assert (table[plain] == plain).all()
        for folded in letters.expansions().values():
            assert (table[folded] == folded).all()


@pytest.mark.parametrize(
    ("sign", "written", "text"),
    [("…", "...", "يا كلب… اسكت"), ("…", "...", "…you idiot… get out…"), ("‼", "!!", "get out you idiot‼")],
)
def test_a_sign_that_stands_for_several_scores_as_they_do(sign, written, text):
    scorer, spelled = Scorer.shipped(), text.replace(sign, written)
    assert scorer.score([text]) == scorer.score([spelled])
    passages, same = (
        [(span.output, span.weight, one[span.start : span.end]) for span in scorer.explain(one)]
        for one in (text, spelled)
    )
    assert [(*of, passage.replace(sign, written)) for *of, passage in passages] == [
        (*of, found) for *of, found in same
    ]
    assert any(passage in {"كلب", "idiot"} for *_, passage in passages)


def test_no_arabic_vowel_sign_survives():
    for code in [*range(0x610, 0x61B), *range(0x64B, 0x660), 0x670, 0x640]:
        assert letters.fold_table()[code] == letters.DROPPED, unicodedata.name(chr(code))


def test_tables_are_the_same_whatever_unicode_python_knows(monkeypatch):
    """Characters that a newer Unicode assigns must not change them: the shipped model, and every site's, would be refused."""
    later = {"\u2427": "So", "\u1c89": "Lu"}
    known = unicodedata.category
    monkeypatch.setattr(unicodedata, "category", lambda character: later.get(character) or known(character))
    assert letters.word_table.__wrapped__()[0x2427] == 0x2427
    assert signs.sign_table()[0x1C89] == signs.sign_table()[0x1C8F]
    monkeypatch.undo()
    letters.fingerprint.cache_clear()
    assert Scorer.shipped().version.startswith("shipped-")
