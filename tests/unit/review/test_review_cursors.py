"""Cursors of the queue."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.errors import MalformedRequestError
from moderation.domain.task import QueueOrder
from moderation.protocols.cursors import read_cursor, write_cursor
from moderation.review.queue import START, Position

positions = st.builds(Position, st.integers(-(2**63), 2**63 - 1), st.uuids())


@given(st.sampled_from(QueueOrder), positions)
def test_a_cursor_leads_back_to_its_position(order: QueueOrder, position: Position) -> None:
    assert read_cursor(order, write_cursor(order, position)) == position


def test_without_a_cursor_the_queue_begins_at_its_start() -> None:
    assert read_cursor(QueueOrder.OLDEST, None) == START


@given(st.text(max_size=80))
def test_whatever_is_written_leads_to_a_position_or_is_refused(written: str) -> None:
    with suppress(MalformedRequestError):
        assert isinstance(read_cursor(QueueOrder.OLDEST, written), Position)


@pytest.mark.parametrize(
    "written", ["", "x", "AAAA", "صفحة", write_cursor(QueueOrder.OLDEST, START) + "AAAA"]
)
def test_what_was_never_given_out_is_refused(written: str) -> None:
    with pytest.raises(MalformedRequestError) as caught:
        read_cursor(QueueOrder.OLDEST, written)
    assert caught.value.context == {"parameter": "cursor"}


def test_a_cursor_of_another_order_is_refused() -> None:
    with pytest.raises(MalformedRequestError):
        read_cursor(QueueOrder.ABUSE, write_cursor(QueueOrder.OLDEST, START))
