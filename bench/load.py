"""A load generator that costs little: prepared requests over raw sockets and `epoll`, some 15 µs of CPU a request.

Runs in a process of its own, so that its work is not counted as the server's. Closed loop: each connection sends its next
request when the answer to the one before has come. Open loop: requests fall due at random moments (Poisson) whatever the
server does, and their time counts from when they were due, so that a stalled server cannot hide its stall.
"""

import json
import multiprocessing
import random
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import accumulate

CONNECTIONS = 64
MAX_OPEN_CONNECTIONS = 512
"""In the open loop; requests that fall due while all are busy wait, and their wait counts."""
SILENCE_S = 30.0
_RECEIVED = 1 << 16


@dataclass(frozen=True, slots=True)
class Load:
    """What to send where: each body once, in turn, over ``connections`` connections; ``rate`` a second, or closed loop."""

    host: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...]
    bodies: tuple[bytes, ...]
    connections: int = CONNECTIONS
    rate: float | None = None
    own_headers: tuple[tuple[str, str], ...] = ()
    """One more header for each body, such as its signature; none where empty."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: requests a second, answers by status, latencies in milliseconds, sorted, and CPU seconds spent."""

    rate: float
    statuses: dict[int, int]
    latencies_ms: tuple[float, ...]
    cpu_s: float

    def percentile(self, q: float) -> float:
        """Return the latency below which a share ``q`` of the answers came."""
        return self.latencies_ms[min(int(q * len(self.latencies_ms)), len(self.latencies_ms) - 1)]


def run(load: Load) -> Result:
    """Send the load from a new process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        return processes.submit(_run, load).result()


def _run(load: Load) -> Result:
    own = load.own_headers or ((),) * len(load.bodies)
    requests = [_request(load, body, header) for body, header in zip(load.bodies, own, strict=True)]
    client = _Client(load)
    try:
        cpu_s, started = time.process_time(), time.perf_counter()
        if load.rate is None:
            client.closed_loop(requests)
        else:
            client.open_loop(requests, load.rate)
        elapsed_s = time.perf_counter() - started
        return Result(
            len(client.latencies_ms) / elapsed_s,
            client.statuses,
            tuple(sorted(client.latencies_ms)),
            time.process_time() - cpu_s,
        )
    finally:
        client.close()


class _Client:
    """Connections that are idle or wait for one answer each."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._since: dict[int, float] = {}
        self._partial: dict[int, bytes] = {}
        self._closing: set[int] = set()
        self.statuses: dict[int, int] = {}
        self.latencies_ms: list[float] = []

    def close(self) -> None:
        for connection in self._sockets.values():
            connection.close()
        self._poll.close()

    def closed_loop(self, requests: Sequence[bytes]) -> None:
        waiting = iter(requests)
        for _, request in zip(range(self._load.connections), waiting, strict=False):
            self._send(self._connect(), request, time.perf_counter())
        while self._since:
            for number in self._answered(SILENCE_S):
                request = next(waiting, b"")
                if request:
                    self._send(number, request, time.perf_counter())

    def open_loop(self, requests: Sequence[bytes], rate: float) -> None:
        draw = random.Random(1)
        begin = time.perf_counter() + 0.05
        moments = accumulate((draw.expovariate(rate) for _ in requests), initial=begin)
        due = deque(zip(moments, requests, strict=False))
        idle = [self._connect() for _ in range(self._load.connections)]
        while due or self._since:
            now = time.perf_counter()
            while due and due[0][0] <= now and (idle or len(self._sockets) < MAX_OPEN_CONNECTIONS):
                moment, request = due.popleft()
                self._send(idle.pop() if idle else self._connect(), request, moment)
            pause_s = max(due[0][0] - time.perf_counter(), 0.0) if due else SILENCE_S
            idle += self._answered(pause_s if due and due[0][0] > now else SILENCE_S)

    def _connect(self) -> int:
        connection = socket.create_connection((self._load.host, self._load.port), timeout=SILENCE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._sockets[connection.fileno()] = connection
        self._poll.register(connection, select.EPOLLIN)
        return connection.fileno()

    def _send(self, number: int, request: bytes, since: float) -> None:
        sent = self._sockets[number].send(request)
        assert sent == len(request), "a request fits a socket's buffer"
        self._since[number] = since

    def _answered(self, timeout_s: float) -> list[int]:
        """Return the connections whose answers came, after at most ``timeout_s``. Raises `TimeoutError` after silence."""
        events = self._poll.poll(timeout_s)
        if not events and timeout_s >= SILENCE_S:
            raise TimeoutError("the server has fallen silent")
        return [self._renewed(number) for number, _ in events if self._is_answered(number)]

    def _renewed(self, number: int) -> int:
        """Return the connection, or a new one where the server ends each after its answer."""
        if number not in self._closing:
            return number
        self._closing.discard(number)
        self._poll.unregister(number)
        self._sockets.pop(number).close()
        return self._connect()

    def _is_answered(self, number: int) -> bool:
        received = self._sockets[number].recv(_RECEIVED)
        if not received:
            raise ConnectionError("the server closed a connection")
        answer = self._partial.pop(number, b"") + received
        if not _is_whole(answer):
            self._partial[number] = answer
            return False
        if answer.startswith(b"HTTP/1.0") or b"\nconnection: close" in answer.lower():
            self._closing.add(number)
        self.latencies_ms.append((time.perf_counter() - self._since.pop(number)) * 1000)
        status = int(answer[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        return True


def _is_whole(answer: bytes) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = answer[:end].lower() + b"\r\n"
    at = head.index(b"content-length:") + 15
    return len(answer) >= end + 4 + int(head[at : head.index(b"\r\n", at)])


def _request(load: Load, body: bytes, own: tuple[str, ...]) -> bytes:
    head = f"POST {load.path} HTTP/1.1\r\nHost: {load.host}\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in (*load.headers, *((own,) if own else ())))
    return head.encode() + b"\r\n" + body


def comments(count: int, *, start: int = 0, texts: Sequence[str]) -> tuple[bytes, ...]:
    """Make varied comments: distinct authors and addresses, some dozens of threads, texts in turn with a number in them."""
    return tuple(_comments(count, start, texts))


def _comments(count: int, start: int, texts: Sequence[str]) -> Iterator[bytes]:
    for number in range(start, start + count):
        yield _comment(number, texts[number % len(texts)])


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
