"""The service's own error rate, from audits that were decided; to leads alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from moderation.domain.clock import utc_now
from moderation.domain.ids import SiteId
from moderation.domain.verdict import Scores
from moderation.engines import EngineAddresses
from moderation.learning.distributions import BINS, counted, distribution
from moderation.learning.health import HealthReader
from moderation.learning.watch import HealthWatch
from moderation.storage.estimates import count_scores
from tests.service import RunningService, running_service, seed_moderator, seed_site


@pytest_asyncio.fixture(loop_scope="session")
async def audited(fresh_database_url: str, running_engines: EngineAddresses) -> AsyncIterator[RunningService]:
    """A site that publishes at once and audits every automatic verdict."""
    policy = {"mode": "post", "audit_share": 1.0}
    async with running_service(fresh_database_url, running_engines.redis_url, policy=policy) as running:
        yield running


async def test_what_people_say_of_audited_verdicts_is_the_error_rate(audited: RunningService) -> None:
    lead = await seed_moderator(audited.database, {audited.site.id: "lead"})
    for number in range(8):
        status, body = await audited.submit(f"تعليق هادئ على خبر اليوم رقم {number}")
        assert (status, body["verdict"]) == (201, "approve")
        ruling = {"verdict": "reject" if number < 2 else "approve", "revision": 1}
        if ruling["verdict"] == "reject":
            ruling["reason"] = "insult"
        if number < 7:
            await audited.call("POST", f"/v1/comments/{body['id']}/decision", key=lead, json=ruling)
    status, health = await audited.call("GET", f"/v1/health?site={audited.site.name}", key=lead)
    assert status == 200
    assert health["open_audits"] == 1
    rate = health["rates"]["all"]["approve"]
    assert rate["precision"]["value"] == pytest.approx(5 / 7)
    assert rate["precision"]["low"] < 5 / 7 < rate["precision"]["high"]
    assert rate["recall"]["value"] == 1.0
    assert health["rates"]["all"]["reject"]["recall"]["value"] == 0.0
    reader = HealthReader(audited.database, clock=utc_now, shipped=lambda: "shipped")
    await HealthWatch(audited.database, reader, clock=utc_now).look()
    labels = {"verdict": "approve", "language": "all", "bound": "value"}
    assert REGISTRY.get_sample_value("moderation_automatic_precision", labels) == pytest.approx(5 / 7)


async def test_scores_that_postgresql_counts_make_the_picture_that_they_make_one_by_one(
    audited: RunningService,
) -> None:
    await asyncio.gather(*(audited.submit(f"تعليق رقم {number}") for number in range(6)))
    draw = Random(5)
    given = [
        Scores(spam=spam, abuse=None, reject=draw.random()) for spam in (0.0, 0.0999, 0.1, 0.5, 0.95, 1.0)
    ]
    now, site_id = utc_now(), SiteId(audited.site.id)
    async with audited.database.connection() as connection:
        ids = [row["comment_id"] for row in await connection.fetch("SELECT comment_id FROM decisions")]
        for comment_id, scores in zip(ids, given, strict=True):
            await connection.execute(
                "UPDATE decisions SET scores = $2, model = 'm' WHERE comment_id = $1",
                comment_id,
                scores.as_list(),
            )
        stored = [
            Scores.from_list(row["scores"]) for row in await connection.fetch("SELECT scores FROM decisions")
        ]
        window = now - timedelta(hours=1), now + timedelta(hours=1)
        counts = await count_scores(connection, site_id, "m", between=window, parts=BINS)
        assert await count_scores(connection, site_id, "other", between=window, parts=BINS) == {}
    assert counted(counts) == distribution([scores for scores in stored if scores is not None])
    assert counts["spam"] == [2, 1, 0, 0, 0, 1, 0, 0, 0, 2]


async def test_only_leads_of_the_site_read_it(audited: RunningService) -> None:
    other = await seed_site(audited.database, audited.vault)
    path = f"/v1/health?site={audited.site.name}"
    for roles, expected in (({audited.site.id: "moderator"}, 403), ({other.id: "admin"}, 404)):
        token = await seed_moderator(audited.database, roles)
        assert (await audited.call("GET", path, key=token))[0] == expected
    assert (await audited.call("GET", path))[0] == 403
    assert (await audited.call("GET", path, key="mdu_nonsense"))[0] == 401
