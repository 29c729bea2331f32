"""A site that is called in the Akismet dialect, and a client that sends raw forms as the real ones do."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from aiohttp import ClientResponse

from moderation.storage.administration.site_keys import add_akismet_key
from tests.service import RunningService, running_service

THANKS = "Thanks for making the web a better place."
BLOG = "https://news.example"
POST = {"mode": "post"}
CALM = "شكرًا على هذا التقرير المفيد عن خط الترام الجديد في المدينة."
SPAM = "السلام عليكم، أقدم قروضًا شخصية سريعة بدون ضمانات، للتواصل واتساب +000 555 0100"
_NEVER = {
    output: {"doubt": None, "reject": None}
    for output in ("spam", "abuse", "insult", "obscene", "threat", "hate")
}
BANNED = {
    "mode": "post",
    "banned_words": [{"action": "reject", "words": ["مقاول"]}],
    "thresholds": dict.fromkeys(("*", "ar", "en"), _NEVER),
}
"""Under this policy the word is surely rejected and three links are a doubt, whatever the model of the day says."""
REJECTED = "هذا حديث عن المقاول نفسه"
DOUBTFUL = "انظر إلى هذه المقالات http://a.example/1 ثم http://b.example/2 ثم http://c.example/3"
WORDPRESS = "WordPress/7.1 | Akismet/5.7.2"


@dataclass
class Answered:
    """An answer as these clients see it."""

    status: int
    text: str
    headers: Any

    @property
    def guid(self) -> str:
        return str(self.headers["X-akismet-guid"])


@dataclass
class AkismetSite:
    """A running service with an Akismet key."""

    service: RunningService
    key: str

    async def call(
        self,
        name: str,
        body: bytes | str | None = None,
        *,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        key: str | None = None,
        **fields: Any,
    ) -> Answered:
        """Send ``fields`` as a form, or ``body`` as it is; with the site's key unless another (or "") is given."""
        if body is None:
            chosen = self.key if key is None else key
            body = urlencode(({"api_key": chosen} if chosen else {}) | fields, doseq=True)
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        path = name if name.startswith("/") else f"/1.1/{name}"
        if method == "GET":
            path, body = f"{path}?{body if isinstance(body, str) else body.decode()}", b""
        data = io.BytesIO(body.encode() if isinstance(body, str) else body)
        async with self.service.client.request(method, path, data=data, headers=sent) as response:
            return await answered(response)

    async def check(self, text: str = CALM, **fields: Any) -> Answered:
        """Check one comment by an author of its own; returns what a client would see."""
        return await self.call("comment-check", **comment_fields(text, **fields))

    async def rows(self, query: str, *values: Any) -> list[Any]:
        async with self.service.database.connection() as connection:
            return list(await connection.fetch(query, *values))

    async def count(self, table: str) -> int:
        return int((await self.rows(f"SELECT count(*) FROM {table}"))[0][0])


async def answered(response: ClientResponse) -> Answered:
    return Answered(response.status, (await response.read()).decode(), response.headers)


_numbers = iter(range(10**9))


def comment_fields(text: str = CALM, **fields: Any) -> dict[str, Any]:
    """The parameters of a first check, by somebody new; the calm text with a number, for the same from many is a duplicate."""
    number = next(_numbers)
    return {
        "blog": BLOG,
        "user_ip": "198.51.100.7",
        "user_agent": "Mozilla/5.0",
        "permalink": f"{BLOG}/2026/tram/",
        "comment_type": "comment",
        "comment_author": f"قارئ {number}",
        "comment_author_email": f"reader{number}@example.com",
        "comment_content": f"{text} {number}" if text == CALM else text,
        "comment_post_ID": "12",
        **fields,
    }


def wordpress_body(fields: dict[str, str], key: str, *, slashed: bool = True) -> bytes:
    """A body as the plugin writes it: blank values without ``=``, quotes escaped, the reader's form and headers along."""
    texts = {name: _slash(value) if slashed else value for name, value in fields.items()}
    extra = {
        "POST_comment": texts.get("comment_content", ""),
        "POST_email": texts.get("comment_author_email", ""),
        "POST_ak_hp_textarea": "",
        "HTTP_ACCEPT_LANGUAGE": "ar",
        "HTTP_X_SECRET": "do not keep",
        "REMOTE_ADDR": "198.51.100.7",
        "REQUEST_URI": "/wp-comments-post.php",
    }
    pairs = {**texts, **extra, "api_key": key}
    return "&".join(
        f"{quote_plus(name)}={quote_plus(value)}" if value else quote_plus(name)
        for name, value in pairs.items()
    ).encode()


def _slash(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')


@asynccontextmanager
async def akismet_site(
    database_url: str, redis_url: str, *, policy: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[AkismetSite]:
    """Run the service with a site in mode `post` that has an Akismet key."""
    async with running_service(database_url, redis_url, policy=POST | (policy or {}), **options) as service:
        made = await add_akismet_key(service.database, service.vault, service.site.name, actor="test")
        yield AkismetSite(service, made.key)
