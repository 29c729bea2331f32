"""Sites, comments and decisions for delivery tests, written as intake and review write them."""

import asyncio
from typing import Any
from uuid import UUID

from moderation.domain.decision import Decider, Decision
from moderation.domain.ids import CommentId, SiteId, new_uuid
from moderation.domain.signatures import new_secret
from moderation.domain.verdict import Evidence, Reason, ReasonCode, State, Verdict
from moderation.storage.database import Database
from moderation.storage.decisions import lock_comments, record

TEXT = "نص التعليق السري"


class PlainVault:
    """Seals by writing the purpose in front: enough to see that the purposes agree."""

    def seal(self, text: str, purpose: str) -> bytes:
        return f"{purpose}|{text}".encode()

    def open(self, sealed: bytes, purpose: str) -> str:
        sealed_for, _, text = sealed.decode().partition("|")
        if sealed_for != purpose:
            raise ValueError("sealed for another purpose")
        return text

    def fingerprint(self, purpose: str, *parts: str) -> bytes:
        raise NotImplementedError


class Newsroom:
    """Writes what the rest of the service would have written."""

    def __init__(self, database: Database, clock: Any) -> None:
        self.database = database
        self.clock = clock
        self._vault = PlainVault()

    async def add_site(
        self, name: str, webhook_url: str | None, *secrets: str, language: str = "ar", **settings: Any
    ) -> SiteId:
        sealed = [self._vault.seal(secret, "webhook_secret") for secret in secrets or [new_secret()]]
        async with self.database.connection() as connection:
            site_id = await connection.fetchval(
                "INSERT INTO sites (name, title, url, language, webhook_url, webhook_secrets, settings)"
                " VALUES ($1, $1, 'https://news.example', $2, $3, $4, $5) RETURNING id",
                name,
                language,
                webhook_url,
                sealed,
                settings,
            )
            await connection.execute(
                "INSERT INTO policies (site_id, version, policy, created_by) VALUES ($1, 1, '{}', 'test')",
                site_id,
            )
        return SiteId(site_id)

    async def comment(
        self, site_id: SiteId, *, external_id: str | None = None, is_history: bool = False
    ) -> CommentId:
        """A new comment, held; its first decision is in the same transaction."""
        comment_id, now = CommentId(new_uuid()), self.clock()
        async with self.database.transaction() as connection:
            await connection.execute(
                "INSERT INTO comments (id, site_id, thread_id, external_id, author_name, text, content_hash, state, sequence,"
                " origin, created_at, received_at) VALUES ($1, $2, 't', $3, 'سلمى', $4, $5, 'held', 1, 'native', $6, $6)",
                comment_id,
                site_id,
                external_id,
                TEXT,
                bytes(16),
                now,
            )
            await connection.execute(
                "INSERT INTO decisions (comment_id, sequence, site_id, revision, state, verdict, reasons, decided_by, origin,"
                " decided_at, position) VALUES ($1, 1, $2, 1, 'held', 'hold', $3, 'service', 'native', $4, $5)",
                comment_id,
                site_id,
                [{"code": "insult", "evidence": [[0, 3, "model", 0.5]]}],
                now,
                0 if is_history else None,
            )
            if not is_history:
                await connection.execute(
                    "INSERT INTO deliveries (comment_id, site_id, next_sequence, next_attempt_at, first_due_at)"
                    " SELECT $1, id, 1, $3, $3 FROM sites WHERE id = $2 AND webhook_url IS NOT NULL",
                    comment_id,
                    site_id,
                    now,
                )
        return comment_id

    async def decide(
        self, comment_id: CommentId, state: State = State.APPROVED, *, linger: asyncio.Event | None = None
    ) -> int:
        """Decide once more, through the real writer; returns the sequence. ``linger`` keeps the transaction open."""
        verdicts = {State.APPROVED: Verdict.APPROVE, State.HELD: Verdict.HOLD, State.REJECTED: Verdict.REJECT}
        async with self.database.transaction() as connection:
            comment = (await lock_comments(connection, [comment_id]))[comment_id]
            await record(
                connection,
                comment,
                Decision(
                    sequence=comment.sequence + 1,
                    revision=comment.revision,
                    state=state,
                    verdict=verdicts.get(state),
                    reasons=(Reason(ReasonCode.OFF_TOPIC, (Evidence(0, 3, "person", 1.0),)),),
                    scores=None,
                    model=None,
                    policy=1,
                    decided_by=Decider.MODERATOR,
                    actor="somebody@news.example",
                    note="a private note",
                    decided_at=self.clock(),
                    origin="native",
                ),
            )
            if linger is not None:
                await linger.wait()
        return comment.sequence + 1

    async def fetch(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        async with self.database.connection() as connection:
            return [dict(row) for row in await connection.fetch(sql, *values)]

    async def pending(self) -> list[dict[str, Any]]:
        return await self.fetch("SELECT * FROM deliveries ORDER BY comment_id")

    async def outcomes(self, comment_id: UUID) -> list[str]:
        rows = await self.fetch(
            "SELECT outcome FROM delivery_attempts WHERE comment_id = $1 ORDER BY id", comment_id
        )
        return [row["outcome"] for row in rows]

    async def dead(self) -> list[tuple[UUID, int, str]]:
        rows = await self.fetch(
            "SELECT comment_id, sequence, outcome FROM dead_letters ORDER BY comment_id, sequence"
        )
        return [(row["comment_id"], row["sequence"], row["outcome"]) for row in rows]
