"""Thresholds from what a newsroom knows: how sure an automatic rejection must be, or how many comments it can read a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from classifiers.errors import LabelsError
from classifiers.retraining import MIN_CALLED, Decided, Proposal, describe, propose_thresholds
from moderation.domain.thresholds import LAST_RESORT, Thresholds, ThresholdTable, in_force
from moderation.domain.verdict import Assessment, Verdict
from moderation.learning.engine import LoadedModel
from moderation.learning.replay import assess
from moderation.storage.past import PastComment

REJECTED_BY = ("spam", "abuse")
DOUBTED_BY = ("spam", "abuse", "reject")
KINDS = ("insult", "obscene", "threat", "hate")
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Proposed:
    """A table for the site's policy, and what to expect of each threshold in it; ``unreached`` says why one is missing."""

    thresholds: ThresholdTable
    expected: Mapping[str, Proposal]
    unreached: Mapping[str, str]
    unproven: Mapping[str, Sequence[str]]
    """By output the languages whose own decisions do not prove its threshold: theirs stay as they are."""


def for_precision(
    past: Sequence[PastComment], model: LoadedModel, own: ThresholdTable, wanted: float
) -> Proposed:
    """Propose from which probability spam and abuse are rejected so that ``wanted`` of such rejections are right.

    An output that never reaches it is not rejected without a person. Right is what moderators rejected, whatever for. What
    is proven in one language says nothing of another: where too few decisions lie above it, or too few of them were right,
    thresholds stay as they are. What to expect is of the table as a whole, with the languages that stay.
    """
    assessed = assess(model, past)
    languages = _languages(model, own)
    rows = np.array([languages.index(_row_of(one.language, languages)) for one in assessed], np.int64)
    expected, unreached, unproven = {}, {}, {}
    for output in REJECTED_BY:
        decided = _decided(past, assessed, [output])
        try:
            expected[output] = found = propose_thresholds(decided, precision=wanted)
        except LabelsError as error:
            unreached[output] = str(error)
        else:
            unproven[output] = [
                language
                for at, language in enumerate(languages)
                if not _is_proven(decided.of(rows == at), found.threshold, wanted)
            ]

    def pair(language: str, output: str, now: Thresholds) -> Thresholds:
        if language in unproven.get(output, ()):
            return now
        reject = round(expected[output].threshold, 6) if output in expected else None
        doubt = now.doubt if now.doubt is None or reject is None else min(now.doubt, reject)
        return Thresholds(doubt, reject)

    table = _table(model, own, REJECTED_BY, pair)
    of_rows = [languages[at] for at in rows]
    real = {
        output: _really(_decided(past, assessed, [output]), output, table, of_rows, one)
        for output, one in expected.items()
    }
    return Proposed(table, real, unreached, unproven)


def for_queue(
    past: Sequence[PastComment], model: LoadedModel, own: ThresholdTable, per_day: float
) -> Proposed:
    """Propose from which probability on a comment is doubtful so that ``per_day`` comments a day are, the worst ones.

    One threshold for spam, abuse and rejection: calibrated, they weigh the same. What is rejected outright is not in the queue;
    what waits for an insult or the like, or for its unknown language, is, whatever is proposed, and counts first.
    """
    assessed = assess(model, past)
    waiting = [
        (one, found)
        for one, found in zip(past, assessed, strict=True)
        if not _reaches(found, model, own, (*REJECTED_BY, *KINDS), "reject")
    ]
    decided = _decided([one for one, _ in waiting], [found for _, found in waiting], DOUBTED_BY, of=past)
    anyway = [
        not found.is_known_language or _reaches(found, model, own, KINDS, "doubt") for _, found in waiting
    ]
    decided = replace(decided, probabilities=np.where(anyway, 1.0, decided.probabilities))
    proposal = propose_thresholds(decided, queue_per_day=per_day)
    doubt = round(proposal.threshold, 6)

    def pair(language: str, output: str, now: Thresholds) -> Thresholds:
        del language, output
        return Thresholds(doubt if now.reject is None else min(doubt, now.reject), now.reject)

    return Proposed(_table(model, own, DOUBTED_BY, pair), {"queue": proposal}, {}, {})


def _decided(
    past: Sequence[PastComment],
    assessed: Sequence[Assessment],
    outputs: Sequence[str],
    of: Sequence[PastComment] | None = None,
) -> Decided:
    """Return the highest of the outputs of each comment, beside what people said."""
    values = [max((getattr(found.scores, name) or 0.0) for name in outputs) for found in assessed]
    labels = [{Verdict.REJECT: 1, Verdict.APPROVE: 0}.get(one.said, -1) if one.said else -1 for one in past]
    times = [one.created_at.timestamp() for one in (of or past)]
    days = (max(times) - min(times)) / _DAY_S if len(times) > 1 else None
    weights = [one.weight if label >= 0 else 1.0 for one, label in zip(past, labels, strict=True)]
    return Decided(
        np.array(values, np.float64), np.array(labels, np.int64), np.array(weights, np.float64), days
    )


def _really(
    decided: Decided, output: str, table: ThresholdTable, languages: Sequence[str], proposed: Proposal
) -> Proposal:
    """Return what to expect of an output where every comment is held to its own language's threshold, if there is one."""
    never = np.inf
    limits = np.array(
        [never if (limit := table[language][output].reject) is None else limit for language in languages]
    )
    return describe(decided, proposed.threshold, decided.probabilities >= limits)


def _is_proven(decided: Decided, threshold: float, wanted: float) -> bool:
    found = describe(decided, threshold)
    return found.rows >= MIN_CALLED and found.precision is not None and found.precision >= wanted


def _reaches(
    found: Assessment, model: LoadedModel, own: ThresholdTable, outputs: Sequence[str], threshold: str
) -> bool:
    """Tell whether one of ``outputs`` is at or above its threshold in force, ``doubt`` or ``reject``."""
    limits = in_force(found.language, model.thresholds, own)
    for output in outputs:
        value, limit = getattr(found.scores, output), getattr(limits.get(output, LAST_RESORT), threshold)
        if value is not None and limit is not None and value >= limit:
            return True
    return False


def _table(model: LoadedModel, own: ThresholdTable, outputs: Sequence[str], pair: Any) -> ThresholdTable:
    """Return the site's own table with the pairs of ``outputs`` replaced, in every language that has thresholds of its own."""
    table: dict[str, dict[str, Thresholds]] = {}
    for language in _languages(model, own):
        now = in_force(language, model.thresholds, own)
        table[language] = dict(own.get(language, {})) | {
            output: pair(language, output, now.get(output, LAST_RESORT)) for output in outputs
        }
    return table


def _languages(model: LoadedModel, own: ThresholdTable) -> list[str]:
    return sorted({"*", *model.thresholds, *own})


def _row_of(language: str | None, languages: Sequence[str]) -> str:
    """Return whose thresholds judge a comment in ``language``."""
    return language if language in languages and language is not None else "*"
