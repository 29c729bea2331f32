"""Where a comment stands with its site, and how one attempt changes that. Pure: the ledger reads and writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from moderation.delivery.endpoint import Answer, Outcome


@dataclass(frozen=True, slots=True)
class Lease:
    """A comment that is ours to serve until ``until``; ``attempts`` failed so far at its lowest undelivered event."""

    comment_id: UUID
    site_id: int
    next_sequence: int
    attempts: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a site wants its events; ``url`` is None once it wants none."""

    url: str | None = field(repr=False)
    sealed_secrets: tuple[bytes, ...] = field(repr=False)
    language: str
    may_be_private: bool


@dataclass(frozen=True, slots=True)
class Parcel:
    """An event and where it goes; ``row`` is None where there is nothing to send up to and including ``sequence``."""

    lease: Lease
    sequence: int
    row: Mapping[str, Any] | None
    destination: Destination


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a parcel; ``answer`` is None where nothing was sent, ``retry_at`` None where the event is done with."""

    parcel: Parcel
    answer: Answer | None
    attempted_at: datetime
    retry_at: datetime | None

    @property
    def is_delivered(self) -> bool:
        """Tell whether the site took the event."""
        return self.answer is not None and self.answer.outcome == Outcome.DELIVERED

    @property
    def is_dead(self) -> bool:
        """Tell whether the event is to be given up."""
        return self.answer is not None and not self.is_delivered and self.retry_at is None


@dataclass(frozen=True, slots=True)
class Standing:
    """A row of ``deliveries``: where a comment stands."""

    next_sequence: int
    attempts: int
    next_attempt_at: datetime
    first_due_at: datetime


def standing_after(
    result: Result, standing: Standing, *, last_sequence: int | None, now: datetime
) -> Standing | None:
    """Return where the comment stands after ``result``; None once its site has heard everything.

    ``last_sequence`` is the comment's newest event, read under its row lock; None if the comment is no more. A standing that
    somebody else moved meanwhile (our lease ran out, or dead letters were put back) stays as it is; only a success counts
    even after the lease ran out.
    """
    lease = result.parcel.lease
    is_ours = standing.next_attempt_at == lease.until
    if standing.next_sequence != lease.next_sequence or not (is_ours or result.is_delivered):
        return standing
    if result.retry_at is not None:
        return Standing(standing.next_sequence, standing.attempts + 1, result.retry_at, standing.first_due_at)
    if last_sequence is not None and last_sequence > result.parcel.sequence:
        return Standing(result.parcel.sequence + 1, 0, now, now)
    return None
