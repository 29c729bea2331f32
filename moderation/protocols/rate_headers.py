"""`RateLimit` and `RateLimit-Policy`, after draft-ietf-httpapi-ratelimit-headers-10, as structured fields (RFC 9651)."""

from moderation.domain.rates import Quota, Snapshot


def rate_headers(snapshot: Snapshot) -> dict[str, str]:
    """Render a snapshot as response headers; none for an empty one.

    ``q`` submissions per ``w`` seconds may run through; ``r`` are left, and one more becomes free in ``t`` seconds (left out
    when all are free). Where some limit is spent, `RateLimit` names the spent ones alone, so that no ``t`` lies beyond
    `Retry-After` (§6 of the draft).
    """
    quotas = snapshot.quotas
    if not quotas:
        return {}
    spent = [quota for quota in quotas if quota.remaining == 0]
    return {
        "RateLimit-Policy": ", ".join(map(_policy_item, quotas)),
        "RateLimit": ", ".join(map(_limit_item, spent or quotas)),
    }


def _policy_item(quota: Quota) -> str:
    return f'"{quota.rule}";q={quota.quota};w={quota.window_s}'


def _limit_item(quota: Quota) -> str:
    left = f'"{quota.rule}";r={quota.remaining}'
    return f"{left};t={quota.next_s}" if quota.next_s else left
