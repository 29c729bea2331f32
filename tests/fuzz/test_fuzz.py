"""The short form of the fuzzer; `make fuzz` is the long one."""

import os

from tests.fuzz.campaign import as_text, run
from tests.fuzz.shots import OPERATIONS, World
from tests.service import RunningService, seed_moderator

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "400"))
SEED = int(os.environ.get("FUZZ_SEED", "7"))


async def test_whatever_arrives_gets_an_answer_that_is_no_500(service: RunningService):
    token = await seed_moderator(service.database, {service.site.id: "lead"})
    server, site = service.client.server, service.site
    world = World(server.host, server.port or 0, site.name, site.key, token, site.inbound_secret)
    report = await run(world, requests=REQUESTS, seed=SEED)
    assert not report.broken, as_text(report)
    assert not report.hangs, as_text(report)
    assert len(report.routes) > len(OPERATIONS) / 2, as_text(report)
    assert (await service.submit())[0] == 201
