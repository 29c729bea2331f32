"""`RateLimit` and `RateLimit-Policy` are structured fields that a client can act upon."""

import re

from moderation.domain.rates import Limit, Limits, Snapshot
from moderation.protocols.rate_headers import rate_headers

# RFC 9651: a list of strings with integer parameters is all that the draft needs here.
ITEM = r'"[a-z]+"(?:;[a-z]+=\d+)+'
LIST = re.compile(rf"{ITEM}(?:, {ITEM})*")
LIMITS = Limits()


def test_policies_and_what_is_left_of_them() -> None:
    headers = rate_headers(Snapshot(LIMITS, (15_000_000, -1, 500_000, 20_000)))
    assert headers == {
        "RateLimit-Policy": '"author";q=3;w=45, "thread";q=120;w=60, "site";q=50;w=1',
        "RateLimit": '"author";r=2;t=15, "thread";r=119;t=1, "site";r=49;t=1',
    }
    assert all(LIST.fullmatch(value) for value in headers.values())


def test_a_limit_that_is_untouched_has_no_time() -> None:
    assert rate_headers(Snapshot(LIMITS, (0, -1, -1, -1)))["RateLimit"] == '"author";r=3'


def test_when_something_is_spent_only_that_is_named() -> None:
    """So that no time in `RateLimit` lies beyond `Retry-After`."""
    slow_thread = Limits(thread=Limit(2, 86_400, 2))
    headers = rate_headers(Snapshot(slow_thread, (42_000_000, 1_000_000, 43_200_000_000, 20_000)))
    assert headers["RateLimit"] == '"author";r=0;t=12'


def test_without_limits_there_are_no_headers() -> None:
    off = Limit(0, 1, 1)
    assert rate_headers(Snapshot(Limits(off, off, off, off), (-1, -1, -1, -1))) == {}
