"""Did a person fill the form in? A trap that readers do not see, and a stamp that says when the form was drawn.

A stamp is ``seconds.hash``: the time is signed, so that nobody can make an older one. It is no proof (whoever can fetch a page
can fetch a stamp, and wait); it only makes the cheapest programs visible. A page from a cache has none and works as well,
unless the site asks for one; a stamp older than `STAMP_LIVES_S` counts as none.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moderation.domain.ports import Vault
from moderation.domain.site import Site
from moderation.domain.verdict import ReasonCode
from moderation.protocols.form_fields import TRAP

STAMP_LIVES_S = 24 * 3600
AHEAD_S = 60
"""By how much another of our machines' clocks may be ahead."""


def new_stamp(vault: Vault, site: Site, now: datetime) -> str:
    """Return a stamp of this moment."""
    second = str(int(now.timestamp()))
    return f"{second}.{_sign(vault, site, second)}"


def suspicions(vault: Vault, site: Site, fields: Mapping[str, Any], now: datetime) -> tuple[ReasonCode, ...]:
    """Return what speaks for a program: nothing, `honeypot`, `too_fast`, or both."""
    found = []
    if fields.get(TRAP):
        found.append(ReasonCode.HONEYPOT)
    if _is_too_fast(vault, site, fields.get("form_stamp"), now):
        found.append(ReasonCode.TOO_FAST)
    return tuple(found)


def _is_too_fast(vault: Vault, site: Site, stamp: Any, now: datetime) -> bool:
    is_missed = site.settings.form_stamp_required
    if stamp is None or stamp == "":
        return is_missed
    second, _, signature = stamp.partition(".") if isinstance(stamp, str) else ("", "", "")
    if not (second.isascii() and second.isdigit() and len(second) <= 12):
        return True
    ours = _sign(vault, site, second)
    if not hmac.compare_digest(ours.encode(), signature.encode(errors="replace")):
        return True
    age_s = now.timestamp() - int(second)
    if age_s > STAMP_LIVES_S:
        return is_missed
    return age_s < -AHEAD_S or max(age_s, 0) < site.settings.form_min_s


def _sign(vault: Vault, site: Site, second: str) -> str:
    return vault.fingerprint("form stamp", site.name, second).hex()
