"""What a desk asks first, and again and again: who is here, and how much waits."""

import pytest

from moderation.domain.ids import SiteId
from moderation.domain.task import TaskKind
from moderation.review import queue
from moderation.storage.database import Database
from tests.console import add_account, browser
from tests.integration.intake.test_lookups import PLAN
from tests.seeding import START, Seed, add_comments
from tests.service import RunningService, seed_moderator, seed_site


async def test_people_learn_who_they_are_and_what_they_may_do(service: RunningService) -> None:
    other = await seed_site(service.database, service.vault)
    account = await add_account(service, {service.site.id: "lead", other.id: "moderator"}, name="هدى")
    async with browser(service) as visitor:
        await visitor.sign_in(account)
        reply = await visitor.send("GET", "/v1/me", headers={"Accept-Language": "ar"})
    assert reply.status == 200
    assert account.email not in str(reply.body)
    assert reply.body == {
        "id": str(account.id),
        "name": "هدى",
        "language": "ar",
        "sites": [
            {"name": service.site.name, "title": service.site.name, "language": "ar", "role": "lead"},
            {"name": other.name, "title": other.name, "language": "ar", "role": "moderator"},
        ],
    }
    nobody = await seed_moderator(service.database, {})
    assert (await service.call("GET", "/v1/me", key=nobody))[1]["sites"] == []


async def test_rare_kinds_are_counted_by_their_own_index(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")  # of an empty table it is the cheapest
        await connection.execute(PLAN)
        plan = [row[0] for row in await connection.fetch("SELECT * FROM pg_temp.plan($1)", queue._COUNT)]
    assert sum("tasks_special" in step for step in plan) == 4, (
        "audit and escalated, each counted and its oldest"
    )


async def test_what_waits_is_counted_by_kind_as_far_as_one_may_see_it(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/queue/counts?site={service.site.name}"
    moderator, lead = [
        await seed_moderator(service.database, {service.site.id: role}) for role in ("moderator", "lead")
    ]
    empty = {"open": 0, "is_more": False, "oldest_at": None}
    assert (await service.call("GET", path, key=lead))[1] == {
        "site": service.site.name,
        "kinds": {"held": empty, "audit": empty, "escalated": empty},
    }
    other = await seed_site(service.database, service.vault)
    for site_id in (service.site.id, other.id):
        await add_comments(
            service.database,
            SiteId(site_id),
            [Seed(), Seed(), Seed(task=TaskKind.AUDIT), Seed(task=TaskKind.ESCALATED)],
        )
    _, counted = await service.call("GET", path, key=moderator)
    since = START.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert counted["kinds"] == {
        "held": {"open": 2, "is_more": False, "oldest_at": since},
        "audit": {"open": 1, "is_more": False, "oldest_at": since},
    }
    assert (await service.call("GET", path, key=lead))[1]["kinds"]["escalated"]["open"] == 1
    monkeypatch.setattr("moderation.protocols.workplace.MAX_COUNTED", 1)
    monkeypatch.setattr(queue, "_COUNT", queue._COUNT.replace("10001", "2"))
    _, counted = await service.call("GET", path, key=moderator)
    assert (counted["kinds"]["held"]["open"], counted["kinds"]["held"]["is_more"]) == (1, True)
