"""``/openapi.json`` and ``/docs``: what every route takes and answers, for programs and for people; made once, from memory."""

import orjson
from aiohttp import web

from moderation.protocols.openapi.document import build
from moderation.protocols.openapi.reading import inline, paragraphs, read_schemas, read_sections
from moderation.protocols.problems import PROBLEMS
from moderation.protocols.reader_pages import TEMPLATES, page_source, security_headers

_DOCUMENT = build()
_JSON = orjson.dumps(_DOCUMENT, option=orjson.OPT_INDENT_2)
_PAGE = TEMPLATES.get_template("docs.html").render(
    info=_DOCUMENT["info"],
    about=paragraphs(_DOCUMENT["info"]["description"]),
    security=_DOCUMENT["components"]["securitySchemes"],
    sections=read_sections(_DOCUMENT),
    problems=PROBLEMS,
    schemas=read_schemas(_DOCUMENT),
    inline=inline,
)
_STYLE = page_source("docs.css")
_CACHE = {"Cache-Control": "no-cache"}
_HEADERS = security_headers("style-src 'self'") | _CACHE


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [
        web.get("/openapi.json", send_document),
        web.get("/docs", show_page),
        web.get("/docs/docs.css", send_style),
    ]


async def send_document(_request: web.Request) -> web.Response:
    """Send the document; any page may read it, as there is nothing of anybody's in it."""
    headers = {"Access-Control-Allow-Origin": "*", **_CACHE}
    return web.Response(body=_JSON, content_type="application/json", headers=headers)


async def show_page(_request: web.Request) -> web.Response:
    """Show the document; the page loads its style from here, and nothing else."""
    return web.Response(text=_PAGE, content_type="text/html", headers=_HEADERS)


async def send_style(_request: web.Request) -> web.Response:
    """Send the page's style."""
    return web.Response(text=_STYLE, content_type="text/css", headers=_CACHE)
