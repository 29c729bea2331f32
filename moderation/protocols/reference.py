"""``/openapi.json``, ``/docs`` and the pages of problems: what every route takes and answers; made once, from memory."""

import orjson
from aiohttp import web

from moderation.protocols.openapi.document import build
from moderation.protocols.openapi.reading import inline, paragraphs, read_schemas, read_sections
from moderation.protocols.problem_words import ARABIC
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
_PROBLEM_PAGES = {
    code: TEMPLATES.get_template("problem.html").render(
        info=_DOCUMENT["info"], code=code, kind=kind, arabic=ARABIC[code], inline=inline
    )
    for code, kind in PROBLEMS.items()
}
_STYLE = page_source("docs.css")
_CACHE = {"Cache-Control": "no-cache"}
_HEADERS = security_headers("style-src 'self'; img-src data:") | _CACHE


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [
        web.get("/", lead_on),
        web.get("/openapi.json", send_document),
        web.get("/docs", show_page),
        web.get("/docs/docs.css", send_style),
        web.get("/problems/{code}", show_problem),
    ]


async def lead_on(_request: web.Request) -> web.Response:
    """Lead whoever comes without an address to the page that describes the others."""
    return web.Response(status=303, headers={"Location": "/docs"})


async def send_document(_request: web.Request) -> web.Response:
    """Send the document; any page may read it, as there is nothing of anybody's in it."""
    headers = {"Access-Control-Allow-Origin": "*", **_CACHE}
    return web.Response(body=_JSON, content_type="application/json", headers=headers)


async def show_page(_request: web.Request) -> web.Response:
    """Show the document; the page loads its style from here, and nothing else."""
    return web.Response(text=_PAGE, content_type="text/html", headers=_HEADERS)


async def show_problem(request: web.Request) -> web.Response:
    """Explain one type of problem in both languages; what `type` in a problem detail leads to."""
    page = _PROBLEM_PAGES.get(request.match_info["code"])
    if page is None:
        raise web.HTTPNotFound
    return web.Response(text=page, content_type="text/html", headers=_HEADERS)


async def send_style(_request: web.Request) -> web.Response:
    """Send the page's style."""
    return web.Response(text=_STYLE, content_type="text/css", headers=_CACHE)
