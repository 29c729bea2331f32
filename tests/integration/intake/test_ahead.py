"""What is done for a small group while it waits for PostgreSQL and Redis: the same verdicts, each text judged and counted once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from moderation.domain.clock import utc_now
from moderation.domain.policy import Ruling
from moderation.intake.candidates import Candidate, candidate
from moderation.intake.groups import SMALLEST_SHARE
from moderation.intake.pipeline import Intake
from moderation.intake.rates import RateRequest, RateResult
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.native import INTAKE
from moderation.protocols.operations import MODEL
from moderation.telemetry import SCORES, flush_tallies
from tests.service import RunningService, comment, running_service

SPAM = "اشترك الآن واربح https://win.example"


def intake_of(service: RunningService) -> Intake:
    app = service.client.app
    assert app is not None
    return app[INTAKE]


@contextmanager
def watched(service: RunningService) -> Iterator[list[str]]:
    """What happens in which order; the steps themselves are the real ones."""
    seen: list[str] = []
    app, intake = service.client.app, intake_of(service)
    assert app is not None
    loaded = app[MODEL].for_site(service.site.id)
    assess, check, ruling = loaded.assess, intake._limiter.check, intake._ruling
    recognise, commit = intake._recognise, intake._commit

    def scored(texts: Sequence[str], *rest: Any) -> Any:
        seen.append(f"scored {len(texts)}")
        return assess(texts, *rest)

    async def recognised(group: Sequence[Candidate]) -> Any:
        found = await recognise(group)
        seen.append("recognised")
        return found

    async def limited(requests: Sequence[RateRequest]) -> list[RateResult]:
        found = await check(requests)
        seen.append("limited")
        return found

    def ruled(entering: Candidate) -> Ruling:
        seen.append("ruled")
        return ruling(entering)

    async def committed(group: Sequence[Candidate]) -> None:
        await commit(group)
        seen.append("stored")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaded, "assess", scored)
        patch.setattr(intake._limiter, "check", limited)
        for name, step in (("_recognise", recognised), ("_ruling", ruled), ("_commit", committed)):
            patch.setattr(intake, name, step)
        yield seen


def scores_counted() -> float:
    flush_tallies()
    return sum(s.value for m in SCORES.collect() for s in m.samples if s.name.endswith("_count"))


async def test_scoring_and_deciding_go_on_while_postgresql_and_redis_are_waited_for(
    service: RunningService,
) -> None:
    await service.submit()
    with watched(service) as seen:
        status, body = await service.submit(SPAM)
    assert (status, seen) == (201, ["scored 1", "recognised", "ruled", "limited", "stored"])
    assert body["scores"]["spam"] > 0.5
    assert any(reason["evidence"] for reason in body["reasons"])


async def test_a_text_is_judged_and_counted_once(service: RunningService) -> None:
    before = scores_counted()
    with watched(service) as seen:
        await service.submit()
    assert seen.count("scored 1") == seen.count("ruled") == 1
    assert scores_counted() - before == 2, "spam and abuse"


async def test_scores_of_what_was_there_before_are_not_counted_again(service: RunningService) -> None:
    sent = comment(external_id="told-twice")
    first, _ = await service.call("POST", "/v1/comments", json=sent)
    before = scores_counted()
    again, _ = await service.call("POST", "/v1/comments", json=sent)
    assert (first, again, scores_counted() - before) == (201, 200, 0)


async def test_a_flood_is_scored_for_nothing_once_and_not_at_each_try(
    fresh_database_url: str, running_engines: Any
) -> None:
    limits = {"author": {"count": 1, "period_s": 3600, "burst": 1}}
    async with running_service(
        fresh_database_url, running_engines.redis_url, site={"limits": limits}
    ) as service:
        flooding, other = comment()["author"], comment()["author"]
        assert (await service.submit("الأول", author=flooding))[0] == 201
        seen = []
        for number in range(3):
            with watched(service) as steps:
                status, _ = await service.submit(f"سيل {number}", author=flooding)
            seen.append((status, steps))
        assert seen == [
            (429, ["scored 1", "recognised", "ruled", "limited"]),
            (429, ["recognised", "limited"]),
            (429, ["recognised", "limited"]),
        ]
        with watched(service) as steps:
            status, _ = await service.submit("كلام غيره", author=other)
        assert (status, steps) == (201, ["scored 1", "recognised", "ruled", "limited", "stored"])


async def test_what_is_free_is_scored_though_its_author_was_denied(
    fresh_database_url: str, running_engines: Any
) -> None:
    limits = {"author": {"count": 1, "period_s": 3600, "burst": 1}}
    async with running_service(
        fresh_database_url, running_engines.redis_url, site={"limits": limits}
    ) as service:
        author = comment()["author"]
        sent = comment("يعاد", author=author)
        charged = await service.call("POST", "/v1/comments", json=sent)
        await service.call("DELETE", f"/v1/comments/{charged[1]['id']}")
        assert (await service.submit("سيل", author=author))[0] == 429
        intake = intake_of(service)
        app = service.client.app
        assert app is not None
        site = await app[DIRECTORY].site(service.site.name)
        entering = candidate(service.vault, site, await intake.read(site, sent), now=utc_now())
        assert intake._denials.expects(entering)
        await intake._take_in([entering])  # as a retry does whose first try was charged and not stored
        assert entering.answer.result().scores is not None


async def test_what_the_counters_say_is_decided_again(service: RunningService) -> None:
    text = "شكرًا على هذا التقرير المفيد عن خط الترام الجديد في المدينة."
    await service.submit(text)
    with watched(service) as seen:
        _, body = await service.submit(text)
    assert "duplicate" in [reason["code"] for reason in body["reasons"]]
    assert seen.count("ruled") == 2


async def test_a_large_group_is_done_step_by_step(service: RunningService) -> None:
    app, intake, count = service.client.app, intake_of(service), SMALLEST_SHARE + 1
    assert app is not None
    site = await app[DIRECTORY].site(service.site.name)
    read = [await intake.read(site, comment(f"تعليق رقم {number}")) for number in range(count)]
    group = [candidate(service.vault, site, submission, now=utc_now()) for submission in read]
    with watched(service) as seen:
        await intake._process(group)
    assert [entering.answer.result().verdict for entering in group] == ["hold"] * count
    assert seen == ["recognised", "limited", f"scored {count}", *["ruled"] * count, "stored"]


async def test_what_cannot_be_scored_ahead_is_said_once(service: RunningService) -> None:
    app = service.client.app
    assert app is not None
    loaded = app[MODEL].for_site(service.site.id)
    tried = []

    def broken(texts: Sequence[str], *_: Any) -> Any:
        tried.append(len(texts))
        raise RuntimeError("broken")

    loaded.assess = broken
    _, body = await service.submit()
    assert ([reason["code"] for reason in body["reasons"]], tried) == (["not_scored"], [1, 1])
