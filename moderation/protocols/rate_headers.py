"""`RateLimit` and `RateLimit-Policy`, after draft-ietf-httpapi-ratelimit-headers-10, as structured fields (RFC 9651)."""

from functools import lru_cache

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
        "RateLimit-Policy": _policy(*[(q.rule, q.quota, q.window_s) for q in quotas]),
        "RateLimit": ", ".join([_limit_item(q) for q in spent or quotas]),
    }


@lru_cache(maxsize=1024)
def _policy(*limits: tuple[str, int, int]) -> str:
    return ", ".join([f'"{rule}";q={quota};w={window_s}' for rule, quota, window_s in limits])


def _limit_item(quota: Quota) -> str:
    left = f'"{quota.rule}";r={quota.remaining}'
    return f"{left};t={quota.next_s}" if quota.next_s else left
