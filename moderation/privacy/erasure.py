"""Erasing one person's comments on one site, found by e-mail: what is left are ids, codes and times.

Stays: that there was a comment, its decisions without evidence and notes, what was delivered, and a block as a keyed hash.
Goes: everything the person wrote or was known by, and what a repeated submission is recognised by. Each comment that was not
withdrawn yet gets a decision, and so its site an event, with state ``deleted``.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from moderation.domain.clock import Clock
from moderation.domain.comment import Author
from moderation.domain.decision import Decider, Decision, deletion
from moderation.domain.identity import identify
from moderation.domain.ids import CommentId, SiteId
from moderation.domain.ports import Vault
from moderation.domain.verdict import State
from moderation.privacy.emptying import empty_comments
from moderation.storage.administration.changes import audit, change
from moderation.storage.administration.emails import canonical_email
from moderation.storage.administration.finding import find_site_id
from moderation.storage.database import ANSWERED_WITHIN_S, Connection, Database
from moderation.storage.decisions import LockedComment, lock_comments, record_all

GROUP = 100
"""Comments erased in one transaction."""
ORIGIN = "erasure"
_SCAN_TIMEOUT_S = 600.0

_FIND = "SELECT id FROM comments WHERE site_id = $1 AND email_hash = $2 ORDER BY id LIMIT $3"
_OTHER_IDS = """
SELECT DISTINCT author_external_id FROM comments WHERE id = ANY($1::uuid[]) AND author_external_id IS NOT NULL
"""
_STRIP_EVIDENCE = """
UPDATE decisions
   SET reasons = (SELECT coalesce(jsonb_agg(reason - 'evidence'), '[]') FROM jsonb_array_elements(reasons) AS reason)
 WHERE comment_id = ANY($1::uuid[])
"""
_FORGET_AUTHORS = "DELETE FROM authors WHERE identity = ANY($1::bytea[]) AND standing <> 'blocked'"
_FORGET_LABELS = """
WITH gone AS (DELETE FROM labels WHERE site_id = $1 AND (email_hash = $2 OR comment_id = ANY($3::uuid[])) RETURNING 1)
SELECT count(*) FROM gone
"""
_KEEP_BLOCKS = "UPDATE authors SET approved = 0, rejected = 0 WHERE identity = ANY($1::bytea[])"


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did; ``is_still_blocked`` tells that a block outlives it."""

    comments: int
    is_still_blocked: bool


async def erase(
    database: Database,
    vault: Vault,
    site: str,
    email: str,
    *,
    clock: Clock,
    actor: str,
    decided_by: Decider = Decider.SERVICE,
) -> Erasure:
    """Erase everything that ``site``, removed or not, holds of the person with that e-mail address.

    Done in groups, each whole or not at all; run again, it goes on where it stopped, and finds nothing once it is done.
    Raises `UnknownSiteError`, and `InvalidConfigurationError` for what is no address.
    """
    async with database.connection() as connection:
        site_id = await find_site_id(connection, site, or_removed=True)
    person = _Person(vault, site, site_id, email)
    erased = labels = 0
    while True:
        async with database.transaction() as connection:
            ids = await person.find(connection)
            hashes = await person.hashes(connection, ids)
            await _erase_group(connection, ids, decided_by=decided_by, clock=clock)
            labels += await person.forget(connection, ids, hashes)
            if ids:
                names = [str(comment_id) for comment_id in ids]
                await audit(connection, "comments.erased", actor=actor, site_id=site_id, comments=names)
        erased += len(ids)
        if len(ids) < GROUP:
            return await _finish(database, person, actor=actor, comments=erased, labels=labels)


class Eraser:
    """Erases for sites that ask by themselves."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def erase_for_site(self, site: str, email: str) -> Erasure:
        """Erase as `erase` does; the audit and the events name the site as whoever did it."""
        await self._database.within(ANSWERED_WITHIN_S).check()  # its own statements may take minutes
        return await erase(
            self._database,
            self._vault,
            site,
            email,
            clock=self._clock,
            actor=f"site:{site}",
            decided_by=Decider.SITE,
        )


def email_identity(vault: Vault, site: str, email: str) -> bytes:
    """Return the keyed hash by which that site knows that address. Raises `InvalidConfigurationError` for what is none."""
    identity = identify(vault, site, Author(email=canonical_email(email))).email
    assert identity is not None, "there is an address"
    return identity


class _Person:
    """Whom to erase, by every keyed hash that is theirs alone."""

    def __init__(self, vault: Vault, site: str, site_id: SiteId, email: str) -> None:
        self._vault, self._site, self.site_id = vault, site, site_id
        self.email_hash = email_identity(vault, site, email)

    async def find(self, connection: Connection) -> list[CommentId]:
        rows = await connection.fetch(_FIND, self.site_id, self.email_hash, GROUP)
        return [CommentId(row["id"]) for row in rows]

    async def hashes(self, connection: Connection, ids: Sequence[CommentId]) -> list[bytes]:
        """Return every keyed hash that the comments give away; to be asked before they are emptied."""
        hashes = [self.email_hash]
        for row in await connection.fetch(_OTHER_IDS, ids):
            known = identify(self._vault, self._site, Author(external_id=row["author_external_id"]))
            hashes += known.known()
        return hashes

    async def forget(self, connection: Connection, ids: Sequence[CommentId], hashes: Sequence[bytes]) -> int:
        """Drop the author's records but for a block, and labels; return how many labels there were."""
        labels = await connection.fetchval(_FORGET_LABELS, self.site_id, self.email_hash, ids)
        await connection.execute(_FORGET_AUTHORS, hashes)
        await connection.execute(_KEEP_BLOCKS, hashes)
        return int(labels)


async def _erase_group(
    connection: Connection, ids: Sequence[CommentId], *, decided_by: Decider, clock: Clock
) -> None:
    locked = await lock_comments(connection, ids)
    present = [comment for comment in locked.values() if comment.state is not State.DELETED]
    now = clock()
    await record_all(connection, [(comment, _deletion(comment, decided_by, now)) for comment in present])
    await empty_comments(connection, ids, now=now)
    await connection.execute(_STRIP_EVIDENCE, ids)
    await connection.execute("DELETE FROM removed_texts WHERE comment_id = ANY($1::uuid[])", ids)
    # Recognitions have no index by comment: it would cost every new comment, and this is rare.
    await connection.execute(
        "DELETE FROM recognitions WHERE comment_id = ANY($1::uuid[])", ids, timeout=_SCAN_TIMEOUT_S
    )


async def _finish(database: Database, person: _Person, *, actor: str, comments: int, labels: int) -> Erasure:
    async with change(database) as connection:
        row = await connection.fetchrow("SELECT standing FROM authors WHERE identity = $1", person.email_hash)
        done = Erasure(comments, is_still_blocked=row is not None)
        await audit(
            connection, "author.erased", actor=actor, site_id=person.site_id, labels=labels, **asdict(done)
        )
    return done


def _deletion(comment: LockedComment, decided_by: Decider, now: datetime) -> Decision:
    return deletion(
        sequence=comment.sequence + 1,
        revision=comment.revision,
        decided_by=decided_by,
        decided_at=now,
        origin=ORIGIN,
    )
