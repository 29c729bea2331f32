"""How long each kind of data is kept: a clock of its own for each, per instance, and per site where it chooses otherwise."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from moderation.domain.configuration import JsonReader

MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that each kind is kept at least; 0: it goes with the next round. What each covers: docs/admins.md."""

    address: int = 14
    """IP address and browser, from the comment's receipt."""
    email: int = 365
    """The readable (sealed) e-mail address, from the comment's receipt; its keyed hash stays with the text."""
    rejected: int = 90
    """Text and author of rejected comments, from the rejection; earlier texts of edited ones, from the edit."""
    withdrawn: int = 30
    """Text and author of withdrawn comments, from the withdrawal."""
    events: int = 30
    """Events in the feed."""
    attempts: int = 30
    """Attempts to deliver an event."""
    dead_letters: int = 90
    """Events that were given up."""
    label_identity: int = 90
    """Who wrote and who judged a labelled text."""
    labels: int = 1095
    """Labelled texts."""
    audit: int = 1095
    """What admins and moderators did, and which of them decided."""
    receipts: int = 90
    """By what the words of Akismet's and Coral's clients are matched to a comment, from the comment's receipt."""
    usage: int = 1095
    """Calls of Akismet's clients, counted by day and blog."""
    authors: int = 730
    """How often people approved and rejected an author, from the last decision; not whom a person trusted or blocked."""
    removed_site: int = 90
    """Texts and authors of all comments of a removed site, from its removal."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``address=7,email=180``; clocks left out keep their defaults. Raises `ValueError`."""
        given: dict[str, int] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, days = part.partition("=")
            if name not in CLOCKS or not (days.isascii() and days.isdigit()) or int(days) > MOST_DAYS:
                raise ValueError(f"must be clock=days; days 0 to {MOST_DAYS}, clocks " + ", ".join(CLOCKS))
            given[name] = int(days)
        return cls(**given)

    def __str__(self) -> str:
        """Write what `parse` reads."""
        return ",".join(f"{name}={days}" for name, days in asdict(self).items())

    def overridden_by(self, chosen: Mapping[str, int]) -> Self:
        """Return these clocks with those that a site chose."""
        return replace(self, **{name: days for name, days in chosen.items() if name in CLOCKS})


CLOCKS = tuple(field.name for field in fields(Retention))


def read_chosen(reader: JsonReader, key: str) -> dict[str, int]:
    """Read a site's own clocks at ``key``, noting every fault; a site that chooses none has none of its own."""
    if not reader.has(key):
        return {}
    nested = reader.nested(key)
    chosen: dict[str, Any] = {
        name: nested.whole(name, 0, low=0, high=MOST_DAYS) for name in CLOCKS if nested.has(name)
    }
    nested.refuse_unknown()
    return chosen
