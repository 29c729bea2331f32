"""A background job goes on whatever one round of it meets, and rests unless there is more to do."""

import asyncio

import pytest

from moderation.domain.errors import DependencyUnavailableError
from moderation.storage import repetition
from moderation.storage.repetition import repeat


class Enough(BaseException):
    """Ends a job from within; no job outlives it."""


async def rests(monkeypatch: pytest.MonkeyPatch, *rounds: int | Exception | None) -> list[float]:
    """Run a job of these rounds in batches of ten; return how long it rested each time, until the rounds are over."""
    left, rested = list(rounds), list[float]()

    async def once() -> int | None:
        if not left:
            raise Enough
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def rest(seconds: float) -> None:
        rested.append(seconds)

    monkeypatch.setattr(repetition.asyncio, "sleep", rest)
    with pytest.raises(Enough):
        await repeat(once, job="tests", every_s=7.0, full_batch=10)
    return rested


async def test_it_goes_on_at_once_after_a_full_batch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await rests(monkeypatch, 10, 10, 3) == [7.0]


@pytest.mark.parametrize("met", [DependencyUnavailableError("postgresql"), ValueError("odd"), None, 0])
async def test_it_outlives_what_it_meets_and_rests(
    monkeypatch: pytest.MonkeyPatch, met: Exception | int | None
) -> None:
    assert await rests(monkeypatch, met, met) == [7.0, 7.0]


async def test_it_ends_when_it_is_cancelled() -> None:
    async def once() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await repeat(once, job="tests", every_s=0.0)
