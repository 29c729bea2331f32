"""Everything the model looks at in a batch of comments, computed once for all of them.

Training, serving and explaining share this module, so that they cannot disagree.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers import evidence, kernel, languages, latin, lexicon, signs, threats
from classifiers.disguise import Readings, readings
from classifiers.evidence import Rule
from classifiers.lexicon import WordClass
from classifiers.ngrams import CODE_BITS, ORDERS, Words, find, of_one_text, word_runs
from classifiers.signs import Sign
from classifiers.text import MAX_CODE_POINTS, Stream, encode, fold_encoded, whole_text

BUCKET_BITS = 20
BUCKETS = 1 << BUCKET_BITS
CHECK_BITS = CODE_BITS - BUCKET_BITS  # beside the bucket, which weighs only for the n-gram that owns it
CODES = 1 << CODE_BITS
ENGLISH_ORDERS = 3  # of characters in English texts: 2 to 4; longer runs gain in Arabic only
MAX_BATCH = 128  # texts analysed at once; bounded by the bits that number them in a key
MAX_BATCH_CODE_POINTS = (
    1 << 15
)  # code points analysed at once, unless a single text has more; one may become eighteen
CHECK_BIT = BUCKET_BITS + 1
TEXT_BIT = CHECK_BIT + CHECK_BITS
_THREAT_RULE = int(Rule.THREAT)
# Under plain names: what a class holds is looked up anew each time, and every comment passes here.
_SPACE, _JOINER, _DOT, _SLASH = Sign.SPACE, Sign.JOINER, Sign.DOT, Sign.SLASH
_OTHER, _LOWER, _UPPER = Sign.OTHER, Sign.LATIN_LOWER, Sign.LATIN_UPPER
_AT, _MONEY = Sign.AT, Sign.MONEY
_THREAT = np.array(
    WordClass.THREAT, np.uint8
)  # the first of the classes of threats, which are the last of all
_AT_LETTER = re.compile(r"@[sS]{2}")  # the one word that begins so as often as an account's name
_ONLY = np.zeros(1, np.int64)
_CHECK = np.array((1 << CHECK_BITS) - 1, np.uint32)
_CHECK_PLACE, _TO_PLACE = np.array(CHECK_BIT, np.uint32), np.array(CHECK_BITS, np.uint32)
_ENGLISH = np.array(BUCKETS, np.uint32)
_PLACE = np.array((1 << CHECK_BIT) - 1, np.uint32)  # of a key, all but the text


class Arrays:
    """What was read of a batch, by NumPy."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.words, self.codes = find(stream)

    def shorten(self, english: Sequence[int]) -> None:
        """Empty the longer runs of characters of some texts."""
        _shorten(self.codes, self.stream, english)

    def lengths(self) -> list[int]:
        """Return the folded code points of each text, its leading space included."""
        return [end - start for start, end in pairwise(self.stream.starts.tolist())]

    def counted(self) -> tuple[list[list[int]], list[tuple[int, int, int]]]:
        """Return the words of each class, of each text, and (text, ways in Arabic, in English) where a threat may be."""
        classes = lexicon.classify(self.words)
        counts = lexicon.count_classes(self.words, classes, self.stream.starts.size - 1)
        told = (classes >= _THREAT).nonzero()[0]
        return counts, self._ways(told) if told.size else []

    def _ways(self, told: NDArray[np.int64]) -> list[tuple[int, int, int]]:
        arabic: dict[int, int] = {}
        english: dict[int, int] = {}
        of_arabic, of_english, folded = threats.arabic_ways(), threats.english_ways(), whole_text(self.stream)
        places = (
            values.take(told).tolist() for values in (self.words.text, self.words.start, self.words.end)
        )
        for at, start, end in zip(*places, strict=True):
            word = folded[start:end]
            arabic[at] = arabic.get(at, 0) | of_arabic.get(word, 0)
            english[at] = english.get(at, 0) | of_english.get(word, 0)
        return [(at, ways, english[at]) for at, ways in arabic.items()]

    def folded(self, text: int) -> str:
        """Return a text as folded, with a space before and after each word."""
        start, end = self.stream.starts[text : text + 2].tolist()
        return whole_text(self.stream)[start : end + 1]

    def latin(self, text: int) -> tuple[float, float]:
        """Return what letter triples say of a text; see `latin.scores`."""
        start, end = self.stream.starts[text : text + 2].tolist()
        return latin.scores(self.stream.codes[start : end + 1])

    def lead_back(self, read: Mapping[int, Readings]) -> None:
        """Let each character of a reading stand where its source stands."""
        assert self.stream.origin is not None
        for at, reading in read.items():
            start, end = self.stream.starts[at : at + 2].tolist()
            own = self.stream.origin[start + 1 : end]  # not the space before the text
            own[:] = np.array(reading.origin(), np.int64)[own]


class Compiled:
    """The same, by compiled loops; arrays are made for who asks."""

    def __init__(self, loops: kernel.Kernel, reading: kernel.Reading) -> None:
        self._loops, self.reading = loops, reading
        self.lengths, self.counted = reading.lengths, reading.counted
        self.folded, self.latin = reading.folded, reading.latin
        self._english: Sequence[int] = ()

    def shorten(self, english: Sequence[int]) -> None:
        """Empty the longer runs of characters of some texts, for who asks for codes: the loops know of it."""
        self._english = english

    def alone(self, text: str) -> "Compiled":
        """Return a text read by itself, with origins."""
        return Compiled(self._loops, self._loops.read([text], True))

    def lead_back(self, read: Mapping[int, Readings]) -> None:
        """Let each character of a reading stand where its source stands."""
        for at, reading in read.items():
            self.reading.lead_back(at, np.array(reading.origin(), np.int64))

    @cached_property
    def stream(self) -> Stream:
        """The folded texts."""
        return kernel.stream_of(self.reading)

    @cached_property
    def words(self) -> Words:
        """Their words."""
        return kernel.words_of(self.reading)

    @cached_property
    def codes(self) -> NDArray[np.uint32]:
        """The codes of `ngrams.find`, shortened."""
        codes = kernel.codes_of(self.reading)
        _shorten(codes, self.stream, self._english)
        return codes


def _shorten(codes: NDArray[np.uint32], stream: Stream, english: Sequence[int]) -> None:
    """Empty the longer runs of characters of English texts."""
    size = stream.codes.size
    for at in english:
        start, end = stream.starts[at : at + 2].tolist()
        for row in range(ENGLISH_ORDERS, ORDERS):
            codes[row * size + start : row * size + end] = 0


class Analysis(NamedTuple):
    """What was found in each text of a batch; lists follow its order.

    `language` is a code or None; `rules` are the fired evidence rules, ascending; `lengths` are code points after folding, one
    leading space included, 0 for a text without a word; `read` holds the texts with broken words.
    """

    of: Arrays | Compiled
    lengths: list[int]
    language: list[str | None]
    rules: list[list[int]]
    read: Mapping[int, Readings]

    @property
    def stream(self) -> Stream:
        """The folded texts."""
        return self.of.stream

    @property
    def words(self) -> Words:
        """Their words."""
        return self.of.words

    @property
    def codes(self) -> NDArray[np.uint32]:
        """The codes of `ngrams.find`, those of English texts without runs of 5 and 6 characters."""
        return self.of.codes


def batches(texts: Sequence[str]) -> list[slice]:
    """Cut a sequence into runs that `analyse` takes at once."""
    runs: list[slice] = []
    first = size = 0
    for at, text in enumerate(texts):
        length = min(len(text), MAX_CODE_POINTS) + 1
        if at > first and (at - first == MAX_BATCH or size + length > MAX_BATCH_CODE_POINTS):
            runs.append(slice(first, at))
            first, size = at, 0
        size += length
    if first < len(texts):
        runs.append(slice(first, len(texts)))
    return runs


def analyse(
    texts: Sequence[str],
    author_urls: Sequence[str | None] | None = None,
    *,
    with_origin: bool = False,
    hints: Sequence[str | None] | None = None,
) -> Analysis:
    """Read a batch of at least one and at most MAX_BATCH texts; for `hints` see `languages.tell`."""
    texts = [text if len(text) <= MAX_CODE_POINTS else text[:MAX_CODE_POINTS] for text in texts]
    loops = kernel.current()
    sign_counts, read, of = (
        _read_with(loops, texts, with_origin) if loops else _read_with_numpy(texts, with_origin)
    )
    word_counts, ways = of.counted()
    lengths = of.lengths()
    language = list(map(languages.detect, sign_counts, word_counts))
    for at, told in enumerate(language):
        if told is languages.UNSURE:
            hint = hints[at] if hints else None
            language[at] = languages.tell(of.latin(at), sign_counts[at], word_counts[at], hint)
    of.shorten([at for at, told in enumerate(language) if told == languages.ENGLISH])
    rules = list(map(evidence.find, texts, sign_counts, word_counts, lengths))
    for at in _threatening(of, ways, sign_counts, language):
        rules[at].append(_THREAT_RULE)
    for at, url in enumerate(author_urls or ()):
        if url:
            rules[at] = evidence.with_author_url(rules[at], url)
    return Analysis(of, lengths, language, rules, read)


_Read = tuple[list[list[int]], dict[int, Readings], Arrays | Compiled]


def _read_with_numpy(texts: list[str], with_origin: bool) -> _Read:
    """Return the signs of each text, the readings of broken words, and the texts so read."""
    raw, bounds = encode(texts)
    sign_counts, suspects = signs.read(raw, bounds)
    read = _readings(texts, suspects | _suspects(texts, sign_counts))
    if read:
        raw, bounds = encode(_as_read(texts, read))
    stream = fold_encoded(raw, bounds, with_origin=with_origin)
    of = Arrays(stream)
    if with_origin:
        of.lead_back(read)
    return sign_counts, read, of


def _read_with(loops: kernel.Kernel, texts: list[str], with_origin: bool) -> _Read:
    """Return the same, by compiled loops."""
    sign_counts, suspects = loops.scan(texts)
    read = _readings(texts, suspects)
    of = Compiled(loops, loops.read(_as_read(texts, read), with_origin))
    if with_origin:
        of.lead_back(read)
    return sign_counts, read, of


def _readings(texts: Sequence[str], suspects: Iterable[int]) -> dict[int, Readings]:
    return {at: reading for at in suspects if (reading := readings(texts[at])) is not None}


def _as_read(texts: list[str], read: Mapping[int, Readings]) -> list[str]:
    return [read[at].text if at in read else text for at, text in enumerate(texts)] if read else texts


def alone(text: str, found: Analysis, at: int) -> Analysis:
    """Return what `analyse` finds in a text by itself and with origins, from what it found in a batch of which that is one.

    For a text that came without a hint and without an author's website.
    """
    reading = found.read.get(at)
    read = {} if reading is None else {0: reading}
    as_read = text[:MAX_CODE_POINTS] if reading is None else reading.text
    of: Arrays | Compiled
    if isinstance(found.of, Compiled):
        of = found.of.alone(as_read)
        of.shorten([0] * (found.language[at] == languages.ENGLISH))
    else:
        of = Arrays.__new__(Arrays)
        of.stream = fold_encoded(*encode([as_read]), with_origin=True)
        of.words, of.codes = of_one_text(found.stream, found.words, found.codes, at)
    of.lead_back(read)
    return Analysis(of, [found.lengths[at]], [found.language[at]], [found.rules[at]], read)


def _suspects(texts: Sequence[str], sign_counts: Sequence[Sequence[int]]) -> set[int]:
    """Return the texts where a word may begin with a sign for a letter, or so much is gaps that letters may have been kept apart."""
    return {
        at
        for at, (text, counts) in enumerate(zip(texts, sign_counts, strict=True))
        if (counts[_SPACE] + counts[_JOINER] + counts[_DOT] + counts[_OTHER] + counts[_SLASH]) * 10
        > len(text) * 3
        or (counts[_MONEY] and "$" in text)
        or (counts[_AT] and _AT_LETTER.search(text))
    }


def _threatening(
    of: Arrays | Compiled,
    ways: Sequence[tuple[int, int, int]],
    sign_counts: Sequence[Sequence[int]],
    language: Sequence[str | None],
) -> Iterator[int]:
    """Yield which texts threaten somebody; `ways` are those of `counted`."""
    clues = {at: threats.Clues(arabic, arabizi=False, english=english) for at, arabic, english in ways}
    for at, counts in enumerate(sign_counts):
        if (
            language[at] == languages.ARABIC
            and (counts[_LOWER] or counts[_UPPER])
            and threats.may_be_arabizi(of.folded(at))
        ):
            clues[at] = clues.get(at, threats.NONE)._replace(arabizi=True)
    for at, clue in clues.items():
        if threats.is_made(of.folded(at), clue):
            yield at


def keys(found: Analysis) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the n-grams of a batch as sorted keys, and where each text's keys begin.

    A key is text << 25 | check << 21 | language << 20 | bucket. Places where no n-gram begins stand as bucket 0, which weighs
    nothing. Every text has at least one key.
    """
    every = found.codes & _CHECK
    every <<= _CHECK_PLACE
    every |= found.codes >> _TO_PLACE
    english = [(language == languages.ENGLISH) << BUCKET_BITS for language in found.language]
    if len(english) == 1:
        every += np.uint32(english[0])
        every.sort()
        return every, _ONLY
    base = np.array([at << TEXT_BIT | bit for at, bit in enumerate(english)], np.uint32)
    every += _of_texts(base, found)
    every = np.concatenate([every, base])
    every.sort()
    return every, np.asarray(every.searchsorted(base & ~np.uint32((1 << TEXT_BIT) - 1)), np.int64)


def owned_places(found: Analysis, owners: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the distinct n-grams of a single text that own their bucket, each as language << 20 | bucket; see `owned_keys`."""
    places = found.codes >> _TO_PLACE
    if found.language[0] == languages.ENGLISH:
        places += _ENGLISH
    is_owner = owners.take(places, mode="wrap") == found.codes.astype(np.uint8)
    owned = is_owner.nonzero()[0]
    sorted_places = np.zeros(owned.size + 1, np.uint32)
    places.take(owned, out=sorted_places[1:], mode="wrap")
    sorted_places.sort()
    distinct: NDArray[np.uint32] = sorted_places[1:][sorted_places[1:] != sorted_places[:-1]]
    return distinct


def owned_keys(found: Analysis, owners: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return those n-grams of a batch that own their bucket, as sorted keys, and where each text's keys begin.

    A key is text << 21 | language << 20 | bucket; `owners` is indexed by all but the text and holds the last byte of the code that owns
    the bucket. Told before they are sorted, which costs most; of the modes of `take` "wrap" is quickest, and none is too large. Each
    text has at least one key, of bucket 0.
    """
    english = [(language == languages.ENGLISH) << BUCKET_BITS for language in found.language]
    lowest = np.arange(len(english), dtype=np.uint32) << _CHECK_PLACE
    every = _of_texts(lowest + np.array(english, np.uint32), found)
    every += found.codes >> _TO_PLACE
    is_owner = owners.take(every & _PLACE, mode="wrap") == found.codes.astype(np.uint8)
    owned = is_owner.nonzero()[0]
    sorted_keys = np.empty(lowest.size + owned.size, np.uint32)
    sorted_keys[: lowest.size] = lowest
    every.take(owned, out=sorted_keys[lowest.size :], mode="wrap")
    sorted_keys.sort()
    return sorted_keys, sorted_keys.searchsorted(lowest)


def _of_texts(values: NDArray[np.uint32], found: Analysis) -> NDArray[np.uint32]:
    """Return for each of the codes the value of its text."""
    lengths = np.array(found.lengths)
    lengths[-1] += 1  # the last space of the stream
    of_words = values.take(found.words.text)
    return np.concatenate([*[values.repeat(lengths)] * ORDERS, *word_runs(of_words, is_end=True)])
