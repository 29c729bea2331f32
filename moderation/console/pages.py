"""Rendering the console's pages, and its files: read once, at import, so that no file is opened while requests wait."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import PurePath
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from moderation.console.desk_words import desk_words
from moderation.console.words import number, words
from moderation.domain.messages import LANGUAGES
from moderation.protocols.languages import language_of
from moderation.protocols.reader_pages import direction, security_headers

LANGUAGE_COOKIE = "console_language"
LANGUAGE_KEPT_S = 365 * 24 * 3600
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
}

HEADERS = {
    **security_headers(
        "script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'"
    ),
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every page. `same-origin` and not `no-referrer`, by which browsers would hide a form's `Origin`."""

_TEMPLATES = Environment(
    loader=PackageLoader("moderation.console", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
_PAGES = {name: _TEMPLATES.get_template(name) for name in _TEMPLATES.list_templates(extensions=["html"])}
"""All of them, the common frame too: no file is opened while requests wait."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of `static/`."""

    content: bytes
    packed: bytes
    """The same by gzip, about a third. Pages are never packed: beside what an attacker may choose they hold a secret (BREACH)."""
    type: str
    tag: str
    """Changes whenever the content does."""


def _read(entry: Any) -> File:
    content = entry.read_bytes()
    kind, tag = TYPES[PurePath(entry.name).suffix], hashlib.sha256(content).hexdigest()[:16]
    return File(content, gzip.compress(content, mtime=0), kind, tag)


FILES: dict[str, File] = {
    entry.name: _read(entry)
    for entry in (resources.files("moderation.console") / "static").iterdir()
    if PurePath(entry.name).suffix in TYPES
}


def static(name: str) -> str:
    """Return a file's address, which says its content: it may be kept for good."""
    return f"/console/static/{name}?v={FILES[name].tag}"


MODULES = tuple(f"/console/static/{name}" for name in sorted(FILES) if name.endswith(".js"))
"""As they name each other, without a hash: asked for anew each time, so that no two are ever of different versions."""


def console_language(request: web.Request) -> str:
    """Return the page's language: the one asked for, else the one chosen before, else the browser's."""
    for chosen in (request.query.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    return language_of(request)


def page(
    request: web.Request, template: str, values: Mapping[str, Any], *, status: int = 200
) -> web.Response:
    """Render a page in the reader's language, and remember the language if it was asked for here."""
    language = console_language(request)
    text = _PAGES[template].render(
        language=language,
        direction=direction(language),
        other="en" if language == "ar" else "ar",
        words=words(language),
        number=partial(number, language=language),
        static=static,
        desk_words=desk_words,
        modules=MODULES,
        here=request.rel_url.raw_path,
        **values,
    )
    headers = HEADERS | {"Content-Language": language}
    response = web.Response(status=status, text=text, content_type="text/html", headers=headers)
    if request.query.get("lang") == language:
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=LANGUAGE_KEPT_S, path="/console/", samesite="Lax"
        )
    return response


def moved(location: str) -> web.Response:
    """Send the browser on, by GET."""
    return web.Response(status=303, headers=HEADERS | {"Location": location})


async def send_file(request: web.Request) -> web.Response:
    """Send a file: kept for good under the address that names its content, asked for anew under any other."""
    file = FILES.get(request.match_info["name"])
    if file is None:
        raise web.HTTPNotFound
    is_named = request.query.get("v") == file.tag
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    tag = f'"{file.tag}-gzip"' if is_packed else f'"{file.tag}"'
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if is_named else "no-cache",
        "ETag": tag,
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(
        body=file.packed if is_packed else file.content, content_type=file.type, headers=headers
    )
