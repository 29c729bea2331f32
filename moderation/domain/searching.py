"""The words that a comment is found by, and what is looked for: both folded alike, whatever the spelling."""

import re

from moderation.domain.folding import fold

MAX_WORD = 60
"""Characters of a word that count."""
MAX_WANTED = 10
"""Words that one search may look for."""
MAX_QUERY = 200
_SHORTEST_PREFIX = 2

# Article, conjunction and prepositions written on to a noun; what is left must be a word still: الله keeps its letters.
_PROCLITICS = re.compile(r"^(?:[وف]?[بك]?ال|[وف]?لل)(?=\w{3})")


def words_of(text: str) -> list[str]:
    """Return each word of a text once: folded, and in Arabic without what is written on to its front (والترام → ترام)."""
    return list(dict.fromkeys(_bare(word) for word in fold(text).split()))


def write_query(wanted: list[str]) -> str:
    """Return a PostgreSQL `tsquery` for texts with all of these words of `words_of`, each also as the beginning of a longer one."""
    return " & ".join(f"'{word}'" + (":*" if len(word) >= _SHORTEST_PREFIX else "") for word in wanted)


def _bare(word: str) -> str:
    return _PROCLITICS.sub("", word)[:MAX_WORD]
