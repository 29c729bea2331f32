"""What a moderator would point at: links, numbers to call, addresses, offers, shouting, hidden characters.

Each rule fires or does not; the fired ones are features of the model beside the n-grams, and the only ones for a language
the model does not know. Counts of signs and words decide most of them, so that the regular expressions run on the few
texts that have something to match.
"""

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

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
    LENGTH_0 = 29
    LENGTH_1 = 30
    LENGTH_2 = 31
    LENGTH_3 = 32
    LENGTH_4 = 33
    LENGTH_5 = 34


COUNT = len(Rule)
_LENGTHS = (20, 60, 150, 400, 1000)  # code points at which the length rules change
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_TLDS = (
    "com|net|org|info|biz|co|io|me|ru|cn|xyz|top|online|site|shop|store|club|live|vip|win|bet|link|click|app|dev|ly|gl|"
    "gd|cc|tv|ws|tk|ml|ga|cf|gq|pw|icu|fun|space|website|tech|pro|us|uk|ca|de|fr|in|pk|eg|sa|ae|kw|qa|jo|lb|iq|ma|dz|tn"
)
_LINK = re.compile(
    r"(?:h(?:tt|xx)ps?\s?[:：]\s?/{1,2}|www\s?\.)[^\s<>\"'،]*"
    rf"|(?<![@\w.])(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:{_TLDS})(?![\w@])(?:[/?][^\s<>\"'،]*)?",
    re.IGNORECASE | re.ASCII,
)
_LINK_HINT = re.compile(r"\.[A-Za-z]{2}|://|www|h(?:tt|xx)ps?\s?:")
_SHORT = re.compile(
    r"(?:bit\.ly|goo\.gl|tinyurl|t\.me|telegram\.me|wa\.me|wa\.link|whatsapp\.com|is\.gd|ow\.ly|cutt\.ly|rb\.gy|shorturl|"
    r"linktr\.ee|adf\.ly|s\.id|chat\.)",
    re.IGNORECASE,
)
_SHADY = re.compile(
    r"\.(?:xyz|top|online|site|shop|club|live|vip|win|bet|click|tk|ml|ga|cf|gq|pw|icu|fun|space|cn)(?:[/?:]|$)"
    r"|casino|bet\d|1x|loan|credit|pharm|pill|viagra|cialis|escort|porn|sex|forex|crypto|coin|seo|backlink|follow",
    re.IGNORECASE,
)
_EMAIL = re.compile(
    r"[\w.+-]{2,64}\s?(?:@|\(at\)|\[at\])\s?[\w-]{2,63}\s?(?:\.|\(dot\)|\[dot\])\s?[A-Za-z]{2,10}"
)
_HANDLE = re.compile(r"(?<![\w@.])@[A-Za-z][\w.]{3,30}")
_PHONE = re.compile(r"(?<![\d.])(?:\+|00)?\d(?:[\s().\-_/]{0,2}\d){8,14}(?!\d)")
_PHONE_START = ("+", "00", "0", "1", "9")
_SPELLED = re.compile(r"(?<!\w)[^\W\d_](?:[\s.*_\-~|+•·]{1,2}[^\W\d_](?!\w)){2,}")


class Found(NamedTuple):
    """A place that a rule points at: code points of the source, end exclusive."""

    start: int
    end: int
    rule: Rule


def find(  # the two word lists and the website are what the caller has already
    text: str,
    signs: Sequence[int],
    words: Sequence[int],
    *,
    folded_length: int,
    author_url: str | None = None,
) -> list[int]:
    """Return the rules that fire, ascending.

    `signs` counts `Sign`, `words` counts `WordClass`; `folded_length` is the number of code points left after folding.
    """
    rules = _length_rules(text, signs, folded_length)
    has_way = _link_rules(text, signs, rules)
    has_way = _number_rules(text, signs, rules) or has_way
    _word_rules(words, rules, has_way=has_way)
    _sign_rules(text, signs, rules)
    if author_url and author_url.strip():
        rules.append(Rule.LINK_AUTHOR)
        if _SHADY.search(author_url) or _SHORT.search(author_url):
            rules.append(Rule.LINK_SHADY)
    return sorted(set(rules))


def _length_rules(text: str, signs: Sequence[int], folded_length: int) -> list[int]:
    rules: list[int] = [Rule.LENGTH_0 + sum(len(text) >= limit for limit in _LENGTHS)]
    letters = signs[Sign.LATIN_LOWER] + signs[Sign.LATIN_UPPER] + signs[Sign.ARABIC] + signs[Sign.ARABIC_ONLY]
    if letters > 12 and folded_length * 5 < letters * 4:
        rules.append(Rule.STRETCHED)
    return rules


def _link_rules(text: str, signs: Sequence[int], rules: list[int]) -> bool:
    """Add what links say; return whether there is one."""
    if not (signs[Sign.DOT] or signs[Sign.SLASH]) or signs[Sign.LATIN_LOWER] + signs[Sign.LATIN_UPPER] < 3:
        return False
    if not _LINK_HINT.search(text):
        return False
    links = _LINK.findall(text)
    if not links:
        return False
    rules.append(Rule.LINK)
    if len(links) > 1:
        rules.append(Rule.LINKS_MANY)
    if any(map(_SHORT.search, links)):
        rules.append(Rule.LINK_SHORT)
    if any(map(_SHADY.search, links)):
        rules.append(Rule.LINK_SHADY)
    return True


def _number_rules(text: str, signs: Sequence[int], rules: list[int]) -> bool:
    """Add numbers to call and addresses to write to; return whether there is one."""
    has_way = False
    if signs[Sign.DIGIT] >= 8:
        for match in _PHONE.finditer(text.translate(_DIGITS)):
            is_phone = match.group().startswith(_PHONE_START)
            rules.append(Rule.PHONE if is_phone else Rule.NUMBER_LONG)
            has_way = True
        if signs[Sign.DIGIT] * 2 > len(text) - signs[Sign.SPACE]:
            rules.append(Rule.DIGITS_HALF)
    if signs[Sign.AT] or "(at)" in text or "[at]" in text:
        if _EMAIL.search(text):
            rules.append(Rule.EMAIL)
            has_way = True
        if _HANDLE.search(text):
            rules.append(Rule.HANDLE)
    return has_way


def _word_rules(words: Sequence[int], rules: list[int], *, has_way: bool) -> None:
    messengers, contacts, offers = (
        words[WordClass.MESSENGER],
        words[WordClass.CONTACT],
        words[WordClass.OFFER],
    )
    if messengers:
        rules.append(Rule.MESSENGER)
        if has_way:
            rules.append(Rule.MESSENGER_NUMBER)
    if contacts:
        rules.append(Rule.CONTACT if contacts == 1 else Rule.CONTACT_MANY)
    if offers:
        rules.append(Rule.OFFER if offers == 1 else Rule.OFFER_MANY)
        if has_way or messengers:
            rules.append(Rule.OFFER_CONTACT)


def _sign_rules(text: str, signs: Sequence[int], rules: list[int]) -> None:
    upper, lower = signs[Sign.LATIN_UPPER], signs[Sign.LATIN_LOWER]
    if upper >= 10 and upper * 3 > lower:
        rules.append(Rule.CAPITALS if upper < 4 * lower else Rule.CAPITALS_ALL)
    if signs[Sign.SHOUT] >= 4:
        rules.append(Rule.SHOUTING)
    if signs[Sign.PICTURE] >= 3:
        rules.append(Rule.PICTURES if signs[Sign.PICTURE] < 8 else Rule.PICTURES_MANY)
    if signs[Sign.MONEY]:
        rules.append(Rule.MONEY if signs[Sign.MONEY] == 1 else Rule.MONEY_MANY)
    if signs[Sign.HIDDEN] >= 2:
        rules.append(Rule.HIDDEN)
    if signs[Sign.LOOKALIKE] and signs[Sign.LOOKALIKE] < lower + upper:
        rules.append(Rule.LOOKALIKES)
    if signs[Sign.STYLED] >= 3:
        rules.append(Rule.STYLED)
    if signs[Sign.SPACE] + signs[Sign.JOINER] + signs[Sign.DOT] > len(text) * 0.3 and _SPELLED.search(text):
        rules.append(Rule.SPELLED)


def locate(text: str, rules: Sequence[int]) -> Iterator[Found]:
    """Yield where the fired rules point; rules about the whole text (length, shouting) point at nothing."""
    fired = {Rule(rule) for rule in rules}
    links = [rule for rule in (Rule.LINK_SHADY, Rule.LINK_SHORT, Rule.LINKS_MANY, Rule.LINK) if rule in fired]
    digits = text.translate(_DIGITS)
    for rule, pattern, where in (
        *((rule, _LINK, text) for rule in links),
        (Rule.EMAIL, _EMAIL, text),
        (Rule.HANDLE, _HANDLE, text),
        (Rule.PHONE, _PHONE, digits),
        (Rule.NUMBER_LONG, _PHONE, digits),
        (Rule.SPELLED, _SPELLED, text),
    ):
        if rule in fired:
            yield from (Found(*match.span(), rule) for match in pattern.finditer(where))
