"""Where an open task stands in the queue, as integers: the smallest is reviewed first.

One integer per order keeps listing and claiming as quick at a million tasks as at a thousand: the index is the order.
"""

import itertools
from datetime import UTC, datetime

from moderation.domain.values import Value

_AGE_BITS = 49
"""Milliseconds since 1970 and a counter of 128: until the year 2109. Before, there was one bit less, and one more of level: those
ranks keep their place among these, to within a level."""
_LEVELS = (1 << 63 - _AGE_BITS) - 1
_counter = itertools.count()


class Ranks(Value, frozen=True):
    """Positions in the three orders, each below 2**63; ties are broken by age, and within a microsecond by a counter."""

    oldest: int
    abuse: int
    uncertain: int


def rank(received_at: datetime, *, abuse: float | None, spam: float | None) -> Ranks:
    """Place a task: oldest first; most abusive first; least certain first (nearest to 0.5; unscored ones before all)."""
    micros, number = int(received_at.timestamp() * 1_000_000), next(_counter)
    age = (micros // 1000 << 7) | (number & 0x7F)
    abuse_margin, spam_margin = _margin(abuse), _margin(spam)
    if abuse_margin is None or spam_margin is None:
        certainty = 2 * (abuse_margin or spam_margin or 0.0)
    else:
        certainty = 2 * min(abuse_margin, spam_margin)
    return Ranks(
        oldest=(micros << 11) | (number & 0x7FF),
        abuse=_level(0.5 if abuse is None or abuse_margin is None else 1.0 - abuse) << _AGE_BITS | age,
        uncertain=_level(certainty) << _AGE_BITS | age,
    )


def received_at(oldest: int) -> datetime:
    """Return when the task with that `Ranks.oldest` was received."""
    return datetime.fromtimestamp((oldest >> 11) / 1_000_000, UTC)


def _margin(score: float | None) -> float | None:
    """Return how far a score is from either side; None where there is none (NaN is none)."""
    return None if score is None or score != score else abs(score - 0.5)  # noqa: PLR0124


def _level(share: float) -> int:
    return round(min(max(share, 0.0), 1.0) * _LEVELS)
