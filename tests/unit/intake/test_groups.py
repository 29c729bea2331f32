"""Callers of a group that hangs are told so in time; the group goes on."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from moderation.domain.errors import DependencyUnavailableError
from moderation.intake import groups
from moderation.intake.groups import GROUPS_UNDER_WAY, SMALLEST_SHARE, Grouper


@dataclass(eq=False)
class Item:
    """Somebody who waits."""

    keys: tuple[bytes, ...]
    answer: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


async def test_whoever_waits_too_long_is_told_in_and_before_a_group_and_the_next_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "ANSWERED_WITHIN_S", 0.05)
    monkeypatch.setattr(groups, "LOOK_EVERY_S", 0.02)
    hangs, ended = asyncio.Event(), []

    async def process(group: list[Item]) -> None:
        await hangs.wait()
        ended.extend(group)
        for item in group:
            if not item.answer.done():
                item.answer.set_result("stored")

    grouper: Grouper[Item] = Grouper(process, bound=100)
    under_way = []
    for number in range(GROUPS_UNDER_WAY):
        under_way.append(Item((bytes([number]),)))
        grouper.add(under_way[-1])
        await asyncio.sleep(0)  # a group each
    waiting = [Item((b"waiting",)), Item((bytes([0]),))]  # the second is the same submission as one under way
    for item in waiting:
        grouper.add(item)
    async with asyncio.timeout(60):
        refused = await asyncio.gather(*(i.answer for i in (*under_way, *waiting)), return_exceptions=True)
    assert {type(answer) for answer in refused} == {DependencyUnavailableError}
    assert grouper.waiting == 0

    monkeypatch.setattr(
        groups, "ANSWERED_WITHIN_S", 60.0
    )  # what comes now is not to be late, however slow the machine
    hangs.set()
    afterwards = Item((bytes([0]),))
    grouper.add(afterwards)
    async with asyncio.timeout(60):
        assert await afterwards.answer == "stored"
    assert set(ended) == {*under_way, afterwards}, "the groups went on, what never got into one did not"
    await grouper.close()


async def test_nobody_is_refused_before_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "LOOK_EVERY_S", 0.01)

    async def process(group: list[Item]) -> None:
        await asyncio.sleep(0.1)
        for item in group:
            item.answer.set_result("stored")

    grouper: Grouper[Item] = Grouper(process, bound=100)
    items = [Item((bytes([number]),)) for number in range(5)]
    for item in items:
        grouper.add(item)
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(item.answer for item in items)) == ["stored"] * 5
    await grouper.close()


async def test_a_crowd_that_grows_faster_than_it_is_served_takes_nobody_more_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "CROWDED_AFTER_S", 0.05)
    monkeypatch.setattr(groups, "CROWD", 3)
    monkeypatch.setattr(groups, "MAX_GROUP", 1)
    grouper = Grouper(_slowly, bound=100)
    items = [Item((bytes([number]),)) for number in range(4 * GROUPS_UNDER_WAY)]
    for item in items:
        grouper.add(item)  # nobody has waited yet
    async with asyncio.timeout(60):
        await items[GROUPS_UNDER_WAY].answer
        await asyncio.sleep(0)  # the next leave, having waited twice as long as the first took
        with pytest.raises(DependencyUnavailableError):
            grouper.add(Item((b"one more",)))
        answers = await asyncio.gather(*(item.answer for item in items))
        assert answers == ["stored"] * len(items), "who is in is served"
        grouper.add(last := Item((b"last",)))
        assert await last.answer == "stored", "and the next one, once they are"
    await grouper.close()


async def test_equal_ones_that_wait_for_each_other_are_no_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one client that sends the same again and again would have all others refused."""
    monkeypatch.setattr(groups, "CROWDED_AFTER_S", 0.05)
    monkeypatch.setattr(groups, "CROWD", 3)
    grouper = Grouper(_slowly, bound=100)
    items = [Item((b"same",)) for _ in range(8)]
    for item in items:
        grouper.add(item)
    async with asyncio.timeout(60):
        await items[2].answer
        await asyncio.sleep(0)
        grouper.add(other := Item((b"other",)))
        assert await other.answer == "stored"
        await asyncio.gather(*(item.answer for item in items))
    await grouper.close()


async def test_a_newcomer_in_a_full_group_tells_how_long_one_waits_and_not_who_waited_for_an_equal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, turn = [1.0], asyncio.Semaphore(0)
    monkeypatch.setattr(groups, "time", SimpleNamespace(monotonic=lambda: now[0]))
    for name, value in (("GROUPS_UNDER_WAY", 1), ("MAX_GROUP", 2), ("CROWD", 1)):
        monkeypatch.setattr(groups, name, value)

    async def process(group: list[Item]) -> None:
        await turn.acquire()
        for item in group:
            item.answer.set_result("stored")

    grouper = Grouper(process, bound=100)
    first, equal, fresh = items = [Item((b"same",)), Item((b"same",)), Item((b"fresh",))]
    grouper.add(first)
    grouper.add(equal)
    await asyncio.sleep(0)
    now[0] = 3.0
    grouper.add(fresh)
    turn.release()
    async with asyncio.timeout(60):
        await first.answer
        while grouper.waiting:
            await asyncio.sleep(0)  # until the equal one and the fresh one leave together
        items += [Item((b"other",)), Item((b"another",))]
        for item in items[3:]:
            grouper.add(item)
        for _ in range(2):
            turn.release()
        assert await asyncio.gather(*(item.answer for item in items)) == ["stored"] * 5
    await grouper.close()


async def _slowly(group: list[Item]) -> None:
    await asyncio.sleep(0.1)
    for item in group:
        item.answer.set_result("stored")


@dataclass
class Held:
    """Groups that go on when they are told to."""

    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[list[Item]] = field(default_factory=list)

    async def process(self, group: list[Item]) -> None:
        self.begun.append(group)
        await self.goes_on.wait()
        for item in group:
            item.answer.set_result("stored")

    @property
    def sizes(self) -> list[int]:
        return [len(group) for group in self.begun]


def items(count: int, first: int = 0) -> list[Item]:
    return [Item((number.to_bytes(2),)) for number in range(first, first + count)]


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_many_at_once_are_shared_out_among_the_groups() -> None:
    held = Held()
    grouper: Grouper[Item] = Grouper(held.process, bound=100)
    many = items(60)
    for item in many:
        grouper.add(item)
    await turns()
    assert held.sizes == [20, 20, 20]
    held.goes_on.set()
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(item.answer for item in many)) == ["stored"] * 60
    await grouper.close()


async def test_those_who_come_turn_after_turn_leave_together() -> None:
    held = Held()
    grouper: Grouper[Item] = Grouper(held.process, bound=100)
    first, second, third = items(3)
    grouper.add(first)
    grouper.add(second)
    await asyncio.sleep(0)
    grouper.add(third)
    await turns()
    assert held.begun == [[first, second, third]]
    held.goes_on.set()
    await grouper.close()


async def test_a_full_share_leaves_though_more_come_turn_after_turn() -> None:
    held = Held()
    grouper: Grouper[Item] = Grouper(held.process, bound=100)
    for first in range(0, 24, 2):
        for item in items(2, first=first):
            grouper.add(item)
        await asyncio.sleep(0)
    assert held.sizes[0] == SMALLEST_SHARE
    held.goes_on.set()
    await grouper.close()


async def test_few_wait_for_more_while_many_are_under_way_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "PATIENCE_S", 1.0)
    held = Held()
    grouper: Grouper[Item] = Grouper(held.process, bound=100)
    many = items(16)
    for item in many:
        grouper.add(item)
    await turns()
    assert held.sizes == [8, 8]
    (late,) = items(1, first=16)
    grouper.add(late)
    await turns()
    assert held.sizes == [8, 8], "there is a place, but it waits for company"
    async with asyncio.timeout(60):
        while len(held.begun) < GROUPS_UNDER_WAY:
            await asyncio.sleep(0.01)
    assert held.begun[-1] == [late], "nobody else has ended"
    held.goes_on.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*(item.answer for item in (*many, late)))
    await grouper.close()


async def test_the_rest_of_a_crowd_waits_for_company_and_not_for_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "PATIENCE_S", 0.05)
    held = Held()
    grouper: Grouper[Item] = Grouper(held.process, bound=100)
    many = items(20)
    for item in many:
        grouper.add(item)
    async with asyncio.timeout(60):
        while len(held.begun) < GROUPS_UNDER_WAY:
            await asyncio.sleep(0.01)
    assert held.sizes == [8, 8, 4]
    held.goes_on.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*(item.answer for item in many))
    await grouper.close()


async def test_the_few_leave_with_company_before_their_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "PATIENCE_S", 3600.0)
    held = Held()
    grouper: Grouper[Item] = Grouper(held.process, bound=100)
    many, late = items(16), items(8, first=16)
    for item in (*many, *late[:7]):
        grouper.add(item)
        if item is many[-1]:
            await turns()
    await turns()
    assert held.sizes == [8, 8]
    grouper.add(late[7])  # half as many as are under way
    await turns()
    assert held.sizes == [8, 8, 8]
    held.goes_on.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*(item.answer for item in (*many, *late)))
    await grouper.close()


async def test_closing_serves_the_few_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "PATIENCE_S", 3600.0)
    held = Held()
    grouper: Grouper[Item] = Grouper(held.process, bound=100)
    many, (late,) = items(16), items(1, first=16)
    for item in many:
        grouper.add(item)
    await turns()
    grouper.add(late)
    closing = asyncio.create_task(grouper.close())
    await turns()
    held.goes_on.set()
    async with asyncio.timeout(60):
        await closing
    assert [item.answer.result() for item in (*many, late)] == ["stored"] * 17
