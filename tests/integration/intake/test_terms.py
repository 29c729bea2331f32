"""What a dialect may ask of intake: to hold instead of refusing, to judge a known comment again, to count what its door found."""

from dataclasses import replace
from typing import Any

import pytest

from moderation.domain.comment import Terms
from moderation.domain.errors import RateLimitedError
from moderation.domain.rates import Limits
from moderation.domain.verdict import ReasonCode, Verdict
from moderation.intake.candidates import Outcome
from moderation.protocols.authentication import DIRECTORY
from moderation.protocols.native import INTAKE
from tests.service import RunningService, comment

ONE_AUTHOR = {"name": "ليلى", "email": "layla@example.com"}
TEXT = "تعليق هادئ آخر على الخبر رقم"


async def enter(service: RunningService, text: str, terms: Terms, limits: Any) -> Outcome:
    assert service.client.app is not None
    directory, intake = service.client.app[DIRECTORY], service.client.app[INTAKE]
    site = await directory.site(service.site.name)
    site = replace(site, settings=replace(site.settings, limits=Limits.from_json(limits)))
    submission = await intake.read(site, comment(text, author=ONE_AUTHOR))
    return await intake.enter(site, submission.changed(terms=terms))


def codes(outcome: Outcome) -> list[ReasonCode]:
    return [reason.code for reason in outcome.reasons]


@pytest.mark.parametrize("rule", ["author", "thread"])
async def test_a_denied_one_is_held_as_flood_where_its_dialect_does_not_refuse(
    service: RunningService, rule: str
) -> None:
    limits = {"author": 0, "address": 0, "thread": 0, "site": 50} | {rule: 1}
    lenient = Terms(holds_denied=True)
    assert ReasonCode.FLOOD not in codes(await enter(service, TEXT + " 1", lenient, limits))
    held = await enter(service, TEXT + " 2", lenient, limits)
    assert (held.verdict, codes(held)[0]) == (Verdict.HOLD, ReasonCode.FLOOD)
    with pytest.raises(RateLimitedError) as refused:
        await enter(service, TEXT + " 3", Terms(), limits)
    assert refused.value.rule == rule


async def test_what_is_held_as_flood_still_counts_against_the_sites_ceiling(service: RunningService) -> None:
    limits = {"author": 1, "address": 0, "thread": 0, "site": {"count": 3, "period_s": 3600}}
    for number in range(3):
        await enter(service, f"{TEXT} {number}", Terms(holds_denied=True), limits)
    with pytest.raises(RateLimitedError) as refused:
        await enter(service, f"{TEXT} 3", Terms(holds_denied=True), limits)
    assert refused.value.rule == "site"


async def test_a_recheck_is_neither_charged_to_its_author_nor_a_duplicate(service: RunningService) -> None:
    limits = {"author": 1, "address": 0, "thread": 0, "site": 50}
    assert (await service.submit(TEXT))[0] == 201
    for _ in range(2):
        again = await enter(service, TEXT, Terms(is_recheck=True), limits)
        assert codes(again) == [ReasonCode.PREMODERATION]
    fresh = await enter(service, TEXT + " ثم", Terms(), limits)
    assert codes(fresh) == [ReasonCode.PREMODERATION]


async def test_what_the_door_found_holds_a_comment_and_stays_through_an_edit(service: RunningService) -> None:
    terms = Terms(suspicions=(ReasonCode.HONEYPOT, ReasonCode.FORM_NONCE))
    held = await enter(service, TEXT, terms, {"author": 0})
    assert codes(held) == [ReasonCode.HONEYPOT, ReasonCode.FORM_NONCE]
    status, body = await service.call("PUT", f"/v1/comments/{held.id}", json={"text": "نص آخر تمامًا"})
    assert status == 200
    found = [(reason["code"], bool(reason["message"])) for reason in body["reasons"]]
    assert sorted(found) == [("form_nonce", True), ("honeypot", True)]
