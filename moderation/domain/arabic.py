"""What Arabic writing joins to a word: conjunctions, prepositions, the article and vocatives before it, pronouns after it.

All of it in folded letters (`folding`). An affix is taken off only where what remains is long enough to be the word itself
rather than the rest of another one: كلب stands in والكلب, but not in كلبشة, and لوط does not stand in بلوط.
"""

from collections.abc import Iterator

_CONJUNCTIONS = ("", "و", "ف")
_ARTICLES = ("ال", "بال", "كال", "لل")
_VOCATIVES = ("يا", "هال", "عال")  # يا كلب written as one; this and on the, in dialects
_PREPOSITIONS = ("ب", "ك", "ل")

_STRONG = frozenset(c + p for c in _CONJUNCTIONS for p in _ARTICLES)
_MEDIUM = frozenset(c + p for c in _CONJUNCTIONS for p in _VOCATIVES)
_WEAK = frozenset(c + p for c in _CONJUNCTIONS for p in ("", *_PREPOSITIONS)) - {""}
PREFIXES = _STRONG | _MEDIUM | _WEAK
"""Every way in which a word may begin before it begins."""

_LONG_PRONOUNS = frozenset({"ها", "هم", "هن", "هما", "كم", "كن", "كما", "نا"})
_PRONOUNS = _LONG_PRONOUNS | {"ه", "ك", "ي"}
MAX_PREFIX = max(map(len, PREFIXES))
MAX_SUFFIX = max(map(len, _PRONOUNS))

INNOCENT = frozenset(
    {
        "بلوط",  # oak: not ب and لوط
        "فخرا",  # proudly: not ف and خرا
        "وزنا",  # in weight: not و and زنا
        "ياباني",
        "ياسمين",
        "ياسين",
        "ياقوت",
    }
)
"""Common words that only look like a prefix and another word."""


def may_begin(prefix: str, word: str) -> bool:
    """Tell whether ``prefix``, one of `PREFIXES` or none, may be taken off before ``word``."""
    if not prefix:
        return True
    if prefix + word in INNOCENT:
        return False
    shortest = 2 if prefix in _STRONG else 3
    return len(word) >= shortest and is_arabic(word)


def suffixes(word: str, *, has_prefix: bool) -> Iterator[str]:
    """Yield the pronouns with which ``word`` ends and that may be taken off.

    One letter needs four before it, for three letters and one more are too often another word (ثورة is not ثور); a
    pronoun of two needs three. A word of three letters takes a prefix or a pronoun, not both.
    """
    for length in range(1, MAX_SUFFIX + 1):
        suffix = word[-length:]
        shortest = 4 if length == 1 or has_prefix else 3
        if suffix in _PRONOUNS and len(word) - length >= shortest and is_arabic(word):
            yield suffix


def is_arabic(word: str) -> bool:
    """Tell whether a folded word begins with an Arabic letter."""
    return "\u0620" <= word[:1] <= "\u06ff"
