"""The calls about calls: what the WordPress plugin's page and the libraries ask for, from what was really counted."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from moderation.protocols.akismet_calls import Call, RefusedCallError, Reply, require
from moderation.storage.akismet import Totals, summed, usage_by_blog, usage_by_month

MAX_SITES = 500
JSON = "application/json"

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_SINCE_DAYS = {"60-days": 60, "6-months": 183}
_ORDERS: dict[str, Callable[[Totals], int]] = {
    "total": lambda totals: totals.calls,
    "spam": lambda totals: totals.spam,
    "ham": lambda totals: totals.ham,
    "missed_spam": lambda totals: totals.missed_spam,
    "false_positives": lambda totals: totals.false_positives,
}
_COLUMNS = ("Site", "Total API Calls", "Spam", "Ham", "Missed Spam", "False Positives", "Is Revoked")


async def get_stats(call: Call) -> Reply:
    """Return a key's totals with each month's: of the last ``60-days``, ``6-months``, or ``all``."""
    require(call.form, "blog")
    days = _SINCE_DAYS.get(call.form.get("from"))
    today = call.services.clock().date()
    since = date(2000, 1, 1) if days is None else today - timedelta(days=days)
    months = await _months(call, since)
    total = summed(totals for _, totals in months)
    breakdown = {
        month.strftime("%Y-%m"): _counts(totals) | {"da": month.isoformat()} for month, totals in months
    }
    return _json(_counts(total) | {"accuracy": _accuracy(total), "breakdown": breakdown})


async def get_subscription(call: Call) -> Reply:
    """Say that the key may be used: the plugin stores it only then."""
    require(call.form, "blog")
    return _json(
        {
            "account_id": call.site.id,
            "account_name": call.site.name,
            "account_type": "self-hosted",
            "status": "active",
            "next_billing_date": False,
            "limit_reached": False,
        }
    )


async def usage_limit(call: Call) -> Reply:
    """Return this month's calls; there is no monthly limit."""
    first = call.services.clock().date().replace(day=1)
    used = summed(totals for _, totals in await _months(call, first)).calls
    body: dict[str, Any] = {"limit": "none", "usage": used, "percentage": "0.00", "throttled": False}
    if call.form.is_set("extended"):
        body |= {"notice_level": "none", "upgrade": False}
    return _json(body)


async def key_sites(call: Call) -> Reply:
    """List the blogs that used the key in a month, the busiest first, as JSON or CSV."""
    form = call.form
    month = _month(form.get("month"), call.services.clock())
    limit, offset = _whole(form.get("limit"), MAX_SITES), _whole(form.get("offset"), 0)
    async with call.services.database.connection() as connection:
        found = await usage_by_blog(connection, call.site.id, call.key_id, month)
    order = _ORDERS.get(form.get("order"), _ORDERS["total"])
    wanted = [(blog, totals) for blog, totals in found if form.get("filter").lower() in blog]
    wanted.sort(key=lambda pair: (-order(pair[1]), pair[0]))
    page = wanted[offset : offset + limit]
    place = {"limit": limit, "offset": offset, "total": len(wanted)}
    if form.get("format").lower() == "csv":
        return Reply(_csv(page, month, place), content_type="text/csv")
    lines = [_line(call, blog, totals) for blog, totals in page]
    return _json({month.strftime("%Y-%m"): lines, **place})


async def _months(call: Call, since: date) -> list[tuple[date, Totals]]:
    async with call.services.database.connection() as connection:
        return await usage_by_month(connection, call.site.id, call.key_id, since)


def _line(call: Call, blog: str, totals: Totals) -> dict[str, Any]:
    line = {"site": blog, "api_calls": totals.calls, **_counts(totals), "is_revoked": False}
    if not call.form.is_set("extended"):
        return line
    name = call.services.vault.fingerprint("akismet_blog", call.site.name, blog)
    return line | {"hash": name.hex(), "eligible_for_revoke": False}


def _counts(totals: Totals) -> dict[str, Any]:
    return asdict(totals)


def _accuracy(totals: Totals) -> float | None:
    """Return the share of answers that nobody called wrong, in percent; None where there were none."""
    if not totals.calls:
        return None
    wrong = min(totals.missed_spam + totals.false_positives, totals.calls)
    return round(100 * (1 - wrong / totals.calls), 2)


def _csv(page: Sequence[tuple[str, Totals]], month: date, place: dict[str, int]) -> str:
    text = io.StringIO()
    said = ", ".join(f"{name}: {number}" for name, number in place.items())
    text.write(f"Active sites during {month:%Y-%m} ({said})\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(
        (blog, t.calls, t.spam, t.ham, t.missed_spam, t.false_positives, "false") for blog, t in page
    )
    return text.getvalue()


def _month(written: str, now: datetime) -> date:
    if not written:
        return now.astimezone(UTC).date().replace(day=1)
    found = _MONTH.fullmatch(written)
    if found is None:
        raise RefusedCallError("month must be written as YYYY-MM.")
    return date(int(found[1]), int(found[2]), 1)


def _whole(written: str, default: int) -> int:
    return (
        min(int(written), 10**6) if written.isascii() and written.isdigit() and len(written) < 10 else default
    )


def _json(body: dict[str, Any]) -> Reply:
    return Reply(orjson.dumps(body).decode(), content_type=JSON)
