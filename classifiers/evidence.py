"""What a moderator would point at: links, numbers to call, addresses, offers, shouting, hidden characters.

Each rule fires or does not; the fired ones are features of the model beside the n-grams, and the only ones for a language
the model does not know. Counts of signs and words decide most of them, so that the regular expressions run on the few
texts that have something to match.
"""

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from classifiers.disguise import run_around
from classifiers.lexicon import WordClass
from classifiers.signs import Sign


class Rule(IntEnum):
    """The rules, in the order of their columns; names in lower case are the stable codes."""

    LINK = 0
    LINKS_MANY = 1
    LINK_SHORT = 2  # a shortener, or a link into a messenger
    LINK_SHADY = 3  # a cheap top-level domain, or a host that names betting, loans or pills
    LINK_AUTHOR = 4  # the website field is filled
    EMAIL = 5
    PHONE = 6
    NUMBER_LONG = 7
    HANDLE = 8
    MESSENGER = 9
    MESSENGER_NUMBER = 10  # a messenger's name beside a number, link or address
    CONTACT = 11
    CONTACT_MANY = 12
    OFFER = 13
    OFFER_MANY = 14
    OFFER_CONTACT = 15  # an offer with a way to answer it
    MONEY = 16
    MONEY_MANY = 17
    CAPITALS = 18
    CAPITALS_ALL = 19
    SHOUTING = 20
    PICTURES = 21
    PICTURES_MANY = 22
    HIDDEN = 23
    LOOKALIKES = 24
    STYLED = 25
    STRETCHED = 26
    SPELLED = 27  # letters kept apart by spaces or signs
    DIGITS_HALF = 28
    THREAT = 29  # somebody threatens the reader, or calls for violence against others: see `threats`


COUNT = len(Rule)
# Plain integers under plain names: what a class holds is looked up anew each time, and every comment passes here.
_LINK_RULE, _PHONE_RULE, _NUMBER_RULE = int(Rule.LINK), int(Rule.PHONE), int(Rule.NUMBER_LONG)
_MESSENGER_RULE, _MESSENGER_NUMBER_RULE = int(Rule.MESSENGER), int(Rule.MESSENGER_NUMBER)
_CONTACT_RULE, _OFFER_RULE, _OFFER_CONTACT_RULE = int(Rule.CONTACT), int(Rule.OFFER), int(Rule.OFFER_CONTACT)
_SPELLED_RULE, _STRETCHED = int(Rule.SPELLED), int(Rule.STRETCHED)
_DIGIT, _LOWER, _UPPER, _OTHER = Sign.DIGIT, Sign.LATIN_LOWER, Sign.LATIN_UPPER, Sign.OTHER
_ARABIC, _ARABIC_ONLY, _LOOKALIKE = Sign.ARABIC, Sign.ARABIC_ONLY, Sign.LOOKALIKE
_AT, _DOT, _SLASH, _MONEY, _SHOUT, _PICTURE = (
    Sign.AT,
    Sign.DOT,
    Sign.SLASH,
    Sign.MONEY,
    Sign.SHOUT,
    Sign.PICTURE,
)
_HIDDEN, _SPACE, _JOINER, _STYLED = Sign.HIDDEN, Sign.SPACE, Sign.JOINER, Sign.STYLED
_MESSENGERS, _CONTACTS, _OFFERS = WordClass.MESSENGER, WordClass.CONTACT, WordClass.OFFER
_TLDS = (
    "com|net|org|info|biz|co|io|me|ru|cn|xyz|top|online|site|shop|store|club|live|vip|win|bet|link|click|app|dev|ly|gl|"
    "gd|cc|tv|ws|tk|ml|ga|cf|gq|pw|icu|fun|space|website|tech|pro|us|uk|ca|de|fr|in|pk|eg|sa|ae|kw|qa|jo|lb|iq|ma|dz|tn"
)
_LINK = re.compile(
    r"(?:h(?:tt|xx)ps?://?|www\.)[^\s<>\"'،]*"
    rf"|(?<![@\w.])(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:{_TLDS})(?![\w@])(?:[/?][^\s<>\"'،]*)?",
    re.IGNORECASE,
)
_LINK_HINT = re.compile(r"\.(?=\S\S)|:/")  # what every run of signs has that holds a link
_DOT_LETTERS = re.compile(r"\.[A-Za-z]{2}")
_SHORT = re.compile(
    r"(?:bit\.ly|goo\.gl|tinyurl|t\.me|telegram\.me|wa\.me|wa\.link|whatsapp\.com|is\.gd|ow\.ly|cutt\.ly|rb\.gy|shorturl|"
    r"linktr\.ee|adf\.ly|s\.id|chat\.)",
)
_SHADY = re.compile(
    r"\.(?:xyz|top|online|site|shop|club|live|vip|win|bet|click|tk|ml|ga|cf|gq|pw|icu|fun|space|cn)(?:[/?: ]|$)"
    r"|casino|bet\d|1x|loan|credit|pharm|pill|viagra|cialis|escort|porn|sex|forex|crypto|coin|seo|backlink|follow",
)
_EMAIL = re.compile(
    r"[\w.+-]{2,64}\s?(?:@|\(at\)|\[at\])\s?[\w-]{2,63}\s?(?:\.|\(dot\)|\[dot\])\s?[A-Za-z]{2,10}"
)
_AT_HOST = re.compile(
    r"(?:@|\(at\)|\[at\])\s?[\w-]{2,63}\s?(?:\.|\(dot\)|\[dot\])\s?[A-Za-z]{2}"
)  # what every address has, found without trying each letter
_LONGEST_NAME = 65  # before the sign, with a space
_HANDLE = re.compile(r"@(?<![\w@.]@)[A-Za-z][\w.]{3,30}")
_PHONE = re.compile(r"(?<![\d.])(?:\+|[0٠۰]{2})?\d(?:[\s().\-_/]{0,2}\d){8,14}(?!\d)")
_DIGITS_RUN = re.compile(r"\d(?:[\s().\-_/]{0,2}+\d){8,}+")  # where _PHONE may match; quicker to find
_MOST_DIGITS = 15  # ITU-T E.164
_PHONE_START = tuple("+019٠١٩۰۱۹")
_SPELLED = re.compile(r"(?<!\w)[^\W\d_](?:[\s.*_\-~|+•·]{1,2}[^\W\d_](?!\w)){2,}")


class Found(NamedTuple):
    """A place that a rule points at: code points of the source, end exclusive."""

    start: int
    end: int
    rule: Rule


def find(text: str, signs: Sequence[int], words: Sequence[int], folded_length: int) -> list[int]:
    """Return the rules that fire, ascending.

    `signs` counts `Sign`, `words` counts `WordClass`; `folded_length` is the number of code points left after folding.
    Written for speed: most texts need no regular expression.
    """
    length = len(text)
    rules: list[int] = []
    latin = signs[_LOWER] + signs[_UPPER]
    has_way = False
    if latin > 2 and ((signs[_SLASH] > 2 and "://" in text) or (signs[_DOT] and _DOT_LETTERS.search(text))):
        has_way = _add_links(text, rules)
    if signs[_DIGIT] > 7:
        has_way = _add_numbers(text, signs, rules) or has_way
    if latin > 5 and (signs[_AT] or (signs[_OTHER] > 1 and ("(at)" in text or "[at]" in text))):
        has_way = _add_addresses(text, rules) or has_way
    if words[_MESSENGERS] or words[_CONTACTS] or words[_OFFERS]:
        _add_words(words, rules, has_way=has_way)
    if signs[_UPPER] > 9 or signs[_MONEY] or signs[_PICTURE] > 2 or signs[_SHOUT] > 3:
        _add_emphasis(signs, rules)
    if signs[_HIDDEN] > 1 or signs[_LOOKALIKE] or signs[_STYLED] > 2:
        _add_disguise(signs, rules, latin=latin)
    if (signs[_SPACE] + signs[_JOINER] + signs[_DOT]) * 10 > length * 3 and _SPELLED.search(text):
        rules.append(_SPELLED_RULE)
    if folded_length * 5 < (latin + signs[_ARABIC] + signs[_ARABIC_ONLY]) * 4 and length > 12:
        rules.append(_STRETCHED)
    rules.sort()
    return rules


def with_author_url(rules: Sequence[int], url: str) -> list[int]:
    """Return the rules with those that the author's website adds."""
    added = set(rules)
    if url.strip():
        added.add(Rule.LINK_AUTHOR)
        if _SHADY.search(url.lower()) or _SHORT.search(url.lower()):
            added.add(Rule.LINK_SHADY)
    return sorted(map(int, added))


def _add_links(text: str, rules: list[int]) -> bool:
    """Add what links say; return whether there is one."""
    links = _links(text)
    if not links:
        return False
    rules.append(_LINK_RULE)
    if len(links) > 1:
        rules.append(int(Rule.LINKS_MANY))
    lower = " ".join(links).lower()
    if _SHORT.search(lower):
        rules.append(int(Rule.LINK_SHORT))
    if _SHADY.search(lower):
        rules.append(int(Rule.LINK_SHADY))
    return True


def _links(text: str) -> list[str]:
    """Return the links of each run without white space that may hold one: a sign's hint is found quicker than a link."""
    links: list[str] = []
    end = 0
    while hint := _LINK_HINT.search(text, end):
        start, end = run_around(text, hint.start(), end)
        links += _LINK.findall(text, start, end)
    return links


def _add_numbers(text: str, signs: Sequence[int], rules: list[int]) -> bool:
    """Add numbers to call; return whether there is one."""
    rule = None
    for start, _ in _numbers(text):
        rule = _NUMBER_RULE
        if text.startswith(_PHONE_START, start):
            rule = _PHONE_RULE
            break
    if rule is not None:
        rules.append(rule)
    if signs[_DIGIT] * 2 > len(text) - signs[_SPACE]:
        rules.append(int(Rule.DIGITS_HALF))
    return rule is not None


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yield where numbers stand that one could call, digits of any script, end exclusive."""
    for run in _DIGITS_RUN.finditer(text):
        start, end = run.span()
        is_after_dot = text.startswith(".", start - 1) and start > 0
        has_plus = text.startswith("+", start - 1) and start > 0
        start -= has_plus and not (start > 1 and (text[start - 2].isdigit() or text[start - 2] == "."))
        if end - start > _MOST_DIGITS or is_after_dot:
            yield from (match.span() for match in _PHONE.finditer(text, start, end))
        else:
            yield start, end


def _add_addresses(text: str, rules: list[int]) -> bool:
    """Add addresses and account names; return whether there is an address to write to."""
    if _HANDLE.search(text):
        rules.append(int(Rule.HANDLE))
    host = _AT_HOST.search(text)
    if not host or not _EMAIL.search(text, max(host.start() - _LONGEST_NAME, 0)):
        return False
    rules.append(int(Rule.EMAIL))
    return True


def _add_words(words: Sequence[int], rules: list[int], *, has_way: bool) -> None:
    messengers, contacts, offers = words[_MESSENGERS], words[_CONTACTS], words[_OFFERS]
    if messengers:
        rules.append(_MESSENGER_RULE)
        if has_way:
            rules.append(_MESSENGER_NUMBER_RULE)
    if contacts:
        rules.append(_CONTACT_RULE if contacts == 1 else _CONTACT_RULE + 1)
    if offers:
        rules.append(_OFFER_RULE if offers == 1 else _OFFER_RULE + 1)
        if has_way or messengers:
            rules.append(_OFFER_CONTACT_RULE)


def _add_emphasis(signs: Sequence[int], rules: list[int]) -> None:
    upper, lower = signs[_UPPER], signs[_LOWER]
    if upper > 9 and upper * 3 > lower:
        rules.append(int(Rule.CAPITALS if upper < 4 * lower else Rule.CAPITALS_ALL))
    if signs[_SHOUT] > 3:
        rules.append(int(Rule.SHOUTING))
    if signs[_PICTURE] > 2:
        rules.append(int(Rule.PICTURES if signs[_PICTURE] < 8 else Rule.PICTURES_MANY))
    if signs[_MONEY]:
        rules.append(int(Rule.MONEY if signs[_MONEY] == 1 else Rule.MONEY_MANY))


def _add_disguise(signs: Sequence[int], rules: list[int], *, latin: int) -> None:
    if signs[_HIDDEN] > 1:
        rules.append(int(Rule.HIDDEN))
    if 0 < signs[_LOOKALIKE] < latin:
        rules.append(int(Rule.LOOKALIKES))
    if signs[_STYLED] > 2:
        rules.append(int(Rule.STYLED))


def locate(text: str, rules: Sequence[int]) -> Iterator[Found]:
    """Yield where the fired rules point; rules about the whole text (such as shouting) point at nothing."""
    fired = set(rules)
    links = [rule for rule in (Rule.LINK_SHADY, Rule.LINK_SHORT, Rule.LINKS_MANY, Rule.LINK) if rule in fired]
    for rule, pattern in (
        *((rule, _LINK) for rule in links),
        (Rule.EMAIL, _EMAIL),
        (Rule.HANDLE, _HANDLE),
        (Rule.SPELLED, _SPELLED),
    ):
        if rule in fired:
            yield from (Found(*match.span(), rule) for match in pattern.finditer(text))
    for rule in (Rule.PHONE, Rule.NUMBER_LONG):
        if rule in fired:
            yield from (Found(*span, rule) for span in _numbers(text))
