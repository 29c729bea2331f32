"""Whether the caller wants a page or JSON (RFC 9110 §12.5.1)."""

from aiohttp import web

_HTML = {"text/html", "application/xhtml+xml"}
_JSON = {"application/json", "application/problem+json"}


def prefers_html(request: web.Request) -> bool:
    """Tell whether `Accept` names HTML, as browsers do, and no less than JSON; ``*/*`` alone is a script's."""
    weights = dict(_weigh(part) for part in ",".join(request.headers.getall("Accept", [])).split(",")[:50])
    html = max((weights.get(kind, 0.0) for kind in _HTML), default=0.0)
    json = max((weights.get(kind, 0.0) for kind in _JSON), default=0.0)
    return html > 0 and html >= json


def _weigh(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
    try:
        return kind, float(quality)
    except ValueError:
        return kind, 0.0
