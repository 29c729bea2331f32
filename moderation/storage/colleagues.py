"""Who moderates a site, by the names that their colleagues know."""

from dataclasses import dataclass
from uuid import UUID

from moderation.domain.ids import ModeratorId, SiteId
from moderation.storage.database import Connection

# Whoever has no role any more still stands in the history of the sites where they had one: the audit says where that was.
_READ = """
SELECT m.id, m.name, r.role FROM moderators m
  LEFT JOIN moderator_roles r ON r.moderator_id = m.id AND r.site_id = $1
 WHERE r.site_id IS NOT NULL
    OR m.id::text IN (SELECT subject FROM audit WHERE site_id = $1 AND action = 'moderator.role_set')
 ORDER BY m.name NULLS LAST, m.id
"""


@dataclass(frozen=True, slots=True)
class Colleague:
    """``name`` is None where nobody gave one; ``role`` is None for somebody who left."""

    id: UUID
    name: str | None
    role: str | None


async def read_colleagues(connection: Connection, site_id: SiteId) -> list[Colleague]:
    """Return them by name."""
    return [Colleague(*row.values()) for row in await connection.fetch(_READ, site_id)]


async def read_name(connection: Connection, moderator_id: ModeratorId) -> str | None:
    """Return what colleagues know somebody by; None where nobody gave a name."""
    name: str | None = await connection.fetchval("SELECT name FROM moderators WHERE id = $1", moderator_id)
    return name
