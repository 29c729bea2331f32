"""Sessions of people at the console: in PostgreSQL, so that losing Redis signs nobody out; read at every request, never cached.

A session ends `IDLE` after its last request and `LONGEST` after it began, when the person signs out, is disabled, or sets a
password. Only the hash of its token is kept.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moderation.domain.clock import Clock
from moderation.domain.errors import DependencyUnavailableError
from moderation.domain.ids import ModeratorId, SiteId
from moderation.domain.site import Person, Role
from moderation.storage.administration.changes import audit
from moderation.storage.administration.tokens import new_token, token_hash
from moderation.storage.database import Connection, Database

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=14)
TOUCHED_EVERY = timedelta(minutes=1)
PREFIX = "mdc_"

_FIND = """
SELECT s.seen_at, m.id, m.name,
       coalesce((SELECT jsonb_object_agg(r.site_id, r.role) FROM moderator_roles r JOIN sites t ON t.id = r.site_id
                  WHERE r.moderator_id = m.id AND t.removed_at IS NULL), '{}') AS roles
  FROM sessions s JOIN moderators m ON m.id = s.moderator_id
 WHERE s.token_hash = $1 AND s.seen_at > $2 AND s.began_at > $3 AND m.disabled_at IS NULL
"""
_BEGIN = """
INSERT INTO sessions (token_hash, moderator_id, began_at, seen_at, device)
SELECT $1, id, $3, $3, $5 FROM moderators
 WHERE id = $2 AND password = $4 AND second_factor_sealed IS NOT DISTINCT FROM $6 AND disabled_at IS NULL FOR SHARE
"""
_TOUCH = "UPDATE sessions SET seen_at = $2 WHERE token_hash = $1 AND seen_at < $3"
_STAYS = """
SELECT encode(sha256(token_hash), 'hex') AS id, device, began_at, seen_at, token_hash = $2 AS is_this
  FROM sessions WHERE moderator_id = $1 AND seen_at > $3 AND began_at > $4 ORDER BY seen_at DESC, id
"""
_END_ONE = "DELETE FROM sessions WHERE moderator_id = $1 AND encode(sha256(token_hash), 'hex') = $2"
_STAY_ID = re.compile(r"[0-9a-f]{64}")
_SWEEP = "DELETE FROM sessions WHERE seen_at <= $1 OR began_at <= $2"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in; ``name`` is what colleagues know them by."""

    token: str = field(repr=False)
    person: Person
    name: str | None


@dataclass(frozen=True, slots=True)
class Stay:
    """A live session in the list of whoever it is of; ``id`` stands for it there and opens nothing."""

    id: str
    device: str
    """Browser and system, empty where unknown."""
    began_at: datetime
    seen_at: datetime
    is_this: bool
    """Whether the list was asked for with it."""


class Sessions:
    """Begins, finds and ends sessions. Raises `DependencyUnavailableError` when PostgreSQL is away."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(
        self,
        moderator_id: ModeratorId,
        *,
        password: str,
        second_factor: bytes | None = None,
        instead_of: str | None = None,
        device: str = "",
    ) -> str | None:
        """Return the token of a new session; the one that the browser came with ends. ``device`` is what its owner knows that by.

        ``password`` is the encoded hash that the person was let in by, ``second_factor`` the sealed secret of their codes. None, and no
        session, where either is not theirs any more, or they were disabled meanwhile: whoever changes that ends sessions, and must
        not be overtaken by one that begins.
        """
        token, now = new_token(PREFIX), self._clock()
        async with self._database.transaction() as connection:
            if instead_of is not None:
                await _end(connection, instead_of)
            values = (token_hash(token), moderator_id, now, password, device, second_factor)
            if await connection.execute(_BEGIN, *values) != "INSERT 0 1":
                return None
            person = str(moderator_id)
            await audit(connection, "moderator.signed_in", actor=person, subject=person)
        return token

    async def find(self, token: str) -> Session | None:
        """Return the live session of that token, with the person's roles as of now; None for any other."""
        now, hashed = self._clock(), token_hash(token)
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_FIND, hashed, now - IDLE, now - LONGEST)
        if row is not None and row["seen_at"] < now - TOUCHED_EVERY:
            with suppress(DependencyUnavailableError):  # while nothing can be written one may read still
                async with self._database.connection() as connection:
                    await connection.execute(_TOUCH, hashed, now, now - TOUCHED_EVERY)
        return None if row is None else _session(token, row)

    async def end(self, token: str) -> None:
        """End one session; harmless for one that has ended."""
        async with self._database.connection() as connection:
            await _end(connection, token)

    async def stays(self, session: Session) -> list[Stay]:
        """Return the live sessions of whoever this one is of, the one last used first."""
        now, person = self._clock(), session.person.id
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                _STAYS, person, token_hash(session.token), now - IDLE, now - LONGEST
            )
        return [Stay(**row) for row in rows]

    async def end_one(self, moderator_id: ModeratorId, stay: str) -> None:
        """End one session of the person's own by its ``Stay.id``; harmless for any other."""
        if not _STAY_ID.fullmatch(stay):
            return
        async with self._database.connection() as connection:
            await connection.execute(_END_ONE, moderator_id, stay)

    async def end_all(self, moderator_id: ModeratorId) -> None:
        """Sign the person out everywhere."""
        async with self._database.connection() as connection:
            await end_sessions(connection, moderator_id)


async def end_sessions(connection: Connection, moderator_id: ModeratorId) -> None:
    """End every session of a person, as part of a change."""
    await connection.execute("DELETE FROM sessions WHERE moderator_id = $1", moderator_id)


async def sweep_sessions(connection: Connection, now: datetime) -> None:
    """Remove the rows of sessions that have ended by themselves."""
    await connection.execute(_SWEEP, now - IDLE, now - LONGEST)


async def _end(connection: Connection, token: str) -> None:
    await connection.execute("DELETE FROM sessions WHERE token_hash = $1", token_hash(token))


def _session(token: str, row: Any) -> Session:
    roles = {SiteId(int(site_id)): Role(role) for site_id, role in row["roles"].items()}
    return Session(token, Person(ModeratorId(row["id"]), roles), row["name"])
