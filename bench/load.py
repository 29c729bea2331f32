"""A load generator that costs little: prepared requests over raw sockets, closed loop (each connection waits for its answer).

Runs in a process of its own, so that its work is not counted as the server's.
"""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Load:
    """What to send where: each body once, in turn, over ``connections`` connections."""

    host: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...]
    bodies: tuple[bytes, ...]
    connections: int = CONNECTIONS


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: requests a second, answers by status, and latencies in milliseconds, sorted."""

    rate: float
    statuses: dict[int, int]
    latencies_ms: tuple[float, ...]

    def percentile(self, q: float) -> float:
        """Return the latency below which a share ``q`` of the answers came."""
        return self.latencies_ms[min(int(q * len(self.latencies_ms)), len(self.latencies_ms) - 1)]


def run(load: Load) -> Result:
    """Send the load from a new process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_run, (load,))


def _run(load: Load) -> Result:
    return asyncio.run(_closed_loop(load))


async def _closed_loop(load: Load) -> Result:
    requests = iter([_request(load, body) for body in load.bodies])
    statuses: dict[int, int] = {}
    latencies: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*(_connection(load, requests, statuses, latencies) for _ in range(load.connections)))
    elapsed_s = time.perf_counter() - started
    return Result(len(latencies) / elapsed_s, statuses, tuple(sorted(latencies)))


def _request(load: Load, body: bytes) -> bytes:
    head = f"POST {load.path} HTTP/1.1\r\nHost: {load.host}\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in load.headers)
    return head.encode() + b"\r\n" + body


async def _connection(
    load: Load, requests: Iterator[bytes], statuses: dict[int, int], latencies: list[float]
) -> None:
    reader, writer = await asyncio.open_connection(load.host, load.port)
    try:
        for request in requests:
            sent = time.perf_counter()
            writer.write(request)
            status = await _answer(reader)
            latencies.append((time.perf_counter() - sent) * 1000)
            statuses[status] = statuses.get(status, 0) + 1
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    at = lower.index(b"content-length:") + 15
    await reader.readexactly(int(lower[at : lower.index(b"\r\n", at)]))
    return int(head[9:12])


def comments(count: int, *, start: int = 0, texts: Sequence[str]) -> tuple[bytes, ...]:
    """Make varied comments: distinct authors and addresses, some dozens of threads, texts in turn with a number in them."""
    return tuple(_comment(number, texts[number % len(texts)]) for number in range(start, start + count))


def _comment(number: int, text: str) -> bytes:
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    body = {
        "external_id": f"c{number}",
        "thread": {
            "id": f"t{number % 97}",
            "url": f"https://news.example/{number % 97}",
            "title": "عنوان الخبر",
        },
        "author": {"name": f"قارئ {number}", "email": f"reader{number}@example.com", "ip": address},
        "text": f"{text} {number}",
    }
    return json.dumps(body, ensure_ascii=False).encode()
