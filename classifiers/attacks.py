"""Ways to disguise a text from a filter, for measuring how much recall they cost.

Each attack is a function of a text and a random generator; the words stay readable for a person.
"""

from collections.abc import Callable, Mapping
from random import Random

Attack = Callable[[str, Random], str]
_LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"})
_SIGNED = str.maketrans({"a": "@", "s": "$", "i": "!"})
_LOOKALIKES = str.maketrans("aceopxyiAEOPTHKMBC", "асеорхуіАЕОРТНКМВС")
_PERSIAN = str.maketrans("كيهى", "کیہی")
_HIDDEN = "\u200b\u200c\u200d\u2060\u00ad\ufeff"
_MARKS = "\u064b\u064c\u064e\u064f\u0650\u0651\u0652"


def _words(text: str, random: Random, change: Callable[[str], str], *, share: float = 0.7) -> str:
    """Change most words of three letters and more."""
    return " ".join(
        change(word) if len(word) > 2 and word.isalpha() and random.random() < share else word
        for word in text.split()
    )


def hidden_characters(text: str, random: Random) -> str:
    """Put zero-width characters between letters."""
    return _words(text, random, lambda word: "".join(letter + random.choice(_HIDDEN) for letter in word))


def bidi_controls(text: str, random: Random) -> str:
    """Wrap words in direction overrides that leave them as they look."""
    return _words(text, random, lambda word: f"\u2068{word[:1]}\u200e{word[1:]}\u2069")


def lookalikes(text: str, random: Random) -> str:
    """Write Cyrillic for Latin letters, Persian for Arabic ones."""
    return _words(text, random, lambda word: word.translate(_LOOKALIKES).translate(_PERSIAN))


def dotted(text: str, random: Random) -> str:
    """Put a dot between all letters of some words."""
    return _words(text, random, ".".join, share=0.5)


def starred(text: str, random: Random) -> str:
    """Put one star into some words."""
    return _words(text, random, lambda word: word[: len(word) // 2] + "*" + word[len(word) // 2 :], share=0.6)


def spaced(text: str, random: Random) -> str:
    """Put a space between all letters of some words."""
    return _words(text, random, " ".join, share=0.4)


def digits_for_letters(text: str, random: Random) -> str:
    """Write digits for Latin letters inside words."""
    return _words(text, random, lambda word: word[0] + word[1:-1].lower().translate(_LEET) + word[-1])


def signs_for_letters(text: str, random: Random) -> str:
    """Write signs for Latin letters inside words."""
    return _words(text, random, lambda word: word[0] + word[1:-1].lower().translate(_SIGNED) + word[-1])


def stretched(text: str, random: Random) -> str:
    """Repeat a letter of each word."""

    def change(word: str) -> str:
        at = random.randrange(len(word))
        return word[:at] + word[at] * random.randint(3, 7) + word[at + 1 :]

    return _words(text, random, change)


def tatweel_and_marks(text: str, random: Random) -> str:
    """Stretch Arabic words with tatweel and strew vowel signs; other scripts get combining marks."""

    def change(word: str) -> str:
        marks = _MARKS + "\u0640" if "\u0600" < word[0] < "\u0700" else "\u0301\u0336"
        return "".join(letter + random.choice(marks) for letter in word)

    return _words(text, random, change)


def styled(text: str, random: Random) -> str:
    """Write Latin letters in mathematical bold, Arabic ones in presentation forms."""

    def letter(character: str) -> str:
        if "a" <= character <= "z":
            return chr(0x1D41A + ord(character) - 97)
        return {"ا": "ﺍ", "ب": "ﺒ", "ل": "ﻠ", "ك": "ﻜ", "م": "ﻤ", "ه": "ﻬ", "ي": "ﻴ", "ن": "ﻨ", "ر": "ﺮ"}.get(
            character, character
        )

    return _words(text, random, lambda word: "".join(map(letter, word)))


ATTACKS: Mapping[str, Attack] = {
    attack.__name__: attack
    for attack in (
        hidden_characters,
        bidi_controls,
        lookalikes,
        dotted,
        starred,
        spaced,
        digits_for_letters,
        signs_for_letters,
        stretched,
        tatweel_and_marks,
        styled,
    )
}
