"""Words that say something by themselves: function words that tell languages apart, words of contact and offers.

Looked up by hash for every word of a batch, then counted per text. A word of two classes, once
folded, counts for neither.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from classifiers import threats
from classifiers.ngrams import CODE_BITS, Words, finish, word_hash
from classifiers.text import fold_words


class WordClass:
    """Classes of words; TOTAL holds the number of words of all classes. Plain integers: they index lists in the hot path."""

    TOTAL = 0
    ENGLISH = 1
    ARABIZI = 2
    FOREIGN = 3  # function words of other languages in Latin script
    ARABIC = 4
    PERSIAN = 5
    URDU = 6
    MESSENGER = 7  # names of messaging services
    CONTACT = 8  # asks to be contacted
    OFFER = 9  # what contact-harvest comments offer
    THREAT = 10  # without one of these nobody threatens in Arabic letters; most are said without a threat too
    THREAT_ENGLISH = 11
    THREAT_COMMON = 12  # of ENGLISH and of THREAT_ENGLISH


COUNT = 13
_SLOTS_BITS = 17
_SHIFT = np.array(CODE_BITS - _SLOTS_BITS, np.uint32)

_WORDS = {
    WordClass.ENGLISH: """
        the of and to is it that for you are this have with not they was but be what all we can your there will would
        about if who just my has been which their how from do so an because people should don when why does did more
        than them only know think get like no he she his her our out up me him going want good see even then these
        those its or one any some where over need now make right here really could being still never also other into
        after before too very such most same own every much many through again always im youre dont cant isnt thats
        ive hes were am im lol wtf shut off idiot stupid fuck fucking shit comment article thanks thank please
        news government country money world love best day time year work life school great stop let lets got go come
        as at by on i a in us look new first another years talk use nothing down something man yes thing real
        made little bad keep two point may actually anything while since call believe give last long problem ever party
        fact gun done read doing against anyone might things both already agree change without help enough tell hope used oh
        wrong big free maybe mean vote old around must feel far trying part next try though few seems getting lot probably
        thought hate makes reason needs called person under sorry show away understand issue either everyone today says least
        place else saying making public women having job case start wont election true state course less different end rather
        pay question hard until ask pretty home once post guy check guess idea everything perhaps looking power seen using
        mind war days times between high looks kind yourself school simply leave sense seem bit whole word nice hey law quite
        remember head means move policy opinion full information run face damn line guys system ago number house watch given
        happy past girl wait become side rest lost tax game important found wants themselves gets words family exactly fine
        clearly cannot arent second hell each yall men thinking play almost truth told taking ones whether ur term goes wonder
        act business wouldnt took rights went bring win able soon woman group current society stand children funny week gone
        unless poor certainly single came countries stuff young stay deal himself pathetic wish follow evidence whatever three
        story during piece wanted gonna hit living note hear view future answer night boy continue order knows lead friends
        sad anyway million middle social write fool lmao wow book crap further bitch bitches hoe hoes nigga niggas yo dat dem
        gon aint af dude gotta wanna lmfao smh bro yeah yep nope okay fucked fuckin bullshit asshole loser liar trash garbage
        clown moron dumb disgusting shame ok hi ha haha hahaha omg well feel felt half fair hair speech walk racism church
        wall reach raise match teach smell laughable care welcome hello""",
    WordClass.ARABIZI: """
        enta inta enti inti ento ana e7na ehna 7na howa heya wallah wlh wallahi walah inshallah nshallah inchallah hamdulillah
        7amdellah mashallah yalla yallah 3ala 3la 3ni 3end 3nd 3andi 3ndi fe fih feh fi mafi mafish mafesh mesh mish
        mosh msh mouch mch mush mou moo shou shu shoo sho chou wesh wach wech chno ach 3lach 3lash lesh leh leich laish
        leish kif kifash kifach kayf kef zay zai hek hayda hada haza hadi hadak dak illi elli yelli li lli
        kol kul kull koulou klo ba3d ba3dein ba3den 7abibi habibi ya yah yaa kalb kelb klab 7mar hmar 7mara 7ayawan
        ayre kes koss ksom kosom sharmouta sharmoota charmouta 9a7ba ka7ba qahba zebi zbi zeb zamel khawal 3ars 3rs ibn
        bent akhoya khoya khouya sahbi sa7bi bzf bezzaf barcha bahi mlih mli7 kwayes kwayis helwa 7elwa gamda
        el al wal bel fel lel men mn bas bs kda keda kida kdeh kman kaman bardo barduh dah deh da
        shukran chokran choukran ahlan labas bslama hamdullah 3eb 3ib tab3an
        rabena rabna allah lah insha 7aram haram sheikh 3arab arab masr masri balad nas nass kteer ktir ktr awy awi
        jdan jiddan gedan 5alas khalas 5las tayeb tayib tab aywa aywah la2 lae laa walla wala""",
    WordClass.FOREIGN: """
        le les des une est et que qui dans pour pas vous nous avec sur ce cette il elle ils sont mais plus tout bien
        fait etre avoir comme aussi tres je tu mon ton leur leurs aux ces au ou du de la ne se quand meme alors parce
        faire merci bonjour toujours jamais ca chez moi toi lui sans vos votre notre etait peut encore
        el los las una es en por con para como pero mas este esta esto todo muy ser hay porque cuando donde gracias
        yo tu su sus del al lo nos ella ellos tiene tambien siempre nunca eso ese solo bueno hola
        o os um uma e nao voce isso muito mas ele ela foi tem sao mais quando pelo pela obrigado esse essa eu
        il di che non per una sono questo questa con anche gli della del nel piu molto essere grazie come cosa perche
        der das und ist nicht ein eine ich sie es mit auf fur von dem den zu auch wie wir ihr aber oder nur noch
        wenn sich nach bei aus haben wird kann mehr immer sehr danke kein keine uber diese dieser
        de het een niet van ik je dat zijn voor met maar naar wat heb hebben deze geen dit worden
        ve bir bu icin cok ama gibi daha ne var yok olarak olan ile kadar sonra degil ben sen biz onlar mi mu
        ki evet hayir nasil neden hic her sey en iyi guzel tesekkurler olsun
        yang dan itu ini tidak dengan untuk dari saya kamu ada akan bisa juga sudah karena pada aku kita mereka banget
        nie jest sie na ze to jak ale co tak dla od przez tylko czy bardzo juz jestem mam
        si nu pentru este sunt din mai cu sa ca ce dar fost acest
        och att det som inte jag med till har om var vi kan men hej
        og ikke pa av til hun han vaere
        ang ng mga sa ko mo hindi ako siya kung naman
        va cua la khong co nguoi nhung duoc cho mot
        ndio hapana kwa wa na ni
        oui salut guten nein genau warum richtig quatsch schade hallo stimmt harika aferin hayir terima kasih bagus selamat mantap
        buongiorno ciao vergogna prego bom parabens verdade claro adios buenos dias hasta jaja""",
    WordClass.ARABIC: """
        في من على الى عن مع هذا هذه ذلك التي الذي الذين كل ما لا لم لن ان انت انتم انا نحن هو هي هم كان كانت ليس قد ثم
        او بعد قبل عند بين حتي اذا لو يا الله والله اللي اي غير فقط شو مش مو ليش لماذا كيف وين اين هل بس لكن ولكن كده
        دي ده دا احنا انتو اللهم وهو وهي فيه عليه منه له لهم لها به بها علي الا اما كما يعني كمان برضو عشان علشان شي
        شيء ايه ليه فين هيك هاد هاي هذي اني انه انها انهم بلا باش غادي ديال كاين واش راه برشا بزاف هاذا هاذي موش
        وش ايش ابي وانا وانت ولا وما ومن وفي يوم اليوم الناس العرب اللهم اخي الشعب كلام كلب حمار""",
    WordClass.PERSIAN: """
        است اين كه را از براي مي هاي ها بود شد شود كرد كند كنيد كنم كنند هم نيست هست خيلي خوب اگر بايد شما ايشان
        انها انهايي چه جه چرا جرا هر يك دو بر تا نه اون اينا ديگر ديكه ديگه شده كردن گفت كفت خواهد دارد داريم دارند
        باشد باش بشه نمي نميشه ميشه ميكنه ميكنم كرده همه همين همان هيچ هيج وقتي حالا ولي اما با باز پس بس سر روي
        خودش خود مردم ايران ايراني دولت كشور""",
    WordClass.URDU: """
        هے هي هيں هين كي كے كا كو ميں مين نے ني سے سي اور يه وه نهيں نهين پر بر بهي بهت تو اس ان تها تهي تهے كر كرتے
        كرنا كريں رها رهي رهے هوں هوتا هوا هوي جو جب تک تك اپنے ابني اپني ابنے آپ اب همارے همارا ميرے ميرا تم كيا كيوں
        كيون ايک ايك دے لے پاكستان باكستان""",
    WordClass.MESSENGER: """
        واتساب واتس واتسب الواتساب واتسات وتساب وتس تلجرام تليجرام التلجرام تلغرام تليغرام انستا انستغرام انستقرام
        سناب السناب سنابي ايمو فايبر ماسنجر whatsapp whatsap watsapp whats telegram viber imo messenger snapchat
        instagram insta wechat signal gmail hotmail""",
    WordClass.CONTACT: """
        تواصل تواصلوا للتواصل للاستفسار راسلني راسلنا راسلوني كلمني اتصل اتصلوا للطلب للحجز بالخاص رقمي
        جوال موبايل هاتف اضغط الرابط رابط حسابي بالبايو البايو inbox dm contact call email subscribe click visit
        channel link bio pm""",
    WordClass.OFFER: """
        قرض قروض القروض تمويل تسديد سداد ارباح ربح الربح استثمار تداول فوركس فوريكس عملات بتكوين بيتكوين كوبون خصم خصومات
        عروض عرض مجانا مجاني متابعين زياده رشق لايكات شيخ روحاني الروحاني جلب الحبيب السحر سحر فك مراهنات رهان كازينو
        تخسيس تنحيف تضخيم تطويل حبوب منشطات للبيع توصيل ايجار شحن وظيفه وظائف loan loans credit investment invest forex
        bitcoin crypto profit profits earn earning income viagra cialis casino betting bet bonus followers likes seo
        backlinks traffic cheap discount promo coupon free guaranteed escort escorts spell caster herbal recovery
        hacker trader binary""",
    WordClass.THREAT: " ".join(threats.arabic_ways()),
    WordClass.THREAT_ENGLISH: " ".join(threats.english_ways()),
}  # fmt: skip


_COMMON = {WordClass.ENGLISH, WordClass.THREAT_ENGLISH}
_CROWDED = 255  # the class of a slot that several listed words share


@cache
def word_classes() -> dict[str, int]:
    """Return each listed word, folded as the scorer folds it, with its class; a word of two classes is left out, or has one for both."""
    found: dict[str, set[int]] = {}
    for word_class, words in _WORDS.items():
        for word in fold_words(words.split()):
            found.setdefault(word, set()).add(word_class)
    found = {word: {WordClass.THREAT_COMMON} if of == _COMMON else of for word, of in found.items()}
    return {word: of.pop() for word, of in found.items() if len(of) == 1}


@cache
def _table() -> tuple[NDArray[np.uint64], NDArray[np.uint8], dict[int, int]]:
    """Return an open hash table of one probe: the full hash in each slot, and its class; 0 where empty.

    Words that would share a slot stand in the dictionary, by hash.
    """
    hashes = np.zeros(1 << _SLOTS_BITS, np.uint64)
    classes = np.zeros(1 << _SLOTS_BITS, np.uint8)
    words = word_classes()
    values = np.array([word_hash(word) for word in words], np.uint64)
    of_words = np.array(list(words.values()), np.uint8)
    slots = finish(values, _SLOTS_BITS)
    hashes[slots], classes[slots] = values, of_words
    is_crowded = np.bincount(slots, minlength=classes.size)[slots] > 1
    classes[slots[is_crowded]] = _CROWDED
    return hashes, classes, dict(zip(values[is_crowded].tolist(), of_words[is_crowded].tolist(), strict=True))


def classify(words: Words) -> NDArray[np.uint8]:
    """Return the `WordClass` of each word, 0 where it is in no list: ndarray of shape (n_words,), uint8."""
    hashes, classes, crowded = _table()
    slots = words.codes >> _SHIFT
    listed = classes.take(slots)
    found: NDArray[np.uint8] = listed * (hashes.take(slots) == words.hashes)
    if _CROWDED in listed.tobytes():  # a tenth of what a maximum costs of few words
        at = (listed == _CROWDED).nonzero()[0]
        found[at] = [crowded.get(word, 0) for word in words.hashes[at].tolist()]
    return found


def count_classes(words: Words, classes: NDArray[np.uint8], texts: int) -> list[list[int]]:
    """Return, for each text, the number of words of each class; `classes` are those of `classify`."""
    if texts == 1:
        counts: list[int] = np.bincount(classes, minlength=COUNT).tolist()
        counts[0] = words.start.size
        return [counts]
    keys = words.text * COUNT
    keys += classes
    table = np.bincount(keys, minlength=texts * COUNT).reshape(texts, COUNT)
    table[:, WordClass.TOTAL] = table.sum(axis=1)
    listed: list[list[int]] = table.tolist()
    return listed
