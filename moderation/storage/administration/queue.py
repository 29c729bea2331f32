"""How much waits for review, by site and kind."""

from dataclasses import dataclass
from datetime import datetime

from moderation.domain.ids import SiteId
from moderation.storage.administration.finding import find_site_id
from moderation.storage.database import Database

_COUNT = """
SELECT s.name AS site, t.kind, count(*) AS open,
       count(*) FILTER (WHERE t.claim_expires_at > now()) AS claimed, min(c.received_at) AS oldest_at
  FROM tasks t JOIN sites s ON s.id = t.site_id JOIN comments c ON c.id = t.comment_id
 WHERE s.removed_at IS NULL AND ($1::int IS NULL OR s.id = $1)
 GROUP BY s.name, t.kind ORDER BY s.name, t.kind
"""


@dataclass(frozen=True, slots=True)
class QueueLine:
    """The open tasks of one kind on one site; ``oldest_at`` is when the longest waiting comment arrived."""

    site: str
    kind: str
    open: int
    claimed: int
    oldest_at: datetime


async def count_queue(database: Database, site: str | None = None) -> list[QueueLine]:
    """Return what is open on every site, or on one. Raises `UnknownSiteError`."""
    async with database.connection() as connection:
        site_id: SiteId | None = None if site is None else await find_site_id(connection, site)
        return [QueueLine(*row.values()) for row in await connection.fetch(_COUNT, site_id)]
