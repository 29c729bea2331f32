"""The words of a comment that came as HTML from an editor, for scoring and for moderators' eyes.

Only tags that editors write are taken for tags: in a plain text ``a < b`` and ``<secret>`` are words. Nothing between tags is
dropped, not even inside of ``script``, since what is dropped would be judged by nobody.
"""

import html
import re

_BREAKING = frozenset(
    {"address", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li"}
    | {"ol", "p", "pre", "table", "td", "th", "tr", "ul", "script", "style"}
)  # fmt: skip
_INLINE = frozenset(
    {"a", "b", "cite", "code", "del", "em", "font", "i", "img", "ins", "mark", "q", "s", "small", "span", "strike", "strong"}
    | {"sub", "sup", "u"}
)  # fmt: skip
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,9})(\s[^<>]*|/)?>")
_ADDRESS = re.compile(r"""\s(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""", re.IGNORECASE)
_SCHEME = re.compile(r"^(?:https?:)?//", re.IGNORECASE)
_BLANK_LINES = re.compile(r"[ \t\u00a0]*\n\s*")


def text_of_html(body: str, *, with_links: bool = True) -> str:
    """Return the text of ``body``, a new line for each block; the address of a link goes before it unless it says the same."""
    pieces, at = [], 0
    for tag in _TAG.finditer(body):
        name = tag[2].lower()
        if name not in _BREAKING and name not in _INLINE:
            continue
        pieces.append(body[at : tag.start()])
        at = tag.end()
        if name in _BREAKING:
            pieces.append("\n")
        elif with_links and not tag[1] and tag[3]:
            pieces.append(_link(tag[3], body, at))
    pieces.append(body[at:])
    return _BLANK_LINES.sub("\n", html.unescape("".join(pieces))).strip()


def _link(attributes: str, body: str, at: int) -> str:
    found = _ADDRESS.search(attributes)
    address = next((group for group in found.groups() if group), "") if found else ""
    said = _SCHEME.sub("", address.strip()).rstrip("/")
    begins_alike = said and _SCHEME.sub("", body[at : at + len(address) + 10].lstrip()).startswith(said)
    return "" if not said or begins_alike else f"{address} "
