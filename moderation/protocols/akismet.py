"""The Akismet dialect: what its clients call, under every version they write and by GET or POST.

How a call is answered whatever happens: `akismet_calls`. What spam and ham are: `akismet_verdicts`.
"""

from secrets import token_urlsafe

from aiohttp import web

from moderation.protocols.akismet_calls import (
    SERVICES,
    AkismetServices,
    Call,
    Handler,
    Reply,
    answering,
    require,
)
from moderation.protocols.akismet_check import comment_check
from moderation.protocols.akismet_feedback import feedback
from moderation.protocols.akismet_statistics import get_stats, get_subscription, key_sites, usage_limit

__all__ = ["SERVICES", "AkismetServices", "routes"]

_VERSIONS = r"{version:1\.1|1\.2|2\.0}"
_KEY_FIRST = ("key", "api_key")
"""Where the key itself is in question: the plugin sends the one that it has stored along as ``api_key``."""


def routes() -> list[web.RouteDef]:
    """Return this dialect's routes."""
    calls: dict[str, Handler] = {
        "comment-check": answering(comment_check),
        "submit-spam": answering(feedback(is_spam=True)),
        "submit-ham": answering(feedback(is_spam=False)),
        "verify-key": answering(verify_key, key_names=_KEY_FIRST),
        "deactivate": answering(deactivate, key_names=_KEY_FIRST),
        "get-stats": answering(get_stats, key_names=_KEY_FIRST),
        "get-key-stats": answering(get_stats, key_names=_KEY_FIRST),
        "get-subscription": answering(get_subscription, key_names=_KEY_FIRST),
        "token": answering(token),
        "key-sites": answering(key_sites),
        "usage-limit": answering(usage_limit),
        "test": test,
        "compatible-plugins": compatible_plugins,
    }
    return [
        web.route(method, f"/{_VERSIONS}/{name}", handler)
        for name, handler in calls.items()
        for method in ("GET", "POST")
    ]


async def verify_key(call: Call) -> Reply:
    """Say that the key is good; a wrong one never comes here."""
    require(call.form, "blog")
    return Reply("valid")


async def deactivate(_call: Call) -> Reply:
    """Say goodbye. The key stays good: only an operator revokes it, and the plugin may be switched on again."""
    return Reply("deactivated")


async def token(_call: Call) -> Reply:
    """Return a text that opens nothing: the page for which the plugin wants it is not ours."""
    return Reply(token_urlsafe(24))


async def test(_request: web.Request) -> web.Response:
    """Say that we are there; needs no key."""
    return web.Response(text="connected")


async def compatible_plugins(_request: web.Request) -> web.Response:
    """Name no other plugin."""
    return web.json_response([])
