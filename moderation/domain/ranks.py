"""Where an open task stands in the queue, as integers: the smallest is reviewed first.

One integer per order keeps listing and claiming as quick at a million tasks as at a thousand: the index is the order.
"""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime

from moderation.domain.values import quick

_LEVELS = (1 << 15) - 1
_counter = itertools.count()


@quick
@dataclass(frozen=True, slots=True)
class Ranks:
    """Positions in the three orders, each below 2**63; ties are broken by age, and within a microsecond by a counter."""

    oldest: int
    abuse: int
    uncertain: int


def rank(received_at: datetime, *, abuse: float | None, spam: float | None) -> Ranks:
    """Place a task: oldest first; most abusive first; least certain first (nearest to 0.5; unscored ones before all)."""
    micros = int(received_at.timestamp() * 1_000_000)
    age = (micros // 1000 << 7) | (next(_counter) & 0x7F)
    known = [p for p in (abuse, spam) if p is not None and p == p]  # noqa: PLR0124 - NaN is no score
    certainty = min([abs(p - 0.5) * 2 for p in known], default=0.0)
    return Ranks(
        oldest=(micros << 11) | (next(_counter) & 0x7FF),
        abuse=_level(1.0 - (0.5 if abuse is None or abuse != abuse else abuse)) << 48 | age,  # noqa: PLR0124
        uncertain=_level(certainty) << 48 | age,
    )


def received_at(oldest: int) -> datetime:
    """Return when the task with that `Ranks.oldest` was received."""
    return datetime.fromtimestamp((oldest >> 11) / 1_000_000, UTC)


def _level(share: float) -> int:
    return round(min(max(share, 0.0), 1.0) * _LEVELS)
