"""The intake with a span for each step of a group; used only where traces are on, so that the others pay nothing."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from moderation.domain.ids import CommentId
from moderation.intake.candidates import Candidate
from moderation.intake.pipeline import Intake
from moderation.tracing import Attributes, Span, Traces


class _Group:
    """What one group went through so far, and who of it was stored."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.spans: list[Span] = []
        self.stored: list[Candidate] = []

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        began_ns = time.time_ns()
        try:
            yield
        finally:
            self.spans.append(Span(name, began_ns, time.time_ns()))


_GROUP: ContextVar[_Group] = ContextVar("group")
"""Every group runs in a task of its own."""


class TracedIntake(Intake):
    """Writes, for each comment that was stored, what its group did when."""

    def __init__(self, *services: Any, traces: Traces, **options: Any) -> None:
        super().__init__(*services, **options)
        self._traces = traces

    async def _process(self, group: list[Candidate]) -> None:
        under_way = _Group(len(group))
        _GROUP.set(under_way)
        try:
            with under_way.span("group"):
                await super()._process(group)
        finally:
            self._tell(under_way)

    def _while_waiting(self, *_: object) -> None:
        """Do everything in its own step, whose span then says what it takes."""

    async def _recognise(
        self, group: Sequence[Candidate]
    ) -> tuple[list[Candidate], list[tuple[Candidate, CommentId]]]:
        with _GROUP.get().span("recognise"):
            return await super()._recognise(group)

    async def _limit(self, fresh: Sequence[Candidate]) -> list[Candidate]:
        with _GROUP.get().span("limit"):
            return await super()._limit(fresh)

    async def _score(self, allowed: Sequence[Candidate]) -> None:
        with _GROUP.get().span("score"):
            await super()._score(allowed)

    def _decide(self, allowed: Sequence[Candidate]) -> None:
        with _GROUP.get().span("decide"):
            super()._decide(allowed)

    async def _commit(self, group: Sequence[Candidate]) -> None:
        under_way = _GROUP.get()
        with under_way.span("commit"):
            await super()._commit(group)
        under_way.stored += group
        for stored in group:
            self._traces.stored(stored.id)

    def _tell(self, group: _Group) -> None:
        for stored in group.stored:
            attributes: Attributes = {
                "comment": str(stored.id),
                "site": stored.site.name,
                "comments": group.size,
            }
            for span in group.spans:
                self._traces.step(span, stored.id, attributes)
