"""The limit check of four rules beside the `limits` library doing four limits, 64 callers each, on one Valkey."""

import asyncio
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from bench.sizes import Sizes
from moderation.domain.rates import Limit, Limits
from moderation.engines import EmbeddedEngines
from moderation.intake.groups import Grouper
from moderation.intake.rates import RateLimiter, RateRequest

CALLERS = 64
WIDE = Limits(*(Limit(1_000_000, 60, 1_000_000) for _ in range(4)))


@dataclass(slots=True)
class _Asked:
    """One check that waits for its group, as a submission does in intake."""

    request: RateRequest
    keys: tuple[bytes, ...]
    answer: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


def measure(sizes: Sizes) -> None:
    """Print checks a second of both, and their ratio."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        asyncio.run(_measure(sizes, Path(folder) / "data"))


async def _measure(sizes: Sizes, data_dir: Path) -> None:
    engines = EmbeddedEngines(data_dir)
    addresses = await engines.start()
    try:
        ours = await _ours(addresses.redis_url, sizes.checks)
        theirs = await _theirs(addresses.redis_url, max(sizes.checks // 4, 64))
    finally:
        await engines.stop()
    print(
        f"ours {ours:.0f}/s, limits library (fixed window, its cheapest) {theirs:.0f}/s: {ours / theirs:.1f} times"
    )


async def _ours(redis_url: str, count: int) -> float:
    fallbacks: list[str] = []
    limiter = RateLimiter(redis_url, on_fallback=fallbacks.append)

    async def process(group: list[_Asked]) -> None:
        for asked, result in zip(group, await limiter.check([a.request for a in group]), strict=True):
            asked.answer.set_result(result.denied_by is None)

    grouper: Grouper[_Asked] = Grouper(process, bound=4 * CALLERS)

    async def check(number: int) -> bool:
        digest = secrets.token_bytes(16)
        thread = f"t{number % 97}"
        asked = _Asked(RateRequest("bench", WIDE, digest, digest, thread, digest, digest), (digest,))
        grouper.add(asked)
        return await asked.answer

    try:
        rate = await _rate(check, count)
    finally:
        await grouper.close()
        await limiter.close()
    assert not fallbacks, "measured against Redis, not the fallback"
    return rate


async def _theirs(redis_url: str, count: int) -> float:
    storage = RedisStorage(
        "async+redis+unix://" + redis_url.removeprefix("unix://").partition("?")[0], implementation="redispy"
    )
    limiter = FixedWindowRateLimiter(storage)
    item = RateLimitItemPerMinute(1_000_000)

    async def check(number: int) -> bool:
        author = secrets.token_hex(8)
        cells = (("a", author), ("i", author), ("t", str(number % 97)), ("s", "bench"))
        return all([await limiter.hit(item, *cell) for cell in cells])

    return await _rate(check, count)


async def _rate(check: Callable[[int], Awaitable[bool]], count: int) -> float:
    numbers = iter(range(count))

    async def caller() -> None:
        for number in numbers:
            assert await check(number)

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return count / (time.perf_counter() - started)
