"""For operators and explorers: liveness, readiness, metrics."""

import asyncio

import orjson
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from moderation.domain.errors import DependencyUnavailableError
from moderation.domain.ports import Scorer
from moderation.storage.database import Database
from moderation.telemetry import render_metrics

DATABASE = web.AppKey("database", Database)
REDIS: web.AppKey[Redis] = web.AppKey("redis", Redis)
MODEL: web.AppKey[Scorer] = web.AppKey("model", Scorer)

PING_TIMEOUT_S = 1.0
CHECK_TIMEOUT_S = 2.0
"""Less than the 3 seconds after which who asks for readiness gives up (`deploy/`)."""


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [
        web.get("/livez", live),
        web.get("/readyz", ready),
        web.get("/metrics", metrics),
    ]


async def live(_request: web.Request) -> web.Response:
    """200 as long as the process answers."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """503 only without PostgreSQL; otherwise 200, naming what is missing."""
    has_database, has_redis = await asyncio.gather(
        _checks(request.app[DATABASE]), _answers(request.app[REDIS])
    )
    parts = {"postgresql": has_database, "redis": has_redis, "model": request.app[MODEL].model is not None}
    missing = [part for part, is_there in parts.items() if not is_there]
    body = {"status": "degraded" if missing else "ok", "missing": missing}
    return web.Response(
        status=503 if "postgresql" in missing else 200,
        body=orjson.dumps(body),
        content_type="application/json",
        headers={"Retry-After": "2"} if "postgresql" in missing else {},
    )


async def _checks(database: Database) -> bool:
    try:
        await database.within(CHECK_TIMEOUT_S).check()
    except DependencyUnavailableError:
        return False
    return True


async def _answers(redis: Redis) -> bool:
    try:
        async with asyncio.timeout(PING_TIMEOUT_S):
            return bool(await redis.ping())
    except (TimeoutError, OSError, RedisError):
        return False


async def metrics(_request: web.Request) -> web.Response:
    """Return the metrics in Prometheus' text format."""
    return web.Response(
        body=render_metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )
