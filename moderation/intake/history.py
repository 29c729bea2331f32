"""History by the hundred: comments that their site decided before it came to us, for an import of a whole archive.

They take no part in limits, are not judged and make no event. Each has an id of its site's or one made of its content, so
that the same file taken in twice changes nothing; a comment that is known already stays exactly as it is.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import asyncpg

from moderation.domain.clock import Clock
from moderation.domain.comment import Submission
from moderation.domain.errors import DependencyUnavailableError
from moderation.domain.ids import CommentId
from moderation.domain.ports import Vault
from moderation.domain.site import Site
from moderation.intake.candidates import Candidate, History, candidate, content_hash
from moderation.intake.pipeline import UNSTORABLE
from moderation.intake.store import store_group, store_threads
from moderation.storage.database import Connection, Database

GROUP = 500
"""Comments of one transaction."""
RACES = 5
ORIGIN = "import"

_KNOWN = (
    "SELECT external_id, id, thread_id FROM comments WHERE site_id = $1 AND external_id = ANY($2::text[])"
)


@dataclass(frozen=True, slots=True)
class Past:
    """One comment of an archive; ``row`` counts the rows of its file."""

    row: int
    submission: Submission
    history: History


Beside: TypeAlias = Callable[[Connection, Mapping[int, CommentId]], Awaitable[None]]
"""Writes what belongs to comments, by row, in the transaction that stores them."""


@dataclass(slots=True)
class Kept:
    """What became of a group: ids of those stored by row, how many were known, and the rows that the database cannot hold."""

    stored: dict[int, CommentId] = field(default_factory=dict)
    known: int = 0
    unstorable: list[int] = field(default_factory=list)


class HistoryStore:
    """Stores a site's history; usable beside the running service."""

    def __init__(self, database: Database, vault: Vault, site: Site, *, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._site = site
        self._clock = clock

    async def keep(self, group: Sequence[Past], beside: Beside) -> Kept:
        """Store those of ``group`` that are new, and what ``beside`` writes of these: a comment never without it.

        Raises `DependencyUnavailableError`, with nothing or all of it stored.
        """
        kept = Kept()
        remaining = self._distinct(group, kept)
        for _ in range(RACES):
            fresh = await self._fresh(remaining, kept)
            if not fresh:
                return kept
            try:
                await self._store(fresh, kept, beside)
            except asyncpg.UniqueViolationError:
                continue  # somebody stored one of these a moment ago: it is known now
            except UNSTORABLE:
                await self._store_one_by_one(fresh, kept, beside)
            return kept
        raise DependencyUnavailableError("intake")

    def _distinct(self, group: Sequence[Past], kept: Kept) -> dict[str, Past]:
        """Give every comment an id, and leave out repetitions within the group."""
        found: dict[str, Past] = {}
        for past in group:
            named = self._named(past)
            assert named.submission.external_id is not None
            kept.known += named.submission.external_id in found
            found.setdefault(named.submission.external_id, named)
        return found

    def _named(self, past: Past) -> Past:
        if past.submission.external_id is not None:
            return past
        written = past.submission.created_at
        when = "" if written is None else written.isoformat()
        content = content_hash(self._vault, past.submission).hex()
        made = self._vault.fingerprint("imported", self._site.name, when, content).hex()
        return replace(past, submission=past.submission.changed(external_id=f"import-{made}"))

    async def _fresh(self, group: Mapping[str, Past], kept: Kept) -> list[tuple[Past, Candidate]]:
        parents = {p.submission.parent_id for p in group.values() if p.submission.parent_id is not None}
        async with self._database.connection() as connection:
            rows = await connection.fetch(_KNOWN, self._site.id, [*group, *parents])
        known = {row["external_id"]: row for row in rows}
        kept.known += sum(external_id in known for external_id in group)
        fresh = [self._candidate(past) for external_id, past in group.items() if external_id not in known]
        _find_parents(fresh, {key: (row["id"], row["thread_id"]) for key, row in known.items()})
        return fresh

    def _candidate(self, past: Past) -> tuple[Past, Candidate]:
        made = candidate(self._vault, self._site, past.submission, now=self._clock(), history=past.history)
        made.ruling = past.history.ruling
        return past, made

    async def _store(self, fresh: Sequence[tuple[Past, Candidate]], kept: Kept, beside: Beside) -> None:
        stored = {past.row: entering.id for past, entering in fresh}
        async with self._database.transaction() as connection:
            await in_a_moment(connection)
            await _store_threads(connection, [entering for _, entering in fresh])
            await store_group(connection, [entering for _, entering in fresh], self._vault)
            await beside(connection, stored)
        kept.stored |= stored

    async def _store_one_by_one(
        self, fresh: Sequence[tuple[Past, Candidate]], kept: Kept, beside: Beside
    ) -> None:
        for past, entering in fresh:
            try:
                await self._store([(past, entering)], kept, beside)
            except asyncpg.UniqueViolationError:
                kept.known += 1
            except UNSTORABLE:
                kept.unstorable.append(past.row)


async def in_a_moment(connection: Connection) -> None:
    """Let this transaction return before it is on the disk; the next one without this waits for both.

    An import says what it stored after such a one. Were PostgreSQL cut off before, the same file again stores what is missing.
    """
    await connection.execute("SET LOCAL synchronous_commit = off")


def _find_parents(
    fresh: Sequence[tuple[Past, Candidate]], known: Mapping[str, tuple[CommentId, str]]
) -> None:
    """Name the parents that are there, on the same article; a reply to a comment that is gone stands by itself."""
    here = {
        entering.submission.external_id: (entering.id, entering.submission.thread.id) for _, entering in fresh
    }
    for _, entering in fresh:
        written = entering.submission.parent_id
        if written is None:
            continue
        found = here.get(written) or known.get(written)
        if found is not None and found[1] == entering.submission.thread.id and found[0] != entering.id:
            entering.parent_id = found[0]


async def _store_threads(connection: Connection, group: Sequence[Candidate]) -> None:
    """Remember articles that are new; an archive renames none."""
    threads = {
        (int(entering.site.id), thread.id): (thread.url, thread.title)
        for entering in group
        for thread in (entering.submission.thread,)
    }
    await store_threads(connection, threads, is_update=False)
