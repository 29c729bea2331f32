"""What keeps a new model from being promoted. Every refusal has a stable code and the numbers behind it."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from classifiers.runtime import Scorer
from classifiers.site.judgement import ACTIVE, DIFFERENCE, NEW, Slice, Thresholds, limits
from classifiers.site.measures import Interval

AUC_MARGIN = 0.005  # what is lost below this is no loss, however surely it was measured
LOG_LOSS_MARGIN = 0.005
FAILED_CASE = "must_pass"
SLICE_WORSE = "slice_worse"
NOT_PROVEN = "not_proven"
TOO_FEW_TO_JUDGE = "too_few_to_judge"
HEAD_LOST = "head_lost"


@dataclass(frozen=True, slots=True)
class MustPass:
    """A text on whose side there is no doubt: `is_positive` for `output` or plainly not. `name` is what reports call it."""

    name: str
    text: str = field(repr=False)
    language: str
    output: str
    is_positive: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a model stays a candidate. `where` names the output, and the slice or the case; `numbers` are measures.

    `part` says the same one by one (output, kind, name), for pages in other languages.
    """

    code: str
    where: str
    numbers: Mapping[str, float]
    part: Mapping[str, str] = field(default_factory=dict)


def worse_slices(slices: Sequence[Slice]) -> list[Refusal]:
    """Return every slice on which the new model is significantly worse: ranking by AUC, or log-loss."""
    found = []
    for one in slices:
        difference = one.measures.get(DIFFERENCE)
        if difference is None:
            continue
        auc, loss = difference["auc"], difference["log_loss"]
        for name, is_worse in (
            ("auc", auc.high < 0 and auc.value < -AUC_MARGIN),
            ("log_loss", loss.low > 0 and loss.value > LOG_LOSS_MARGIN),
        ):
            if is_worse:
                numbers = {
                    "active": one.measures[ACTIVE][name].value,
                    "new": one.measures[NEW][name].value,
                    "low": difference[name].low,
                    "high": difference[name].high,
                    "rows": float(one.rows),
                }
                found.append(_refusal(f"{SLICE_WORSE}_{name}", numbers, one.output, one.kind, one.name))
    return found


def lost(
    before: Collection[tuple[str, str]], new: Collection[tuple[str, str]], names: Mapping[str, str]
) -> list[Refusal]:
    """Return what the active model learned, as (language, output), and the new one did not, for want of labels.

    No untouched row need be left that would show the loss. `names` are what people call languages.
    """
    return [
        _refusal(HEAD_LOST, {}, output, "language", names.get(language, language))
        for language, output in sorted(set(before) - set(new))
    ]


def unproven(slices: Sequence[Slice], held: Callable[[str], Interval]) -> list[Refusal]:
    """Return the outputs that the active model does not give and that the new one does not rank better than chance.

    Where the untouched rows are too few to show it, `held` tells the AUC over the rows of all folds, each scored by a model that
    had not seen it.
    """
    found = []
    for one in slices:
        auc = one.measures[NEW]["auc"]
        if one.kind != "all" or ACTIVE in one.measures or auc.low > 0.5:
            continue
        folds = held(one.output)
        if not folds.low > 0.5:
            numbers = {"auc": auc.value, "low": auc.low, "low_of_folds": folds.low, "rows": float(one.rows)}
            found.append(_refusal(NOT_PROVEN, numbers, one.output))
    return found


def unjudged(slices: Sequence[Slice], labelled: Mapping[str, int]) -> list[Refusal]:
    """Refuse where not one output could be judged on the untouched rows; `labelled` counts labels by output."""
    if any(one.kind == "all" for one in slices):
        return []
    return [
        _refusal(TOO_FEW_TO_JUDGE, {"labels": float(count)}, output) for output, count in labelled.items()
    ]


def failed_cases(scorer: Scorer, cases: Sequence[MustPass], thresholds: Thresholds) -> list[Refusal]:
    """Return the cases on the wrong side: positives must reach doubt (or one half), others stay below it.

    A case whose output the model does not give passes: it is held for a person. So does one that the model takes for another
    language: a site may know only a language that looks like it.
    """
    scores = scorer.score([case.text for case in cases])
    found = []
    for case, score in zip(cases, scores, strict=True):
        value = getattr(score, case.output)
        if value is None or score.language != case.language:
            continue
        doubt = limits(thresholds, score.language, case.output).get("doubt")
        half = 0.5 if doubt is None else doubt
        least, most = min(half, 0.5), max(half, 0.5)
        if value < least if case.is_positive else value >= most:
            numbers = {"new": value, "wanted": least if case.is_positive else most}
            found.append(_refusal(FAILED_CASE, numbers, case.output, "case", case.name))
    return found


def _refusal(code: str, numbers: Mapping[str, float], output: str, *part: str) -> Refusal:
    """Return a refusal about an output, or of one about a kind and a name; what is not known is left out of the numbers."""
    where = f"{output}, {' '.join(part)}" if part else output
    return Refusal(
        code, where, _known(numbers), dict(zip(("output", "kind", "name"), (output, *part), strict=False))
    )


def _known(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in numbers.items() if not math.isnan(value)}
