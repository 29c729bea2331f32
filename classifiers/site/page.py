"""A retraining's report as one HTML file: no script, nothing loaded, ids of comments and never a text."""

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from classifiers.page_words import direction, speaker
from classifiers.site import plots
from classifiers.site.curves import Curves
from classifiers.site.judgement import ACTIVE, NEW, Slice
from classifiers.site.measures import Interval
from classifiers.site.reports import RetrainReport

_MEASURES = ("auc", "precision", "recall", "log_loss", "ece")
_TEMPLATE = Path(__file__).parent / "report.html.j2"


def render(report: RetrainReport, drawn: Mapping[str, Mapping[str, Curves]], *, language: str = "en") -> str:
    """Return the page in one of `page_words.LANGUAGES`; `drawn` are the curves by output and model."""
    say = speaker(language)
    plotted = {
        output: [
            Markup(draw(found, say))  # noqa: S704  # numbers and fixed words alone
            for draw in (plots.precision_recall, plots.calibration, plots.histogram)
        ]
        for output, found in drawn.items()
        if found
    }
    rows = [
        (one, [(_shown(one, ACTIVE, name), _shown(one, NEW, name)) for name in _MEASURES])
        for one in report.slices
    ]
    words = {"t": say, "language": language, "direction": direction(language)}
    return _template().render(report=report, measures=_MEASURES, rows=rows, plots=plotted, **words)


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_TEMPLATE.read_text("utf-8"))


def _shown(one: Slice, model: str, name: str) -> str:
    found = one.measures.get(model, {}).get(name)
    return "–" if found is None else _interval(found)


def _interval(found: Interval) -> str:
    if math.isnan(found.value):
        return "–"
    if math.isnan(found.low):
        return f"{found.value:.3f}"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
