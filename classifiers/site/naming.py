"""What the languages that were told apart are called on a site, and which of them are one language in truth."""

from collections import Counter
from collections.abc import Sequence

from classifiers.site.labels import LabelledText

_SAID_BY = 0.8  # of a language's rows that state a language must state this one
_ONE_LANGUAGE = 0.95  # of all rows that state one: then the site writes in that one
_MIN_ROWS = 30


def names(rows: Sequence[LabelledText], keys: Sequence[str]) -> dict[str, str]:
    """Return for each key of `language_keys` what the site's rows call it, where they agree."""
    stated: dict[str, Counter[str]] = {}
    for row, key in zip(rows, keys, strict=True):
        if row.language is not None:
            stated.setdefault(key, Counter())[row.language] += 1
    found = {}
    for key, counts in stated.items():
        name, count = counts.most_common(1)[0]
        if counts.total() >= _MIN_ROWS and count >= _SAID_BY * counts.total():
            found[key] = name
    return found


def main_key(rows: Sequence[LabelledText], keys: Sequence[str]) -> str | None:
    """Return the key of the only language that a site writes in, None where it writes in several."""
    stated = Counter(row.language for row in rows if row.language is not None)
    if not stated:
        key, count = Counter(keys).most_common(1)[0]
        return key if count >= _ONE_LANGUAGE * len(keys) else None
    language, count = stated.most_common(1)[0]
    if count < _ONE_LANGUAGE * stated.total():
        return None
    return Counter(key for row, key in zip(rows, keys, strict=True) if row.language == language).most_common(
        1
    )[0][0]


def aliases(rows: Sequence[LabelledText], keys: Sequence[str], least: int) -> dict[str, str]:
    """Return rare keys, of fewer rows than `least`, that the rows of a site of one language state to be that language.

    Short texts are easily taken for another language; where a person said which it is, that one's head scores them.
    """
    main = main_key(rows, keys)
    called = names(rows, keys).get(main or "")
    if main is None or called is None:
        return {}
    agreeing = Counter(key for row, key in zip(rows, keys, strict=True) if row.language == called)
    return {
        key: main
        for key, count in Counter(keys).items()
        if key != main and count < least and agreeing[key] >= _SAID_BY * count
    }
