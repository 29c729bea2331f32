"""Reasons as they are stored: ``[{"code": …, "evidence": [[start, end, rule, weight], …]}]``."""

from collections.abc import Iterable
from typing import Any

from moderation.domain.verdict import Evidence, Reason, ReasonCode


def reasons_to_json(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    """Write reasons for storing; weights to four decimals."""
    return [
        {
            "code": reason.code,
            "evidence": [[e.start, e.end, e.rule, round(e.weight, 4)] for e in reason.evidence],
        }
        if reason.evidence
        else {"code": reason.code}
        for reason in reasons
    ]


def reasons_from_json(stored: list[dict[str, Any]]) -> tuple[Reason, ...]:
    """Read what `reasons_to_json` wrote."""
    return tuple(
        Reason(ReasonCode(item["code"]), tuple(Evidence(*e) for e in item.get("evidence", ())))
        for item in stored
    )
