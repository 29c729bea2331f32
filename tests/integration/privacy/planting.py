"""A person, every field of whom occurs nowhere else, and a search through every table and key for what they left."""

import secrets
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from moderation.domain.clock import utc_now
from moderation.domain.comment import Author
from moderation.domain.identity import identify
from moderation.domain.label import Label, LabelSource, Targets
from moderation.domain.policy import Standing
from moderation.storage.administration.authors import set_standing
from moderation.storage.labels import keep_labels
from tests.service import RunningService, seed_moderator

BANNED = "قزحطول"
POLICY = {"banned_words": [{"name": "test", "action": "hold", "words": [BANNED]}]}


@dataclass(frozen=True)
class Planted:
    """A person, every field of whom is a string that occurs nowhere else."""

    mark: str

    def word(self, what: str) -> str:
        return f"{self.mark}{what}"

    @property
    def number(self) -> str:
        """The site's own id of a comment: it stays, for by it the site knows which one is gone."""
        return self.mark[1:]

    @property
    def email(self) -> str:
        return f"{self.word('mail')}@example.com"

    @property
    def address(self) -> str:
        number = int(self.number, 16)
        return f"2001:db8:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}::7"

    def comment(self, **fields: Any) -> dict[str, Any]:
        author = {
            "name": self.word("name"),
            "email": self.email,
            "url": f"https://{self.word('web')}.example/",
            "ip": self.address,
            "user_agent": self.word("agent"),
            "external_id": self.word("reader"),
        }
        return {
            "thread": {"id": "12", "url": "https://news.example/12", "title": "خبر"},
            "author": author,
            "text": f"تعليق {self.word('first')} مع {BANNED}",
            "context": {"section": self.word("context")},
            **fields,
        }

    def traces(self, service: RunningService) -> list[str]:
        """What must be nowhere: the words, as text and in hexadecimal, and the keyed hashes."""
        identities = identify(
            service.vault,
            service.site.name,
            Author(email=self.email, external_id=self.word("reader")),
        )
        hashes = [identities.email, identities.external_id]
        return [
            self.mark,
            self.mark.encode().hex(),
            self.address,
            *(h.hex() for h in hashes if h is not None),
        ]


def planted() -> Planted:
    return Planted("q" + secrets.token_hex(4))


async def plant(service: RunningService, person: Planted) -> list[str]:
    """Let a person leave traces wherever they can: comments edited, decided on with a note, waiting, withdrawn; and trust."""
    reader = Author(external_id=person.word("reader"))
    await set_standing(
        service.database, service.vault, service.site.name, reader, Standing.TRUSTED, actor="test"
    )
    moderator = await seed_moderator(service.database, {service.site.id: "lead"})
    headers = {"Idempotency-Key": person.word("key")}
    status, first = await service.call("POST", "/v1/comments", json=person.comment(), headers=headers)
    assert (status, first["state"]) == (201, "held")
    path = f"/v1/comments/{first['id']}"
    edited = {"text": f"{person.word('second')} {BANNED}", "author": {"name": person.word("newname")}}
    status, _ = await service.call("PUT", path, json=edited, headers={"If-Match": '"1"'})
    assert status == 200
    ruling = {"verdict": "approve", "revision": 2, "note": person.word("note")}
    status, answer = await service.call("POST", f"{path}/decision", key=moderator, json=ruling)
    assert status == 200, answer
    status, waiting = await service.call(
        "POST", "/v1/comments", json=person.comment(external_id=person.number, parent_id=first["id"])
    )
    assert (status, waiting["state"]) == (201, "held")
    status, withdrawn = await service.call(
        "POST", "/v1/comments", json=person.comment(text=person.word("third"))
    )
    assert status == 201
    status, _ = await service.call("DELETE", f"/v1/comments/{withdrawn['id']}")
    assert status in {200, 204}
    await label(service, person)
    return [first["id"], waiting["id"], withdrawn["id"]]


async def label(service: RunningService, person: Planted) -> None:
    """What a client of another dialect said of a text of that person."""
    email_hash = identify(service.vault, service.site.name, Author(email=person.email)).email
    said = Label(
        site_id=service.site.id,
        key=secrets.token_bytes(16),
        source=LabelSource.AKISMET,
        text=f"نص {person.word('labelled')}",
        targets=Targets(spam=1, reject=1),
        labelled_at=utc_now(),
        email_hash=email_hash,
    )
    async with service.database.connection() as connection:
        await keep_labels(connection, [said])


async def everything(service: RunningService) -> dict[str, str]:
    """Every table as text, and every key of Redis with its value."""
    async with service.database.connection() as connection:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = {}
        for (name,) in names:
            rows = await connection.fetch(f"SELECT t::text AS row FROM {name} t")
            found[name] = "\n".join(row["row"] for row in rows)
    redis = Redis.from_url(service.redis_url)
    async for key in redis.scan_iter():
        found[f"redis {key!r}"] = repr(key) + repr(await redis.dump(key))
    await redis.aclose()
    return found


async def places(service: RunningService, traces: list[str]) -> set[str]:
    """The tables where any of ``traces`` is."""
    return {
        name for name, text in (await everything(service)).items() if any(trace in text for trace in traces)
    }
