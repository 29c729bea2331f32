"""A value is frozen, compared by its fields, and shows nobody what is private."""

import copy
import pickle
from typing import Any

import pytest
from msgspec import field

from moderation.domain.comment import Author, Receipt, Submission, Thread
from moderation.domain.ids import new_uuid
from moderation.domain.values import Value


class Sample(Value, frozen=True):
    """A value with every kind of field."""

    PRIVATE = frozenset({"secret"})

    name: str
    secret: str | None = None
    notes: dict[str, int] = field(default_factory=dict)


def test_it_is_frozen_comparable_and_copied() -> None:
    made: Any = Sample("a", notes={"b": 1})
    for spoil in (
        lambda: setattr(made, "name", "c"),
        lambda: delattr(made, "name"),
        lambda: setattr(made, "o", 1),
    ):
        with pytest.raises(AttributeError):
            spoil()
    assert made == Sample(name="a", secret=None, notes={"b": 1})
    assert made != made.changed(secret="s") == Sample("a", "s", {"b": 1})
    assert copy.deepcopy(made) == made
    assert pickle.loads(pickle.dumps(made)) == made
    assert Sample("a").notes is not Sample("a").notes


def test_what_is_missing_or_unknown_is_refused() -> None:
    with pytest.raises(TypeError, match="name"):
        Sample()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="other"):
        Sample("a", other=1)  # type: ignore[call-arg]


def test_what_is_private_is_not_shown() -> None:
    assert repr(Sample("a", "hush")) == "Sample(name='a', notes={})"
    assert ("secret", "hush") not in list(Sample("a", "hush").__rich_repr__())
    author = Author("n", "n@example.com", address="192.0.2.7", user_agent="an odd browser")
    submission = Submission(Thread("t"), author, "what was written")
    receipt = Receipt(new_uuid(), new_uuid(), b"matched", "https://hears.example/")
    shown = repr([submission, receipt])
    for private in (
        "n@example.com",
        "192.0.2.7",
        "odd browser",
        "what was written",
        "matched",
        "hears.example",
    ):
        assert private not in shown


def test_an_author_can_be_a_key() -> None:
    assert hash(Author("n", "n@example.com")) == hash(Author("n", "n@example.com"))
