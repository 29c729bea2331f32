"""Languages that the prior takes a site's texts for, and that they are not in: there its word is noise.

Portuguese looks like English to a list of English words, and Persian like Arabic, above all in short comments.
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence

from classifiers import lexicon
from classifiers.analysis import analyse, batches
from classifiers.lexicon import WordClass
from classifiers.site.labels import LabelledText

_LISTED = {"ar": WordClass.ARABIC, "en": WordClass.ENGLISH}
_MIN_LISTED = {"ar": 0.05, "en": 0.4}
"""Of all words; real corpora have .15 and .51 or more, Portuguese and Indonesian taken for English .24 and .23."""
_MAY_LACK = frozenset({"ar"})  # Arabic in Latin letters holds none of the listed words
_MOST_READ = 500  # texts; the first ones tell


def foreign_keys(
    rows: Sequence[LabelledText], keys: Sequence[str], known: Container[str], called: Mapping[str, str]
) -> frozenset[str]:
    """Return the keys of known languages that are others in truth.

    Either the rows call them otherwise (`called`), or nobody says and the texts hold few of the language's commonest words. For
    Arabic, which may be written in Latin letters, more rows must be in languages that the prior does not know, too.
    """
    counts = Counter(keys)
    unknown = sum(count for key, count in counts.items() if key not in known)
    found = set()
    for key in (key for key in counts if key in known):
        if called.get(key, key) != key:
            found.add(key)
        elif key in called or key not in _LISTED or (key in _MAY_LACK and unknown <= counts[key]):
            continue
        else:
            texts = [row.text for row, own in zip(rows, keys, strict=True) if own == key][:_MOST_READ]
            if _listed(texts, _LISTED[key]) < _MIN_LISTED[key]:
                found.add(key)
    return frozenset(found)


def _listed(texts: Sequence[str], word_class: int) -> float:
    """Return the share of words that are listed for a class."""
    listed = total = 0
    for run in batches(texts):
        words = analyse(texts[run]).words
        counts = lexicon.count_classes(words, lexicon.classify(words), run.stop - run.start)
        listed += sum(one[word_class] for one in counts)
        total += sum(one[WordClass.TOTAL] for one in counts)
    return listed / total if total else 0.0
