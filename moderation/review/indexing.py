"""Makes what comments are found by, after the commit: one process at a time, a little at a time, and resting longer than it works.

Comments are walked by id, which is the time they were received. A group may be committed after a later one, so the last
`SETTLED` of the walk is looked through again every time; an edit is seen by the text that it replaced. The walk goes no further than
`SETTLED` before the newest comment, so that a clock of this host that ran ahead once skips none. Hosts that take comments must agree
on the time within `SETTLED`: those of one whose clock lags by more are walked past before they come, and are not found.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from moderation.domain.clock import Clock
from moderation.domain.ids import earlier, first_uuid
from moderation.domain.searching import words_of
from moderation.storage.leadership import LeadConnection, lead
from moderation.storage.search import (
    keep_entries,
    may_make_entries,
    missing_entries,
    newest_comment,
    note_progress,
    outdated_entries,
    read_progress,
    read_texts,
)

LOCK = 0x6D64_730C
EVERY_S = 2.0
GROUP = 200
SETTLED = timedelta(seconds=60)
"""After this long nothing is committed any more: four times what a statement of intake may take."""
_REST = 20
"""After each look the job rests so many times what it took: at most a twentieth of a process's time, whatever waits."""


class Indexer:
    """The background job."""

    def __init__(self, url: str, *, clock: Clock) -> None:
        self._url = url
        self._clock = clock

    async def run(self) -> None:
        """Work while this process leads, until cancelled."""
        await lead(self._url, LOCK, self._go_on)

    async def once(self, connection: LeadConnection) -> int:
        """Make up to one group of entries for new comments and one for edited ones; return how many."""
        settled = self._clock() - SETTLED
        place, edits_at = await read_progress(connection)
        new = await missing_entries(connection, place, GROUP)
        edited = await outdated_entries(connection, edits_at, GROUP)
        for ids in (new, edited):
            if ids and not await self._make(connection, ids):
                return 0
        reached = min(first_uuid(settled), earlier(await newest_comment(connection), SETTLED))
        if len(new) == GROUP:
            reached = min(reached, new[-1])
        # Not at every look: a row that is written every two seconds for nothing is work for the database, too.
        if new or edited or earlier(reached, SETTLED) > place:
            seen_to = edits_at if len(edited) == GROUP else max(edits_at, settled)
            await note_progress(connection, max(place, reached), seen_to)
        return len(new) + len(edited)

    async def _go_on(self, connection: LeadConnection) -> None:
        while True:
            started = time.monotonic()
            made = await self.once(connection)
            took_s = time.monotonic() - started
            await asyncio.sleep(_REST * took_s if made >= GROUP else max(EVERY_S, _REST * took_s))

    async def _make(self, connection: LeadConnection, ids: Sequence[UUID]) -> bool:
        entries = []
        for row in await read_texts(connection, ids):
            entries.append((row["id"], row["revision"], _words(row)))
            await asyncio.sleep(0)  # others have their turn between two texts
        async with connection.transaction():
            if not await may_make_entries(connection):
                return False
            await keep_entries(connection, entries)
        return True


def _words(row: Any) -> list[str]:
    return words_of(f"{row['text']} {row['author_name'] or ''}")
