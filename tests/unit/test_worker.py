"""How a worker takes leave of those who knock at its door."""

import socket
import sys
from collections.abc import Iterator

import pytest

from moderation import worker


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with worker.listening_socket("127.0.0.1", 0) as one:
        one.listen()
        yield one


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a queue of none still takes one in")
def test_who_knocked_before_comes_in_and_who_knocks_after_is_not_answered(listening: socket.socket) -> None:
    with socket.create_connection(listening.getsockname()), socket.create_connection(listening.getsockname()):
        worker._hear_no_knock(listening)
        with pytest.raises(TimeoutError):
            socket.create_connection(listening.getsockname(), timeout=0.2)
        knocked = worker._accept_all(listening)
        assert len(knocked) == 2
        for connection in knocked:
            connection.close()
