"""What the languages that were told apart are called on a site, and which of them are one language in truth."""

from collections import Counter
from collections.abc import Container, Sequence

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


def main_key(rows: Sequence[LabelledText], keys: Sequence[str], foreign: Container[str] = ()) -> str | None:
    """Return the key of the only language that a site writes in, None where it writes in several; `foreign` ones are none."""
    stated = Counter(row.language for row in rows if row.language is not None)
    if not stated:
        told = Counter(key for key in keys if key not in foreign)
        key, count = told.most_common(1)[0] if told else ("", 0)
        return key if told and count >= _ONE_LANGUAGE * told.total() else None
    language, count = stated.most_common(1)[0]
    if count < _ONE_LANGUAGE * stated.total():
        return None
    return Counter(key for row, key in zip(rows, keys, strict=True) if row.language == language).most_common(
        1
    )[0][0]


def aliases(
    rows: Sequence[LabelledText], keys: Sequence[str], least: int, foreign: Container[str] = ()
) -> dict[str, str]:
    """Return the keys that are the one language of a site in truth: foreign ones, and rare ones that the rows state to be it.

    Short texts are easily taken for another language; where a person said which it is, that one's head scores them. Rare is fewer
    rows than `least`.
    """
    main = main_key(rows, keys, foreign)
    if main is None:
        return {}
    called = names(rows, keys).get(main)
    agreeing = Counter(
        key for row, key in zip(rows, keys, strict=True) if called is not None and row.language == called
    )
    return {
        key: main
        for key, count in Counter(keys).items()
        if key != main
        and (key in foreign or (called is not None and count < least and agreeing[key] >= _SAID_BY * count))
    }
