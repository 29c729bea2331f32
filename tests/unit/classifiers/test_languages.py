"""Languages are told by letters and common words; what the model does not know is never taken for what it knows."""

import pytest

from classifiers.analysis import analyse
from classifiers.lexicon import WordClass, classify, word_classes
from classifiers.ngrams import find
from classifiers.text import fold


def language(text):
    return analyse([text]).language[0]


@pytest.mark.parametrize(
    "text",
    [
        "الحكومة لم تفعل شيئا منذ سنوات",
        "شو هالحكي يا زلمة",
        "برشا كلام فارغ",
        "یا کلب",
        "ya kalb ya ibn el kalb",
        "wallah 3eb 3aleik ya 7mar",
        "مقال رائع thanks",
        "كلامك صح يا اخي بس الواقع غير",
    ],
)
def test_arabic_and_arabizi_are_arabic(text):
    assert language(text) == "ar"


@pytest.mark.parametrize(
    "text",
    [
        "This is the best article I have read",
        "idiot",
        "lol",
        "You people are all the same, shame on you",
        "Nonsense!",
    ],
)
def test_english_is_english(text):
    assert language(text) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "این خبر خیلی خوب است و من آن را دوست دارم",
        "یہ خبر بہت اچھی ہے اور میں اس کو پسند کرتا ہوں",
        "Je pense que cet article est très bien écrit et je suis d'accord avec vous",
        "Das ist ein sehr guter Artikel, aber ich bin nicht ganz einverstanden",
        "Bu haber çok güzel olmuş, ama bence hükümet daha fazla şey yapmalı",
        "Este artículo es muy bueno, pero no estoy de acuerdo con todo lo que dice",
        "Artikel ini sangat bagus dan saya setuju dengan kamu",
        "Я думаю, что это очень хорошая статья",
        "이 기사는 정말 좋은 기사라고 생각합니다",
        "这是一篇非常好的文章",
        "यह बहुत अच्छा लेख है",
        "Αυτό είναι ένα πολύ καλό άρθρο",
    ],
)
def test_other_languages_are_taken_for_neither(text):
    assert language(text) not in {"ar", "en"}


SHORT = {
    "en": "ok, OK, hi, Hi all, hello, yes, no, thanks, thank you, Ok thanks, wow, nice, lol, haha, Ha ha, hahaha, omg, well said, sure, "
    "why, really, sorry, good job, fake news, care, match, go home, racism",
    "ar": "salam, shukran, ahlan, inshallah, wallah, habibi, ya kalb, 3eb, 7aram, labas, chokran, hamdullah, saha, yalla",
    None: "bonjour, merci, oui, non, salut, tres bien, hola, gracias, muy bien, claro, adios, danke, nein, hallo, sehr gut, schade, evet, "
    "cok guzel, harika, terima kasih, tidak, ciao, grazie, molto bene, obrigado, bom dia, il etait un, las casas, muito obrigado, Привет",
}


@pytest.mark.parametrize(
    ("wanted", "text"), [(code, text) for code, all_ in SHORT.items() for text in all_.split(", ")]
)
def test_one_or_two_words_are_told_by_what_is_common_where(wanted, text):
    assert language(text) == wanted


def test_persian_and_urdu_are_named():
    assert language("این خبر خیلی خوب است و من آن را دوست دارم") == "fa"
    assert language("یہ خبر بہت اچھی ہے اور میں اس کو پسند کرتا ہوں") == "ur"


@pytest.mark.parametrize("text", ["", "...", "👍👍", "2024", "\ud800"])
def test_a_text_without_letters_is_read_with_the_main_language(text):
    assert language(text) == "ar"


def test_no_listed_word_is_hidden_by_another():
    listed = word_classes()
    found = classify(find(fold(list(listed)))[0])
    assert found.tolist() == list(listed.values())
    assert listed["the"] == WordClass.ENGLISH
    assert listed["house"] == WordClass.THREAT_COMMON
