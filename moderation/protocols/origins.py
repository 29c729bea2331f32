"""Whose pages may read an answer: those of the site's own address, and no others."""

from urllib.parse import urlsplit

from aiohttp import web

from moderation.domain.site import Site

_BEHIND_THE_HOST = frozenset("@/?#")
"""What an origin as browsers write it (RFC 6454 §6.2) has nowhere behind its scheme."""


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of a web address (RFC 6454 §4); None for anything else."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def own_origin_headers(request: web.Request, site: Site | None) -> dict[str, str]:
    """Return the headers by which a script on one of the site's own pages may read the answer."""
    origin = request.headers.get("Origin", "")
    own = None if site is None else origin_of(site.url)
    is_plain = _BEHIND_THE_HOST.isdisjoint(origin.partition("://")[2])
    if own is None or not is_plain or origin_of(origin) != own:
        return {}  # also for a sandboxed page, whose origin is "null"
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After"}
