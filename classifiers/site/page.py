"""A retraining's report as one HTML file: no script, nothing loaded, in Arabic or English.

It is drawn from what `RetrainReport.as_json` gives, so also from reports that were kept, older ones among them. It holds ids of comments;
texts stand in it only where the caller hands them in, for somebody with the right to read them.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from classifiers.page_words import Say, direction, speaker
from classifiers.site import plots
from classifiers.site.curves import Curves
from classifiers.site.judgement import ACTIVE, NEW
from classifiers.site.kept import read_report
from classifiers.site.reports import Note

_MEASURES = ("auc", "precision", "recall", "log_loss", "ece")
_TEMPLATE = Path(__file__).parent / "report.html.j2"
_NO_TEXTS: Mapping[str, str] = {}


def render(
    report: Mapping[str, Any],
    refusals: Sequence[Mapping[str, Any]],
    texts: Mapping[str, str] = _NO_TEXTS,
    *,
    language: str = "en",
) -> str:
    """Return the page in one of `page_words.LANGUAGES`; `refusals` as they were kept, `texts` by comment id.

    Raises ForeignReportError for what is no report of this program's.
    """
    report, say = read_report(report), speaker(language)
    rows = [
        (one, [(_shown(one, ACTIVE, name), _shown(one, NEW, name)) for name in _MEASURES])
        for one in report["slices"]
    ]
    return _template().render(
        report=report,
        refusals=[(one, _where(one, say), _numbers(one.get("numbers") or {}, say)) for one in refusals],
        texts=texts,
        rows=rows,
        notes=[(note.code, note.words(say)) for note in map(Note.of, report["notes"])],
        plots=_plotted(report["curves"], say),
        measures=_MEASURES,
        t=say,
        each=lambda words: say(", ").join(map(say, words.split(", "))),
        language=language,
        direction=direction(language),
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_TEMPLATE.read_text("utf-8"))


def _plotted(drawn: Mapping[str, Mapping[str, Any]], say: Say) -> dict[str, list[Markup]]:
    """Return the plots by output."""
    return {
        output: [
            Markup(draw({name: Curves(**one) for name, one in found.items()}, say))  # noqa: S704  # numbers and fixed words alone
            for draw in (plots.precision_recall, plots.calibration, plots.histogram)
        ]
        for output, found in drawn.items()
        if found
    }


def _where(refusal: Mapping[str, Any], say: Say) -> str:
    """Return what a gate is about; of a report from before it was said part by part, as it was said then."""
    part = refusal.get("part")
    if not part:
        return str(refusal.get("where") or "")
    named = [say(part["kind"]), say(part["name"])] if "kind" in part else []
    return say(", ").join([say(part["output"]), *([" ".join(named)] if named else [])])


def _numbers(numbers: Mapping[str, float | None], say: Say) -> str:
    return say(", ").join(f"{say(name)} {value:.3f}" for name, value in numbers.items() if value is not None)


def _shown(one: Mapping[str, Any], model: str, name: str) -> str:
    found = one["measures"].get(model, {}).get(name)
    if found is None or found["value"] is None:
        return "–"
    if found["low"] is None or found["high"] is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"
