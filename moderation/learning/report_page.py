"""A retraining's report as one page of HTML: tables and plots, no script, nothing from elsewhere.

It holds comment ids. Texts stand in it only where the caller hands them in, for somebody with the right to read them.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from classifiers.page_words import Say, direction, speaker

_COMPARED = "Compared with {} on decisions that neither learned from. Data {}."
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:start;padding:.25rem .75rem;border-bottom:1px solid #ddd;"
    "vertical-align:top}h1,p{overflow-wrap:anywhere}.wide{overflow-x:auto}svg{display:block}.old{fill:#777;stroke:#777}.new{fill:#0b57d0;stroke:#0b57d0}.no{color:#a50e0e}"
)
_WIDTH = 260


def render(
    report: Mapping[str, Any], refusals: Sequence[Any], texts: Mapping[str, str], *, language: str = "en"
) -> str:
    """Return the page in one of `page_words.LANGUAGES`; ``texts`` by comment id may be empty."""
    say = speaker(language)
    parts = [
        f"<!doctype html><html lang={language} dir={direction(language)}>",
        "<meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'>",
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{_e(report['version'])}</title><style>{_STYLE}</style><h1>{_e(report['version'])}</h1>",
        "<p>" + _e(say(_COMPARED).format(report["active"], report["snapshot"])),
        _gates(refusals, say),
        f"<h2>{say('Slices')}</h2>",
        _slices(report["slices"], say),
        f"<h2>{say('What would change')}</h2>",
        _changes(report["changes"], texts, say),
        f"<h2>{say('Labellers')}</h2>",
        _labellers(report["labellers"], say),
        f"<h2>{say('Rows')}</h2>",
        _table(
            say("rows"), ("", say("rows")), [(say(name), count) for name, count in report["counts"].items()]
        ),
    ]
    parts += [f"<p>{_e(say(code))}: <bdi lang=en>{_e(sentence)}</bdi>" for code, sentence in report["notes"]]
    return "\n".join(parts) + "\n"


def _gates(refusals: Sequence[Any], say: Say) -> str:
    if not refusals:
        return f"<p>{say('Every gate held.')}"
    rows = [
        (say(str(one.get("code"))), one.get("where"), _numbers(one.get("numbers") or {})) for one in refusals
    ]
    head = [say(word) for word in ("gate", "where", "numbers")]
    return f"<p class=no>{say('Kept as a candidate:')}" + _table(say("gates"), head, rows)


def _slices(slices: Sequence[Mapping[str, Any]], say: Say) -> str:
    rows = [
        "<tr>"
        + "".join(
            f"<td><bdi>{_e(say(str(one[name])))}</bdi>"
            for name in ("output", "kind", "name", "rows", "positives")
        )
        + f"<td dir=ltr>{_plot(one['measures'])}<td dir=ltr>{_losses(one['measures'])}"
        for one in slices
    ]
    head = "".join(
        f"<th>{say(name)}"
        for name in ("output", "slice", "", "rows", "positive", "AUC, 0.5 to 1", "log-loss")
    )
    shown = _wide(say("slices"), f"<table><tr>{head}{''.join(rows)}</table>")
    return f"{shown}<p>{say('Grey: before. Blue: now. Lines are 95 % intervals.')}"


def _plot(measures: Mapping[str, Any]) -> str:
    marks = []
    for at, (name, style) in enumerate((("active", "old"), ("new", "new"))):
        found = (measures.get(name) or {}).get("auc")
        if found and found["value"] is not None:
            y = 8 + 12 * at
            low, high = (
                _x(found[bound] if found[bound] is not None else found["value"]) for bound in ("low", "high")
            )
            marks += [
                f"<line class={style} x1={low} x2={high} y1={y} y2={y} />",
                f"<circle class={style} r=4 cx={_x(found['value'])} cy={y} />",
            ]
    words = ", ".join(f"{name} {_value(measures, name, 'auc')}" for name in ("active", "new"))
    return (
        f"<svg role=img aria-label='{_e(words)}' width={_WIDTH} height=28>{''.join(marks)}</svg>{_e(words)}"
    )


def _x(value: float) -> int:
    return round(8 + (_WIDTH - 16) * (min(max(value, 0.5), 1.0) - 0.5) * 2)


def _losses(measures: Mapping[str, Any]) -> str:
    return _e(f"{_value(measures, 'active', 'log_loss')} → {_value(measures, 'new', 'log_loss')}")


def _value(measures: Mapping[str, Any], model: str, name: str) -> str:
    found = (measures.get(model) or {}).get(name)
    return "-" if not found or found["value"] is None else f"{found['value']:.3f}"


def _changes(changes: Mapping[str, Any], texts: Mapping[str, str], say: Say) -> str:
    shares = [
        (say(name), f"{changes['before'].get(name, 0):.1%}", f"{changes['after'].get(name, 0):.1%}")
        for name in ("approve", "hold", "reject")
    ]
    moved = [
        (
            one.get("id"),
            say(str(one.get("before"))),
            say(str(one.get("after"))),
            one.get("said"),
            texts.get(str(one.get("id")), ""),
        )
        for one in changes.get("differently") or []
    ]
    head = [say(word) for word in ("comment", "before", "now", "people said", "text")]
    return _table(say("shares"), ("", say("before"), say("now")), shares) + _table(
        say("comments judged differently"), head, moved
    )


def _labellers(labellers: Sequence[Mapping[str, Any]], say: Say) -> str:
    rows = [
        (
            one["actor"],
            say(one["output"]),
            one["labels"],
            f"{one['contradicted']:.0%}",
            say("outlier") if one["is_outlier"] else "",
        )
        for one in labellers
    ]
    head = [say(word) for word in ("who", "output", "labels", "contradicted by the model")]
    return _table(say("labellers"), (*head, ""), rows)


def _table(name: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    body = "".join("<tr>" + "".join(f"<td dir=auto>{_e(value)}" for value in row) for row in rows)
    return _wide(name, f"<table><tr>{''.join(f'<th>{_e(column)}' for column in head)}{body}</table>")


def _wide(name: str, table: str) -> str:
    """Return a table that scrolls by itself on a narrow screen, also by keyboard, instead of the page."""
    return f"<div class=wide role=region tabindex=0 aria-label='{_e(name)}'>{table}</div>"


def _numbers(numbers: Mapping[str, float | None]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in numbers.items() if value is not None)


def _e(value: Any) -> str:
    return html.escape("-" if value is None else str(value))
