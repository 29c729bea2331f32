"""Texts that are only asked about: in one group, each with its site's model."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from moderation.domain.errors import DependencyUnavailableError
from moderation.domain.ids import SiteId
from moderation.domain.verdict import Assessment, Scores
from moderation.intake.analysis import Analyst
from moderation.intake.scoring import GroupScorer

OWN = SiteId(2)


class Model:
    """A model that is as sure of a rejection as it is told; the second site has one of its own."""

    thresholds: dict[str, Any] = {}  # noqa: RUF012 - as the port has it

    def __init__(self, name: str, reject: float | None, own: "Model | None" = None) -> None:
        self.model, self._reject, self._own = name, reject, own
        self.groups: list[int] = []

    def for_site(self, site: SiteId) -> "Model":
        return self._own if site == OWN and self._own else self

    def assess(
        self, texts: Sequence[str], _urls: Sequence[str | None], _hints: Sequence[str | None] = ()
    ) -> list[Assessment]:
        self.groups.append(len(texts))
        return [Assessment(Scores(reject=self._reject), "ar", True, self.model) for _ in texts]

    def explain(self, _text: str, _outputs: Any) -> dict[str, Any]:
        return {}


@pytest.fixture
def shared() -> Model:
    return Model("shared", None, Model("own", 0.9))


async def test_concurrent_callers_are_scored_in_one_group(shared: Model):
    analyst = Analyst(GroupScorer(shared, deadline_s=5), bound=100)  # type: ignore[arg-type]
    asked = [analyst.assess(SiteId(1), ["a"] * number) for number in (1, 3, 2)]
    found = await asyncio.gather(*asked)
    assert [len(part) for part in found] == [1, 3, 2]
    assert shared.groups == [6]
    await analyst.close()


async def test_a_sites_own_model_says_what_its_moderators_would(shared: Model):
    analyst = Analyst(GroupScorer(shared, deadline_s=5), bound=100)  # type: ignore[arg-type]
    [plain], [own] = await asyncio.gather(analyst.assess(SiteId(1), ["a"]), analyst.assess(OWN, ["a"]))
    assert plain is not None
    assert own is not None
    assert (plain.model, plain.scores.reject) == ("shared", None)
    assert (own.model, own.scores.reject) == ("own", 0.9)
    await analyst.close()


async def test_a_full_queue_and_a_closed_one_refuse(shared: Model):
    analyst = Analyst(GroupScorer(shared, deadline_s=5), bound=1)  # type: ignore[arg-type]
    first = asyncio.create_task(analyst.assess(SiteId(1), ["a"]))
    second = asyncio.create_task(analyst.assess(SiteId(1), ["b"]))
    found = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(part) for part in found] == [list, DependencyUnavailableError]
    await analyst.close()
    with pytest.raises(DependencyUnavailableError):
        await analyst.assess(SiteId(1), ["a"])
