"""The walk of the contract tests with planted people: looks into every answer, and remembers what it planted.

Whatever route the walk learns, this one searches too: the walk itself fails for a route that it does not reach.
"""

import itertools
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.contract.openapi import check, match
from tests.contract.walk import Walker
from tests.service import comment as plain_comment
from tests.service import decoded

MARK = "zqk" + secrets.token_hex(3)
"""Begins every word that was planted; occurs nowhere by itself."""
_NUMBERS = itertools.count(1)

EMAIL = re.compile(MARK + r"mail\d+@", re.IGNORECASE)
ADDRESS = re.compile(r"2001:db8:5eed:[0-9a-f:]+", re.IGNORECASE)
AGENT = re.compile(MARK + r"agent", re.IGNORECASE)
NAME = re.compile(MARK + r"name", re.IGNORECASE)
TEXT = re.compile(MARK + r"(text|note|title)", re.IGNORECASE)
KEY = re.compile(MARK + r"key", re.IGNORECASE)


def person() -> dict[str, str]:
    """A fresh author, unlike any other in every field."""
    number = next(_NUMBERS)
    return {
        "name": f"{MARK}name{number}",
        "email": f"{MARK}mail{number}@example.com",
        "ip": f"2001:db8:5eed:{number:x}::7",
        "user_agent": f"{MARK}agent{number}",
    }


def comment(text: str = "تعليق هادئ على الخبر", **fields: Any) -> dict[str, Any]:
    """What the walk sends in place of the usual comment."""
    planted = plain_comment(f"{text} {MARK}text{next(_NUMBERS)}", **fields)
    return planted | {"author": fields.get("author", person())}


@dataclass
class Hunter(Walker):
    """Sends what the walk sends, and keeps what was answered."""

    secrets: set[str] = field(default_factory=set)
    """What must be nowhere at all: keys, tokens, signing secrets."""
    leaks: list[str] = field(default_factory=list)
    searched: set[tuple[str, str, int]] = field(default_factory=set)

    async def __call__(self, method: str, path: str, by: str | None = "site", **options: Any) -> Any:
        headers = {"User-Agent": f"{MARK}agent", **dict(options.pop("headers", {}))}
        if by is not None:
            headers.setdefault("Authorization", f"Bearer {self.tokens.get(by, by)}")
        async with self.service.client.request(method, path, headers=headers, **options) as response:
            operation = match(method, response.url.path)
            assert operation is not None
            await check(operation, response)
            self.seen[operation].add(response.status)
            raw = (await response.read()).decode(errors="replace") + str(dict(response.headers))
            self.search(raw, where=(*operation, response.status))
            body = await decoded(response) if "ndjson" not in response.content_type else await response.text()
            if isinstance(body, dict) and str(body.get("type", "")).startswith("/problems/"):
                self.problems.add(body["type"].removeprefix("/problems/"))
            return response.status, body

    def search(self, text: str, *, where: tuple[str, str, int]) -> None:
        """Note what must not be in this answer. A comment's own text and name go to its site, its moderators, its author."""
        self.searched.add(where)
        forbidden = [EMAIL, ADDRESS, AGENT, KEY]
        _, path, status = where
        shows_texts = path in SHOWS_TEXTS and status < 300
        echoes = path.startswith("/sites/")  # the form gives a reader back what that reader just typed
        if not shows_texts and not echoes:
            forbidden += [NAME, TEXT]
        if echoes:
            forbidden = [ADDRESS, AGENT, KEY]
        self.leaks += [f"{where}: {found}" for found in findings(text, forbidden, self.secrets)]


SHOWS_TEXTS = {
    "/v1/queue",
    "/v1/queue/claim",
    "/v1/comments/{id}",
    "/v1/comments/{id}/history",
    "/v1/comments/{id}/decision",
    "/v1/comments/{id}/undo",
    "/v1/comments/{id}/escalate",
    "/v1/comments/{id}/author",
    "/v1/comments/{id}/thread",
    "/v1/search",
}
"""Where the text and the author's public name belong; nowhere else."""


def findings(text: str, forbidden: list[re.Pattern[str]], hidden: set[str]) -> list[str]:
    """Return what of the forbidden is in the text, also written in hexadecimal or with JSON's escapes."""
    forms = [text, bytes.fromhex(h).decode(errors="ignore") if (h := _longest_hex(text)) else ""]
    found = [m.group(0) for form in forms for pattern in forbidden for m in [pattern.search(form)] if m]
    return found + ["a secret" for secret in hidden if secret in text]


def _longest_hex(text: str) -> str:
    runs = re.findall(r"(?:[0-9a-f]{2}){8,}", text)
    return max(runs, key=len, default="")
