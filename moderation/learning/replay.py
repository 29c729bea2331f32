"""What a policy, or another model, would have done with past comments, beside what people decided. Changes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from moderation.domain.intervals import Share, share
from moderation.domain.policy import Policy, decide
from moderation.domain.verdict import MODE_ONLY, Assessment, Verdict
from moderation.learning.engine import LoadedModel
from moderation.storage.past import PastComment

_BATCH = 64
_DAY_S = 86_400.0
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Judge:
    """A policy with the model that scores for it."""

    policy: Policy
    model: LoadedModel

    def verdicts(self, past: Sequence[PastComment], progress: Progress) -> list[tuple[Verdict, bool]]:
        """Return each comment's verdict, and whether it is doubt rather than the mode alone."""
        found = []
        for at, (one, assessed) in enumerate(zip(past, assess(self.model, past), strict=True)):
            ruling = decide(
                self.policy,
                text=one.text,
                author_url=one.author_url,
                author=one.author,
                assessment=assessed,
                signals=one.signals,
                default_thresholds=self.model.thresholds,
            )
            codes = {reason.code for reason in ruling.reasons}
            found.append((ruling.verdict, ruling.verdict is Verdict.HOLD and not codes <= MODE_ONLY))
            progress(at)
        return found


@dataclass(frozen=True, slots=True)
class Tally:
    """What came out. Shares are of all comments; ``queue_per_day`` are held ones, ``doubt_per_day`` those held by doubt.

    ``right_approvals``: of automatic approvals, those that people did not reject. ``right_rejections``: of automatic rejections,
    those that people did not approve. Both over comments that people decided, weighted.
    """

    approve: float
    hold: float
    reject: float
    queue_per_day: float | None
    doubt_per_day: float | None
    right_approvals: Share
    right_rejections: Share


@dataclass(frozen=True, slots=True)
class Comparison:
    """A replay: ``changed`` are ids of comments that would be judged differently, with both verdicts and the person's."""

    comments: int
    decided: int
    since: datetime
    before: Tally
    after: Tally
    changed: list[tuple[str, str, str, str | None]] = field(default_factory=list)
    differently: int = 0


def compare(
    past: Sequence[PastComment], before: Judge, after: Judge, since: datetime, *, progress: Progress
) -> Comparison:
    """Replay both over the same comments."""
    old, new = before.verdicts(past, progress), after.verdicts(past, progress)
    changed = [
        (str(one.id), was.value, now.value, one.said.value if one.said else None)
        for one, (was, _), (now, _) in zip(past, old, new, strict=True)
        if was is not now
    ]
    days = _days(past)
    return Comparison(
        comments=len(past),
        decided=sum(one.said in {Verdict.APPROVE, Verdict.REJECT} for one in past),
        since=since,
        before=_tally(past, old, days),
        after=_tally(past, new, days),
        changed=changed[:200],
        differently=len(changed),
    )


def assess(model: LoadedModel, past: Sequence[PastComment]) -> list[Assessment]:
    """Score past comments."""
    found: list[Assessment] = []
    for first in range(0, len(past), _BATCH):
        batch = past[first : first + _BATCH]
        found += model.assess([one.text for one in batch], [one.author_url for one in batch])
    return found


def _tally(
    past: Sequence[PastComment], verdicts: Sequence[tuple[Verdict, bool]], days: float | None
) -> Tally:
    counts = {verdict: sum(found is verdict for found, _ in verdicts) for verdict in Verdict}
    total = len(past) or 1
    doubts = sum(is_doubt for _, is_doubt in verdicts)
    return Tally(
        approve=counts[Verdict.APPROVE] / total,
        hold=counts[Verdict.HOLD] / total,
        reject=counts[Verdict.REJECT] / total,
        queue_per_day=counts[Verdict.HOLD] / days if days else None,
        doubt_per_day=doubts / days if days else None,
        right_approvals=_right(past, verdicts, Verdict.APPROVE),
        right_rejections=_right(past, verdicts, Verdict.REJECT),
    )


def _right(past: Sequence[PastComment], verdicts: Sequence[tuple[Verdict, bool]], called: Verdict) -> Share:
    told = [
        one
        for one, (verdict, _) in zip(past, verdicts, strict=True)
        if verdict is called and one.said in {Verdict.APPROVE, Verdict.REJECT}
    ]
    return share([one.said is called for one in told], [one.weight for one in told])


def _days(past: Sequence[PastComment]) -> float | None:
    """Return the time over which the comments came; None where that is no time."""
    if len(past) < 2:
        return None
    span_s = (past[0].created_at - past[-1].created_at).total_seconds()
    return span_s / _DAY_S if span_s > 0 else None
