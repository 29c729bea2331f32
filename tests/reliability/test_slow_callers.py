"""Whoever connects and says nothing, or not all of it, holds a connection for a bounded time."""

import asyncio
from pathlib import Path

import pytest

from tests.program import free_port, started

KEEP_ALIVE_S = 5
CLOSED_WITHIN_S = 60.0
ASKS = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_a_connection_without_a_whole_request_is_ended(tmp_path: Path) -> None:
    port = free_port()
    async with started(tmp_path / "data", port=port, keep_alive_s=str(KEEP_ALIVE_S)):
        heard = await asyncio.gather(
            listened(port, b""),
            listened(port, b"POST /v1/com"),
            listened(port, b"POST /v1/comments HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"),
            listened(port, b"POST /v1/comments HTTP/1.1\r\nHost: x\r\n", trickle=b"X-A: b\r\n"),
            listened(port, ASKS),
        )
        assert [answer[:12] for answer in heard] == [b"", b"", b"", b"", b"HTTP/1.1 200"]


async def listened(port: int, sent: bytes, trickle: bytes = b"") -> bytes:
    """Send that, and more of it every second; return what came until the server ended the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = bytearray()
    async with asyncio.timeout(CLOSED_WITHIN_S):
        while True:
            try:
                piece = await asyncio.wait_for(reader.read(4096), 1.0)
            except TimeoutError:
                writer.write(trickle)
                continue
            except ConnectionError:
                piece = b""
            if not piece:
                writer.close()
                return bytes(answer)
            answer += piece
