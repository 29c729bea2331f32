"""A quick frozen dataclass is what a slow one is."""

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest

from moderation.domain.comment import Author, Submission, Thread
from moderation.domain.values import quick


@dataclass(frozen=True, slots=True)
class Slow:
    """What `dataclasses` makes."""

    name: str
    secret: str | None = field(default=None, repr=False)
    notes: dict[str, int] = field(default_factory=dict)


@quick
@dataclass(frozen=True, slots=True)
class Quick:
    """The same, quickly."""

    name: str
    secret: str | None = field(default=None, repr=False)
    notes: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize("make", [Slow, Quick])
def test_it_is_frozen_slotted_comparable_and_copied(make: Any) -> None:
    made = make("a", notes={"b": 1})
    with pytest.raises(FrozenInstanceError):
        made.name = "c"
    with pytest.raises(FrozenInstanceError):
        del made.name
    with pytest.raises((AttributeError, TypeError)):
        made.other = 1
    assert type(made) is make
    assert made == make(name="a", secret=None, notes={"b": 1})
    assert made != replace(made, secret="s") == make("a", "s", {"b": 1})
    assert repr(make("a", "s")) == f"{make.__name__}(name='a', notes={{}})"
    assert copy.deepcopy(made) == made
    assert pickle.loads(pickle.dumps(made)) == made
    assert make("a").notes is not make("a").notes


def test_what_is_missing_or_unknown_is_refused() -> None:
    with pytest.raises(TypeError, match="name"):
        Quick()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="other"):
        Quick("a", other=1)  # type: ignore[call-arg]


def test_classes_of_another_make_are_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        name: str

        def __post_init__(self) -> None:
            raise ValueError

    @dataclass(frozen=True, slots=True)
    class Derived:
        name: str = field(init=False)

    for refused in (Checked, Derived):
        with pytest.raises(TypeError, match="plain frozen dataclass"):
            quick(refused)


def test_a_submission_can_still_be_looked_up_by_its_parts() -> None:
    submission = Submission(Thread("t"), Author("n", "n@example.com"), "text")
    assert "n@example.com" not in repr(submission)
    assert hash(submission.author) == hash(Author("n", "n@example.com"))
