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


@pytest.mark.parametrize(
    "text",
    """
Menuda tonteria
Los politicos solo quieren robar
No tienen ninguna idea de lo que hablan
Gran noticia para el pais
eres un idiota
Quelle honte pour notre pays
bande de voleurs
Il faut changer tout ca
Le ministre doit demissionner
Que vergonha desse governo
bando de ladroes
vai trabalhar vagabundo
cadeia para todos eles
Ninguem aguenta mais imposto
Das ist doch ein Witz
So ein Unsinn
Wer soll das bezahlen
Niemand glaubt denen noch etwas
Governo di ladri
Non capisco perche nessuno protesta
Dovrebbero dimettersi subito
Hepsi hirsiz bunlarin
Memleketi sattilar
Ekonomi batti kimse farkinda degil
Pemerintah harus bertanggung jawab
Jangan percaya berita bohong
mau pinjam uang cepat cair hubungi kami
Harusnya mereka dihukum
""".strip().splitlines(),
)
def test_other_languages_in_plain_latin_letters_do_not_pass_for_english(text):
    assert language(text) is None


@pytest.mark.parametrize(
    "text",
    """
Great goal!
Messi is the GOAT
Hamas terrorists
Go Leafs
Despicable humans.
Hyperbolic nonsense.
Gross.
Jerk
Corrupt politicians everywhere
Disgraceful refereeing again
Absolutely pathetic journalism
Congratulations Morocco
Crypto scam
Netanyahu
Taxation without representation
""".strip().splitlines(),
)
def test_a_few_english_words_none_of_them_listed_are_english(text):
    assert language(text) == "en"


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
