"""``GET /v1/health?site=``: how often the service is wrong by itself, for leads."""

from aiohttp import web

from moderation.domain.intervals import Share
from moderation.domain.site import Role
from moderation.learning.health import ErrorRate, Health, HealthReader
from moderation.protocols.authentication import authenticate_person, site_of
from moderation.protocols.rendering import json_response
from moderation.protocols.review_fields import ONE_SITE, read_query

HEALTH = web.AppKey("health", HealthReader)


def routes() -> list[web.RouteDef]:
    """Return this module's routes."""
    return [web.get("/v1/health", read_health)]


async def read_health(request: web.Request) -> web.Response:
    """Return error rates, drift and outliers of one site to a person with the role lead there."""
    person = await authenticate_person(request)
    site = await site_of(request, person, read_query(request, known=ONE_SITE).get("site", ""))
    person.require(site.id, Role.LEAD)
    found = await request.app[HEALTH].read(site.id, site.name)
    return json_response(health_body(found))


def health_body(found: Health) -> dict[str, object]:
    """Write a site's health."""
    return {
        "site": found.site,
        "model": found.model,
        "rates": {
            language: {verdict: _rate(rate) for verdict, rate in rates.items()}
            for language, rates in found.rates.items()
        },
        "open_audits": found.open_audits,
        "drift": dict(found.drift),
        "is_drifted": found.is_drifted,
        "drift_against": found.drift_against,
        "outliers": [dict(one) for one in found.outliers],
        "erasures_since": found.erasures_since,
    }


def _rate(rate: ErrorRate) -> dict[str, object]:
    return {"precision": _share(rate.precision), "recall": _share(rate.recall)}


def _share(one: Share) -> dict[str, float | int | None]:
    return {"value": one.value, "low": one.low, "high": one.high, "rows": one.rows}
