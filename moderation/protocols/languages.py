"""Which language the caller reads: `Accept-Language` (RFC 9110 §12.5.4), else the site's."""

from collections.abc import Mapping
from functools import lru_cache

from aiohttp import web

from moderation.domain.messages import choose_language

SITE_LANGUAGE = web.RequestKey("site_language", str)
"""Under this key a handler notes the site's language on its request."""


def language_of(request: web.Request) -> str:
    """Return ``ar`` or ``en`` for this request."""
    return language_for(request.headers, request.get(SITE_LANGUAGE, "en"))


def language_for(headers: Mapping[str, str], default: str) -> str:
    """Return ``ar`` or ``en`` for a caller who sent these headers; ``default`` is the site's."""
    return _choose(headers.get("Accept-Language", ""), default)


@lru_cache(maxsize=512)
def _choose(header: str, default: str) -> str:
    weighted = []
    for part in header[:500].split(","):
        tag, _, parameter = part.strip().partition(";")
        weight = _weight(parameter)
        if tag and weight > 0:
            weighted.append((-weight, tag))
    return choose_language([tag for _, tag in sorted(weighted, key=lambda pair: pair[0])], default)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
