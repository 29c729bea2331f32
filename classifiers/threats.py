"""First-person threats against the reader: "I will kill you", in Arabic, its dialects, Arabizi and English.

Too few rows are labelled for a model to learn them (some forty among 140,000), so they are told by a rule over folded words, in which
doubled letters are one: somebody who speaks of himself, a future or an oath, a verb of violence, and "you" as its object. Who only
tells of killing (a third person, the past, "he said that he would", "you kill me with laughter") is not meant. A threat waits for
a person; by itself it rejects nothing, but it weighs in the abuse score, which may.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

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
_PARTS = "راس رقب عضام عظام وجه سنان اسنان رجول رجلين ايدين ضهر ظهر جمجم بيت عيون رجل ايد يد لسان"
_MARK = _any(
    "سوف راح رح رايح رايحين غادي باش توا راني رانا واله وله تاله قسما قسم باله بدي بدنا ابي ابغي ودي عايز عاوز نفسي لازم "
    "جاي جايين جاييك هاجي حاجي"
)
_END, _VERB, _NOUN = _any(_YOU), _any(_KILL), _any(_NOUNS)
_ASIDE = f"(?:{_any('العظيم انا نحن احنا اليوم بكره غدا يوم شي')} )?"
_ARABIC = re.compile(
    rf" (?:و?{_any(_SURE)}{_VERB}{_END}|و?(?:لا|لن){_VERB}ن{_END}"
    rf"|و?{_MARK} {_ASIDE}و?[ان]{_VERB}ن?{_END}"
    rf"|و?(?:راح|رح) {_VERB}{_END}"
    rf"|(?:و?اذا|و?لو|ولك|ان) (?:\w+ ){{1,6}}(?:[انب]{_NOUN}|{_NOUN}ت){_END}"
    rf"|ب{_NOUN}{_END}(?= (?:يا|انت|اذا|لو|واله|بيدي|ان) | وب| وا[ذقدح])"
    rf"|(?:واله|انا|وانا) ب{_NOUN}{_END}"
    rf"|(?:{_MARK} |و?[سهحبل])[ان]?{_any('كسر قطع طير فجر هشم دعس حرق')} (?:لك |علي )?{_any(_PARTS)}ت?{_END}"
    rf"|دم{_END} (?:حلال|مهدور)"
    r"|(?:ب?اعرف|بعرف|عارف|نعرف) (?:انت )?(?:وين|فين|اين) (?:انت )?(?:بيتك|ساكن|تسكن|بتسكن|عايش|بيتكم|مكانك)"
    r"|(?:ب?اعرف|بعرف|عارف|نعرف) (?:انت )?(?:ساكن|عايش|بتسكن|تسكن) (?:وين|فين|اين))(?= )"
)
_ARABIZI_KILL = (
    r"(?:(?:2|9|q|k|g|a2|aq|e2)[aeou]?t[aeou]?l[aeiou]?|a?dh?[ae]?b[aeo]?[7h][aeoui]?|edba7|adba7a|ndba7|2dba7[ae]?)"
    r"(?:k|kom|kum|kon|km|ko|ku|kun|ek|ak|ik)"
)
# What every _ARABIZI_KILL ends with, found without trying each word: "tl" or "7", not more than two vowels, "k".
_ARABIZI_END = re.compile(
    r"k(?:(?<=[7h]k)|(?<=[7h].k)|(?<=[7h]..k)|(?<=tlk)|(?<=t.lk)|(?<=tl.k)|(?<=t.l.k)|(?<=tl..k)|(?<=t.l..k))"
    r"(?:[ou]?[mn]|[ou])? "
)
_ARABIZI = re.compile(
    rf" w?(?:{_any('ra7 rah r7 ghadi bash bach rani wlh wala walah walahi wlahi badi bidi lazem sawf sawfa ana')} "
    r"(?:n|a|2a|e|na|ne|ni|an|en|2)?|sa|ha|7a|h|ba|be|b|la|le|sana|la2|hn|7n|han|7an)"
    rf"{_ARABIZI_KILL}(?= )"
)
_I = (
    r"(?:(?:i|we) (?:l|wil|shal|m going to|am going to|re going to|are going to|m gona|am gona|gona|re gona|want to|wana|"
    r"swear i l|swear i wil)|il|ima|im gona|im going to|wel) "
)
_HOW = (
    r"(?:(?:fucking|fuking|personaly|realy|just|hapily|so|hunt you down and|find you and|come and|come over and|"
    r"come there and|literaly|going to) )*"
)
_YOURS = _any("family kid kids child children wife mother mom mum father dad son daughter dog as ases")
_BODY = _any(
    "neck face head skul leg legs arm arms jaw bones throat tongue hands teth brains house home car fingers bals"
)
_ENGLISH = re.compile(
    rf" (?:{_I}{_HOW}(?:"
    rf"{_any('kil murder slaughter butcher strangle behead stab shot rape hang lynch execute hurt poison drown gut bury')} "
    rf"(?:you|u|ya|yal|(?:your|ur) {_YOURS})"
    rf"|(?:find|hunt) (?:you|u)(?: down| and {_any('kil hurt rape make beat break cut burn murder i stab shot')})"
    rf"|{_any('beat smash break cut slit bash burn rip blow crush slash chop')} (?:you up|you to death|(?:your|ur) {_BODY})"
    r"|burn you alive|skin you alive|put a bulet in (?:you|your|ur)|make you (?:bled|sufer)|come to your (?:house|home) and)"
    r"|i know where (?:you|u) live|(?:i|im) (?:m |am )?coming (?:for|after) you"
    r"|(?:you (?:re |are )|youre |your )a dead (?:man|woman))(?= )"
)
_NOT_ARABIC = frozenset(
    ["لن", "ما", "مش", "مو", "موش", "لم", "مب", "مهب", "ليش", "لماذا", "هل", "كيف", "مستحيل"]
)
_NOT_ENGLISH = frozenset(
    ["would", "do", "does", "did", "don", "t", "dont", "not", "never", "why", "think", "cant"]
)
_SAYS_ARABIC = _any(
    "قال قالت قالها قالو قالوا يقول تقول يقولون يقولو بيقول قالي قالك قاله قالهم قالتلي كتب كتبت هدني هده هد هدها هدوني هدونا هدهم "
    "هدوه يهد يهدون تهد مهدا تهديد صرخ صاح يصرخ رد يرد هتف هتفوا اليك فيلم مسلسل روايه اغنيه كتاب عباره جمله"
)
_SAYS_ENGLISH = _any(
    "said says saying told tels teling shouted screamed screaming yeled yeling threatened threatening threatens wrote writes "
    "quote quoted claimed sang song lyrics movie film caled texted heard"
)
_SWEET_ARABIC = _any("ضحك حب بوس بوسات حضن احضان شوق غيره عشق فرح فرحه نكت دلال قهر غيظ ملل")
_WITH_ENGLISH = _any("kindnes laughter love hugs kises cutenes puns")
_SENT_ENGLISH = _any("email mail mesage text link note line dm copy pm")


class _Speech:
    """How one language threatens, and what around it shows that nobody means the reader harm."""

    def __init__(self, pattern: re.Pattern[str], denials: frozenset[str], *around: str) -> None:
        self.pattern = pattern
        self.denials = denials
        self.told, self.told_after, self.sweet = map(re.compile, around)

    def find(self, folded: str) -> Iterator[tuple[int, int]]:
        """Yield where threats stand."""
        for match in self.pattern.finditer(folded):
            start = match.start() + 1  # a pattern begins with the space before, which is found fastest
            before = folded[max(start - _BEFORE, 0) : start]
            after = folded[match.end() : match.end() + _AFTER]
            is_denied = not self.denials.isdisjoint(before.split()[-1:])
            if not (
                is_denied
                or self.told.search(before)
                or self.told_after.search(after)
                or self.sweet.search(after)
            ):
                yield start, match.end()


_AROUND_ARABIC = (
    f" و?{_SAYS_ARABIC} ",
    " (?:و?قال|قالت|قالها|قالو|قالوا|هكذا (?:قال|هد|صرخ)) ",
    f" (?:(?:من )?(?:كتر |كثر )?(?:ال)?{_SWEET_ARABIC}|بحبي|حنان|قهرا|غيظا|حبا|ضحكا) ",
)
_SPEECH_ARABIC = _Speech(_ARABIC, _NOT_ARABIC, *_AROUND_ARABIC)
_SPEECH_ARABIZI = _Speech(_ARABIZI, _NOT_ARABIC, *_AROUND_ARABIC)
_SPEECH_ENGLISH = _Speech(
    _ENGLISH,
    _NOT_ENGLISH,
    f" {_SAYS_ENGLISH} ",
    r" (?:(?:he|she|they|who|the \w+) (?:said|told|shouted|wrote|screamed|texted)|said the) ",
    rf" (?:with {_WITH_ENGLISH}|(?:an?|the|some|over an?) {_SENT_ENGLISH}|on (?:saturday|sunday|the pitch|the field)|"
    r"at (?:ches|poker|footbal)) ",
)
_DIGITS = tuple(zip("0134578", "oieastb", strict=True))  # "k1ll"; Arabizi needs its digits
_BEFORE, _AFTER = 45, 40  # code points looked at around a place for who speaks, and how


class Clues(NamedTuple):
    """Which ways of threatening a text may hold: words of `words`, of `english_words`, or Arabic in Latin letters."""

    arabic: bool
    arabizi: bool
    english: bool


ALL = Clues(arabic=True, arabizi=True, english=True)


def find(folded: str, clues: Clues = ALL) -> Iterator[tuple[int, int]]:
    """Yield where threats stand in a folded text (a space before and after each word), end exclusive."""
    if clues.arabic:
        yield from _SPEECH_ARABIC.find(folded)
    if clues.arabizi:
        yield from _SPEECH_ARABIZI.find(folded)
    if clues.english:
        for digit, letter in _DIGITS:  # several times as quick as `translate`
            folded = folded.replace(digit, letter)
        yield from _SPEECH_ENGLISH.find(folded)


def arabizi_ends(folded: str) -> Iterator[int]:
    """Yield where words end as every threat in Arabic in Latin letters does; of many folded texts at once."""
    return (match.start() for match in _ARABIZI_END.finditer(folded))


def is_made(folded: str, clues: Clues) -> bool:
    """Return whether somebody threatens the reader in a folded text."""
    return next(find(folded, clues), None) is not None


def words() -> str:
    """Return, separated by spaces, the words that let a threat in Arabic letters be looked for; rare forms of one have none."""
    kill, nouns, you = _KILL.split(), _NOUNS.split(), _YOU.split()
    verbs = {
        f"{conjunction}{start}{verb}{end}"
        for conjunction, start, verb, end in product(("", "و"), (*_SURE.split(), "ا", "ن", ""), kill, you)
        if conjunction == "" or start
    }
    verbs |= {form for verb, end in product(nouns, you) for form in (f"ب{verb}{end}", f"{verb}ت{end}")}
    verbs |= {
        f"{start}{verb}ن{end}" for start, verb, end in product(("لا", "لن", "ولا", "ا", "ن"), kill, you)
    }
    parts = {
        f"{part}{bound}{end}"
        for part, bound, end in product(_PARTS.split(), ("", "ت"), ("ك", "كم", "كن", "كو"))
    }
    return " ".join(sorted(verbs | parts)) + " دمك دمكم ساكن تسكن بتسكن بيتك عايش مكانك بيتكم"


def english_words() -> str:
    """Return, separated by spaces, the words that let an English threat be looked for; rare forms of one have none."""
    return (
        "kill murder slaughter butcher strangle behead stab shoot rape lynch execute hurt poison drown hunt bury smash slit beat "
        "bash burn bullet throat skull neck bleed suffer live coming dead alive hang find gut cut break rip blow crush slash chop"
    )
