"""The first days of a site: two numbers for each output, from its decisions or from the share it states, and gated."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from classifiers.runtime import Scorer
from moderation.domain.ids import SiteId
from moderation.domain.label import Targets
from moderation.learning.refitting import Request, errors_of, refit
from moderation.learning.switch import load_files
from moderation.storage.collection import CollectedLabel

START = datetime(2026, 9, 1, tzinfo=UTC)
WORDS = [
    "شكرا",
    "على",
    "هذا",
    "المقال",
    "يا",
    "غبي",
    "انت",
    "حمار",
    "كلام",
    "جميل",
    "وموضوع",
    "مهم",
    "اشترك",
    "الآن",
    "واربح",
    "المال",
    "من",
    "البيت",
    "تحليل",
    "سياسي",
    "ضعيف",
]


def texts(count: int) -> list[str]:
    draw = random.Random(4)
    return [" ".join(draw.choices(WORDS, k=6)) for _ in range(count)]


def labels(count: int, *, share_of_truth: float) -> list[CollectedLabel]:
    """Decisions by somebody who calls abusive far less than the shipped model does, but the same comments first."""
    found = texts(count)
    scored = [score.abuse or 0.0 for score in Scorer.shipped().score(found)]
    limit = sorted(scored)[int(count * (1 - share_of_truth))]
    draw = random.Random(5)
    return [
        CollectedLabel(
            "s",
            text,
            Targets(abuse=int(value >= limit if draw.random() < 0.9 else draw.random() < share_of_truth)),
            START + timedelta(minutes=at),
            "desk",
        )
        for at, (text, value) in enumerate(zip(found, scored, strict=True))
    ]


def request(folder: Path, told: list[CollectedLabel], **more: object) -> Request:
    folder.mkdir(exist_ok=True)
    made = Request(SiteId(1), "s", told, texts(200), {}, folder, START)
    return replace(made, **more)  # type: ignore[arg-type]


def test_from_the_first_decisions_on_the_error_on_later_ones_falls(tmp_path: Path) -> None:
    new = refit(request(tmp_path, labels(500, share_of_truth=0.1)))
    assert new is not None
    measured = errors_of(new)["abuse"]
    assert (measured["by"], measured["rows"]) == ("decisions", 100)
    assert measured["log_loss_after"] < measured["log_loss_before"]
    assert measured["calibration_error_after"] < measured["calibration_error_before"]
    assert new.refusals == []
    loaded = load_files(new.files, new.version)
    before = [score.abuse or 0.0 for score in Scorer.shipped().score(texts(200))]
    after = [found.scores.abuse or 0.0 for found in loaded.assess(texts(200), [None] * 200)]
    assert sum(after) < sum(before)
    order = sorted(range(200), key=before.__getitem__)
    assert all(after[a] <= after[b] + 1e-9 for a, b in pairwise(order))


def test_a_stated_share_is_met_by_recent_comments_and_decisions_go_before_it(tmp_path: Path) -> None:
    new = refit(request(tmp_path / "a", labels(60, share_of_truth=0.1)[:30], shares={"abuse": 0.05}))
    assert new is not None
    assert errors_of(new)["abuse"]["by"] == "stated share"
    loaded = load_files(new.files, new.version)
    after = [found.scores.abuse or 0.0 for found in loaded.assess(texts(200), [None] * 200)]
    assert abs(sum(after) / len(after) - 0.05) < 0.01
    told = refit(request(tmp_path / "b", labels(500, share_of_truth=0.1), shares={"abuse": 0.9}))
    assert told is not None
    assert errors_of(told)["abuse"]["by"] == "decisions"


def test_a_share_that_decisions_contradict_is_refused(tmp_path: Path) -> None:
    new = refit(request(tmp_path, labels(150, share_of_truth=0.1), shares={"abuse": 0.97}))
    assert new is not None
    assert [refusal["code"] for refusal in new.refusals] == ["refit_worse"]


def test_without_any_ground_there_is_nothing(tmp_path: Path) -> None:
    assert refit(request(tmp_path / "a", labels(150, share_of_truth=0.1))) is None
    assert refit(request(tmp_path / "b", [], recent=texts(10), shares={"abuse": 0.1})) is None
