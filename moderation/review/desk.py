"""Everything a reviewer does, in one place for `app.py` to build and protocol modules to call."""

from moderation.domain.clock import Clock
from moderation.review.archive import Archive
from moderation.review.claims import Claims
from moderation.review.decisions import Decisions
from moderation.review.queue import Queue
from moderation.storage.database import Database


class ReviewDesk:
    """The services of review over one database; holds nothing open and nothing in memory."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self.queue = Queue(database)
        self.claims = Claims(database, clock)
        self.decisions = Decisions(database, clock)
        self.archive = Archive(database)
        self.clock = clock
