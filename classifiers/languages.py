"""The language of a comment from its letters and commonest words; light enough for every comment.

Three answers matter: Arabic (its dialects and Arabizi included), English, or something the model does not know. Other
codes are given where they are plain from the script or the function words.
"""

from collections.abc import Sequence

from classifiers.lexicon import WordClass
from classifiers.signs import Sign

ARABIC, ENGLISH = "ar", "en"
UNSURE = "?"  # Latin script, and its listed words do not decide: ask `tell`
_MIN_ENGLISH = 2  # listed words
_PER_WORD = 0.4  # of the score, for each listed word
_PER_WORD_OF_FEW = 3.0  # in a text of fewer words than the next number, whose letters say little
_MIN_WORDS_FOR_DOUBT = 6
_DOUBT_OF_FEW = 0.8  # such a text is more often English with a name in it than another language
# Under plain names: what a class holds is looked up anew each time, and every comment passes here.
_LOWER, _UPPER, _MARKED = Sign.LATIN_LOWER, Sign.LATIN_UPPER, Sign.LATIN_MARKED
_ARABIC, _ARABIC_ONLY, _THEIRS = Sign.ARABIC, Sign.ARABIC_ONLY, Sign.PERSIAN_URDU
_OTHER, _LOOKALIKE = Sign.OTHER_LETTER, Sign.LOOKALIKE


def detect(signs: Sequence[int], words: Sequence[int]) -> str | None:
    """Return "ar", "en", another code, None where the language cannot be told, or UNSURE.

    `signs` counts characters by `Sign`, `words` counts words by `WordClass`, both of one text.
    """
    arabic = signs[_ARABIC] + signs[_ARABIC_ONLY] + signs[_THEIRS]
    latin = signs[_LOWER] + signs[_UPPER] + signs[_MARKED]
    other, lookalike = signs[_OTHER], signs[_LOOKALIKE]
    if other > arabic + latin or lookalike > 2 * (arabic + latin):
        return None
    if arabic * 3 >= latin:  # a text without letters too
        return _arabic_script(arabic, signs, words)
    return _latin_script(words)


def _arabic_script(arabic: int, signs: Sequence[int], words: Sequence[int]) -> str | None:
    """Tell Arabic from Persian and Urdu: their function words, else letters that Arabic does not have."""
    foreign = words[WordClass.PERSIAN] + words[WordClass.URDU]
    own = words[WordClass.ARABIC]
    has_their_letters = signs[_THEIRS] * 10 > arabic and signs[_THEIRS] > signs[_ARABIC_ONLY]
    if foreign > own + 1 + 2 * (not signs[_THEIRS]) or (has_their_letters and foreign > own):
        return "ur" if words[WordClass.URDU] > words[WordClass.PERSIAN] else "fa"
    if has_their_letters and own == 0 and words[WordClass.TOTAL] > _MIN_WORDS_FOR_DOUBT:
        return None
    return ARABIC


def _latin_script(words: Sequence[int]) -> str | None:
    english, arabizi, foreign = _listed(words)
    if english == words[WordClass.TOTAL]:  # "ok", "haha": too short for letters to tell
        return ENGLISH
    if english >= _MIN_ENGLISH and english * 4 >= words[WordClass.TOTAL] and english > arabizi + foreign:
        return ENGLISH
    return UNSURE


def _listed(words: Sequence[int]) -> tuple[int, int, int]:
    """Return how many words are English, Arabic in Latin letters, of another language."""
    english = words[WordClass.ENGLISH] + words[WordClass.THREAT_COMMON]
    return english, words[WordClass.ARABIZI], words[WordClass.FOREIGN]


def tell(
    scores: tuple[float, float], signs: Sequence[int], words: Sequence[int], hint: str | None = None
) -> str | None:
    """Return the language of a text in Latin script where `detect` was unsure; see `latin.scores`.

    `hint` is a language that somebody says it is in, ARABIC, ENGLISH or None: taken for true of a few words that tell nothing, or
    of which one might be of another language too.
    """
    found = _tell(scores, signs, words)
    says_little = words[WordClass.TOTAL] < _MIN_WORDS_FOR_DOUBT and words[WordClass.FOREIGN] <= 1
    return hint if found is None and says_little and not signs[_MARKED] else found


def _tell(scores: tuple[float, float], signs: Sequence[int], words: Sequence[int]) -> str | None:
    arabizi_score, foreign_score = scores
    english, arabizi, foreign = _listed(words)
    total = words[WordClass.TOTAL]
    of_word, doubt = (_PER_WORD_OF_FEW, _DOUBT_OF_FEW) if total < _MIN_WORDS_FOR_DOUBT else (_PER_WORD, 0.0)
    if arabizi_score + of_word * arabizi - _PER_WORD * (english + foreign) > 0:
        return ARABIC
    is_marked = signs[_MARKED] * 25 > signs[_LOWER] + signs[_MARKED]
    if total == 1:  # a name, as likely as not
        return None if foreign or is_marked else ENGLISH
    return None if foreign_score + of_word * (foreign - english) + is_marked > doubt else ENGLISH
