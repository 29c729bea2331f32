"""Judge again what was held as `not_scored`, while nobody has decided or claimed it; at most five times each."""

from collections.abc import Sequence

import structlog

from moderation.domain.clock import Clock
from moderation.domain.errors import DependencyUnavailableError
from moderation.domain.ids import CommentId
from moderation.intake.revisions import Reviser
from moderation.storage.database import Database
from moderation.storage.repetition import repeat

EVERY_S = 10.0
AT_ONCE = 64
MOST_OFTEN = 5

log = structlog.get_logger()


class Rescorer:
    """A background job; several may run, for each comment is judged under its row lock."""

    def __init__(self, database: Database, reviser: Reviser, *, clock: Clock) -> None:
        self._database = database
        self._reviser = reviser
        self._clock = clock

    async def run(self) -> None:
        """Work until cancelled; an absent PostgreSQL only delays it."""
        await repeat(self.once, job="rescoring", full_batch=AT_ONCE, every_s=EVERY_S)

    async def once(self) -> int:
        """Judge one batch; return how many got scores."""
        if not self._reviser.can_score:
            return 0  # an outage of the model must not use up the tries
        return sum([await self._judge(comment_id) for comment_id in await self._due()])

    async def _judge(self, comment_id: CommentId) -> bool:
        try:
            return await self._reviser.rescore(comment_id)
        except DependencyUnavailableError:
            raise
        except Exception as error:
            log.error("comment_not_rescored", comment=str(comment_id), exc_info=error)
            await self._reviser.count_try(comment_id)
            return False

    async def _due(self) -> Sequence[CommentId]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT t.comment_id FROM tasks t JOIN sites s ON s.id = t.site_id AND s.removed_at IS NULL"
                " WHERE 'not_scored' = ANY (t.reasons) AND t.rescored < $1 AND t.kind = 'held'"
                " AND (t.claim_expires_at IS NULL OR t.claim_expires_at < $2) ORDER BY t.rank LIMIT $3",
                MOST_OFTEN,
                self._clock(),
                AT_ONCE,
            )
        return [CommentId(row["comment_id"]) for row in rows]
