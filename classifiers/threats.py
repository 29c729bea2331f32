"""Threats against the reader ("I will kill you") and calls for violence against others ("we must slaughter them all").

In Arabic, its dialects and English, the former in Arabizi too. Too few rows are labelled for a model to learn them (some forty among
140,000), so they are told by a rule over folded words, in which doubled letters are one. A threat: somebody who speaks of himself, a
future or an oath, a verb of violence, and "you" as its object. A call: somebody who says that others must be killed, burned or wiped out,
who bids it, or who promises it for himself and his own. Punishment by law (execution), a match, scripture and pests are not meant, nor is
who only tells of killing (a third person, the past, "he said that he would", "you kill me with laughter"). Both wait for a person; by
itself the rule rejects nothing, but it weighs in the abuse score, which may.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby, product
from typing import NamedTuple

EVERY_WAY = -1
FIRED, SILENT = 0.85, 0.001
"""Probabilities of a threat with the rule and without it: set by hand, for want of labels. See docs/classifiers.md."""


def _any(words: str) -> str:
    return "(?:" + "|".join(words.split()) + ")"


_NOUNS = (
    "قتل ذبح دبح حرق دفن شنق خنق طعن سحل"  # verbs that look like nouns: "by your killing" and "I kill you"
)
_KILL = _NOUNS + " كتل غتصب فجر طخ سلخ فرم دعس عدم موت صفي بيد"
_YOU = "كم كو كن كون كي ك ج"
_SURE = "سا سن ها هن ه حا حن ح با بن لا"  # before a verb: "I will", "we will", "I surely will"
_PARTS = "راس روس رقب رقاب عضام عظام عضم عظم وجه مخ خشم اصابع صوابع سنان اسنان رجول رجلين ايدين ضهر ظهر جمجم بيت عيون رجل ايد يد لسان"
_MARK = _any(
    "سوف راح رح رايح رايحين غادي باش توا راني رانا واله وله تاله قسما قسم باله بدي بدنا ابي ابغي ودي عايز عاوز نفسي لازم "
    "جاي جاين جايك هاجي حاجي"
)
_ASIDE = f"(?:{_any('العظيم انا نحن احنا اليوم بكره غدا يوم شي')} )?"
_KNOW = "(?:ب?اعرف|بعرف|عارف|نعرف) "
_WHERE = "(?:وين|فين|اين)"
_NOT_SOMEBODY = (  # "I know where he lives, our neighbour"
    r"(?! (?:هو|هذا|هاد|هاي|جار(?:نا|ي|ه|هم|تنا|تي)|ابن|اخو\w*|ابو\w*|عم(?:ي|ه|نا)|خال(?:ي|ه|نا)|صاحب(?:ي|نا|ه)|رفيق\w+"
    r"|ال(?!يوم|ان )\w+|هال\w+) )"
)


class _Form(NamedTuple):
    """One way to threaten: an expression for what stands before a word, the word in parts, an expression for what stands after it.

    Of each part one of its alternatives, between spaces, is taken; a part that begins with "?" may be missing. The words are what lets a
    threat be looked for, so no text that holds one is passed over.
    """

    before: str
    word: tuple[str, ...]
    after: str = ""

    def pattern(self) -> str:
        """Return the expression of the whole form."""
        parts = [_any(part.lstrip("?")) + "?" * part.startswith("?") for part in self.word]
        return self.before + "".join(parts) + self.after

    def words(self) -> Iterator[str]:
        """Yield every word that may stand in it."""
        choices = [[*part.lstrip("?").split(), *([""] * part.startswith("?"))] for part in self.word]
        return map("".join, product(*choices))


_ARABIC_FORMS = (
    _Form("", ("?و", _SURE, _KILL, _YOU)),
    _Form("", ("?و", "لا لن", _KILL, "ن", _YOU)),
    _Form(f"و?{_MARK} {_ASIDE}", ("?و", "ا ن", _KILL, "?ن", _YOU)),
    _Form("و?(?:راح|رح) ", (_KILL, _YOU)),
    _Form(r"(?:و?اذا|و?لو|ولك|ان) (?:\w+ ){1,6}", ("ا ن ب", _NOUNS, _YOU)),
    _Form(r"(?:و?اذا|و?لو|ولك|ان) (?:\w+ ){1,6}", (_NOUNS, "ت", _YOU)),
    _Form("", ("ب", _NOUNS, _YOU), "(?= (?:يا|انت|اذا|لو|واله|بيدي|ان) | وب| وا[ذقدح])"),
    _Form("(?:واله|انا|وانا) ", ("ب", _NOUNS, _YOU)),
)
_BREAK = "كسر قطع طير فجر هشم دعس حرق"
_PLACES_HINTS = (*_BREAK.split(), "عرف", "عارف", " حلال ", " مهدور ", "رصاصه ", "طلقه ")
_ARABIC_PLACES = (
    _Form(
        f"(?:{_MARK} |و?[سهحبل]|(?:ساجدك|هجيبك|بلاقيك) و)[ان]?{_any(_BREAK)} (?:لك |علي |ع )?",
        (_PARTS, "?ت", _YOU),
    ),
    _Form("", ("دم", _YOU), " (?:حلال|مهدور)"),
    _Form(f"{_MARK} ", ("ا ن", "كسر", _YOU), r" (?:عظم|ضلع|تكسير)\w*"),
    _Form("", ("?و", "ا ن", "كسر", _YOU), r" (?:عظم|ضلع)\w* (?:عظم|ضلع)\w*"),
    _Form("(?:رصاصه|طلقه) (?:واحده )?(?:في |بنص )?", ("?ب", "راسك مخك جبينك دماغك")),
    _Form("(?:رصاصه|طلقه) (?:واحده )?", ("تكفيك بتكفيك",)),
    _Form(f"{_KNOW}(?:انت )?{_WHERE} (?:انت )?", ("بيتك تسكن بتسكن بيتكم مكانك دوامك شغلك",)),
    _Form(f"{_KNOW}(?:انت )?{_WHERE} (?:انت )?", ("ساكن عايش",), _NOT_SOMEBODY),
    _Form(f"{_KNOW}(?:انت )?", ("بتسكن تسكن",), f" {_WHERE}"),
    _Form(f"{_KNOW}(?:انت )?", ("ساكن عايش",), f" {_WHERE}{_NOT_SOMEBODY}"),
)
_KILL_THEM = "قتل كتل ذبح دبح حرق سحل سلخ"
# Peoples, sects and the like, as they are called with the article; not armed groups, nor whom scripture names ("المشركين").
_AMBIGUOUS = "الفرس السنه السود"  # horses, the year and what is black too
_GROUP_NAMES = (
    "العرب اليهود المسلمين المسيحين النصاري الاقباط الشيعه الروافض الرافضه النواصب العلوين العلويه النصيريه الدروز الاكراد الكرد "
    "الامازيغ البربر الايزيدين الصهاينه السورين الفلسطينين الاردنين المصرين العراقين البنانين اليمنين السعودين الخليجين المغاربه "
    "الجزايرين التوانسه اليبين السودانين الاتراك الايرانين المجوس الروس الامريكان الافارقه العبيد الاجانب الاجين المهاجرين "
    "المثلين الشواذ الملحدين الكفار النساء النسوان الهنود البنغال البنغاليه الباكستانين الافغان الاحباش الصومالين الموارنه الاسماعيليه "
    "الاباضيه البهاين الزنوج البدو الغجر الشركس التركمان الارمن الاشورين السريان الكويتين القطرين الاماراتين البحرينين العمانين المرتدين"
)
_GROUP = (  # "the wooden horse", "this year a sheep"
    f"(?:{_any(_GROUP_NAMES)}"
    "|السود(?! (?:من|المحروق))"
    "|الفرس(?! ال(?:خشبي|ابيض|اسود|بني|عربي|اصيل|مريض|عجوز|جامح|مصاب)ه? )"
    "|السنه(?! (?:هذ|هاي|هاد|دي|ال?جاي|القادم|الجديد|الماض|كبش|خروف|بقر|عجل|نعج)))"
)
_EACH = _any(
    "شيعي سني يهودي مسلم مسيحي نصراني رافضي علوي درزي كردي سوري فلسطيني عراقي مصري لبناني سعودي يمني سوداني مغربي جزايري تونسي ليبي ايراني "
    "تركي هندي بنغالي افغاني حبشي اجنبي لاجي مهاجر كافر ملحد مرتد مثلي شاذ صهيوني"
)
_THE_GROUP = (  # or "these pigs"; soldiers and murderers are spoken of so in war and before courts
    f" (?:كل {_EACH}|(?:(?:كل|جميع|كافه) )?(?:(?:هولاء )?ه?{_GROUP}"
    r"|(?:هولاء|هدول|هذول) (?!ال(?:ارهاب|مجرم|قتل|دواعش|غزا|محتل|جنود|مسلح))ال\w+))"
)
_KIN = (
    f" (?:كل )?(?:{_any('عيلت عايلت اهل اولاد عيال نسوان اطفال')}(?:ه|هم|ك|كم)"
    f"|{_any('بيوت خيام مساجد كنايس معابد قرا مخيمات')}هم)"
)
_TO_A_GROUP = f" (?:ل(?:كل|جميع) ه?{_GROUP}|ل{_any(' '.join(name[2:] for name in f'{_GROUP_NAMES} {_AMBIGUOUS}'.split()))})"
_NEVER = "(?<! لا )(?<! ولا )(?<! فلا )"  # a word by itself; before a verb "لا" may be an oath
_MUSTS = "لازم يجب ينبغي المفروض مفروض لابد خلينا خلونا تعالو تعالوا هيا يلا نبي نبغي بدنا عايزين خاصهم خصهم"
_MUST = f"{_NEVER}و?(?:لا بد|{_any(_MUSTS)})"
_MUST_HINTS = ("لا بد ", *(f"{word} " for word in _MUSTS.split()))
_THAT = "(?:ان |انو |من |كلنا |نحن |احنا )*"
_ARABIC_OWED = (  # calls for violence against others
    _Form(f"{_MUST} {_THAT}", ("ن ي ت", f"{_KILL_THEM} بيد", "?و", "هم هن")),
    _Form(f"{_MUST} {_THAT}", (f"{_KILL_THEM} ابادت", "هم هن")),
    _Form(f"{_MUST} {_THAT}", ("يت ين", _KILL_THEM, "و وا ون")),
    _Form(f"{_MUST} {_THAT}", ("يباد", "و وا ون")),
    _Form(f"{_MUST} {_THAT}", ("ن ي ت", f"{_KILL_THEM} بيد", "?و", "?ا"), _THE_GROUP),
    _Form(f"{_MUST} {_THAT}", (f"{_KILL_THEM} اباده",), _THE_GROUP),
    _Form(f"{_MUST} {_THAT}", ("ن ي ت", f"{_KILL_THEM} بيد", "?و", "?ا"), _KIN),
)
_ARABIC_BIDDEN = (
    _Form(
        "",
        ("?و", "اقتلوا اقتلو اذبحوا اذبحو ادبحوا ادبحو ابيدوا ابيدو اسحلوا اسحلو"),
        _THE_GROUP,
    ),
    _Form("", ("?و", "احرقوا احرقو"), f" (?:كل|جميع) ه?{_GROUP}"),  # alone it may tell what others burned
    _Form(f"{_NEVER}ب?يست(?:(?:حقو|اهلو)[نا]?|حقن|اهلن) ", ("القتل الحرق الذبح الدبح الاباده السحل",)),
    _Form("", ("?و", "اقتلو اذبحو ادبحو احرقو ابيدو اسحلو", "هم هن"), "(?! حيث| عند| اينما)"),
    _Form("", ("?و", "اقطعوا اقطعو"), " (?:روسهم|رقابهم|نسلهم|السنتهم)"),
    _Form("", ("?و", "ارموهم ارميهم كبوهم اغرقوهم غرقوهم نرميهم"), " (?:في |ب)(?:ال)?بحر"),
    _Form("", ("?و", "سن هن حن لن سا", f"{_KILL_THEM} بيد", "?ن", "هم هن")),
    _Form(f"و?{_MARK} {_ASIDE}", ("?و", "ا ن", f"{_KILL_THEM} بيد", "?ن", "هم هن")),
    _Form("", ("الموت",), _TO_A_GROUP),
    _Form(
        "لو (?:الامر )?(?:بيدي|بايدي|بيدنا) (?:كنت )?", ("?ل", "?ب ا ن", f"{_KILL_THEM} شنق", "?ت", "هم هن")
    ),
)


def _one_of(forms: Iterable[_Form]) -> str:
    """Return what finds any of some forms; those in a row with the same before them try it once, unless it may end in several places."""
    found: list[str] = []
    for before, run in groupby(forms, key=lambda form: form.before):
        if r"\w" in before:
            found += [form.pattern() for form in run]
        else:
            found.append(f"{before}(?:{'|'.join(form._replace(before='').pattern() for form in run)})")
    return "|".join(found)


_ARABIZI_KILL = (
    r"(?:(?:2|9|q|k|g|a2|aq|e2)[aeou]?t[aeou]?l[aeiou]?|a?dh?[ae]?b[aeo]?[7h][aeoui]?|edba7|adba7a|ndba7|2dba7[ae]?)"
    r"(?:k|kom|kum|kon|km|ko|ku|kun|ek|ak|ik)"
)
# What every threat in Arabizi ends with, found without trying each word: "tl" or "7", not more than two vowels, "k"; "head", "k"; "them".
_ARABIZI_END = re.compile(
    r"k(?:(?<=[7h]k)|(?<=[7h].k)|(?<=[7h]..k)|(?<=tlk)|(?<=t.lk)|(?<=tl.k)|(?<=t.l.k)|(?<=tl..k)|(?<=t.l..k)|(?<=rask)|(?<=ras.k))"
    r"(?:[ou]?[mn]|[ou])? |h[ou][mn] "
)
_ARABIZI_HEAD = "(?:k[aei]?s[aei]?r|[29q]a?ta?3) ras[aei]?k"
_THEM_ARABIZI = "h[ou][mn]"
_ARABIZI_CALL = (  # for violence against others; only in forms that do not also tell what others did
    rf"(?:(?:lazem|lazim|yala|yla|khalina|khaluna|5alina|5aluna|badna|bedna|bidna|la bod|labod) (?:(?:kolna|na7na|a7na|e7na|eno) )?"
    rf"n[aeiou]?(?:[29q][aeou]?t[aeou]?l[aeiou]?|d[ah]?[aeou]?b[aeo]?7[aeou]?|7re?2|7r[eo]?[q2]){_THEM_ARABIZI}"
    rf"|(?:[oeiu]2t[eou]?l|[oeui](?:dh?|z)b[ae]?7)(?:o|u|ou|w){_THEM_ARABIZI})"
)
_ARABIZI = (
    rf"w?(?:{_any('ra7 rah r7 ghadi bash bach rani wlh wala walah walahi wlahi badi bidi lazem sawf sawfa ana')} "
    r"(?:n|a|2a|e|na|ne|ni|an|en|2)?|sa|ha|7a|h|ba|be|b|la|le|sana|la2|hn|7n|han|7an)"
    rf"(?:{_ARABIZI_KILL}|{_ARABIZI_HEAD})"
)
_I = (
    r"(?:(?:i|we) (?:l|wil|shal|m going to|am going to|re going to|are going to|m gona|am gona|gona|re gona|want to|wana|"
    r"swear i l|swear i wil)|il|ima|im gona|im going to|wel|(?<=^ )gona|(?<=^ )going to) "
)
_HOW = (
    r"(?:(?:fucking|fuking|personaly|realy|just|hapily|so|hunt you down and|find you and|literaly|going to"
    r"|come (?:(?:round|around|over|there|by|down|up|to your (?:house|home|place)) )?and) )*"
)
_YOURS = _any("family kid kids child children wife mother mom mum father dad son daughter dog as ases")
_BODY = _any(
    "neck face head skul leg legs arm arms jaw bones throat tongue hands teth brains house home car fingers bals"
)
_OF_MY_DOING = (  # after "I will", with or without how
    _Form(
        "",
        (
            "kil murder slaughter butcher strangle behead stab shot rape hang lynch execute hurt poison drown gut bury",
        ),
        f" (?:you|u|ya|yal|(?:your|ur) {_YOURS})",
    ),
    _Form(
        "",
        ("find hunt",),
        f" (?:you|u)(?: down| and {_any('kil hurt rape make beat break cut burn murder i stab shot')})",
    ),
    _Form(
        "",
        ("beat smash break cut slit bash burn rip blow crush slash chop",),
        f" (?:you up|you to death|(?:your|ur) {_BODY})",
    ),
    _Form("", ("burn skin",), " you alive"),
    _Form("put a ", ("bulet",), " in (?:you|your|ur)"),
    _Form("put you in (?:the|a|your) ", ("ground grave hospital cofin",)),
    _Form(
        "", ("cut slice rip tear gut",), " (?:you|u) (?:open|apart|up|in half|(?:in)?to (?:pieces|ribons))"
    ),
    _Form("make you ", ("bled sufer",)),
    _Form("come to your ", ("house home",), " and"),
)
_OF_YOU, _OF_ME = (" you", " u ", " ya ", " yal ", " ur "), (" i ", " we ", " il ", " ima ", " im ", " wel ")
_WHOLE_HINTS = (
    *(" i know where ", " coming for you ", " coming after you ", " dead man ", " dead woman "),
    *(" watch your ", " watch ur ", " slep with ", " adres ", " bled for "),
)
_WHOLE = (
    _Form("i know where (?:you|u) ", ("live",)),
    _Form("(?:i|im|we) (?:m |am |re |are )?", ("coming",), " (?:for|after) you"),
    _Form("(?:you (?:re |are )|youre |your )a ", ("dead",), " (?:man|woman)"),
    _Form("(?:you|u) (?:had |d |have )?beter watch (?:your|ur) ", ("back",)),
    _Form("slep with one ", ("eye",), " open"),
    _Form("(?:you|u) wil ", ("bled",), " for (?:this|that|it|what)"),
    _Form("i (?:have|know) (?:your|ur) (?:home )?", ("adres",)),
)
_NAMES = (  # of peoples, creeds and the like; not of offices, parties or trades
    "jews muslims arabs christians hindus sikhs catholics protestants budhists mormons atheists infidels kafirs zionists kurds "
    "palestinians israelis syrians egyptians iraqis iranians persians afghans pakistanis bangladeshis indians "
    "koreans filipinos rusians ukrainians americans mexicans africans europeans turks armenians serbs bosnians croats "
    "albanians romanians bulgarians morocans algerians tunisians libyans jordanians saudis yemenis ethiopians eritreans "
    "somalis nigerians tutsis hutus roma hazaras copts yazidis berbers rohingya uyghurs uighurs tamils sunis shias shites alawites "
    "druze blacks whites gays lesbians quers trans tranies fagots fags nigers migrants imigrants refuges foreigners gypsies women "
    "men"
)
_PEOPLES = (  # "the Chinese", not "Chinese lanterns"
    f"(?:{_any(_NAMES)}|{_any('chinese japanese lebanese sudanese')}"
    "(?= (?:$|(?:and|or|in|who|now|al|they|before|from|here|should|must|ned|ought|have|deserve) )))"
)
_ONE = _any(" ".join(name[:-1] for name in _NAMES.split() if name.endswith("s")) + " gypsy woman")
_SCUM = _any("bastards scum vermin traitors pedophiles paedophiles pedos savages rapists parasites")
_EVERY = "every (?:last |single )*"
_THE_PEOPLE = (
    rf"(?:(?:al (?:of )?|{_EVERY})?(?:the |these |those |you )?(?:\w+ing )?{_PEOPLES}"
    rf"|(?:al (?:of )?(?:the |these |those )?|the |these |those )(?:\w+ing )?{_SCUM}|{_EVERY}{_ONE})"
)
_THEM = "(?:(?:al of |every (?:last |single )*one of |the lot of )?(?:them|em)|these people|those people)"
_WE_MUST = (
    r"(?:(?<=^ )(?:just )?|(?:(?:please|lets|let s|time to|i say)(?: just)?|(?:we|you|they|someone|somebody|the (?:army|police|government))"
    r" (?:should|must|ned to|have to|ought to|got to|gota)(?: (?:just|al|go|and))*) )"
)
_AFTER_A_CHARGE = (  # "they are insects, kill them all": the comma is gone
    r"(?:are|re|r) (?!not (?!human|people|even))(?:(?:al|a|just|not|even|nothing but|like|so|such|no beter than) )*"
    r"(?!(?:who|that|to|and|wil|would|going|not|what|where) )\w+ (?:(?!(?:who|that|to|and|or|wil|would|they|we|i|you|it|can|could) )\w+ )?"
)
_EVERYONE = r"(?:they|you (?:al|people|lot)|(?:these|those) people|al of (?:them|you)|every (?:last |single )*one of them)"
_OUGHT = r" (?:al )?(?:should|must|ned to|ought to|have to|deserve to)"
_BE = "(?: al)?(?: just)? be(?: al)? "
_NO_RIGHTS = "(?! (?:rights|s|and children first|with kindnes) )"
_DISC = "onto|to (?:a |an |one |the |my |your )?(?:cd|cds|dvd|dvds|disc|discs|disk|usb|stick|drive)"
_NO_DISC = f"(?! (?:of|{_DISC}) )"
_NO_THINGS = (  # films are shot on location, curtains hung up, a role killed off
    "(?! (?:on(?! sight| the spot)|up|from|of|out|over|by|in(?! the (?:head|stret|face|back)| cold| public| front| their| this| our| a )"
    f"|{_DISC}) )"
)
_THINGS = _any(  # hung, shot, killed or gassed without harm to anybody
    "pictures paintings films movies scenes videos photos photographs portraits posters curtains lights flags baners frames mirors "
    "adverts ads interviews shots ducks gese pheasants hares rabits birds tomatoes vegetables herbs sausages hams coats shirts "
    "clothes bils programs programes projects proceses threads jobs engines ideas deals plants tres sponsors stories rumours "
    "rumors"
)
_ENGLISH_BIDDEN = (  # calls for violence against others: bidden or owed
    _Form(
        _WE_MUST,
        ("kil slaughter exterminate shot butcher lynch gas behead hang murder",),
        f" {_THEM}(?: al)?(?! al ){_NO_THINGS}",
    ),
    _Form(_WE_MUST, ("burn drown",), f" {_THEM} (?:al|alive){_NO_DISC}"),
    _Form(
        _WE_MUST,
        ("wipe",),
        f" (?:{_THEM}|{_THE_PEOPLE}) (?:al )?(?:out(?! of the )|of the (?:map|earth|face))",
    ),
    _Form(
        _WE_MUST,
        ("kil slaughter exterminate shot butcher lynch gas behead hang murder burn drown nuke",),
        f" {_THE_PEOPLE}{_NO_RIGHTS}{_NO_THINGS}",
    ),
    _Form(
        _AFTER_A_CHARGE,
        ("kil slaughter exterminate shot lynch gas behead hang",),
        f" (?:them|em) al(?! the ){_NO_THINGS}",
    ),
    _Form(_WE_MUST, ("wipe",), f" out (?:{_THEM}|{_THE_PEOPLE}){_NO_RIGHTS}"),
    _Form(_AFTER_A_CHARGE, ("wipe",), " (?:them|em) (?:al )?out"),
    _Form(
        f"{_WE_MUST}put a ",
        ("bulet",),
        f" in (?:you|your|ur|his|her|him|their|{_THEM}|{_THE_PEOPLE}|(?:that|this|these|those) )",
    ),
)
_ENGLISH_DESERVED = (  # that it should be done to them
    _Form(
        rf"{_THE_PEOPLE}{_OUGHT}{_BE}",
        ("kiled slaughtered exterminated shot butchered lynched gased beheaded hanged hung murdered burned",),
        _NO_THINGS,
    ),
    _Form(
        rf"(?:{_EVERYONE}|(?:al|these|those) (?!{_THINGS} )\w+){_OUGHT}{_BE}",
        ("kiled slaughtered exterminated shot butchered lynched gased beheaded hanged hung murdered",),
        _NO_THINGS,
    ),
    _Form(f"{_EVERYONE}{_OUGHT} al be ", ("burned burnt",)),
    _Form(f"{_EVERYONE}{_OUGHT}{_BE}", ("burned burnt",), " alive"),
)
_ENGLISH_CRIES = (
    _Form(
        r"(?:round|line) (?:\w+ ){0,4}up (?:\w+ ){0,5}and (?:just )?",
        ("kil shot hang gas drown execute slaughter",),
        f" (?:{_THEM}|the lot)(?: al)?{_NO_THINGS}",
    ),
    _Form("bring back the gas ", ("chambers",), " for (?:them|these|those|the|al)"),
    _Form("the only god (?:\\w+) is a ", ("dead",), f" {_ONE}"),
    _Form("(?<! to )", ("death",), f" to {_THE_PEOPLE}"),
)
_OWED = (" should ", " must ", " ned to ", " have to ", " ought to ", " got to ", " gota ", " deserve to ")
_BIDDEN_HINTS = (*_OWED, " please ", " lets ", " let s ", " time to ", " i say ", "em al ", " wipe ")
_AT_FIRST = tuple(
    f" {verb} "
    for verb in ("just", "put", *sorted({word for form in _ENGLISH_BIDDEN for word in form.words()}))
)
_NOT_ARABIC = frozenset(
    ["لن", "ما", "مش", "مو", "موش", "لم", "مب", "مهب", "ليش", "لماذا", "هل", "كيف", "مستحيل"]
)
_NOT_ARABIZI = _NOT_ARABIC.union(
    ["ma", "mish", "mesh", "msh", "mush", "mo", "mu", "lan", "lesh", "leh", "lama"]
)
_NOT_ENGLISH = frozenset(
    ["would", "do", "does", "did", "don", "t", "dont", "not", "never", "why", "think", "thinks", "cant"]
)
_SAYS_ARABIC = _any(
    "قال قالت قالها قالو قالوا يقول تقول يقولون يقولو بيقول قالي قالك قاله قالهم قالتلي كتب كتبت هدني هده هد هدها هدوني هدونا هدهم "
    "هدوه يهد يهدون تهد مهدا تهديد صرخ صاح يصرخ رد يرد هتف هتفوا اليك شعار فيلم مسلسل روايه اغنيه كتاب عباره جمله "
    "يهتف يهتفون هتاف هتافات صرخوا يصرخون يري يرون ينادي ينادون يزعم يزعمون كتبوا يكتب يكتبون مكتوب "
    "شعارات عبارات تقل تقولوا تقولو لافته لافتات الجدار الجدران الحيطان"
)
_SAYS_ENGLISH = _any(
    "said says saying told tels teling shouted screamed screaming yeled yeling threatened threatening threatens wrote writes "
    "quote quoted claimed sang song lyrics movie film caled texted heard believes thinks argues demands demanded claims "
    "chant chants chanted chanting slogan slogans grafiti placard placards baner baners"
)
_THOUGHT_ENGLISH = _any(  # by others, right before what they thought
    "believed thought argued insisted preached taught planed hoped decided ordered orders posted writing demanding"
)
_THOUGHT_BY_OTHERS = (
    rf"(?:{_THOUGHT_ENGLISH}|(?:to|who|people|they|some|not|never|nobody) (?:believe|think|claim|argue))"
)
_SILENCED_ENGLISH = (  # "nobody should ever say", "to say this is incitement"
    r"(?:(?:nobody|no one|not|never|canot|who|people|they|some|(?<! i )should|(?<! have )(?<! want )(?<! like )(?<! love )(?<! got )to) "
    rf"(?:ever )?{_any('say write shout post chant')})"
)
_SWEET_ARABIC = _any("ضحك حب بوس بوسات حضن احضان شوق غيره عشق فرح فرحه نكت دلال قهر غيظ مل")
_WITH_ENGLISH = _any("kindnes laughter love hugs kises cutenes puns")
_SENT_ENGLISH = _any("reminder glance smile email mail mesage text link note line dm copy pm")

_CALL = "call"  # for violence against others
# Pests, cattle and what is killed in games. Of people who are called by these names ("they are lice", "like sheep", in Arabic without the
# article) the same words are the worst of calls.
_BEASTS_ARABIC = _any(
    "فيروس فيروسات جراثيم بكتيريا بعوض بعوضه ناموس نمل ذباب حشرات حشره صراصير صرصور فيران جراد قمل بق دبابير عقارب افاعي خروف خرفان خراف "
    "غنم اغنام نعاج كبش كباش ماعز عجل عجول بقر بقره ابقار جاموس دجاج دجاجه دجاجات فراخ ديك ديوك اضحيه اضاحي لحم لحوم زومبي جرذان جردان "
    "ثعابين تعابين حيات دود ديدان سوس قوارض"
)
# Where a pest, a match or a game is spoken of without such a word.
_SCENE_ARABIC = _any(
    "المطبخ المخزن المخازن القبو الحظيره المزرعه الحديقه البستان المحصول مبيد مبيدات مصيده مصايد الملعب ملعبهم المباراه مباراه "
    "الماتش ماتش الديربي الدوري العبه لعبه بجي السكواد"
)
_SCENE_ENGLISH = _any(
    "spel ches leters diaries branches receipts "
    "atic loft garden lawn shed barn grenhouse kitchen alotment wiring traps bait timer achievement respawn quest dungeon loby"
)
_BEASTS_ENGLISH = _any(
    "mosquito mosquitoes mosquitos ants wasps hornets weds germs bacteria virus viruses zombies insects bugs flies fleas lice ticks "
    "termites bedbugs locusts mites slugs snails moths mice chickens hens turkeys shep lambs goats cows catle "
    "proces proceses threads daemons containers pods servers tabs"
)


def _unlike(words: str) -> str:
    """Return what stands where none of these words does before."""
    return "".join(f"(?<! {word})" for word in words.split())


class _Way(NamedTuple):
    """Forms that are looked for together, and the words of which a text that may hold one has at least one.

    It holds a string of each of `hints` too, or begins with one of `firsts`: several times as quick to find as the expression, which tries
    each form at each word.
    """

    expression: str
    words: frozenset[str] = frozenset()
    hints: tuple[tuple[str, ...], ...] = ()
    firsts: tuple[str, ...] = ()

    def may_stand_in(self, folded: str) -> bool:
        """Return whether a text holds what every text has that this way is found in."""
        for hints in self.hints:
            for hint in hints:
                if hint in folded:
                    break
            else:
                return folded.startswith(self.firsts)
        return True


def _way(
    forms: Sequence[_Form], *hints: tuple[str, ...], before: str = "", firsts: tuple[str, ...] = ()
) -> _Way:
    words = frozenset(word for form in forms for word in form.words())
    return _Way(f"{before}(?:{_one_of(forms)})", words, hints, firsts)


def _as_call(expression: str) -> str:
    return f"(?P<{_CALL}>{expression})"


def _calls(forms: Sequence[_Form], *hints: tuple[str, ...], firsts: tuple[str, ...] = ()) -> _Way:
    way = _way(forms, *hints, firsts=firsts)
    return way._replace(expression=_as_call(way.expression))


class _Speech:
    """How one language threatens, and what around it shows that nobody means the reader harm."""

    def __init__(self, ways: Sequence[_Way], denials: frozenset[str], *around: str) -> None:
        self.bits: dict[str, int] = {}
        """By word, the ways that have it, a bit for each."""
        for at, way in enumerate(ways):
            for word in way.words:
                self.bits[word] = self.bits.get(word, 0) | 1 << at
        self.denials = denials
        self.told, self.told_after, self.sweet, self.beasts = map(re.compile, around)
        self.ways = ways
        # They begin with the space before, which is found fastest.
        self.patterns = [re.compile(f" (?:{way.expression})(?= )") for way in ways]

    def find(self, folded: str, ways: int = EVERY_WAY) -> Iterator[tuple[int, int]]:
        """Yield where the ways to threaten stand whose bits are set, one way after the other."""
        for at, way in enumerate(self.ways):
            if ways >> at & 1 and way.may_stand_in(folded):
                for match in self.patterns[at].finditer(folded):
                    if self._is_meant(match, folded):
                        yield match.start() + 1, match.end()

    def _is_meant(self, match: re.Match[str], folded: str) -> bool:
        start = match.start() + 1
        before = folded[max(start - _BEFORE, 0) : start]
        after = folded[match.end() : match.end() + _AFTER]
        all_around = folded[max(start - _BEFORE, 0) : match.end() + _AFTER]
        return not (
            not self.denials.isdisjoint(before.split()[-1:])
            or self.told.search(before)
            or self.told_after.search(after)
            or self.sweet.search(after)
            or (match.lastgroup == _CALL and self.beasts.search(all_around))
        )


_AROUND_ARABIC = (
    f" و?{_SAYS_ARABIC} | كلمه $| لا (?:احد )?(?:نريد|اريد|يريد|نتمني|اتمني) $",
    " (?:و?قال|قالت|قالها|قالو|قالوا|هكذا (?:قال|هد|صرخ)\\w*) ",
    (
        f" (?:(?:من )?(?:كتر |كثر )?ب?(?:ال)?{_SWEET_ARABIC}|بحبي|حنان|قهرا|غيظا|حبا|ضحكا|كرويا|رياضيا|"
        "(?:في |ب)?(?:ال)?(?:مبارا[هت]|ماتش|ملعب|دوري|كاس|نهاي|شوط)|ب(?:ال)?(?:ثلاثه|اربعه|خمسه|سته|هدف|اهداف|اسيله|رباعيه|خماسيه)|"
        r"(?:واحد ل?صفر|(?:اتنين|اثنين|هدفين|ثلاثه|تلاته|اربعه|خمسه|سته) ل?(?:صفر|واحد))|\d+ ل?(?:\d+|صفر)) "
    ),
    (
        rf"{_unlike('ذبح دبح زي مثل متل هم هالناس هولاء')} [وفب]?(?:ه?ال|ل){_BEASTS_ARABIC} | [وفب]?{_SCENE_ARABIC} "
        rf"|{_unlike('هولاء هم ه')} [وفب]?الكلاب (?:المسعوره|الضاله) "
    ),
)
_SPEECH_ARABIC = _Speech(
    [
        _way(_ARABIC_FORMS),
        _way(_ARABIC_PLACES, _PLACES_HINTS),
        _calls(_ARABIC_OWED, _MUST_HINTS),
        _calls(_ARABIC_BIDDEN),
    ],
    _NOT_ARABIC,
    *_AROUND_ARABIC,
)
_SPEECH_ARABIZI = _Speech([_Way(_ARABIZI), _Way(_as_call(_ARABIZI_CALL))], _NOT_ARABIZI, *_AROUND_ARABIC)
_SPEECH_ENGLISH = _Speech(
    [
        _way(_OF_MY_DOING, _OF_YOU, _OF_ME, before=_I + _HOW, firsts=(" gona ", " going to ")),
        _way(_WHOLE, _WHOLE_HINTS),
        _calls(_ENGLISH_BIDDEN, _BIDDEN_HINTS, firsts=_AT_FIRST),
        _calls(_ENGLISH_DESERVED, (" be ",), _OWED),
        _calls(_ENGLISH_CRIES, (" death to ", " only god ", " up ", " bring back ")),
    ],
    _NOT_ENGLISH,
    rf" (?:{_SAYS_ENGLISH}) | {_SILENCED_ENGLISH} (?:that )?(?:\w+ )?$"
    rf"| (?<! i )(?<! we )(?:{_THOUGHT_BY_OTHERS}(?: that)?|(?:caling|cals|caled) for) $",
    r" (?:(?:he|she|they|who|(?:the|my|our|his|her) \w+) (?:said|told|shouted|wrote|screamed|texted)"
    r"|(?:said|says) (?:the|my|our|his|her|nobody|no)|is that (?:what|how|your)"
    r"|(?:was|is|were) (?:\w+ )?(?:scrawled|writen|painted|sprayed|chanted|carved)) ",
    rf" (?:with {_WITH_ENGLISH}|(?:an?|the|some|over an?) {_SENT_ENGLISH}|on (?:saturday|sunday|the pitch|the field)|"
    r"at (?:ches|poker|fotbal|tenis|golf|darts|cards)|in (?:mario|fifa|fortnite|cod)|in the (?:game|match|final|finals|league|playofs)) ",
    f"{_unlike('are re youre theyre is a as like just of than and')} {_BEASTS_ENGLISH} | {_SCENE_ENGLISH} | kil 9 "
    r"| with (?:\w+ ){0,2}(?:camera|cameras|lens|phone) | in (?:natural|beter|god|soft|proper) light ",
)
_DIGITS_FOR = dict(zip("oieastb", "0134578", strict=True))  # "k1ll"; Arabizi needs its digits
_BEFORE, _AFTER = 45, 40  # code points looked at around a place for who speaks, and how


class Clues(NamedTuple):
    """Which ways of threatening a text may hold, by the bits of `arabic_ways` and `english_ways`; 0 where it holds no word of any."""

    arabic: int
    arabizi: bool
    english: int


ALL = Clues(EVERY_WAY, arabizi=True, english=EVERY_WAY)
NONE = Clues(0, arabizi=False, english=0)


def find(folded: str, clues: Clues = ALL) -> list[tuple[int, int]]:
    """Return where threats stand in a folded text (a space before and after each word), end exclusive, ascending, none over another."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(_each(folded, clues)):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _each(folded: str, clues: Clues) -> Iterator[tuple[int, int]]:
    if clues.arabic:
        yield from _SPEECH_ARABIC.find(folded, clues.arabic)
    if clues.arabizi:
        yield from _SPEECH_ARABIZI.find(folded)
    if clues.english:
        for letter, digit in _DIGITS_FOR.items():  # several times as quick as `translate`
            folded = folded.replace(digit, letter)
        yield from _SPEECH_ENGLISH.find(folded, clues.english)


def may_be_arabizi(folded: str) -> bool:
    """Return whether a word ends as every threat in Arabic in Latin letters does."""
    return _ARABIZI_END.search(folded) is not None


def is_made(folded: str, clues: Clues) -> bool:
    """Return whether somebody threatens the reader in a folded text."""
    return next(_each(folded, clues), None) is not None


def arabic_ways() -> dict[str, int]:
    """Return the folded words of which a threat in Arabic letters has one, each with bits for the ways to threaten with it."""
    return _SPEECH_ARABIC.bits


@cache
def english_ways() -> dict[str, int]:
    """Return the same of English, the words as they are written with digits for letters too."""
    return {spelling: ways for word, ways in _SPEECH_ENGLISH.bits.items() for spelling in _with_digits(word)}


def _with_digits(word: str) -> Iterator[str]:
    """Yield every spelling of a word that `find` reads as it."""
    return map("".join, product(*((letter, *_DIGITS_FOR.get(letter, "")) for letter in word)))
