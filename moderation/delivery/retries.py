"""When a failed delivery is tried again: twelve times over about three days, then never by itself."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MINUTE_S = 60
_HOUR_S = 3600

SCHEDULE_S = (
    5,
    30,
    2 * _MINUTE_S,
    10 * _MINUTE_S,
    30 * _MINUTE_S,
    1 * _HOUR_S,
    2 * _HOUR_S,
    5 * _HOUR_S,
    10 * _HOUR_S,
    14 * _HOUR_S,
    20 * _HOUR_S,
    24 * _HOUR_S,
)
"""Seconds to wait after the first, second, … failure: 76.7 hours in all."""

MAX_ATTEMPTS = len(SCHEDULE_S) + 1
JITTER = 0.2
"""Each wait is lengthened or shortened by up to this share, so that an endpoint is not met by all waiting events at once."""

_STEPS_AHEAD = 2


def delay_s(failures: int, *, draw: float, retry_after_s: float | None = None) -> float | None:
    """Return how long to wait after so many ``failures`` (1 or more) in a row, or None when no attempt is left.

    ``draw`` is random in [0, 1). A longer ``retry_after_s`` wins, but reaches no further than two steps ahead in the schedule,
    so that no answer of an endpoint can put an event off for longer than we promise.
    """
    if failures >= MAX_ATTEMPTS:
        return None
    step = failures - 1
    wait_s = SCHEDULE_S[step] * (1 - JITTER + 2 * JITTER * draw)
    if retry_after_s is None:
        return wait_s
    latest_s = SCHEDULE_S[min(step + _STEPS_AHEAD, len(SCHEDULE_S) - 1)]
    return max(wait_s, min(retry_after_s, latest_s))


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Read ``Retry-After`` (RFC 9110 §10.2.3: seconds or a date) as seconds from ``now``; None for anything else."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
