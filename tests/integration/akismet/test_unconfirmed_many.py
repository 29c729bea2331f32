"""Checks that nobody confirmed, more of them than one batch holds: the job goes on until none is left, then rests."""

import asyncio
from datetime import timedelta

from moderation.domain.clock import utc_now
from moderation.domain.ids import first_uuid
from moderation.review.unconfirmed import AT_ONCE, KEPT_FOR, Unconfirmed
from tests.service import RunningService

MANY = 3 * AT_ONCE + 50
SOON_S = 30.0
"""Half of what the job rests between rounds."""

_CHECKS = """
INSERT INTO akismet_checks (guid, comment_id, site_id, key_id, match_key, checked_at, unconfirmed_until)
SELECT ($4 || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       ('00000000-0000-7000-8000-' || lpad(to_hex(n / 2), 12, '0'))::uuid, $1, gen_random_uuid(), '', now(), $3
  FROM generate_series(1, $2::int) n
"""


def beginning(age: timedelta) -> str:
    """Return how ids of checks begin that are so old."""
    return str(first_uuid(utc_now() - age))[:13]


async def left(service: RunningService) -> tuple[int, int]:
    async with service.database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT count(*) AS kept, count(unconfirmed_until) AS due FROM akismet_checks"
        )
    assert row is not None
    return row["kept"], row["due"]


async def worked_off(service: RunningService, expected: tuple[int, int]) -> None:
    job = asyncio.create_task(Unconfirmed(service.database, clock=utc_now).run())
    try:
        async with asyncio.timeout(SOON_S):
            while await left(service) != expected:
                await asyncio.sleep(0.1)
    finally:
        job.cancel()


async def test_old_ones_are_forgotten_until_none_is_left(service: RunningService) -> None:
    async with service.database.connection() as connection:
        await connection.execute(
            _CHECKS, service.site.id, MANY, None, beginning(KEPT_FOR + timedelta(days=9))
        )
    await worked_off(service, (0, 0))


async def test_those_that_are_due_are_settled_until_none_is_left_also_where_comments_have_several(
    service: RunningService,
) -> None:
    async with service.database.connection() as connection:
        due = utc_now() - timedelta(minutes=1)
        await connection.execute(_CHECKS, service.site.id, MANY, due, beginning(timedelta(days=1)))
    await worked_off(service, (MANY, 0))
