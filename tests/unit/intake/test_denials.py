"""What is remembered of denials: as long as they hold, of whom they were, and no more than there is room for."""

from types import SimpleNamespace
from typing import Any

import pytest

from moderation.intake import denials
from moderation.intake.denials import Denials


class Seconds:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def entering(author: bytes = b"a", *, site: int = 1, address: bytes = b"i", thread: str = "t") -> Any:
    return SimpleNamespace(
        site=SimpleNamespace(id=site),
        identities=SimpleNamespace(author=author, address=address),
        submission=SimpleNamespace(thread=SimpleNamespace(id=thread)),
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("author", [True, False, True, True, False]),
        ("address", [True, True, False, True, False]),
        ("thread", [True, True, True, False, False]),
        ("site", [True, True, True, True, False]),
    ],
)
def test_a_denial_holds_for_the_cell_that_denied(rule: str, expected: list[bool]) -> None:
    denied = Denials(Seconds())
    denied.note(entering(), rule, 5)
    others = [
        entering(),
        entering(b"b"),
        entering(address=b"j"),
        entering(thread="u"),
        entering(site=2),
    ]
    assert [denied.expects(one) for one in others] == expected


def test_it_ends_when_its_time_has_come_and_leaves_nothing() -> None:
    seconds = Seconds()
    denied = Denials(seconds)
    denied.note(entering(), "author", 5)
    seconds.now_s += 4.9
    assert denied.expects(entering())
    seconds.now_s += 0.2
    assert not denied.expects(entering())
    assert not denied._until_s


def test_the_oldest_go_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denials, "BOUND", 3)
    denied = Denials(Seconds())
    for name in (b"1", b"2", b"3", b"4"):
        denied.note(entering(name), "author", 60)
    assert [denied.expects(entering(name)) for name in (b"1", b"2", b"3", b"4")] == [False, True, True, True]
