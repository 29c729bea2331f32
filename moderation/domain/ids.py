"""Identifiers: UUIDv7 for what grows, short names for sites."""

import re
from datetime import datetime, timedelta
from typing import NewType
from uuid import UUID

import uuid_utils

CommentId = NewType("CommentId", UUID)
ClaimId = NewType("ClaimId", UUID)
ModeratorId = NewType("ModeratorId", UUID)
SiteId = NewType("SiteId", int)
"""The site's row number, used inside only; people and URLs use its name."""

SITE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def new_uuid() -> UUID:
    """Return a fresh UUIDv7 (RFC 9562 §5.7): sorts by the millisecond it was made in."""
    return UUID(int=uuid_utils.uuid7().int)


def new_comment_id() -> CommentId:
    """Return a fresh comment's id."""
    return CommentId(new_uuid())


def new_hex() -> str:
    """Return a fresh UUIDv7 as 32 hex digits."""
    return uuid_utils.uuid7().hex


def first_uuid(moment: datetime) -> UUID:
    """Return a bound below every UUIDv7 made at ``moment`` or later, and above all made before its millisecond."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def earlier(bound: UUID, duration: timedelta) -> UUID:
    """Return a bound that lies ``duration`` before the time of a UUIDv7, no lower than the least UUID."""
    return UUID(int=max((bound.int >> 80) - int(duration.total_seconds() * 1000), 0) << 80)


def parse_uuid(text: str) -> UUID | None:
    """Read a UUID in its usual written form; None for anything else."""
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None
