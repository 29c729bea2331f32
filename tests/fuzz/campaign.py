"""Fire many requests at one service, over connections of their own, and count what comes back."""

import asyncio
import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.fuzz.shots import Shot, World, shot

HANG_S = 45.0
"""Without a byte; longer than the service waits for a body that never comes (30 s)."""
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Report:
    """What came of a campaign."""

    seed: int
    statuses: Counter[str] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[str, str]] = field(default_factory=list)
    """Requests answered with a 500, with what no error may hold, or not at all; and what stands first in the request."""
    unavailable: list[tuple[str, str]] = field(default_factory=list)
    """Requests answered with a 503 although every engine ran, and the answer."""
    hangs: list[str] = field(default_factory=list)
    slowest_s: float = 0.0

    def note(self, fired: Shot, answer: bytes, took_s: float) -> None:
        """Count one answer."""
        status = answer[9:12].decode(errors="replace") if answer.startswith(b"HTTP/") else "closed"
        self.statuses[status] += 1
        self.routes[fired.about.removesuffix(" cut")] += 1
        self.slowest_s = max(self.slowest_s, took_s)
        is_unanswered = (
            status == "closed" and not fired.half_close
        )  # who ends first may be left without an answer
        if status == "500" or is_unanswered or b"Traceback (most recent" in answer:
            self.broken.append((fired.about, fired.data[:3000].decode(errors="replace")))
        elif status == "503":
            self.unavailable.append((fired.about, answer.partition(b"\r\n\r\n")[2].decode(errors="replace")))


async def run(
    world: World, *, requests: int, seed: int, lanes: int = 48, until_s: float = float("inf")
) -> Report:
    """Send ``requests`` requests, ``lanes`` at a time, and stop early at the monotonic time ``until_s``."""
    report, left = Report(seed), iter(range(requests))

    async def lane() -> None:
        for number in left:
            if time.monotonic() > until_s:
                return
            fired = shot(Random(f"{seed}/{number}"), world)
            started = time.monotonic()
            try:
                answer = await fire(world, fired)
            except TimeoutError:
                report.hangs.append(f"{seed}/{number} {fired.about}: {fired.data[:300]!r}")
                continue
            report.note(fired, answer, time.monotonic() - started)
            world.ids += [found.decode() for found in _ID.findall(answer[:4000])][:1]
            del world.ids[:-1000]

    await asyncio.gather(*(lane() for _ in range(lanes)))
    return report


async def fire(world: World, fired: Shot) -> bytes:
    """Send one request and return what came back, whole or to the end of the connection."""
    reader, writer = await asyncio.open_connection(world.host, world.port)
    try:
        writing = asyncio.create_task(_write(writer, fired))
        answer = await _read(reader)
        await writing
        return answer
    finally:
        writer.close()


async def _write(writer: asyncio.StreamWriter, fired: Shot) -> None:
    try:
        writer.write(fired.data)
        await writer.drain()
        if fired.half_close:
            writer.write_eof()
    except (ConnectionError, OSError):
        return  # refused before all of it was sent; the answer says why


async def _read(reader: asyncio.StreamReader) -> bytes:
    answer = bytearray()
    try:
        while piece := await asyncio.wait_for(reader.read(65536), HANG_S):
            answer += piece
            if _is_whole(answer):
                break
    except ConnectionError:
        pass
    return bytes(answer)


def _is_whole(answer: bytearray) -> bool:
    head, separator, _ = bytes(answer[:8192]).partition(b"\r\n\r\n")
    if not separator or head.startswith(b"HTTP/1.1 100"):
        return False
    length = _LENGTH.search(head)
    if length is None:
        return head[9:12] in {b"204", b"304"} or answer.endswith(b"\r\n0\r\n\r\n")
    return len(answer) - len(head) - 4 >= int(length[1])


def as_text(report: Report) -> str:
    """Write the report for people."""
    return json.dumps(
        {
            "seed": report.seed,
            "requests": report.statuses.total() + len(report.hangs),
            "statuses": dict(sorted(report.statuses.items())),
            "routes": len(report.routes),
            "slowest_s": round(report.slowest_s, 2),
            "hangs": report.hangs[:20],
            "broken": report.broken[:20],
            "unavailable": report.unavailable[:10],
        },
        indent=2,
        ensure_ascii=False,
    )
