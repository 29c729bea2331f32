"""Submissions without any id whose caller was told 503 although they are stored, or may yet be: recognised until the site has heard.

Where nothing but the text says which submission is which, a minute is all that it is recognised for, for a reader may well write
"thank you" twice. One that was answered 503 may come again much later. What became of it is looked up once PostgreSQL answers
again; where it is stored, the same words by the same author in the same thread get its first answer, once, within `HEARD_WITHIN`.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from moderation.domain.clock import Clock
from moderation.domain.ids import CommentId
from moderation.intake.candidates import Candidate, Outcome
from moderation.storage.database import Connection, Database
from moderation.storage.repetition import repeat

HEARD_WITHIN = timedelta(days=1)
LOOK_EVERY_S = 1.0
DOUBTED_AT_MOST_S = 600.0
"""A server process of the same number may be somebody else's by then."""
BOUND = 10_000
"""Doubts in one process, some 2 MB; the oldest are let go."""
LOOKS = 2
"""How often a server process must be seen at rest: one that just woke may not have read yet what was sent to it."""

_AT_WORK = "SELECT pid FROM pg_stat_activity WHERE pid = ANY($1::int[]) AND state IS DISTINCT FROM 'idle'"

_REMEMBER = """
INSERT INTO recognitions (key, comment_id, revision, content_hash, expires_at)
SELECT DISTINCT ON (asked.key) asked.key, c.id, 1, asked.content_hash, $4
  FROM unnest($1::bytea[], $2::uuid[], $3::bytea[]) AS asked (key, id, content_hash)
  JOIN comments c ON c.id = asked.id AND c.state <> 'deleted'
 ORDER BY asked.key, c.id
    ON CONFLICT (key) DO UPDATE
   SET comment_id = excluded.comment_id, content_hash = excluded.content_hash, expires_at = excluded.expires_at
RETURNING key
"""

log = structlog.get_logger()


@dataclass(slots=True)
class _Doubt:
    """One submission that may be stored; ``pid`` is of the server process that was told to, None where it is done."""

    id: CommentId
    key: bytes
    content_hash: bytes
    pid: int | None
    since_s: float
    looks: int = 0
    is_heard: bool | None = None
    """Whether the caller was told after all that it is stored; None before there is an answer."""

    def note(self, answer: "asyncio.Future[Outcome]") -> None:
        """Note how it was answered. The answer itself is not kept: by an error's traceback it holds the whole group."""
        self.is_heard = not answer.cancelled() and answer.exception() is None


class Unheard:
    """What one process told 503 and does not know, or knows to be stored."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._doubts: deque[_Doubt] = deque(maxlen=BOUND)
        self._settling = asyncio.Lock()
        self._looked_s = -math.inf

    def __len__(self) -> int:
        return len(self._doubts)

    @property
    def is_due(self) -> bool:
        """Whether a group should look before it asks what is known: at most once in `LOOK_EVERY_S`, but for a new doubt."""
        return bool(self._doubts) and (
            self._doubts[-1].since_s > self._looked_s or time.monotonic() - self._looked_s > LOOK_EVERY_S
        )

    def doubt(self, group: Sequence[Candidate], pid: int | None) -> None:
        """Look later what became of those without any id; server process ``pid`` was about to store them, or has where None."""
        now_s = time.monotonic()
        for entering in group:
            if entering.unheard_key is not None:
                doubt = _Doubt(entering.id, entering.unheard_key, entering.content_hash, pid, now_s)
                entering.answer.add_done_callback(doubt.note)
                self._doubts.append(doubt)

    async def watch(self) -> None:
        """Settle doubts until cancelled, though no comment comes that would."""
        await repeat(self._look, job="unheard", full_batch=BOUND + 1, every_s=LOOK_EVERY_S)

    async def _look(self) -> int:
        if self._doubts:
            async with self._database.connection() as connection:
                await self.settle(connection)
        return len(self._doubts)

    async def settle(self, connection: Connection) -> None:
        """Remember what is stored of what is in doubt; keep the doubt where a server process may still be storing it."""
        async with self._settling:  # what a caller has heard meanwhile must not be remembered for a day again
            self._looked_s = time.monotonic()
            doubts = [doubt for doubt in self._doubts if doubt.is_heard is False]
            pids = list({doubt.pid for doubt in doubts})
            at_work = {row["pid"] for row in await connection.fetch(_AT_WORK, pids)}
            hashes = [doubt.content_hash for doubt in doubts]
            given = [doubt.key for doubt in doubts], [doubt.id for doubt in doubts], hashes
            stored = await connection.fetch(_REMEMBER, *given, self._clock() + HEARD_WITHIN)
            settled = {row["key"] for row in stored}
            for doubt in doubts:
                doubt.looks = 0 if doubt.pid in at_work else doubt.looks + 1
            self._forget(settled)
        if stored:
            log.warning("stored_unheard", comments=len(stored))

    def _forget(self, settled: set[bytes]) -> None:
        since_s = time.monotonic() - DOUBTED_AT_MOST_S
        left = (
            doubt
            for doubt in self._doubts
            if not doubt.is_heard
            and doubt.key not in settled
            and doubt.looks < LOOKS
            and doubt.since_s > since_s
        )
        self._doubts = deque(left, maxlen=BOUND)
