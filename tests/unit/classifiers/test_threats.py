"""Who threatens the reader is heard, in any of the ways people write it; who speaks of killing is not taken for one."""

import math
import random

import pytest

from classifiers.analysis import analyse
from classifiers.attacks import ATTACKS
from classifiers.evidence import Rule

THREATS = """
سأقتلك إذا رأيتك
راح اقتلك
رح أقتلك يا كلب
بقتلك يا حيوان
والله بقتلك
هقتلك يا ابن الكلب لو شفتك
حقتلك
والله لأذبحك
رح نذبحكم واحد واحد
لأقتلنك
سنقتلكم جميعا
غادي نقتلك
باش نقتلك
راح اكتلك
هدبحك زي الفرخة
رح دبحك
سأحرق بيتك
راح اكسر راسك
هكسر رجلك
اذا شفتك بقتلك
لو لقيتك ذبحتك
بعرف وين بيتك
عارف انت ساكن فين
دمك مهدور
سَأَقْتُلُكَ
سـأقـتـلـك
س.أ.ق.ت.ل.ك
انا اللي هقتلك بايدي
ha2tlak ya kalb
ra7 a2tlak ya 7mar
wallah la2tlak
ghadi n9tlek
ra7 edba7ak
I will kill you
I'll kill you
I’ll kill you if I see you
I'm going to kill you
im gonna kill u
i will find you and kill you
I will find you and make you pay
we will kill you all
I will slit your throat
i'll break your neck
I know where you live
I'm coming for you
I will k1ll you
I swear i'll kill you
I am going to fucking kill you
you are a dead man
""".strip().splitlines()
CIVIL = """
قتلت إسرائيل ثلاثين مدنيا
سيقتلون المدنيين
يقتلك الجوع قبل المرض
بتقتلني من الضحك
سيقتلك التدخين ببطء
الاحتلال يهدد: سنقتلكم جميعا
قال نتنياهو سنقتلكم
هددني وقال سأقتلك
قالها أمام الجميع وبلا خوف: ان تركتني قتلتك
لن أقتلك
ما راح اقتلك
مش هقتلك يعني
هقتلك من الضحك
سأقتلك حبا
قَالَ لَأَقْتُلَنَّكَ قَالَ إِنَّمَا يَتَقَبَّلُ اللَّهُ مِنَ الْمُتَّقِينَ
لئن بسطت إلي يدك لتقتلني ما أنا بباسط يدي إليك لأقتلك
بقتلك الأبرياء لن تنتصر
قام الجيش بقتلكم في 48
لنحرك الملف في المحكمة
السكر راح يقتلك
هذا تهديد صريح بقتلك انتبه
من قتلك يا أخي؟
لم أنكسر إلا بموتك يا أبي
راسك مرفوع يا وطن
سأكسر الصمت
فيلم سأقتلك كان رائعا
اشتقتلك يا قلبي
this will kill you with laughter
Smoking will kill you
He said he would kill you
They told him: we will kill you
I would never kill you
I will not kill you
I could kill for a coffee
Israel killed 30 people
they will kill civilians
I'll shoot you an email
we will beat you on Saturday
why would I want to kill you
I'll kill you with kindness
they are coming for you and your guns
my dad will kill me
""".strip().splitlines()


def threatens(text):
    return Rule.THREAT in analyse([text]).rules[0]


@pytest.mark.parametrize("text", THREATS)
def test_a_threat_against_the_reader_is_heard(text):
    assert threatens(text)


def test_a_threat_in_latin_letters_is_heard_among_arabic_ones():
    assert threatens("هذا كلام فارغ انت ana rah a2tlak اعرف انك عايش هنا")


@pytest.mark.parametrize("text", CIVIL)
def test_who_speaks_of_killing_threatens_nobody(text):
    assert not threatens(text)


def test_a_threat_waits_for_a_person_and_is_never_rejected_by_itself(shipped):
    for score in shipped.score(THREATS):
        if score.is_known_language:
            pair = shipped.thresholds[score.language]["threat"]
            assert pair["reject"] is None
            assert score.threat >= pair["doubt"]
    for score in shipped.score(CIVIL):
        assert score.threat < shipped.thresholds[score.language]["threat"]["doubt"]


def test_a_threat_raises_abuse_as_well(shipped):
    threat, civil = shipped.score(["سأقتلك إذا رأيتك", "سيقتلون المدنيين"])
    assert threat.abuse > shipped.thresholds["ar"]["abuse"]["doubt"] > civil.abuse


def test_it_is_explained_by_its_own_words_and_exactly(shipped):
    text = "اسمع يا هذا: سَأَقْتُلُكَ إذا رأيتك"
    (span,) = (span for span in shipped.explain(text, outputs={"threat"}))
    assert text[span.start : span.end] == "سَأَقْتُلُك"  # a mark after the last letter is not kept
    assert span.rule == "threat"
    found = shipped.score([text])[0].threat
    assert shipped.base(text, "threat") + span.weight == pytest.approx(math.log(found / (1 - found)))


@pytest.mark.parametrize("attack", list(ATTACKS.values()), ids=list(ATTACKS))
def test_a_disguise_hides_few_threats(attack):
    plain = [
        text for text in THREATS if text[0] > "z"
    ]  # of Latin ones, digits and signs for letters hide some
    heard = sum(threatens(attack(text, random.Random(5))) for text in plain)
    assert heard >= 0.7 * len(plain)


def test_long_hostile_texts_take_no_long_time():
    for text in ("اذا " * 5_000, "i will " * 3_000, "والله العظيم " * 1_500, "you " * 5_000 + "kill"):
        threatens(text + " قتلك kill")
