"""What happens to comments while a part is away: limits fall back, scores come later, nothing is lost."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import REGISTRY

from moderation.domain.clock import utc_now
from moderation.intake.pipeline import Intake
from moderation.intake.rescoring import Rescorer
from moderation.learning.engine import ActiveModel
from moderation.protocols import edge
from moderation.protocols.native import INTAKE
from moderation.protocols.operations import MODEL
from tests.service import RunningService, comment, rest, running_service


@pytest.fixture(autouse=True)
def only_tests_rescore(monkeypatch: pytest.MonkeyPatch) -> None:
    rest(monkeypatch, Rescorer)


class Unplugged:
    """A model that can be taken away and brought back, over the real one."""

    def __init__(self, real: ActiveModel) -> None:
        self.real = real
        self.is_away = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def for_site(self, site_id: object) -> "Unplugged":
        return self

    def assess(
        self, texts: Sequence[str], urls: Sequence[str | None], hints: Sequence[str | None] = ()
    ) -> Any:
        if self.is_away:
            raise RuntimeError("unplugged")
        return self.real.assess(texts, urls, hints)


def unplug(service: RunningService) -> tuple[Intake, Unplugged]:
    app = service.client.app
    assert app is not None
    intake, model = app[INTAKE], Unplugged(app[MODEL])
    intake._scorer._scorer = model
    return intake, model


async def test_without_a_score_a_comment_is_held_and_judged_later(service: RunningService) -> None:
    intake, model = unplug(service)
    status, body = await service.submit("اشترك الآن واربح https://win.example")
    assert (status, body["verdict"], body["scores"]) == (201, "hold", None)
    assert [reason["code"] for reason in body["reasons"]] == ["not_scored"]
    rescorer = Rescorer(service.database, intake.reviser, clock=utc_now)
    assert await rescorer.once() == 0
    model.is_away = False
    assert await rescorer.once() == 1
    assert await rescorer.once() == 0
    _, stored = await service.call("GET", f"/v1/comments/{body['id']}")
    assert stored["scores"]["spam"] is not None
    assert "not_scored" not in [reason["code"] for reason in stored["reasons"]]
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT sequence FROM comments") == 2


async def test_a_comment_is_rescored_five_times_at_most(service: RunningService) -> None:
    intake, _ = unplug(service)
    await service.submit()
    rescorer = Rescorer(service.database, intake.reviser, clock=utc_now)
    for _ in range(6):
        await rescorer.once()
    async with service.database.connection() as connection:
        assert await connection.fetchval("SELECT rescored FROM tasks") == 5


async def test_scores_of_a_text_that_is_edited_meanwhile_do_not_judge_the_new_one(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake, model = unplug(service)
    _, body = await service.submit()
    assess = intake.reviser._judge.assess

    async def assess_and_edit(*asked: Any) -> Any:
        monkeypatch.undo()
        model.is_away = False
        found = await assess(*asked)
        model.is_away = True
        edit = {"text": "اشترك الآن واربح https://win.example"}
        assert (await service.call("PUT", f"/v1/comments/{body['id']}", json=edit))[0] == 200
        return found

    monkeypatch.setattr(intake.reviser._judge, "assess", assess_and_edit)
    assert await Rescorer(service.database, intake.reviser, clock=utc_now).once() == 0
    _, stored = await service.call("GET", f"/v1/comments/{body['id']}")
    assert (stored["revision"], stored["scores"]) == (2, None)
    assert [reason["code"] for reason in stored["reasons"]] == ["not_scored"]


async def test_comments_are_taken_while_redis_is_away(fresh_database_url: str, tmp_path: Any) -> None:
    async with running_service(fresh_database_url, f"unix://{tmp_path}/nobody.sock?db=0") as service:
        answers = await asyncio.gather(*(service.submit() for _ in range(30)))
        assert {status for status, _ in answers} == {201}
        status, body = await service.call("GET", "/readyz")
        assert (status, body["status"], "redis" in body["missing"]) == (200, "degraded", True)


async def test_a_limit_denies_with_retry_after_and_a_free_retry_is_not_charged_twice(
    fresh_database_url: str, running_engines: Any
) -> None:
    limits = {"author": {"count": 1, "period_s": 3600, "burst": 3}}
    async with running_service(
        fresh_database_url, running_engines.redis_url, site={"limits": limits}
    ) as service:
        author = {"name": "أ", "email": "one@example.com"}
        answers = await asyncio.gather(*(service.submit(f"نص {n}", author=author) for n in range(20)))
        assert sorted(status for status, _ in answers) == [201] * 3 + [429] * 17
        async with service.request("POST", "/v1/comments", json=comment("آخر", author=author)) as response:
            problem = await response.json()
            assert (response.status, problem["rule"]) == (429, "author")
            assert 1 <= int(response.headers["Retry-After"]) <= 3600
        async with service.database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM comments") == 3


async def test_without_postgresql_the_answer_is_503_and_the_retry_succeeds(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[dict[str, object]] = []
    monkeypatch.setattr(edge, "log_request", lambda **fields: lines.append(fields))
    monkeypatch.setattr("moderation.storage.database.BACK_AFTER_S", 0.0)
    app = service.client.app
    assert app is not None
    database = app[INTAKE]._database
    url, body = database.url, comment(external_id="1")
    database._pool.url = "postgresql://moderation@/moderation?host=/nonexistent"
    await database.close()
    async with service.request("POST", "/v1/comments", json=body) as response:
        assert response.status == 503
        assert int(response.headers["Retry-After"]) >= 1
    (line,) = lines
    assert (line["problem"], line["missing"]) == ("unavailable", "postgresql"), "what an operator greps for"
    assert REGISTRY.get_sample_value("moderation_database_away") == 1
    status, ready = await service.call("GET", "/readyz")
    assert (status, "postgresql" in ready["missing"]) == (503, True)
    database._pool.url = url
    status, _ = await service.call("POST", "/v1/comments", json=body)
    assert status == 201
    assert REGISTRY.get_sample_value("moderation_database_away") == 0
