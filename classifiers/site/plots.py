"""Small plots as SVG, drawn here: a report is one file that needs nothing and loads nothing."""

from collections.abc import Mapping, Sequence

from classifiers.page_words import Say
from classifiers.site.curves import Curves, Points
from classifiers.site.judgement import ACTIVE, NEW

WIDTH, HEIGHT = 260, 220
_LEFT, _TOP, _SIDE = 44, 12, 168
COLOURS = {ACTIVE: "#8a8f98", NEW: "#0b6bcb"}
LABEL_COLOURS = {ACTIVE: "#8a8f98", NEW: "#b3261e"}  # label 0, label 1


def precision_recall(found: Mapping[str, Curves], say: Say) -> str:
    """Draw precision over recall."""
    lines = [line(one.precision, COLOURS[name]) for name, one in found.items()]
    return frame("recall", "precision", lines, say)


def calibration(found: Mapping[str, Curves], say: Say) -> str:
    """Draw the true share over the stated one, beside the diagonal of a calibrated model."""
    diagonal = f'<path d="{path([(0, 0), (1, 1)])}" stroke="#bbb" stroke-dasharray="4 3" fill="none"/>'
    lines = [
        line(one.calibration, COLOURS[name]) + dots(one.calibration, COLOURS[name])
        for name, one in found.items()
    ]
    return frame("stated probability", "true share", [diagonal, *lines], say)


def histogram(found: Mapping[str, Curves], say: Say) -> str:
    """Draw the share of comments in each tenth of probability."""
    most = max((value for one in found.values() for value in one.histogram), default=0.0) or 1.0
    bars = []
    for at, (name, one) in enumerate(found.items()):
        bars += bars_of([value / most for value in one.histogram], at, len(found), COLOURS[name])
    return frame("probability", say("share of comments, to {}").format(f"{most:.0%}"), bars, say)


def bars_of(values: Sequence[float], series: int, of: int, colour: str) -> list[str]:
    step = _SIDE / len(values)
    width = (step - 2) / of
    return [
        f'<rect x="{_LEFT + at * step + 1 + series * width:.1f}" y="{_TOP + _SIDE * (1 - value):.1f}" '
        f'width="{width:.1f}" height="{_SIDE * value:.1f}" fill="{colour}"/>'
        for at, value in enumerate(values)
    ]


def frame(below: str, beside: str, inside: Sequence[str], say: Say) -> str:
    below, beside = say(below), say(beside)
    ticks = "".join(
        f'<text x="{_LEFT + _SIDE * value:.0f}" y="{_TOP + _SIDE + 14}" text-anchor="middle">{value:g}</text>'
        f'<text x="{_LEFT - 6}" y="{_TOP + _SIDE * (1 - value) + 4:.0f}" text-anchor="end">{value:g}</text>'
        for value in (0, 0.5, 1)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{say("{} over {}").format(beside, below)}" direction="ltr" '
        f'font-size="11" font-family="sans-serif" fill="#333">'
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#ddd"/>{"".join(inside)}{ticks}'
        f'<text x="{_LEFT + _SIDE / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{below}</text>'
        f'<text x="12" y="{_TOP + _SIDE / 2:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 12 {_TOP + _SIDE / 2:.0f})">{beside}</text></svg>'
    )


def line(points: Points, colour: str) -> str:
    return f'<path d="{path(points)}" stroke="{colour}" stroke-width="2" fill="none"/>' if points else ""


def path(points: Points) -> str:
    return "M" + "L".join(f"{_LEFT + _SIDE * x:.1f} {_TOP + _SIDE * (1 - y):.1f}" for x, y in points)


def dots(points: Points, colour: str) -> str:
    return "".join(
        f'<circle cx="{_LEFT + _SIDE * x:.1f}" cy="{_TOP + _SIDE * (1 - y):.1f}" r="2.5" fill="{colour}"/>'
        for x, y in points
    )
