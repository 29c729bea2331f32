"""The report of a retraining, for a terminal: what was measured, what would change; ids only."""

from collections.abc import Mapping
from typing import Any

from moderation.cli.output import table

_COLUMNS = ("output", "part", "rows", "positive", "auc before", "auc", "log-loss before", "log-loss")
_SHOWN = 10


def report_words(report: Mapping[str, Any]) -> str:
    """Return a report for a terminal."""
    parts = [
        table(
            [_row(one) for one in report["slices"]],
            _COLUMNS,
            empty="No part of the untouched rows could be judged.",
        ),
        _changes(report["changes"]),
    ]
    outliers = [one for one in report["labellers"] if one["is_outlier"]]
    if outliers:
        lines = [
            f"  {one['actor']}: {one['output']}, {one['contradicted']:.0%} of {one['labels']} labels"
            for one in outliers
        ]
        parts.append("\n".join(["labels far from everybody else's, counted less:", *lines]))
    if report["notes"]:
        parts.append("\n".join(f"{code}: {sentence}" for code, sentence in report["notes"]))
    return "\n\n".join(parts)


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    measures = one["measures"]
    return {
        "output": one["output"],
        "part": one["name"] if one["kind"] == "all" else f"{one['kind']} {one['name']}",
        "rows": one["rows"],
        "positive": one["positives"],
        "auc before": _interval(measures.get("active"), "auc"),
        "auc": _interval(measures["new"], "auc"),
        "log-loss before": _interval(measures.get("active"), "log_loss"),
        "log-loss": _interval(measures["new"], "log_loss"),
    }


def _interval(measures: Mapping[str, Any] | None, name: str) -> str | None:
    found = (measures or {}).get(name)
    if not found or found["value"] is None:
        return None
    return f"{found['value']:.3f} [{_number(found['low'])}, {_number(found['high'])}]"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"


def _changes(changes: Mapping[str, Any]) -> str:
    lines = [
        f"{name}: {changes['before'].get(name, 0):.1%} of the untouched comments before, {changes['after'].get(name, 0):.1%} now"
        for name in ("approve", "hold", "reject")
    ]
    moved = changes.get("differently") or []
    if moved:
        lines.append(f"judged differently, {len(moved)} of them:")
        lines += [f"  {one.get('id')}: {one.get('before')} → {one.get('after')}" for one in moved[:_SHOWN]]
    return "\n".join(lines)
