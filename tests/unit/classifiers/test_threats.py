"""Who threatens the reader or calls for violence is heard, in any of the ways people write it; who speaks of killing is not taken for one."""

import math
import random
from re import _parser

import pytest

from classifiers import threats
from classifiers.analysis import analyse
from classifiers.attacks import ATTACKS
from classifiers.evidence import Rule
from classifiers.lexicon import WordClass, classify
from classifiers.ngrams import find
from classifiers.text import fold, fold_words, whole_text

THREATS = """
سأقتلك إذا رأيتك
راح اقتلك
سأقطع لسانكي
ولنذبحنكم
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
سأذبحك يا خروف
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
RA7 A2TLAK YA KALB
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
I will sh00t you
I will come to your house and end you
I swear i'll kill you
I am going to fucking kill you
you are a dead man
راح اكسر خشمك
راح أكسرك عظمة عظمة
رصاصة في راسك وننتهي منك
بعرف وين دوامك
ra7 ekser rasak
I will come round and break your jaw
I'm going to put you in the ground
I'll slice you to pieces
you'd better watch your back
sleep with one eye open
I know your home address
أكسرك عظمة عظمة
سأجدك وأقطع لسانك
رح ادعس ع رقبتك
سنقطع رؤوسكم واحدا واحدا
هكسر عضمك يا صحفي
gonna kill you and your dog
you will bleed for this
we are coming for you tonight
""".strip().splitlines()
CALLS = """
لازم نذبحهم كلهم
لازم يتحرقوا كلهم
لا بد ان نقتلهم جميعا
لابد من ابادتهم
يجب قتلهم عن بكرة أبيهم
يجب أن تحرقوهم
خلونا نسحلهم في الشوارع
يستحقون الذبح
بيستاهلوا الحرق
اقتلوهم جميعا
اذبحوهم ذبح النعاج
لازم نذبحهم زي الخرفان
السوريين قمل لازم نبيدهم
الكرد عقارب لازم نقتلهم واحد واحد
هؤلاء الحشرات لازم نقتلهم
أبيدوهم
سنذبحهم واحدا واحدا
والله لنحرقهم
راح ندبحهم كلهم
ل.ا.ز.م نذبحهم
We must slaughter them all
Muslims are insects, we must kill them all.
These migrants are lice. We should exterminate them all.
Slaughter them all like sheep
Kill them all like mosquitoes
refugees are ticks, they must all be killed
Those people are cattle, we should slaughter them all.
They should all be burned
these people should be shot
All of them deserve to be hanged
Kill them all
kill every last one of them
let's exterminate them
we need to burn them all
They should be burned alive
someone should just shoot them
kill them in their beds
shoot them on sight
اقتلوا كل العرب
اذبحوا الشيعة
أبيدوا الأكراد
اسحلوا اللاجئين في الشوارع
احرقوا كل النصارى
لازم نقتل كل اليهود
يجب أن نذبح الروافض
يجب قتل كل هؤلاء السوريين
لابد من إبادة السنة
lazem ne2telhom kolhom
lazim nedba7hom wa7ed wa7ed
yalla ne2telhom
e2telouhom kolhom
edba7oohom kolhom
lazem ne7re2hom kolhom
Kill the Jews
we should kill all Arabs
kill every Arab
Muslims should be killed
All immigrants should be shot
every last Jew must be killed
they are vermin, kill them all
These people are animals. Just shoot them all.
just kill them all
الموت للعرب
الموت لكل اليهود في كل مكان
الموت للروافض
اذبحوا البنغال كلهم
لازم نقتل اولادهم
ارموهم في البحر
اقتلوا كل الفرس
لازم نقتل كل السنة
Death to the Jews
Death to all infidels
kill all Tutsis
kill every Armenian
Rohingya should all be shot
the only good Muslim is a dead Muslim
Wipe them out
They are lice, wipe them all out
we must wipe all Hazaras off the map, wipe all Hazaras out
round up the gays and shoot them
line them up against the wall and shoot them
drown them all
nuke the Arabs
kill all these bastards
They are rats, kill them all
I believe all Jews should be killed
you people should be shot
burn them all to the ground
لو بإيدي بشنقهم كلهم
لو الأمر بيدي لقتلتهم
اقطعوا رؤوسهم وعلقوها
لازم نذبح هؤلاء الخنازير واحدا واحدا
خاصهم يتحرقو كاملين
ezba7ohom kolhom
Someone should put a bullet in his head
Line them up against a wall and shoot every one of them
Round them up and gas the lot
time to bring back the gas chambers for these people
People say I'm harsh but we should kill all Muslims
I have to say, we should kill all Arabs
We should slaughter every last Hindu in this city
wipe out the Jews
We must wipe out all Shias
they are not human, kill them all
we should kill all Chinese
اقتلوا اليهود حيثما وجدتموهم
اذبحوا كل شيعي
لازم نحرق بيوتهم وهم نايمين
هؤلاء الكلاب المسعورة لازم نقتلهم
""".strip().splitlines()
CIVIL = (
    """
لازم نحرق الفرس الخشبي
لازم نذبح السنة خروف واحد
راح نذبحهم اليوم ثلاثة صفر
راح نذبحهم اليوم 3-0
جرذان في السقف، الجرذان لازم نقتلهم
الثعابين في البستان لازم نقتلهم كلهم
في اللعبة لازم نقتلهم كلهم
اقتلوهم كلهم بالمبيد مرتين في الأسبوع، مبيد الموقع جيد
كتبوا على الحائط الموت للعرب
الموت لأعداء النجاح
كان يدعو الى قتلهم ويقول يجب قتلهم
كلمة اقتلوهم وحدها جريمة
ارموهم بالزهور
All trees should be hung with lights
These tomatoes should be hung in the shade
The Nazis believed that all Jews should be killed; this must never happen again
burn them all onto one CD
burn them all to a DVD
nobody should say kill them all
nobody should ever write kill them all
to post kill them all is a crime
he is calling for death to the Jews
They chanted death to Arabs
a banner read death to all Arabs
على الجدران الموت للعرب ولا أحد يمسحها
It is wrong to believe that all Muslims should be killed
We should burn them all, these old letters
These people should be shot a reminder
لا تقل اقتلوا السنة بل قل احموا الجميع
I will kill you in Mario Kart tonight
I'm going to murder you at tennis
Wipe them all out of the database
burn them all off with a good run, those calories
they should be hanged, is that what you teach your children?
سنقتلهم كرويا
Kill them all, said nobody ever
kill the Jews was scrawled on our synagogue
These ducks should be hung for three days
kill them all with one spell
In chess you must kill the whites early
we must hang the Chinese lanterns before noon
we have to shoot the Japanese version again
لازم نحرق السود من الفحم
لا نريد الموت للعرب ولا لليهود
الكلاب المسعورة لازم نقتلهم
راح نذبحهم بكرة في النهائي
رصاصة في رأسك هكذا هددوني
scared to death
death to spam
those rats should be shot with a better camera
these dogs should be shot in natural light
The rats in the attic ate the wiring, kill them all
kill them all before the timer runs out
Moles ruined the lawn, they should all be gassed
the only good bug is a dead bug
we must wipe the tables out
round up the sheep and count them
I will put you in the picture
watch your back when you lift the sofa
وكأن دمهم حلال وليس دم بشر
يجب قتل هؤلاء الإرهابيين في المعركة
كسرك عظم مؤلم وشفاؤه بطيء
you will need to bleed the radiators
put a bullet point in your list
they bring back the gas lamps for the old town
أحرقوا المسلمين في بورما والعالم ساكت
قتلوا كل العرب في القرية
اقتلوا المشركين حيث وجدتموهم
لا يجب قتل اليهود ولا غيرهم
يهتفون اقتلوا العرب
قال اقتلوا كل اليهود
ما لازم نقتل اليهود
بعرف وين ساكن، جارنا
بعرف وين عايش ابن عمي
e7na ma badna ne2telhom
2atalouhom kolhom embare7
9tlouhom f gaza
All pictures should be hung
All scenes should be shot in daylight
kill them all with kill -9
The processes are stuck, kill them all
I will kill you, said my mum
The settlers shouted kill the Arabs
Hamas wants to kill all the Jews
he believes Muslims should be killed
nobody should kill women
they are soldiers who kill them all
Kill the lights
الخرفان لازم نذبحهم اليوم
لازم نذبحهم بكرا الخرفان جاهزة
لازم ندبح الدجاجات كلهم، بكرة راح ندبحهم
الخراف سنذبحهم صباح العيد
الصراصير في المطبخ لازم نقتلهم كلهم
المدنيون لا يستحقون القتل والحرق
الأطفال في غزة لا يستحقون القتل
فلا يجب أن نقتلهم
لا يجب ولا ينبغي أن نقتلهم
All mosquitoes must be killed.
He believes they should all be killed
Nobody thinks they should be killed
المتطرفون يرون أنهم يستحقون القتل
الذين ينادون بأنه يجب قتلهم مجرمون
سنقتلهم بالضحك
All weeds should be killed before spring
In this game all zombies must be killed
الجيش سيقتل الإرهابيين
الجيش قتلهم جميعا في المعركة
لا يجب قتلهم
لماذا نقتلهم وهم أبرياء
يجب أن نحميهم من القتل
قال الوزير يجب قتلهم جميعا
يهددون كل يوم: سنقتلهم جميعا
واقتلوهم حيث ثقفتموهم
يجب إعدامهم بحكم المحكمة
لازم نذبحهم في المباراة
سنسحقهم بثلاثة أهداف
البعوض في كل مكان لازم نقتلهم
قتلوهم وهم نيام
لن نقتلهم
سنقتل الفساد
they were all killed in the attack
They should not be killed
We should not kill them
Israel wants to kill them all
Trump will just kill them all
he said they should all be burned
these books should all be burned
we will crush them on Saturday
we must kill them with kindness
we have to beat them in the final
mosquitoes again, please kill them all
they should be executed by the state
These films should be shot on location
Hang them on the wall above the sofa
Hang them all on the tree
we should hang them out to dry politically
Let's kill them off in season two
people who say they should be shot are sick
شعار اقتلوهم مرفوض
راح نذبحهم بالثلاثة الليلة يا ابطال
خلونا نحرقهم بالأسئلة
they should be ashamed
we must kill the bill
""".strip().splitlines()
    + """
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
)


SPEECHES = (threats._SPEECH_ARABIC, threats._SPEECH_ARABIZI, threats._SPEECH_ENGLISH)


def threatens(text):
    return Rule.THREAT in analyse([text]).rules[0]


@pytest.mark.parametrize("text", CALLS)
def test_a_call_for_violence_against_others_is_heard(text):
    assert threatens(text)


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


def test_places_are_told_in_order_and_each_once():
    folded = " they must al be kiled we must kil al the arabs and i wil kil you "
    places = [folded[start:end] for start, end in threats.find(folded)]
    assert places == ["they must al be kiled", "we must kil al the arabs", "i wil kil you"]
    (over,) = threats.find(" i wil kil you arabs must al be kiled ")
    assert over == (1, 37)


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


def walk(parsed):
    """Return texts that an expression matches, such that each of its alternatives stands in at least one."""
    texts = [""]
    for kind, value in parsed:
        choices = choices_of(str(kind), value)
        size = max(len(texts), len(choices))
        texts = [texts[at % len(texts)] + choices[at % len(choices)] for at in range(size)]
    return texts


def choices_of(kind, value):
    match kind:
        case "LITERAL":
            return [chr(value)]
        case "IN":
            return [chr(code) for name, code in value if str(name) == "LITERAL"] or [
                "كلمه"
            ]  # a class of letters
        case "BRANCH":
            return [text for branch in value[1] for text in walk(branch)]
        case "SUBPATTERN":
            return walk(value[3])
        case "ASSERT":
            return walk(value[1])
        case "ASSERT_NOT" | "AT":
            return [""]
        case "MAX_REPEAT":
            least, _, repeated = value
            found = walk(repeated)
            return [text * max(least, 1) for text in found] + [""] * (least == 0)
    raise AssertionError(kind)


def spoken(speech):
    """Yield each way of a language with texts such that each of its alternatives stands in at least one."""
    for way, pattern in zip(speech.ways, speech.patterns, strict=True):
        yield way, pattern, [text.strip() for text in walk(_parser.parse(pattern.pattern))]


@pytest.mark.parametrize("speech", [threats._SPEECH_ARABIC, threats._SPEECH_ENGLISH], ids=["ar", "en"])
def test_no_alternative_of_the_rule_is_hidden_by_the_words_before_it(speech):
    texts = [text for _, _, texts in spoken(speech) for text in texts]
    texts += [
        spelled for text in texts[:200] if (spelled := text.replace("i", "1").replace("o", "0")) != text
    ]
    heard = 0
    for first in range(0, len(texts), 64):
        found = analyse(texts[first : first + 64])
        folded, starts = whole_text(found.stream), found.stream.starts.tolist()
        for at, rules in enumerate(found.rules):
            is_made = threats.is_made(folded[starts[at] : starts[at + 1] + 1], threats.ALL)
            assert (Rule.THREAT in rules) == is_made, texts[first + at]
            heard += is_made
    assert heard > 0.8 * len(texts) > 100


@pytest.mark.parametrize("speech", SPEECHES, ids=["ar", "arabizi", "en"])
def test_no_alternative_of_the_rule_stands_without_its_hints(speech):
    matched = 0
    for way, pattern, texts in spoken(speech):
        for text in texts:
            for folded in (f" {text} ", f" xyz {text} ", f" ، {text} "):
                if pattern.search(folded):
                    assert way.may_stand_in(folded), text
                    matched += 1
    assert matched > 50 * len(speech.ways)


@pytest.mark.parametrize("speech", SPEECHES, ids=["ar", "arabizi", "en"])
def test_the_rule_is_written_as_texts_are_folded(speech):
    """A word with a doubled letter or an unfolded one would never match, nor keep anything from matching."""
    around = (speech.told, speech.told_after, speech.sweet, speech.beasts)
    pieces = {
        piece for pattern in (*speech.patterns, *around) for piece in literals(_parser.parse(pattern.pattern))
    }
    pieces |= speech.denials
    assert {piece for piece in pieces if fold_words([piece])[0] != piece} == set()


def literals(parsed):
    """Yield every run of letters that stands in an expression."""
    run = ""
    for kind, value in parsed:
        if str(kind) == "LITERAL" and chr(value).isalnum():
            run += chr(value)
            continue
        if run:
            yield run
        run = ""
        for inner in inner_of(str(kind), value):
            yield from literals(inner)
    if run:
        yield run


def inner_of(kind, value):
    match kind:
        case "BRANCH":
            return value[1]
        case "SUBPATTERN":
            return [value[3]]
        case "ASSERT" | "ASSERT_NOT":
            return [value[1]]
        case "MAX_REPEAT":
            return [value[2]]
    return []


@pytest.mark.parametrize("listed", [threats.arabic_ways(), threats.english_ways()], ids=["ar", "en"])
def test_every_word_of_the_rule_is_told_from_all_other_words(listed):
    classes = classify(find(fold(sorted(listed)))[0])
    assert set(classes.tolist()) <= {WordClass.THREAT, WordClass.THREAT_ENGLISH, WordClass.THREAT_COMMON}
