"""Positions in the queue as opaque text."""

import base64
import binascii
import struct
from uuid import UUID

from moderation.domain.details import detail
from moderation.domain.errors import MalformedRequestError
from moderation.domain.task import QueueOrder
from moderation.review.queue import START, Position

_FORM = struct.Struct(">Bq16s")
_ORDERS = list(QueueOrder)


def write_cursor(order: QueueOrder, position: Position) -> str:
    """Write a position; it holds for the same order alone."""
    packed = _FORM.pack(_ORDERS.index(order), position.rank, position.comment_id.bytes)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(order: QueueOrder, written: str | None) -> Position:
    """Read what `write_cursor` wrote; the start where there is none. Raises `MalformedRequestError` for anything else."""
    if written is None:
        return START
    try:
        packed = base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
        number, rank, comment_id = _FORM.unpack(packed)
    except (binascii.Error, ValueError, struct.error):
        number, rank, comment_id = -1, 0, bytes(16)
    if number != _ORDERS.index(order):
        raise MalformedRequestError(detail("parameter_cursor"), parameter="cursor")
    return Position(rank, UUID(bytes=comment_id))
