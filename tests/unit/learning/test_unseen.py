"""Decisions that a model learned from are set aside where enough others are left, and named where not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from moderation.domain.ids import CommentId
from moderation.domain.policy import AuthorRecord, Signals
from moderation.domain.verdict import Verdict
from moderation.learning.unseen import MIN_UNSEEN, honest
from moderation.storage.past import PastComment

START = datetime(2026, 1, 1, tzinfo=UTC)


def past(count: int) -> list[PastComment]:
    """A decided comment a day, and one that nobody decided."""
    return [
        PastComment(
            CommentId(UUID(int=at)), "x", None, START, "ar", AuthorRecord(), Signals(), None, None,
            Verdict.REJECT if at < count else None, is_audited=False, weight=1.0,
            said_at=START + timedelta(days=at) if at < count else None,
        )
        for at in range(count + 1)
    ]  # fmt: skip


def test_a_model_that_learned_elsewhere_is_judged_on_everything() -> None:
    comments = past(5)
    found = honest(comments, "shipped", None)
    assert (found.past, found.seen, found.unseen, found.warning) == (comments, 0, 5, None)


def test_seen_decisions_are_undone_where_enough_came_later() -> None:
    comments = past(MIN_UNSEEN + 3)
    found = honest(comments, "own", START + timedelta(days=2))
    assert (found.seen, found.unseen) == (3, MIN_UNSEEN)
    assert [one.said for one in found.past[:4]] == [None, None, None, Verdict.REJECT]
    assert len(found.past) == len(comments)
    assert "do not count" in (found.warning or "")


def test_else_all_count_and_the_warning_says_so() -> None:
    comments = past(MIN_UNSEEN + 3)
    found = honest(comments, "own", START + timedelta(days=3))
    assert found.past == comments
    assert "only 99 came later" in (found.warning or "")
