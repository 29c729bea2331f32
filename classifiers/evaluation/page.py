"""An evaluation, or a comparison of two models, as one HTML file: no script, nothing loaded, no text unless handed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from classifiers.evaluation.figures import FIGURES, Judged
from classifiers.evaluation.parts import Different, Part, seen
from classifiers.page_words import Say, direction, speaker
from classifiers.site import plots
from classifiers.site.curves import BINS, Curves, Points, curves_of
from classifiers.site.judgement import ACTIVE, NEW
from classifiers.site.measures import Interval
from classifiers.site.reports import Note

WORDS = {
    "auc": "AUC",
    "macro_f1": "macro-F1 at 0.5",
    "doubt_precision": "precision, doubt",
    "doubt_recall": "recall, doubt",
    "reject_precision": "precision, reject",
    "reject_recall": "recall, reject",
    "ece": "calibration error",
    "called_positive": "called positive at 0.5",
}
_POINTS = 60
_ISOLATE, _END = "\u2068", "\u2069"
"""Around a name of unknown direction: what stands beside it keeps its own (UAX 9, isolates)."""
_TEMPLATE = Path(__file__).parent / "report.html.j2"


@dataclass(frozen=True, slots=True)
class Report:
    """What a page shows. Of two models the first is the one compared with; `texts` are by file name and row."""

    versions: list[str]
    files: list[str]
    rows: int
    parts: Sequence[Part]
    notes: Sequence[Note] = ()
    verdicts: Sequence[Mapping[str, int]] = ()
    differently: int = 0
    different: Sequence[Different] = ()
    texts: Mapping[tuple[str, int], str] = field(default_factory=dict)


def render(report: Report, *, language: str = "en") -> str:
    """Return the page in one of `page_words.LANGUAGES`."""
    say = speaker(language)
    by_output = {
        output: [one for one in report.parts if one.output == output] for output in seen(report.parts)
    }
    return _template().render(
        report=report, outputs=by_output, figures=FIGURES, words=WORDS, shown=interval_words, drawn=partial(_drawn, say=say),
        t=say, notes=[note.words(say) for note in report.notes],
        isolated=say(", ").join(f"{_ISOLATE}{name}{_END}" for name in report.files), language=language, direction=direction(language),
    )  # fmt: skip


def interval_words(found: Interval, *, signed: bool = False) -> str:
    """Return a figure with its interval as people read it."""
    sign = "+" if signed else ""
    if np.isnan(found.value):
        return "–"
    if np.isnan(found.low):
        return f"{found.value:{sign}.3f}"
    return f"{found.value:{sign}.3f} [{found.low:{sign}.3f}, {found.high:{sign}.3f}]"


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_TEMPLATE.read_text("utf-8"))


def _drawn(part: Part, *, say: Say) -> list[tuple[str, Markup]]:
    """Return the plots of a part with their titles; none where one class is missing."""
    if not 0 < part.positives < part.rows:
        return []
    names = (ACTIVE, NEW) if len(part.judged) > 1 else (NEW,)
    found = dict(zip(names, map(_curves, part.judged), strict=True))
    by_name = dict(zip(names, part.judged, strict=True))
    drawings: list[tuple[str, str]] = [
        ("Precision and recall", plots.precision_recall(found, say)),
        ("ROC", _roc(by_name, say)),
        ("Calibration", plots.calibration(found, say)),
    ]
    for name, one in by_name.items():
        title = "Scores" if len(by_name) == 1 else f"Scores, {'before' if name == ACTIVE else 'after'}"
        drawings.append((title, _scores(one, say)))
    return [(say(title), Markup(svg)) for title, svg in drawings]  # noqa: S704  # numbers and fixed words alone


def _curves(judged: Judged) -> Curves:
    return curves_of(judged.labels.astype(np.int64), judged.probabilities, np.ones(judged.labels.size))


def _roc(found: Mapping[str, Judged], say: Say) -> str:
    diagonal = f'<path d="{plots.path([(0, 0), (1, 1)])}" stroke="#bbb" stroke-dasharray="4 3" fill="none"/>'
    lines = [plots.line(roc_points(one), plots.COLOURS[name]) for name, one in found.items()]
    return plots.frame("false positives", "true positives", [diagonal, *lines], say)


def roc_points(judged: Judged) -> Points:
    """Return points of the ROC curve, rows with equal probabilities passed together."""
    order = np.argsort(-judged.probabilities, kind="stable")
    ones = judged.labels[order] == 1
    last = np.flatnonzero(np.append(np.diff(judged.probabilities[order]) != 0, True))
    hits, wrong = np.cumsum(ones)[last] / ones.sum(), np.cumsum(~ones)[last] / (~ones).sum()
    # Chosen evenly along both axes: a good model's curve is all in one corner.
    chosen = np.unique(
        np.searchsorted(hits + wrong, np.linspace(0, 2, min(_POINTS, last.size))).clip(max=last.size - 1)
    )
    return [(0.0, 0.0), *zip(wrong[chosen].tolist(), hits[chosen].tolist(), strict=True)]


def _scores(judged: Judged, say: Say) -> str:
    """Draw where the scores of either label lie, each as shares of its own rows."""
    bins = np.minimum((judged.probabilities * BINS).astype(np.int64), BINS - 1)
    shares = [
        np.bincount(bins[judged.labels == label], minlength=BINS) / (judged.labels == label).sum()
        for label in (0, 1)
    ]
    most = float(max(one.max() for one in shares))
    bars = [
        bar
        for at, (one, name) in enumerate(zip(shares, (ACTIVE, NEW), strict=True))
        for bar in plots.bars_of((one / most).tolist(), at, 2, plots.LABEL_COLOURS[name])
    ]
    return plots.frame("probability", say("share of a label, to {}").format(f"{most:.0%}"), bars, say)
