"""Two processes on one database are given the same submissions at one moment, in opposite orders."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import asyncpg

from moderation.domain.clock import utc_now
from moderation.domain.site import Site
from moderation.intake.candidates import Candidate, candidate
from moderation.intake.pipeline import RACES, Intake
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.native import INTAKE
from tests.service import RunningService, comment

ROUNDS = 12
COMMENTS = 64


async def test_groups_that_hold_the_same_comments_never_lock_each_other_out(service: RunningService) -> None:
    app = service.client.app
    assert app is not None
    intake, site = app[INTAKE], await app[DIRECTORY].site(service.site.name)
    for number in range(ROUNDS):
        bodies = [comment(f"تعليق {at}", external_id=f"{number}-{at}") for at in range(COMMENTS)]
        one, two = [[await decided(intake, site, body) for body in order] for order in (bodies, bodies[::-1])]
        outcomes = await asyncio.gather(intake._commit(one), intake._commit(two), return_exceptions=True)
        assert Counter(type(outcome) for outcome in outcomes) == {
            type(None): 1,
            asyncpg.UniqueViolationError: 1,
        }


async def test_a_group_that_loses_every_race_is_stored_comment_by_comment(service: RunningService) -> None:
    app = service.client.app
    assert app is not None
    intake = app[INTAKE]
    commit, refused = intake._commit, 0

    async def commit_alone(group: Sequence[Candidate]) -> None:
        nonlocal refused
        if len(group) > 1:
            refused += 1
            raise asyncpg.UniqueViolationError
        await commit(group)

    intake._commit = commit_alone  # type: ignore[method-assign]
    answers = await asyncio.gather(*(service.submit(f"تعليق {number}") for number in range(20)))
    assert refused >= RACES
    assert {status for status, _ in answers} == {201}


async def decided(intake: Intake, site: Site, body: object) -> Candidate:
    entering = candidate(intake._vault, site, await intake.read(site, body), now=utc_now())
    intake._decide([entering])
    return entering
