"""A new version is compared with its predecessor by what each reached on decisions that it had not seen."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moderation.domain.ids import SiteId
from moderation.learning.retraining import Work, _worse_than_before


def report(value: float, half: float) -> dict[str, Any]:
    area = {"value": value, "low": value - half, "high": value + half}
    return {"slices": [{"output": "reject", "kind": "all", "measures": {"new": {"auc": area}}}]}


def work(before: dict[str, Any] | None) -> Work:
    return Work(SiteId(1), "s", Path(), None, "v", None, datetime(2026, 11, 1, tzinfo=UTC), before)


def test_a_fall_says_its_output_by_itself_too_for_pages_in_other_languages() -> None:
    (one,) = _worse_than_before(work(report(0.9, 0.01)), report(0.6, 0.01))
    assert one["part"] == {"output": one["where"]}


def test_only_a_fall_beyond_both_intervals_is_worse_than_before() -> None:
    assert _worse_than_before(work(None), report(0.5, 0.01)) == []
    assert _worse_than_before(work(report(0.9, 0.02)), report(0.88, 0.02)) == []
    (refusal,) = _worse_than_before(work(report(0.9, 0.02)), report(0.8, 0.02))
    assert (refusal["code"], refusal["where"]) == ("worse_than_before", "reject")
