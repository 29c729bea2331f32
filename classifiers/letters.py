"""Tables that say what each Unicode code point becomes before scoring.

Built once at import from the stable parts of the Unicode data (characters assigned long ago; decompositions of assigned
characters never change), so that every supported Python computes the same tables; `fingerprint()` proves it at load.
"""

import hashlib
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

SIZE = 0x110000
DROPPED = 0  # what a deleted character becomes
SPACE = 32
EXPANDS = SIZE  # a table's value from here on stands for several characters: `expansions()[value - EXPANDS]`

# Blocks whose characters fold; everything else stays itself. Hangul, CJK and the Indic scripts are left alone.
_FOLDED_BLOCKS = (
    (0x0000, 0x0590),
    (0x0600, 0x0780),
    (0x08A0, 0x0900),
    (0x1D00, 0x1DC0),
    (0x1E00, 0x2000),
    (0x2000, 0x2800),
    (0x2900, 0x2C80),
    (0x3000, 0x3040),
    (0xA640, 0xA7CB),
    (0xAB30, 0xAB70),
    (0xFB00, 0xFB07),
    (0xFB50, 0xFE00),
    (0xFE10, 0xFFF0),
    (0x1D400, 0x1D800),
    (0x1EE00, 0x1EF00),
    (0x1F100, 0x1F16A),
)
# Marks and controls that carry no letter: combining marks, Arabic vowel signs, tatweel, zero-width and bidi controls,
# variation selectors, tags, skin tones.
_DROPPED_BLOCKS = (
    (0x00AD, 0x00AE),
    (0x0300, 0x0370),
    (0x0483, 0x048A),
    (0x0591, 0x05BE),
    (0x05BF, 0x05C0),
    (0x05C1, 0x05C3),
    (0x05C4, 0x05C6),
    (0x05C7, 0x05C8),
    (0x0610, 0x061B),
    (0x061C, 0x061D),
    (0x0640, 0x0641),
    (0x064B, 0x0660),
    (0x0670, 0x0671),
    (0x06D6, 0x06DE),
    (0x06DF, 0x06E9),
    (0x06EA, 0x06EE),
    (0x08D3, 0x0900),
    (0x115F, 0x1161),
    (0x17B4, 0x17B6),
    (0x180B, 0x1810),
    (0x1AB0, 0x1B00),
    (0x1DC0, 0x1E00),
    (0x200B, 0x2010),
    (0x202A, 0x202F),
    (0x2060, 0x2070),
    (0x20D0, 0x2100),
    (0x3164, 0x3165),
    (0xFE00, 0xFE10),
    (0xFE20, 0xFE30),
    (0xFEFF, 0xFF00),
    (0xFFA0, 0xFFA1),
    (0xFFF9, 0xFFFC),
    (0x1D173, 0x1D17B),
    (0x1F3FB, 0x1F400),
    (0xE0000, 0xE0080),
    (0xE0100, 0xE01F0),
)
_ARABIC_BY_NAME = {
    "ALEF": "ا", "BEH": "ب", "TEH": "ت", "THEH": "ث", "JEEM": "ج", "HAH": "ح", "KHAH": "خ", "DAL": "د", "THAL": "ذ",
    "REH": "ر", "ZAIN": "ز", "SEEN": "س", "SHEEN": "ش", "SAD": "ص", "DAD": "ض", "TAH": "ط", "ZAH": "ظ", "AIN": "ع",
    "GHAIN": "غ", "FEH": "ف", "QAF": "ق", "KAF": "ك", "LAM": "ل", "MEEM": "م", "NOON": "ن", "HEH": "ه", "WAW": "و",
    "YEH": "ي", "PEH": "ب", "TCHEH": "ج", "TCHEHEH": "ج", "DYEH": "ج", "NYEH": "ج", "JEH": "ز", "VEH": "ف",
    "PEHEH": "ف", "GAF": "ك", "NG": "ك", "KEHEH": "ك", "SWASH KAF": "ك", "GUEH": "ك", "NGOEH": "ك", "TTEH": "ت",
    "TTEHEH": "ت", "TEHEH": "ت", "BEEH": "ب", "BEHEH": "ب", "DDAL": "د", "DAHAL": "د", "DDAHAL": "د", "DUL": "د",
    "RREH": "ر", "RNOON": "ن", "NOON GHUNNA": "ن", "HEH DOACHASHMEE": "ه", "HEH GOAL": "ه", "TEH MARBUTA": "ه",
    "TEH MARBUTA GOAL": "ه", "FARSI YEH": "ي", "YEH BARREE": "ي", "E": "ي", "ALEF MAKSURA": "ي", "KASHMIRI YEH": "ي",
    "OE": "و", "U": "و", "YU": "و", "KIRGHIZ OE": "و", "KIRGHIZ YU": "و", "VE": "و", "AE": "ه", "DOTLESS BEH": "ب",
    "DOTLESS FEH": "ف", "DOTLESS QAF": "ق", "AFRICAN FEH": "ف", "AFRICAN QAF": "ق", "AFRICAN NOON": "ن",
    "ALEF WASLA": "ا", "HIGH HAMZA ALEF": "ا", "HIGH HAMZA WAW": "و", "HIGH HAMZA YEH": "ي", "HIGH HAMZA": "ء",
}  # fmt: skip
# Letters that look like Latin ones. Applied everywhere: Cyrillic and Greek are not languages this model knows, and
# language detection reads the characters as received.
_LOOKALIKE_PAIRS = """
    аa вb еe кk мm нh оo рp сc тt уy хx іi јj ѕs һh ԁd ԛq ԝw ьb пn гr ӏl ҽe ұy қk αa βb γy εe ιi κk νv οo ρp τt υu χx
    ηn ωw ıi łl øo đd ħh ŧt ɑa ɡg ɩi ɪi ʟl ɴn ʀr ʜh ʏy ʙb ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ꜱs ꜰf ƒf ǝe ɔc ɯm
    ʇt ʌv ʍw ɐa ᴉi ɹr ɥh ʎy օo սu ոn հh"""
_LOOKALIKES = {pair[0]: pair[1] for pair in _LOOKALIKE_PAIRS.split()}


_ASSIGNED_LATER = frozenset({"\u1c89", "\u1c8a", "\u2427", "\u2428", "\u2429"})
"""Characters of the blocks read here that Unicode has had since 16.0 (Python 3.14): unassigned, as models have known them."""


def category(character: str) -> str:
    """Return the general category that the character has had for every supported Python alike; `Cn` where newer ones differ."""
    return "Cn" if character in _ASSIGNED_LATER else unicodedata.category(character)


def _spread(blocks: tuple[tuple[int, int], ...]) -> NDArray[np.int64]:
    return np.concatenate([np.arange(first, last) for first, last in blocks])


def _arabic_base(character: str) -> str:
    """Return the plain letter of an Arabic-script character, by its Unicode name; itself where there is none."""
    name = unicodedata.name(character, "")
    if not name.startswith("ARABIC LETTER "):
        return character
    base = name.removeprefix("ARABIC LETTER ")
    if base == "HAMZA":
        return character
    for cut in (base, base.split(" WITH ")[0]):
        if cut in _ARABIC_BY_NAME:
            return _ARABIC_BY_NAME[cut]
    return character


@cache
def _dropped() -> frozenset[int]:
    return frozenset(_spread(_DROPPED_BLOCKS).tolist())


def _settle(character: str) -> str:
    """Fold one already decomposed character; deleted ones become the empty string."""
    if ord(character) in _dropped():
        return ""
    if unicodedata.category(character) in {"Zs", "Zl", "Zp", "Cc"}:
        return " "
    digit = unicodedata.digit(character, None)
    if digit is not None and unicodedata.category(character) == "Nd":
        return str(digit)
    character = _arabic_base(character)
    return _LOOKALIKES.get(character, character)


def _fold(code: int) -> str:
    """Fold one code point to zero or more code points, so that folding the result changes nothing."""
    if code in _dropped():
        return ""
    compatible = unicodedata.normalize("NFKC", chr(code)).casefold()
    folded = "".join(_settle(character) for character in unicodedata.normalize("NFKD", compatible))
    return folded if not compatible.startswith(" ") or len(folded.strip()) == 0 else folded.strip()


def _enclosed_letters() -> dict[int, str]:
    """Map the squared and circled Latin capitals, which Unicode does not decompose, to their letters."""
    return {first + i: chr(97 + i) for first in (0x1F130, 0x1F150, 0x1F170) for i in range(26)}


def _is_word_character(character: str) -> bool:
    """Return whether the n-gram stream keeps this character: letters, digits; pictures lie in other blocks."""
    return category(character)[0] in "LNM" or category(character) in {"Co", "Cn"}


@cache
def _folds() -> dict[int, str]:
    """Return every code point of the folded blocks that does not stay itself, with what it becomes."""
    folds: dict[int, str] = {int(code): "" for code in _spread(_DROPPED_BLOCKS)}
    for code in _spread(_FOLDED_BLOCKS).tolist():
        folded = _fold(code)
        if folded != chr(code):
            folds[code] = folded
    folds |= _enclosed_letters()
    folds |= dict.fromkeys(range(0xD800, 0xE000), " ")
    folds[0xFFFD] = " "
    return folds


@cache
def fold_table() -> NDArray[np.uint32]:
    """Return the folding of every code point: ndarray of shape (0x110000,), uint32.

    DROPPED stands for deleted characters, EXPANDS + code for those that become several.
    """
    table = np.arange(SIZE, dtype=np.uint32)
    for code, folded in _folds().items():
        table[code] = ord(folded) if len(folded) == 1 else code + EXPANDS if folded else DROPPED
    table[:SPACE] = SPACE
    table.setflags(write=False)
    return table


@cache
def word_table() -> NDArray[np.uint32]:
    """Return `fold_table()` with punctuation and symbols other than pictures turned into spaces."""
    table = fold_table().copy()
    blocks = (
        (0x21, 0x600),
        (0x600, 0x700),
        (0x2000, 0x2600),
        (0x27C0, 0x2B00),
        (0x3000, 0x3040),
        (0xFD3E, 0xFD40),
    )
    for code in _spread(blocks).tolist():
        if table[code] == code and not _is_word_character(chr(code)):
            table[code] = SPACE
    is_single = table < EXPANDS
    table[is_single] = np.where(table[is_single] == DROPPED, DROPPED, table[table[is_single]])
    table.setflags(write=False)
    return table


@cache
def expansions() -> dict[int, NDArray[np.uint32]]:
    """Return the code points that become several (ligatures, fractions, the ellipsis), with what `word_table` makes of each piece."""
    table = word_table()
    return {
        code: table.take([ord(character) for character in folded])
        for code, folded in _folds().items()
        if len(folded) > 1
    }


@cache
def fingerprint() -> str:
    """Return the SHA-256 of the tables; an artefact made with other tables is refused."""
    digest = hashlib.sha256(fold_table().tobytes())
    digest.update(word_table().tobytes())
    for code, folded in sorted(expansions().items()):
        digest.update(code.to_bytes(4, "little") + folded.tobytes())
    return digest.hexdigest()
